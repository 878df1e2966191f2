/*
 * A list of Kafka partitions with an offset each: what the consumer, the
 * loader and the table of positions tell each other.  Pure but for its memory.
 */
#ifndef FINTRANS_OFFSET_LIST_H
#define FINTRANS_OFFSET_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "message_mark.h"
#include "topic_list.h"

typedef struct OffsetItem
{
	const char *topic;			/* the consumer's; lives as long as it does */
	int32_t		partition;
	int64_t		offset;
	MessageMark last;			/* of the table's positions: the last message
								 * handled; not set elsewhere */
	char		topic_id[TOPIC_ID_BYTES];	/* of assigned partitions, and of the
											 * topic that the table's position
											 * is of; "" when not known */
} OffsetItem;

typedef struct OffsetList
{
	OffsetItem *items;
	size_t		count;
	size_t		allocated;
} OffsetList;

/* Begin with {0}; memory is kept when a list is emptied. */
extern void offset_list_clear(OffsetList *list);
extern void offset_list_free(OffsetList *list);

/* False when memory is short. */
extern bool offset_list_add(OffsetList *list, const char *topic,
							int32_t partition, int64_t offset);

/* Make list equal to other; false when memory is short. */
extern bool offset_list_copy(OffsetList *list, const OffsetList *other);

/* NULL when it is not in the list. */
extern const OffsetItem *offset_list_find(const OffsetList *list,
										  const char *topic,
										  int32_t partition);

extern bool offset_list_has_topic(const OffsetList *list, const char *topic);

/* Order by topic (bytewise) and partition: the order of locks. */
extern void offset_list_sort(OffsetList *list);

#endif							/* FINTRANS_OFFSET_LIST_H */
