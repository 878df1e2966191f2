/*
 * What one statement changes: the rows of its transition tables, summed up by
 * account pair and by city and minute.
 */
#ifndef FINTRANS_DELTAS_H
#define FINTRANS_DELTAS_H

#include "datatype/timestamp.h"
#include "executor/tuptable.h"
#include "utils/tuplestore.h"

#include "amount.h"

/* Text that need not end in a zero byte; compared bytewise (COLLATE "C"). */
typedef struct TextSpan
{
	const char *data;
	int			length;
} TextSpan;

/* A text datum of its own, in the current context. */
extern Datum span_text(const TextSpan *span);

/* Change to the total of one (source account, target account) pair. */
typedef struct PairDelta
{
	TextSpan	source_account;
	TextSpan	target_account;
	uint32		hash;
	int64		transactions;	/* rows added less rows removed */
	Amount		amount;			/* likewise */
	TimestampTz first_time;		/* over rows added and removed */
	TimestampTz last_time;
} PairDelta;

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

typedef struct Deltas Deltas;

/* An empty set, in a memory context of its own below the current one. */
extern Deltas *deltas_create(void);

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

extern void deltas_reset(Deltas *deltas);

#endif							/* FINTRANS_DELTAS_H */
