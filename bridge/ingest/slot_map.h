/*
 * From a message's topic and partition to the slot of the list that is being
 * fetched, in a few nanoseconds; also keeps the topics' names.  Pure but for
 * its memory: a topic's handle is a pointer to be compared.
 */
#ifndef FINTRANS_SLOT_MAP_H
#define FINTRANS_SLOT_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "offset_list.h"

/* The slot of a partition that is not fetched. */
#define SLOT_MAP_NONE SIZE_MAX

/* A topic, never forgotten, since lists point to its name. */
typedef struct SlotTopic
{
	char	   *name;			/* owned by the map */
	void	   *handle;			/* the caller's; NULL at first */
	size_t	   *slots;			/* by partition */
	size_t		slot_count;
} SlotTopic;

/* Begin with {0}. */
typedef struct SlotMap
{
	SlotTopic **topics;
	size_t		topic_count;
	const void *last_handle;	/* of the latest look-up; NULL for none */
	int32_t		last_partition;
	size_t		last_slot;
} SlotMap;

/* The handles stay the caller's. */
extern void slot_map_free(SlotMap *map);

/* The topic, added if need be; NULL when memory is short. */
extern SlotTopic *slot_map_topic(SlotMap *map, const char *name);

/*
 * Number the partitions of a list, whose topics must be in the map, by their
 * place in it; others have no slot.  False when memory is short.
 */
extern bool slot_map_assign(SlotMap *map, const OffsetList *positions);

/* Slot of a partition of the topic with this handle, or SLOT_MAP_NONE. */
extern size_t slot_map_find(SlotMap *map, const void *handle,
							int32_t partition);

#endif							/* FINTRANS_SLOT_MAP_H */
