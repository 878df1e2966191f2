/*
 * Window states: what a pair or an account moved lately, for each windowed
 * rule, in buckets of a twenty-fourth of the rule's window.
 */
#include "postgres.h"

#include "windows.h"

void
windows_create(Windows *windows, int count)
{
	windows->count = 0;
	windows->windows = count > 0 ? palloc(count * sizeof(Window)) : NULL;
}

Window *
windows_append(Windows *windows, int generation, int cap)
{
	Window	   *window = &windows->windows[windows->count++];

	window->generation = generation;
	window->cap = cap;
	window->newest = WINDOW_NEVER;
	window->late = WINDOW_NEVER;
	window->count = 0;
	window->room = 0;
	window->entries = NULL;
	return window;
}

Window *
windows_find(const Windows *windows, int generation)
{
	int			i;

	for (i = 0; i < windows->count; i++)
	{
		if (windows->windows[i].generation == generation)
			return &windows->windows[i];
	}
	return NULL;
}

bool
windows_empty(const Windows *windows)
{
	int			i;

	for (i = 0; i < windows->count; i++)
	{
		if (windows->windows[i].count > 0)
			return false;
	}
	return true;
}

static void
make_room(Window *window, int room)
{
	window->room = room;
	window->entries = window->entries == NULL ?
		MemoryContextAllocHuge(CurrentMemoryContext,
							   room * sizeof(WindowEntry)) :
		repalloc_huge(window->entries, room * sizeof(WindowEntry));
}

static inline WindowEntry *
new_entry(Window *window)
{
	if (window->count == window->room)
		make_room(window, Max(4, 2 * window->room));
	return &window->entries[window->count++];
}

void
window_add(Window *window, int64 bucket, uint64 key, int64 transactions,
		   const Amount *total)
{
	WindowEntry *entry = new_entry(window);

	memset(entry, 0, sizeof(*entry));
	entry->bucket = bucket;
	entry->key = key;
	entry->transactions = transactions;
	if (transactions < 0)
		amount_subtract(&entry->total, total);
	else
	{
		amount_add(&entry->total, total);
		window->newest = Max(window->newest, bucket);
	}
}

#define ST_SORT sort_entries
#define ST_ELEMENT_TYPE WindowEntry
#define ST_COMPARE(a, b) window_compare_entries(a, b)
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

void
window_sort(Window *window)
{
	int			n = 0;
	int			i;

	if (window->count < 2)
		return;
	sort_entries(window->entries, window->count);
	for (i = 1; i < window->count; i++)
	{
		WindowEntry *entry = &window->entries[i];
		WindowEntry *last = &window->entries[n];

		if (window_compare_entries(last, entry) != 0)
			window->entries[++n] = *entry;
		else
		{
			last->transactions += entry->transactions;
			amount_add(&last->total, &entry->total);
		}
	}
	window->count = n + 1;
}

/* ------------------------------------------------------------- merging */

static bool
is_kept(const Window *window, int64 bucket)
{
	if (window->newest == WINDOW_NEVER)
		return false;
	return bucket > window->newest - WINDOW_KEPT_BUCKETS ||
		(window->late != WINDOW_NEVER &&
		 bucket > window->late - WINDOW_KEPT_BUCKETS &&
		 bucket < window->late + WINDOW_KEPT_BUCKETS);
}

/* Where time has come to: events far ahead leave behind what was newest. */
static void
advance(Window *result, const Window *old, const Window *change)
{
	result->newest = Max(old->newest, change->newest);
	result->late = old->late;
	if (old->newest == WINDOW_NEVER || change->newest == WINDOW_NEVER)
		return;
	if (change->newest <= old->newest - WINDOW_KEPT_BUCKETS)
		result->late = change->newest;
	else if (old->newest <= change->newest - WINDOW_KEPT_BUCKETS)
		result->late = old->newest;
}

