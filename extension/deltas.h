/*
 * What one statement changes: the rows of its transition tables, summed up by
 * account pair and by city and minute, and as events of pairs and accounts
 * where windowed rules ask for them.
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

/* Six bytes of a hash tell counterparties apart, and are kept for each. */
#define COUNTERPARTY_MASK UINT64CONST(0xFFFFFFFFFFFF)

/* A row added or removed, as one of its accounts, or the pair, sees it. */
typedef struct Event
{
	struct Event *next;			/* of the same subject, in no order */
	TimestampTz event_time;
	Amount		amount;
	uint64		counterparty;	/* hash of the other account; 0 if the same */
	bool		incoming;		/* the account is the target */
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

/* What happened to one account, as source and as target, as far as wanted. */
typedef struct AccountDelta
{
	TextSpan	account;
	uint32		hash;
	Event	   *events;
} AccountDelta;

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

/*
 * An empty set, in a memory context of its own below the current one; with the
 * events of pairs, and with accounts and what they send and receive, if wanted.
 */
extern Deltas *deltas_create(bool pair_events, bool outgoing, bool incoming);

/* True once the set takes more memory than it should: apply, then reset. */
extern bool deltas_full(const Deltas *deltas);

/* Add the row in slot, or take it away; column numbers are looked up once. */
extern void deltas_add_row(Deltas *deltas, TupleTableSlot *slot, bool removed);

/*
 * The deltas in key order: the order in which every writer locks rows.
 * Valid until deltas_reset().
 */
extern PairDelta **deltas_sorted_pairs(Deltas *deltas, int *count);
extern AccountDelta **deltas_sorted_accounts(Deltas *deltas, int *count);
extern VolumeDelta **deltas_sorted_volumes(Deltas *deltas, int *count);

extern void deltas_reset(Deltas *deltas);

#endif							/* FINTRANS_DELTAS_H */
