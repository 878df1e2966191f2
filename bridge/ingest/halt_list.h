/*
 * The partitions of an assignment that are not fetched, since going on would
 * lose or mix messages, and why.
 */
#ifndef FINTRANS_HALT_LIST_H
#define FINTRANS_HALT_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "consumer.h"
#include "offset_list.h"
#include "position.h"

#define HALT_REASON_BYTES 200

typedef struct Halt
{
	OffsetItem	position;		/* in the table */
	PositionVerdict verdict;
	bool		reported;		/* since it was added */
	char		reason[HALT_REASON_BYTES];
} Halt;

/* Begin with {0}; memory is kept when it is emptied. */
typedef struct HaltList
{
	Halt	   *items;
	size_t		count;
	size_t		allocated;
	Halt	   *before;			/* what halt_list_begin() found, to know what
								 * has been reported */
	size_t		before_count;
	size_t		before_allocated;
	int64_t		review_ms;		/* when next, monotonic */
} HaltList;

extern void halt_list_free(HaltList *list);
extern void halt_list_clear(HaltList *list);

/* False when memory is short. */
extern bool halt_list_add(HaltList *list, const OffsetItem *position,
						  PositionVerdict verdict, const char *reason);

/* NULL when it is not in the list. */
extern const Halt *halt_list_find(const HaltList *list,
								  const OffsetItem *position);

extern bool halt_list_has(const HaltList *list, const OffsetItem *position);

/*
 * Positions are judged anew: forget all halts but those that only a fetch can
 * find out, unless the table has been changed.
 */
extern void halt_list_begin(HaltList *list, const OffsetList *found);

/* Forget those of this verdict; false when there are none. */
extern bool halt_list_forget(HaltList *list, PositionVerdict verdict);

/* Log those that have not been. */
extern void halt_list_report(HaltList *list);

/*
 * Once a minute: report them again, and look whether Kafka's bounds have
 * changed (a new leader can be behind for a moment).  True when positions are
 * to be judged anew.
 */
extern bool halt_list_review(HaltList *list, Consumer *consumer,
							 bool skip_lost);

#endif							/* FINTRANS_HALT_LIST_H */
