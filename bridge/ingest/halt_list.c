/*
 * A list like offset_list.h's, with reasons.
 */
#include "halt_list.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bounds.h"
#include "clock.h"
#include "log.h"

/* Halts are reported again after this time. */
#define REVIEW_MS 60000

static bool reserve(Halt **items, size_t *allocated, size_t count);
static bool was_reported(const HaltList *list, const Halt *halt);
static bool is_same_partition(const Halt *halt, const OffsetItem *position);
static bool is_lasting(const Halt *halt, const OffsetList *found);
static bool has_changed(const Halt *halt, const PositionBounds *bounds,
						bool skip_lost);

void
halt_list_free(HaltList *list)
{
	free(list->items);
	free(list->before);
	memset(list, 0, sizeof(*list));
}

void
halt_list_clear(HaltList *list)
{
	list->count = 0;
	list->before_count = 0;
}

bool
halt_list_add(HaltList *list, const OffsetItem *position,
			  PositionVerdict verdict, const char *reason)
{
	Halt	   *halt;

	if (!reserve(&list->items, &list->allocated, list->count + 1))
		return false;
	halt = &list->items[list->count++];
	halt->position = *position;
	halt->verdict = verdict;
	snprintf(halt->reason, sizeof(halt->reason), "%s", reason);
	halt->reported = was_reported(list, halt);
	return true;
}

const Halt *
halt_list_find(const HaltList *list, const OffsetItem *position)
{
	for (size_t i = 0; i < list->count; i++)
		if (is_same_partition(&list->items[i], position))
			return &list->items[i];
	return NULL;
}

bool
halt_list_has(const HaltList *list, const OffsetItem *position)
{
	return halt_list_find(list, position) != NULL;
}

void
halt_list_begin(HaltList *list, const OffsetList *found)
{
	size_t		left = 0;

	/* without the memory for it they are reported once more */
	list->before_count =
		reserve(&list->before, &list->before_allocated, list->count) ?
		list->count : 0;
	if (list->before_count > 0)
		memcpy(list->before, list->items, list->count * sizeof(*list->items));
	for (size_t i = 0; i < list->count; i++)
		if (is_lasting(&list->items[i], found))
			list->items[left++] = list->items[i];
	list->count = left;
}

bool
halt_list_forget(HaltList *list, PositionVerdict verdict)
{
	size_t		before = list->count;
	size_t		left = 0;

	for (size_t i = 0; i < list->count; i++)
		if (list->items[i].verdict != verdict)
			list->items[left++] = list->items[i];
	list->count = left;
	return left < before;
}

void
halt_list_report(HaltList *list)
{
	for (size_t i = 0; i < list->count; i++)
	{
		Halt	   *halt = &list->items[i];

		if (halt->reported)
			continue;
		halt->reported = true;
		log_write(LOG_LEVEL_ERROR, "partition halted",
				  "topic=%s partition=%" PRId32 " reason=%s",
				  halt->position.topic, halt->position.partition,
				  log_quote(halt->reason, (char[256]) {0}, 256));
	}
	list->review_ms = clock_monotonic_ms() + REVIEW_MS;
}

bool
halt_list_review(HaltList *list, Consumer *consumer, bool skip_lost)
{
	OffsetList	halted = {0};
	Bounds		bounds = {0};
	char		errstr[256];
	bool		asked = true;
	bool		changed = false;

	if (list->count == 0 || clock_monotonic_ms() < list->review_ms)
		return false;
	for (size_t i = 0; i < list->count; i++)
		list->items[i].reported = false;
	halt_list_report(list);
	for (size_t i = 0; i < list->count && asked; i++)
		asked = offset_list_add(&halted, list->items[i].position.topic,
								list->items[i].position.partition, 0);
	asked = asked &&
		bounds_ask(&bounds, consumer, &halted, errstr, sizeof(errstr));
	for (size_t i = 0; i < list->count && asked; i++)
	{
		PositionBounds held = bounds_at(&bounds, i);

		changed = changed || has_changed(&list->items[i], &held, skip_lost);
	}
	bounds_free(&bounds);
	offset_list_free(&halted);
	return changed;
}

static bool
reserve(Halt **items, size_t *allocated, size_t count)
{
	size_t		wanted = *allocated * 2 > count ? *allocated * 2 : count + 4;
	Halt	   *larger;

	if (count <= *allocated)
		return true;
	larger = realloc(*items, wanted * sizeof(*larger));
	if (larger == NULL)
		return false;
	*items = larger;
	*allocated = wanted;
	return true;
}

/* Was the same said of it when positions were judged the last time? */
static bool
was_reported(const HaltList *list, const Halt *halt)
{
	for (size_t i = 0; i < list->before_count; i++)
		if (is_same_partition(&list->before[i], &halt->position) &&
			list->before[i].reported &&
			strcmp(list->before[i].reason, halt->reason) == 0)
			return true;
	return false;
}

static bool
is_same_partition(const Halt *halt, const OffsetItem *position)
{
	return halt->position.partition == position->partition &&
		strcmp(halt->position.topic, position->topic) == 0;
}

static bool
is_lasting(const Halt *halt, const OffsetList *found)
{
	const OffsetItem *item = offset_list_find(found, halt->position.topic,
											  halt->position.partition);

	if (item == NULL || item->offset != halt->position.offset)
		return false;
	return halt->verdict == POSITION_TRIPPED ||
		(halt->verdict == POSITION_REPLACED && item->last.is_set &&
		 item->last.offset == halt->position.last.offset);
}

static bool
has_changed(const Halt *halt, const PositionBounds *bounds, bool skip_lost)
{
	char		reason[HALT_REASON_BYTES];

	return halt->verdict != POSITION_REPLACED &&
		halt->verdict != POSITION_TRIPPED && position_is_known(bounds) &&
		position_judge(halt->position.offset, bounds, skip_lost, reason,
					   sizeof(reason)) != halt->verdict;
}
