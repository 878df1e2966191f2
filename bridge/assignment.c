/*
 * The steps of an assignment.  A step that Kafka cannot answer is begun again
 * from the table after a second: positions and bounds that are compared must
 * be of about the same moment.
 */
#include "assignment.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "log.h"

/* Kafka did not answer: try again after this time. */
#define RETRY_MS 1000

/* Halted partitions are reported again after this time. */
#define HALTS_REPORT_MS 60000

#define ERROR_BYTES 300

/* Watermarks of a list of partitions, by index. */
typedef struct Bounds
{
	OffsetList	low;
	OffsetList	high;
} Bounds;

static void ask(Assignment *assignment, const OffsetList *assigned,
				Writer *writer);
static bool list_topics(WriterPositions *question, const OffsetList *assigned);
static bool is_complete(const OffsetList *found, const OffsetList *assigned);
static bool choose_first(Assignment *assignment, Consumer *consumer,
						 char *errstr, size_t errstr_size);
static bool list_missing(Consumer *consumer, const WriterPositions *question,
						 OffsetList *missing, char *errstr,
						 size_t errstr_size);
static bool begin_fetch(Assignment *assignment, Consumer *consumer,
						char *errstr, size_t errstr_size);
static bool judge(Assignment *assignment, const OffsetList *assigned,
				  const Bounds *bounds, OffsetList *fetch);
static bool judge_partition(Assignment *assignment, const OffsetItem *item,
							const PositionBounds *bounds, OffsetList *fetch);
static void report_halt(const AssignmentHalt *halt);
static bool get_bounds(Consumer *consumer, const OffsetList *partitions,
					   Bounds *bounds, char *errstr, size_t errstr_size);
static void free_bounds(Bounds *bounds);
static void try_later(Assignment *assignment, const char *reason);

void
assignment_init(Assignment *assignment, const StartPoint *start,
				bool skip_lost)
{
	memset(assignment, 0, sizeof(*assignment));
	assignment->start = *start;
	assignment->skip_lost = skip_lost;
}

void
assignment_free(Assignment *assignment)
{
	free(assignment->question.topics);
	offset_list_free(&assignment->question.add);
	offset_list_free(&assignment->question.found);
	offset_list_free(&assignment->positions);
	offset_list_free(&assignment->targets);
	free(assignment->halts);
}

void
assignment_begin(Assignment *assignment)
{
	assignment->stage = ASSIGNMENT_WANTED;
	assignment->retry_ms = 0;
}

void
assignment_end(Assignment *assignment)
{
	assignment->stage = ASSIGNMENT_NONE;
	assignment->halt_count = 0;
}

void
assignment_renew(Assignment *assignment, Consumer *consumer, int64_t delay_ms)
{
	const OffsetList none = {0};
	char		errstr[ERROR_BYTES];

	if (assignment->stage == ASSIGNMENT_NONE)
		return;
	if (!consumer_fetch(consumer, &none, errstr, sizeof(errstr)))
		log_write(LOG_LEVEL_WARNING, "could not stop fetching", "text=%s",
				  log_quote(errstr, (char[ERROR_BYTES]) {0}, ERROR_BYTES));
	assignment->stage = ASSIGNMENT_WANTED;
	assignment->retry_ms = clock_monotonic_ms() + delay_ms;
}

void
assignment_step(Assignment *assignment, Consumer *consumer, Writer *writer)
{
	if (assignment->stage == ASSIGNMENT_WANTED && writer_is_idle(writer) &&
		clock_monotonic_ms() >= assignment->retry_ms)
		ask(assignment, consumer_assigned(consumer), writer);
}

bool
assignment_take(Assignment *assignment, Consumer *consumer, Writer *writer,
				const WriterReport *report)
{
	bool		may_add = assignment->stage == ASSIGNMENT_READING;
	char		errstr[ERROR_BYTES];

	/* the answer to a question of an assignment that has ended */
	if (!may_add && assignment->stage != ASSIGNMENT_ADDING)
		return false;
	if (report->result != WRITER_DONE)
	{
		try_later(assignment, "the table of positions was not read");
		return false;
	}
	if (is_complete(&assignment->question.found, consumer_assigned(consumer)))
	{
		if (begin_fetch(assignment, consumer, errstr, sizeof(errstr)))
			return true;
		try_later(assignment, errstr);
		return false;
	}
	if (!may_add ||
		!choose_first(assignment, consumer, errstr, sizeof(errstr)))
	{
		try_later(assignment, may_add ? errstr :
				  "partitions were not added to the table of positions");
		return false;
	}
	writer_positions(writer, &assignment->question);
	assignment->stage = ASSIGNMENT_ADDING;
	return false;
}

