/*
 * What one statement changes: the rows of its transition tables, summed up by
 * account pair and by city and minute, and as events where windowed rules ask
 * for them.
 */
#ifndef FINTRANS_DELTAS_H
#define FINTRANS_DELTAS_H

#include "datatype/timestamp.h"
#include "executor/tuptable.h"
#include "utils/tuplestore.h"

#include "amount.h"
#include "compat.h"

/* Text that need not end in a zero byte; compared bytewise (COLLATE "C"). */
typedef struct TextSpan
{
	const char *data;
	int			length;
} TextSpan;

/* A text datum of its own, in the current context. */
extern Datum span_text(const TextSpan *span);

extern bool span_equal(const TextSpan *a, const TextSpan *b);

/* A row added or removed. */
typedef struct Event
{
	struct Event *next;			/* of the same pair, in no order */
	TimestampTz event_time;
	Amount		amount;
	bool		removed;
} Event;

/* Change to the total of one (source account, target account) pair. */
typedef struct PairDelta
{
	TextSpan	source_account;
	TextSpan	target_account;
	uint32		source_hash;
	uint32		target_hash;
	uint32		hash;			/* of both */
	int64		transactions;	/* rows added less rows removed */
	Amount		amount;			/* likewise */
	TimestampTz first_time;		/* over rows added and removed */
	TimestampTz last_time;
	Event	   *events;			/* if wanted */
} PairDelta;

/* What happened to one account: the pairs whose source or target it is. */
typedef struct AccountDelta
{
	TextSpan	account;
	uint32		hash;
	PairDelta **sent;
	int			nsent;
	PairDelta **received;
	int			nreceived;
} AccountDelta;

/* What is left of the pairs by source, and by target. */
typedef struct AccountWalk
{
	PairDelta **sent;
	int			nsent;
	PairDelta **received;
	int			nreceived;
} AccountWalk;

/* Change to the volume of one city in one minute. */
typedef struct VolumeDelta
{
	TextSpan	city;
	TimestampTz minute;
	uint32		hash;
	int64		transactions;	/* rows added less rows removed */
	Amount		amount;			/* likewise */
	Amount		minimum;		/* over rows added and removed */
	Amount		maximum;
	bool		removed;		/* has rows removed */
} VolumeDelta;

/* Have the memory of a pair fetched: what is kept of it mostly lies together. */
static inline void
pair_prefetch(const PairDelta *pair)
{
	compat_prefetch(pair);
	compat_prefetch((const char *) (pair + 1));
	compat_prefetch((const char *) (pair + 1) + 64);
}

typedef struct Deltas Deltas;

/*
 * An empty set, in a memory context of its own below the current one; with
 * events, if wanted.
 */
extern Deltas *deltas_create(bool events);

/* True once the set takes more memory than it should: apply, then reset. */
extern bool deltas_full(const Deltas *deltas);

/* Add the row in slot, or take it away; column numbers are looked up once. */
extern void deltas_add_row(Deltas *deltas, TupleTableSlot *slot, bool removed);

/*
 * The deltas in key order: the order in which every writer locks rows.
 * Valid until deltas_reset().
 */
extern PairDelta **deltas_sorted_pairs(Deltas *deltas, int *count);
extern VolumeDelta **deltas_sorted_volumes(Deltas *deltas, int *count);

/* The same pairs in order of their target accounts; valid as long. */
extern PairDelta **deltas_sorted_by_target(Deltas *deltas, PairDelta **pairs,
										   int count);

/*
 * The next account in key order of those that are in the walk as sources, by
 * which sent is sorted, or as targets, by which received is.
 */
extern bool deltas_next_account(AccountWalk *walk, AccountDelta *account);

extern void deltas_reset(Deltas *deltas);

#endif							/* FINTRANS_DELTAS_H */
