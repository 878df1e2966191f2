/*
 * The transactions of a period in memory, as the typologies look at them:
 * accounts are numbers, amounts can be compared quickly, and an order of one's
 * own choice finds what an account sent or received.
 */
#ifndef FINTRANS_TRANSFERS_H
#define FINTRANS_TRANSFERS_H

#include "datatype/timestamp.h"
#include "fmgr.h"

typedef struct Transfer
{
	int			source;			/* number of the account, from 0 on */
	int			target;
	double		amount;			/* to compare by; the first 15 digits count */
	TimestampTz time;
	Datum		exact;			/* the amount as it is stored, a numeric */
} Transfer;

typedef struct Transfers
{
	Transfer   *items;
	int			count;
	text	  **accounts;		/* by number */
	int			naccounts;
} Transfers;

/* What an order sorts by; the first is an account. */
typedef enum TransferOrder
{
	BY_SOURCE_TARGET_TIME,
	BY_TARGET_SOURCE_TIME,
	BY_SOURCE_TIME,
	BY_TARGET_TIME,
	BY_SOURCE_AMOUNT_TARGET_TIME,
	BY_TARGET_AMOUNT_SOURCE_TIME,
	BY_AMOUNT,					/* of one account's transfers only */
	BY_TIME						/* likewise */
} TransferOrder;

/* All transfers in an order; those of account a are from starts[a] on. */
typedef struct TransferIndex
{
	Transfer  **items;
	int		   *starts;			/* one more than there are accounts */
} TransferIndex;

/*
 * The transactions with since <= event_time < before, but none of an account
 * with itself: the last two arguments of the SQL function.  Allocates in the
 * current context, at most maintenance_work_mem; an error beyond that.
 */
extern Transfers *transfers_load(FunctionCallInfo fcinfo);

extern TransferIndex transfers_index(const Transfers *transfers,
									 TransferOrder order);

extern void transfers_sort(Transfer **items, int count, TransferOrder order);

/*
 * The first of items[from] up to before items[to], which are sorted by amount,
 * whose amount is not below the one given; to if there is none.
 */
extern int	transfers_find_amount(Transfer *const *items, int from, int to,
								  double amount);

#endif							/* FINTRANS_TRANSFERS_H */
