/*
 * Two lists that take turns: the one being made, and the last one.
 */
#include "lag_list.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static const LagItem *find_before(const LagList *list, const char *topic,
								  int32_t partition);
static bool is_of(const LagItem *item, const char *topic, int32_t partition);

void
lag_list_free(LagList *list)
{
	free(list->items);
	free(list->before);
	memset(list, 0, sizeof(*list));
}

bool
lag_list_begin(LagList *list, size_t most)
{
	LagItem    *items = list->before;

	list->before = list->items;
	list->before_count = list->count;
	list->items = items;
	list->count = 0;
	if (most <= list->allocated)
		return true;
	items = realloc(list->items, most * sizeof(*items));
	if (items == NULL)
		return false;
	list->items = items;
	items = realloc(list->before, most * sizeof(*items));
	if (items == NULL)
		return false;
	list->before = items;
	list->allocated = most;
	return true;
}

LagItem *
lag_list_add(LagList *list, const char *topic, int32_t partition,
			 int64_t next_offset, int64_t high_watermark, int64_t now_ms)
{
	const LagItem *before = find_before(list, topic, partition);
	LagItem    *item = &list->items[list->count];

	assert(list->count < list->allocated);
	if (next_offset < 0 && before != NULL)
		next_offset = before->next_offset;
	list->count++;
	*item = (LagItem)
	{
		.topic = topic,
		.partition = partition,
		.next_offset = next_offset,
		.high_watermark = high_watermark
	};
	if (lag_of(item) == 0)
		return item;
	item->since_ms = before != NULL && before->since_ms != 0 &&
		before->next_offset == next_offset ? before->since_ms : now_ms;
	return item;
}

int64_t
lag_of(const LagItem *item)
{
	if (item->next_offset < 0 || item->high_watermark < item->next_offset)
		return 0;
	return item->high_watermark - item->next_offset;
}

/* As a rule it stood at the same place. */
static const LagItem *
find_before(const LagList *list, const char *topic, int32_t partition)
{
	if (list->count < list->before_count &&
		is_of(&list->before[list->count], topic, partition))
		return &list->before[list->count];
	for (size_t i = 0; i < list->before_count; i++)
		if (is_of(&list->before[i], topic, partition))
			return &list->before[i];
	return NULL;
}

static bool
is_of(const LagItem *item, const char *topic, int32_t partition)
{
	return item->partition == partition && strcmp(item->topic, topic) == 0;
}