/* The first bucket that is kept, or takes part in judging the change. */
static int64
first_needed(const Window *result, const Window *change)
{
	int64		first = PG_INT64_MAX;

	if (result->newest != WINDOW_NEVER)
		first = result->newest - WINDOW_KEPT_BUCKETS + 1;
	if (result->late != WINDOW_NEVER)
		first = Min(first, result->late - WINDOW_KEPT_BUCKETS + 1);
	if (change->count > 0)
		first = Min(first, change->entries[0].bucket - WINDOW_BUCKETS + 1);
	return first;
}

/* How many entries from begin on lie in the same bucket. */
static int
bucket_width(const Window *window, int begin)
{
	int			end = begin;

	while (end < window->count &&
		   window->entries[end].bucket == window->entries[begin].bucket)
		end++;
	return end - begin;
}

/* How many of a bucket's keys the change leaves in it. */
static int
count_kept(const WindowEntry *old, int nold,
		   const WindowEntry *change, int nchange)
{
	int			kept = 0;

	for (; nold > 0; nold--, old++)
	{
		int64		transactions = old->transactions;

		while (nchange > 0 && change->key < old->key)
		{
			change++;
			nchange--;
		}
		if (nchange > 0 && change->key == old->key)
			transactions += change->transactions;
		kept += transactions > 0;
	}
	return kept;
}

/* Note in changes, unless it is NULL, what became of the old entry. */
static void
note_change(Window *changes, const WindowEntry *old, const WindowEntry *change,
			bool removed)
{
	WindowEntry noted = *change;

	if (changes == NULL)
		return;
	if (removed)
	{
		noted.transactions = -old->transactions;
		memset(&noted.total, 0, sizeof(noted.total));
		amount_subtract(&noted.total, &old->total);
	}
	*new_entry(changes) = noted;
}

/*
 * Merge one bucket of both.  A full one takes no more keys: it has as many as
 * it takes to decide.  Those that this change removes make room.
 */
static void
merge_bucket(Window *result, Window *changes,
			 const WindowEntry *old, int nold,
			 const WindowEntry *change, int nchange)
{
	int			keys = count_kept(old, nold, change, nchange);

	while (nold > 0 || nchange > 0)
	{
		int			order = nold == 0 ? 1 : nchange == 0 ? -1 :
			(old->key > change->key) - (old->key < change->key);
		WindowEntry entry;

		if (order > 0)
		{
			nchange--;
			entry = *change++;
			if (entry.transactions <= 0 ||
				(result->cap > 0 && keys >= result->cap))
				continue;
			note_change(changes, NULL, &entry, false);
			keys++;
		}
		else
		{
			nold--;
			entry = *old++;
			if (order == 0)
			{
				nchange--;
				entry.transactions += change->transactions;
				amount_add(&entry.total, &change->total);
				note_change(changes, old - 1, change,
							entry.transactions <= 0);
				change++;
			}
		}
		if (entry.transactions > 0)
			*new_entry(result) = entry;
	}
}

/*
 * Merge the entries of both, without the old buckets before first.  changes,
 * unless it is NULL, gets what leads from old to result.
 */
static void
merge_entries(Window *result, Window *changes, const Window *old,
			  const Window *change, int64 first)
{
	int			i = 0;
	int			j = 0;

	while (i < old->count && old->entries[i].bucket < first)
		i++;
	if (old->count - i + change->count > 0)
		make_room(result, old->count - i + change->count);
	while (i < old->count || j < change->count)
	{
		const WindowEntry *a = old->entries + i;
		const WindowEntry *b = change->entries + j;
		int			na = 0;
		int			nb = 0;

		if (j == change->count ||
			(i < old->count && a->bucket <= b->bucket))
			na = bucket_width(old, i);
		if (i == old->count ||
			(j < change->count && b->bucket <= a->bucket))
			nb = bucket_width(change, j);
		merge_bucket(result, changes, a, na, b, nb);
		i += na;
		j += nb;
	}
}

