/*
 * Window states: what a pair or an account moved lately, for each windowed
 * rule, in buckets of a twenty-fourth of the rule's window.
 *
 * A state keeps the buckets of the last two windows, counted from the newest
 * event it has seen: so every window that holds an event which is at most one
 * window late is known whole.  Beside these it keeps the buckets around the
 * last event that was later than that: so one that is ahead of its time does
 * not hide all that follow.
 */
#ifndef FINTRANS_WINDOWS_H
#define FINTRANS_WINDOWS_H

#include "postgres.h"

#include "amount.h"

#define WINDOW_BUCKETS 24		/* of a window */
#define WINDOW_KEPT_BUCKETS (2 * WINDOW_BUCKETS)

/* No event seen yet. */
#define WINDOW_NEVER PG_INT64_MIN

/* What a bucket holds under one key. */
typedef struct WindowEntry
{
	int64		bucket;			/* number of the bucket since 1970 */
	uint64		key;			/* what the rule tells apart; else 0 */
	int64		transactions;	/* in a change: added less removed */
	Amount		total;			/* likewise */
} WindowEntry;

static inline int
window_compare_entries(const WindowEntry *a, const WindowEntry *b)
{
	if (a->bucket != b->bucket)
		return a->bucket < b->bucket ? -1 : 1;
	return (a->key > b->key) - (a->key < b->key);
}

/* The state of one rule. */
typedef struct Window
{
	int			generation;		/* of the rule */
	int			cap;			/* most keys kept in a bucket; 0: all */
	int64		newest;			/* bucket of the newest event, ever */
	int64		late;			/* of the last one that came too late */
	int			count;
	int			room;
	WindowEntry *entries;		/* in order of bucket and key */
} Window;

/* The states of all rules about one subject. */
typedef struct Windows
{
	int			count;
	Window	   *windows;
} Windows;

/* No windows, with room for count; all in the current memory context. */
extern void windows_create(Windows *windows, int count);

/* One more window, empty. */
extern Window *windows_append(Windows *windows, int generation, int cap);

/* The window of that generation, or NULL. */
extern Window *windows_find(const Windows *windows, int generation);

/*
 * Note what happened: transactions is negative for what was removed.  A window
 * must be sorted before anything else is done with it.
 */
extern void window_add(Window *window, int64 bucket, uint64 key,
					   int64 transactions, const Amount *total);
extern void window_sort(Window *window);

/*
 * The states after the change: windows that the change does not mention are
 * left out, and buckets that are empty, or too old to be kept and of no use
 * for judging the change.
 */
extern void windows_merge(Windows *result, const Windows *old,
						  const Windows *change);

/* Without the buckets that are too old to be kept; may share all else. */
extern void windows_trim(Windows *trimmed, const Windows *windows);

/* True when no window has anything left. */
extern bool windows_empty(const Windows *windows);

/*
 * A state can be kept as an older one and what has changed since, entry by
 * entry: windows_changed() makes the one of the two.  windows_merge_changes()
 * is windows_merge() of such a state, and gives what has changed then.
 */
extern void windows_merge_changes(Windows *result, Windows *new_changes,
								  const Windows *base, const Windows *changes,
								  const Windows *change);
extern void windows_changed(Windows *state, const Windows *base,
							const Windows *changes);

/* True when state has all windows of others and keeps all of their buckets. */
extern bool windows_keep(const Windows *state, const Windows *others);

#endif							/* FINTRANS_WINDOWS_H */
