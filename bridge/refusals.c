/*
 * A short list, searched from its start: it is empty nearly always.
 */
#include "refusals.h"

#include <stdio.h>
#include <string.h>

static bool is_of(const Refusal *refusal, const char *topic,
				  int32_t partition);

bool
refusals_add(Refusals *refusals, const char *topic, int32_t partition,
			 int64_t offset, const char *detail)
{
	Refusal    *refusal;

	if (refusals->count == REFUSALS_MAX)
		return false;
	refusal = &refusals->items[refusals->count++];
	refusal->topic = topic;
	refusal->partition = partition;
	refusal->offset = offset;
	snprintf(refusal->detail, sizeof(refusal->detail), "%s", detail);
	return true;
}

const char *
refusals_find(const Refusals *refusals, const char *topic, int32_t partition,
			  int64_t offset)
{
	for (size_t i = 0; i < refusals->count; i++)
		if (refusals->items[i].offset == offset &&
			is_of(&refusals->items[i], topic, partition))
			return refusals->items[i].detail;
	return NULL;
}

void
refusals_forget(Refusals *refusals, const char *topic, int32_t partition,
				int64_t next_offset)
{
	size_t		kept = 0;

	for (size_t i = 0; i < refusals->count; i++)
		if (refusals->items[i].offset >= next_offset ||
			!is_of(&refusals->items[i], topic, partition))
			refusals->items[kept++] = refusals->items[i];
	refusals->count = kept;
}

static bool
is_of(const Refusal *refusal, const char *topic, int32_t partition)
{
	return refusal->partition == partition &&
		strcmp(refusal->topic, topic) == 0;
}
