/*
 * A topic never seen is begun with all its partitions at once, so that the
 * start point holds for the topic as it is then, and what is added to it later
 * is read from its start.  A partition that Kafka does not answer for at that
 * moment is added later in any case: from its start, which is right when that
 * is the start point.  With another one the whole topic waits for it, rather
 * than load what was not asked for.
 */
#include "newcomers.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "bounds.h"
#include "clock.h"
#include "position.h"

static bool list_missing(const WriterPositions *question, Consumer *consumer,
						 OffsetList *missing, char *errstr,
						 size_t errstr_size);
static bool find_firsts(const WriterPositions *question,
						const StartPoint *start, Consumer *consumer,
						OffsetList *missing, char *errstr,
						size_t errstr_size);
static bool may_begin(const WriterPositions *question,
					  const StartPoint *start, const OffsetList *firsts,
					  const OffsetItem *item);

bool
newcomers_choose(WriterPositions *question, const StartPoint *start,
				 Consumer *consumer, char *errstr, size_t errstr_size)
{
	OffsetList	firsts = {0};
	bool		chosen;

	snprintf(errstr, errstr_size, "out of memory");
	chosen = list_missing(question, consumer, &firsts, errstr, errstr_size) &&
		find_firsts(question, start, consumer, &firsts, errstr, errstr_size);
	offset_list_clear(&question->add);
	for (size_t i = 0; i < firsts.count && chosen; i++)
	{
		const OffsetItem *item = &firsts.items[i];

		if (may_begin(question, start, &firsts, item))
			chosen = offset_list_add(&question->add, item->topic,
									 item->partition, item->offset);
	}
	offset_list_sort(&question->add);
	offset_list_free(&firsts);
	return chosen;
}

static bool
list_missing(const WriterPositions *question, Consumer *consumer,
			 OffsetList *missing, char *errstr, size_t errstr_size)
{
	for (size_t i = 0; i < question->topic_count; i++)
	{
		const char *topic = question->topics[i];
		int32_t		count;

		if (!consumer_count_partitions(consumer, topic, &count, errstr,
									   errstr_size))
			return false;
		for (int32_t partition = 0; partition < count; partition++)
			if (offset_list_find(&question->found, topic, partition) == NULL &&
				!offset_list_add(missing, topic, partition, 0))
				return false;
	}
	return true;
}

/* Give each partition its first offset, or CONSUMER_NO_ANSWER. */
static bool
find_firsts(const WriterPositions *question, const StartPoint *start,
			Consumer *consumer, OffsetList *missing, char *errstr,
			size_t errstr_size)
{
	OffsetList	at_time = {0};
	Bounds		bounds = {0};
	bool		has_time = start->kind == START_AT_TIME;
	bool		asked = bounds_ask(&bounds, consumer, missing, errstr,
								   errstr_size) &&
		(!has_time ||
		 consumer_offsets_at(consumer,
							 time_spec_resolve(&start->time, clock_real_ms()),
							 &bounds.high, &at_time, errstr, errstr_size));

	for (size_t i = 0; i < missing->count && asked; i++)
	{
		OffsetItem *item = &missing->items[i];
		PositionBounds held = bounds_at(&bounds, i);
		int64_t		offset_at_time = has_time ? at_time.items[i].offset : -1;

		if (position_is_known(&held) && offset_at_time != CONSUMER_NO_ANSWER)
			item->offset =
				position_first(start,
							   offset_list_has_topic(&question->found,
													 item->topic),
							   &held, offset_at_time);
		else
			item->offset = CONSUMER_NO_ANSWER;
	}
	bounds_free(&bounds);
	offset_list_free(&at_time);
	return asked;
}

static bool
may_begin(const WriterPositions *question, const StartPoint *start,
		  const OffsetList *firsts, const OffsetItem *item)
{
	if (start->kind == START_EARLIEST ||
		offset_list_has_topic(&question->found, item->topic))
		return item->offset != CONSUMER_NO_ANSWER;
	for (size_t i = 0; i < firsts->count; i++)
		if (firsts->items[i].offset == CONSUMER_NO_ANSWER &&
			strcmp(firsts->items[i].topic, item->topic) == 0)
			return false;
	return true;
}
