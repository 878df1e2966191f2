/*
 * How far each partition of the assignment has come, how far it could be, and
 * since when it stands still.  Pure but for its memory.
 */
#ifndef FINTRANS_LAG_LIST_H
#define FINTRANS_LAG_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct LagItem
{
	const char *topic;			/* the caller's; outlives the list */
	int32_t		partition;
	int64_t		next_offset;	/* all before it is stored; negative when not
								 * known */
	int64_t		high_watermark; /* Kafka's next; negative when not known */
	int64_t		since_ms;		/* since when it has been behind without
								 * getting on, monotonic; 0 for not behind */
	const char *halted;			/* why, the caller's; NULL for not */
	bool		unreadable;		/* halted by the breaker */
	bool		unanswered;		/* Kafka does not answer for it */
} LagItem;

/* Begin with {0}. */
typedef struct LagList
{
	LagItem    *items;
	size_t		count;
	LagItem    *before;			/* what was listed last time */
	size_t		before_count;
	size_t		allocated;		/* of each of the two */
} LagList;

extern void lag_list_free(LagList *list);

/* List all anew, at most so many; false when memory is short. */
extern bool lag_list_begin(LagList *list, size_t most);

/*
 * Add a partition as it is at now_ms; since_ms goes on from the last time, and
 * so does next_offset when it is negative.  The item may be told more.
 */
extern LagItem *lag_list_add(LagList *list, const char *topic,
							 int32_t partition, int64_t next_offset,
							 int64_t high_watermark, int64_t now_ms);

/* Messages not stored yet; 0 when that is not known. */
extern int64_t lag_of(const LagItem *item);

#endif							/* FINTRANS_LAG_LIST_H */
