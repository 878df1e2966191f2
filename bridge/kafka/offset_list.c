/*
 * Plain arrays, searched from their start: an assignment has tens of
 * partitions, and lists are searched when it changes, not per message.
 */
#include "offset_list.h"

#include <stdlib.h>
#include <string.h>

static int	compare_items(const void *left, const void *right);

void
offset_list_clear(OffsetList *list)
{
	list->count = 0;
}

void
offset_list_free(OffsetList *list)
{
	free(list->items);
	memset(list, 0, sizeof(*list));
}

bool
offset_list_add(OffsetList *list, const char *topic, int32_t partition,
				int64_t offset)
{
	if (list->count == list->allocated)
	{
		size_t		allocated = list->allocated * 2 + 16;
		OffsetItem *larger = realloc(list->items,
									 allocated * sizeof(*larger));

		if (larger == NULL)
			return false;
		list->items = larger;
		list->allocated = allocated;
	}
	list->items[list->count++] = (OffsetItem)
	{
		.topic = topic, .partition = partition, .offset = offset
	};
	return true;
}

bool
offset_list_copy(OffsetList *list, const OffsetList *other)
{
	offset_list_clear(list);
	for (size_t i = 0; i < other->count; i++)
	{
		const OffsetItem *item = &other->items[i];

		if (!offset_list_add(list, item->topic, item->partition, item->offset))
			return false;
		memcpy(list->items[i].topic_id, item->topic_id,
			   sizeof(item->topic_id));
	}
	return true;
}

const OffsetItem *
offset_list_find(const OffsetList *list, const char *topic, int32_t partition)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->items[i].partition == partition &&
			strcmp(list->items[i].topic, topic) == 0)
			return &list->items[i];
	return NULL;
}

bool
offset_list_has_topic(const OffsetList *list, const char *topic)
{
	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->items[i].topic, topic) == 0)
			return true;
	return false;
}

void
offset_list_sort(OffsetList *list)
{
	if (list->count > 1)
		qsort(list->items, list->count, sizeof(*list->items), compare_items);
}

static int
compare_items(const void *left, const void *right)
{
	const OffsetItem *a = left;
	const OffsetItem *b = right;
	int			order = strcmp(a->topic, b->topic);

	if (order != 0)
		return order;
	return (a->partition > b->partition) - (a->partition < b->partition);
}