bool
assignment_review_halts(Assignment *assignment, Consumer *consumer)
{
	int64_t		now_ms = clock_monotonic_ms();
	OffsetList	halted = {0};
	Bounds		bounds = {0};
	char		errstr[ERROR_BYTES];
	bool		changed = false;
	bool		complete = true;

	if (assignment->halt_count == 0 ||
		now_ms < assignment->halts_reported_ms + HALTS_REPORT_MS)
		return false;
	assignment->halts_reported_ms = now_ms;
	for (size_t i = 0; i < assignment->halt_count; i++)
	{
		report_halt(&assignment->halts[i]);
		complete = complete &&
			offset_list_add(&halted, assignment->halts[i].topic,
							assignment->halts[i].partition, 0);
	}
	if (complete &&
		get_bounds(consumer, &halted, &bounds, errstr, sizeof(errstr)))
	{
		for (size_t i = 0; i < halted.count; i++)
		{
			const AssignmentHalt *halt = &assignment->halts[i];
			PositionBounds now = {
				bounds.low.items[i].offset, bounds.high.items[i].offset
			};

			changed = changed ||
				position_judge(halt->next_offset, &now, assignment->skip_lost,
							   errstr, sizeof(errstr)) != halt->verdict;
		}
	}
	free_bounds(&bounds);
	offset_list_free(&halted);
	return changed;
}

int64_t
assignment_target(const Assignment *assignment, const char *topic,
				  int32_t partition)
{
	const OffsetItem *item = offset_list_find(&assignment->targets, topic,
											  partition);

	return item != NULL ? item->offset : -1;
}

static void
ask(Assignment *assignment, const OffsetList *assigned, Writer *writer)
{
	offset_list_clear(&assignment->question.add);
	if (!list_topics(&assignment->question, assigned))
	{
		try_later(assignment, "out of memory");
		return;
	}
	writer_positions(writer, &assignment->question);
	assignment->stage = ASSIGNMENT_READING;
}

/* Each topic of the (sorted) assignment once. */
static bool
list_topics(WriterPositions *question, const OffsetList *assigned)
{
	const char **topics = realloc(question->topics,
								  (assigned->count + 1) * sizeof(*topics));

	if (topics == NULL)
		return false;
	question->topics = topics;
	question->topic_count = 0;
	for (size_t i = 0; i < assigned->count; i++)
	{
		const char *topic = assigned->items[i].topic;

		if (i == 0 || strcmp(topic, assigned->items[i - 1].topic) != 0)
			topics[question->topic_count++] = topic;
	}
	return true;
}

static bool
is_complete(const OffsetList *found, const OffsetList *assigned)
{
	for (size_t i = 0; i < assigned->count; i++)
		if (offset_list_find(found, assigned->items[i].topic,
							 assigned->items[i].partition) == NULL)
			return false;
	return true;
}

/*
 * Fill question.add with the first position of each partition that the table
 * lacks: of a topic never seen all partitions at once, so that the start
 * point holds for the topic as it is now, and what is added to it later is
 * read from its start.
 */
static bool
choose_first(Assignment *assignment, Consumer *consumer, char *errstr,
			 size_t errstr_size)
{
	WriterPositions *question = &assignment->question;
	const StartPoint *start = &assignment->start;
	OffsetList	missing = {0};
	OffsetList	at_time = {0};
	Bounds		bounds = {0};
	bool		chosen = list_missing(consumer, question, &missing, errstr,
									  errstr_size) &&
		get_bounds(consumer, &missing, &bounds, errstr, errstr_size) &&
		(start->kind != START_AT_TIME ||
		 consumer_offsets_at(consumer,
							 time_spec_resolve(&start->time, clock_real_ms()),
							 &missing, &at_time, errstr, errstr_size));

	for (size_t i = 0; i < missing.count && chosen; i++)
	{
		const OffsetItem *item = &missing.items[i];
		PositionBounds held = {
			bounds.low.items[i].offset, bounds.high.items[i].offset
		};
		int64_t		first =
			position_first(start,
						   offset_list_has_topic(&question->found,
												 item->topic),
						   &held,
						   start->kind == START_AT_TIME ?
						   at_time.items[i].offset : -1);

		log_write(LOG_LEVEL_INFO, "new partition",
				  "topic=%s partition=%" PRId32 " first_offset=%" PRId64,
				  item->topic, item->partition, first);
		chosen = offset_list_add(&question->add, item->topic, item->partition,
								 first);
	}
	offset_list_sort(&question->add);
	free_bounds(&bounds);
	offset_list_free(&at_time);
	offset_list_free(&missing);
	return chosen;
}

