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

static bool is_lasting(const Halt *halt, const OffsetList *found);
static bool has_changed(const Halt *halt, const PositionBounds *bounds,
						bool skip_lost);

void
halt_list_free(HaltList *list)
{
	free(list->items);
	memset(list, 0, sizeof(*list));
}

void
halt_list_clear(HaltList *list)
{
	list->count = 0;
}

bool
halt_list_add(HaltList *list, const OffsetItem *position,
			  PositionVerdict verdict, const char *reason)
{
	Halt	   *halt;

	if (list->count == list->allocated)
	{
		size_t		allocated = list->allocated * 2 + 4;
		Halt	   *larger = realloc(list->items, allocated * sizeof(*larger));

		if (larger == NULL)
			return false;
		list->items = larger;
		list->allocated = allocated;
	}
	halt = &list->items[list->count++];
	halt->position = *position;
	halt->verdict = verdict;
	snprintf(halt->reason, sizeof(halt->reason), "%s", reason);
	return true;
}

const Halt *
halt_list_find(const HaltList *list, const OffsetItem *position)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->items[i].position.partition == position->partition &&
			strcmp(list->items[i].position.topic, position->topic) == 0)
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

	for (size_t i = 0; i < list->count; i++)
		if (is_lasting(&list->items[i], found))
			list->items[left++] = list->items[i];
	list->count = left;
}

void
halt_list_report(HaltList *list)
{
	for (size_t i = 0; i < list->count; i++)
	{
		const Halt *halt = &list->items[i];

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
is_lasting(const Halt *halt, const OffsetList *found)
{
	const OffsetItem *item = offset_list_find(found, halt->position.topic,
											  halt->position.partition);

	return halt->verdict == POSITION_REPLACED && item != NULL &&
		item->offset == halt->position.offset && item->last.is_set &&
		item->last.offset == halt->position.last.offset;
}

static bool
has_changed(const Halt *halt, const PositionBounds *bounds, bool skip_lost)
{
	char		reason[HALT_REASON_BYTES];

	return halt->verdict != POSITION_REPLACED && position_is_known(bounds) &&
		position_judge(halt->position.offset, bounds, skip_lost, reason,
					   sizeof(reason)) != halt->verdict;
}