/* The window of that generation, or an empty one. */
static const Window *
find_or_none(const Windows *windows, int generation)
{
	static const Window none = {
		.newest = WINDOW_NEVER,
		.late = WINDOW_NEVER
	};
	const Window *window = windows_find(windows, generation);

	return window != NULL ? window : &none;
}

void
windows_merge(Windows *result, const Windows *old, const Windows *change)
{
	int			i;

	windows_create(result, change->count);
	for (i = 0; i < change->count; i++)
	{
		const Window *new_window = &change->windows[i];
		const Window *old_window = find_or_none(old, new_window->generation);
		Window	   *merged = windows_append(result, new_window->generation,
											new_window->cap);

		advance(merged, old_window, new_window);
		merge_entries(merged, NULL, old_window, new_window,
					  first_needed(merged, new_window));
	}
}

bool
windows_keep(const Windows *state, const Windows *others)
{
	int			i;
	int			j;

	for (i = 0; i < others->count; i++)
	{
		const Window *other = &others->windows[i];
		const Window *window = windows_find(state, other->generation);

		if (window == NULL)
			return false;
		for (j = 0; j < other->count; j++)
		{
			if (!is_kept(window, other->entries[j].bucket))
				return false;
		}
	}
	return true;
}

static Window
trim_window(const Window *window)
{
	Window		kept = *window;
	int			i;

	kept.room = 0;
	kept.count = 0;
	kept.entries = NULL;
	for (i = 0; i < window->count; i++)
	{
		if (is_kept(window, window->entries[i].bucket))
			*new_entry(&kept) = window->entries[i];
	}
	return kept;
}

void
windows_trim(Windows *trimmed, const Windows *windows)
{
	int			i;

	*trimmed = *windows;
	if (windows_keep(windows, windows))
		return;
	windows_create(trimmed, windows->count);
	for (i = 0; i < windows->count; i++)
		trimmed->windows[trimmed->count++] = trim_window(&windows->windows[i]);
}

/* ------------------------------------------------------------- changes */

/* The entries of both, summed up. */
static void
add_up(Window *sum, const Window *a, const Window *b)
{
	int			i = 0;
	int			j = 0;

	while (i < a->count || j < b->count)
	{
		int			order = i == a->count ? 1 : j == b->count ? -1 :
			window_compare_entries(&a->entries[i], &b->entries[j]);
		WindowEntry *entry = new_entry(sum);

		*entry = order <= 0 ? a->entries[i++] : b->entries[j++];
		if (order == 0)
		{
			entry->transactions += b->entries[j].transactions;
			amount_add(&entry->total, &b->entries[j++].total);
		}
	}
}

/* A window of that generation whose time is the other's. */
static Window *
append_like(Windows *windows, const Window *like)
{
	Window	   *window = windows_append(windows, like->generation, like->cap);

	window->newest = like->newest;
	window->late = like->late;
	return window;
}

void
windows_merge_changes(Windows *result, Windows *new_changes,
					  const Windows *base, const Windows *changes,
					  const Windows *change)
{
	int			i;

	windows_create(result, change->count);
	windows_create(new_changes, change->count);
	for (i = 0; i < change->count; i++)
	{
		const Window *new_window = &change->windows[i];
		const Window *old_window = find_or_none(base, new_window->generation);
		const Window *changed = windows_find(changes, new_window->generation);
		Window	   *merged = windows_append(result, new_window->generation,
											new_window->cap);
		Window		all = {0};

		advance(merged, changed != NULL ? changed : old_window, new_window);
		if (changed != NULL)
			add_up(&all, changed, new_window);
		else
			all = *new_window;
		merge_entries(merged, append_like(new_changes, merged), old_window,
					  &all, first_needed(merged, new_window));
	}
}

void
windows_changed(Windows *state, const Windows *base, const Windows *changes)
{
	int			i;

	windows_create(state, changes->count);
	for (i = 0; i < changes->count; i++)
	{
		const Window *window = &changes->windows[i];

		merge_entries(append_like(state, window), NULL,
					  find_or_none(base, window->generation), window,
					  PG_INT64_MIN);
	}
}