/* All partitions of the question's topics that the table does not have. */
static bool
list_missing(Consumer *consumer, const WriterPositions *question,
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

static bool
begin_fetch(Assignment *assignment, Consumer *consumer, char *errstr,
			size_t errstr_size)
{
	const OffsetList *assigned = consumer_assigned(consumer);
	OffsetList	fetch = {0};
	Bounds		bounds = {0};
	bool		begun = false;

	errstr[0] = '\0';
	if (get_bounds(consumer, assigned, &bounds, errstr, errstr_size) &&
		judge(assignment, assigned, &bounds, &fetch))
		begun = consumer_fetch(consumer, &fetch, errstr, errstr_size);
	offset_list_free(&fetch);
	free_bounds(&bounds);
	if (!begun)
		return false;
	assignment->stage = ASSIGNMENT_LOADING;
	assignment->halts_reported_ms = clock_monotonic_ms();
	backoff_reset(&assignment->trouble);
	log_write(LOG_LEVEL_INFO, "loading", "partitions=%zu halted=%zu",
			  assignment->positions.count, assignment->halt_count);
	return true;
}

/* False when memory is short. */
static bool
judge(Assignment *assignment, const OffsetList *assigned,
	  const Bounds *bounds, OffsetList *fetch)
{
	AssignmentHalt *halts = realloc(assignment->halts,
									(assigned->count + 1) * sizeof(*halts));

	if (halts == NULL)
		return false;
	assignment->halts = halts;
	assignment->halt_count = 0;
	offset_list_clear(&assignment->positions);
	for (size_t i = 0; i < assigned->count; i++)
	{
		const OffsetItem *item =
			offset_list_find(&assignment->question.found,
							 assigned->items[i].topic,
							 assigned->items[i].partition);
		PositionBounds held = {
			bounds->low.items[i].offset, bounds->high.items[i].offset
		};

		if (!judge_partition(assignment, item, &held, fetch))
			return false;
	}
	return true;
}

static bool
judge_partition(Assignment *assignment, const OffsetItem *item,
				const PositionBounds *bounds, OffsetList *fetch)
{
	AssignmentHalt *halt = &assignment->halts[assignment->halt_count];
	int64_t		from = item->offset;

	halt->topic = item->topic;
	halt->partition = item->partition;
	halt->next_offset = item->offset;
	halt->verdict = position_judge(item->offset, bounds, assignment->skip_lost,
								   halt->reason, sizeof(halt->reason));
	if (assignment_target(assignment, item->topic, item->partition) < 0 &&
		!offset_list_add(&assignment->targets, item->topic, item->partition,
						 bounds->high_watermark))
		return false;
	if (position_is_halt(halt->verdict))
	{
		report_halt(halt);
		assignment->halt_count++;
		return true;
	}
	if (halt->verdict == POSITION_SKIP)
	{
		from = bounds->low_watermark;
		log_write(LOG_LEVEL_WARNING, "offsets skipped",
				  "topic=%s partition=%" PRId32 " reason=%s", item->topic,
				  item->partition,
				  log_quote(halt->reason, (char[256]) {0}, 256));
	}
	return offset_list_add(&assignment->positions, item->topic,
						   item->partition, item->offset) &&
		offset_list_add(fetch, item->topic, item->partition, from);
}

static void
report_halt(const AssignmentHalt *halt)
{
	log_write(LOG_LEVEL_ERROR, "partition halted",
			  "topic=%s partition=%" PRId32 " reason=%s", halt->topic,
			  halt->partition, log_quote(halt->reason, (char[256]) {0}, 256));
}

/*
 * Low first: a high watermark only grows meanwhile, so the later answer never
 * makes a position look as if it were ahead.
 */
static bool
get_bounds(Consumer *consumer, const OffsetList *partitions, Bounds *bounds,
		   char *errstr, size_t errstr_size)
{
	return consumer_low_watermarks(consumer, partitions, &bounds->low,
								   errstr, errstr_size) &&
		consumer_high_watermarks(consumer, partitions, &bounds->high,
								 errstr, errstr_size);
}

static void
free_bounds(Bounds *bounds)
{
	offset_list_free(&bounds->low);
	offset_list_free(&bounds->high);
}

static void
try_later(Assignment *assignment, const char *reason)
{
	int64_t		now_ms = clock_monotonic_ms();

	if (backoff_is_news(&assignment->trouble, reason, now_ms))
		log_write(LOG_LEVEL_WARNING, "positions not settled, retrying",
				  "text=%s", log_quote(reason, (char[ERROR_BYTES]) {0},
									   ERROR_BYTES));
	assignment->stage = ASSIGNMENT_WANTED;
	assignment->retry_ms = now_ms + RETRY_MS;
}
