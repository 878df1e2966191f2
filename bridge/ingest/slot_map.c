/*
 * Messages come in runs of one partition, so the latest answer is kept; a
 * topic is found by comparing a few pointers, a partition by its number.
 */
#include "slot_map.h"

#include <stdlib.h>
#include <string.h>

static SlotTopic *find_topic(const SlotMap *map, const char *name);
static bool reserve_slots(SlotTopic *topic, size_t count);

void
slot_map_free(SlotMap *map)
{
	for (size_t i = 0; i < map->topic_count; i++)
	{
		free(map->topics[i]->name);
		free(map->topics[i]->slots);
		free(map->topics[i]);
	}
	free(map->topics);
	memset(map, 0, sizeof(*map));
}

SlotTopic *
slot_map_topic(SlotMap *map, const char *name)
{
	SlotTopic  *topic = find_topic(map, name);
	SlotTopic **larger;

	if (topic != NULL)
		return topic;
	larger = realloc(map->topics, (map->topic_count + 1) * sizeof(*larger));
	if (larger == NULL)
		return NULL;
	map->topics = larger;
	topic = calloc(1, sizeof(*topic));
	if (topic == NULL || (topic->name = strdup(name)) == NULL)
	{
		free(topic);
		return NULL;
	}
	map->topics[map->topic_count++] = topic;
	return topic;
}

bool
slot_map_assign(SlotMap *map, const OffsetList *positions)
{
	map->last_handle = NULL;
	for (size_t i = 0; i < map->topic_count; i++)
		for (size_t j = 0; j < map->topics[i]->slot_count; j++)
			map->topics[i]->slots[j] = SLOT_MAP_NONE;
	for (size_t slot = 0; slot < positions->count; slot++)
	{
		const OffsetItem *item = &positions->items[slot];
		SlotTopic  *topic = find_topic(map, item->topic);

		if (topic == NULL ||
			!reserve_slots(topic, (size_t) item->partition + 1))
			return false;
		topic->slots[item->partition] = slot;
	}
	return true;
}

size_t
slot_map_find(SlotMap *map, const void *handle, int32_t partition)
{
	if (handle == map->last_handle && partition == map->last_partition &&
		handle != NULL)
		return map->last_slot;
	if (handle == NULL || partition < 0)
		return SLOT_MAP_NONE;
	for (size_t i = 0; i < map->topic_count; i++)
	{
		const SlotTopic *topic = map->topics[i];

		if (topic->handle != handle)
			continue;
		map->last_handle = handle;
		map->last_partition = partition;
		map->last_slot = (size_t) partition < topic->slot_count ?
			topic->slots[partition] : SLOT_MAP_NONE;
		return map->last_slot;
	}
	return SLOT_MAP_NONE;
}

static SlotTopic *
find_topic(const SlotMap *map, const char *name)
{
	for (size_t i = 0; i < map->topic_count; i++)
		if (strcmp(map->topics[i]->name, name) == 0)
			return map->topics[i];
	return NULL;
}

static bool
reserve_slots(SlotTopic *topic, size_t count)
{
	size_t	   *larger;

	if (topic->slot_count >= count)
		return true;
	larger = realloc(topic->slots, count * sizeof(*larger));
	if (larger == NULL)
		return false;
	topic->slots = larger;
	while (topic->slot_count < count)
		topic->slots[topic->slot_count++] = SLOT_MAP_NONE;
	return true;
}
