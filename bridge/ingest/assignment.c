/*
 * The steps of an assignment.  A step that Kafka cannot answer is begun again
 * from the table after a second: positions and bounds that are compared must
 * be of about the same moment.
 */
#include "assignment.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bounds.h"
#include "clock.h"
#include "log.h"
#include "newcomers.h"

/* Kafka did not answer: try again after this time. */
#define RETRY_MS 1000

/*
 * Partitions that Kafka did not answer for are asked for again after this
 * time, or after so many times as long as asking has taken: a broker that is
 * away must not hold the others up.
 */
#define ASK_AGAIN_MS 3000
#define ASK_AGAIN_RATIO 10

/* The same is not told more often. */
#define LOADING_REPORT_MS 1000

#define ERROR_BYTES ASSIGNMENT_REASON_BYTES

static void ask(Assignment *assignment, const OffsetList *assigned,
				Writer *writer);
static bool list_topics(WriterPositions *question, const OffsetList *assigned);
static bool is_complete(const OffsetList *found, const OffsetList *assigned);
static void add_newcomers(Assignment *assignment, Writer *writer);
static bool begin_fetch(Assignment *assignment, Consumer *consumer,
						char *errstr, size_t errstr_size);
static void report_loading(Assignment *assignment);
static bool start_breaker(Assignment *assignment);
static bool judge(Assignment *assignment, const OffsetList *assigned,
				  const Bounds *bounds, OffsetList *fetch);
static bool judge_partition(Assignment *assignment, const OffsetItem *given,
							const OffsetItem *item,
							const PositionBounds *bounds, OffsetList *fetch);
static PositionVerdict judge_position(const Assignment *assignment,
									  const OffsetItem *given,
									  const OffsetItem *item,
									  const PositionBounds *bounds,
									  char *reason, size_t reason_size);
static bool review_unanswered(Assignment *assignment, Consumer *consumer);
static void take_answers(Assignment *assignment, const Bounds *bounds);
static bool is_taken_up(const Assignment *assignment, const OffsetItem *item);
static void report_unanswered(Assignment *assignment);
static bool note_target(Assignment *assignment, const OffsetItem *item,
						const PositionBounds *bounds);
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
	offset_list_free(&assignment->question.dead_letters);
	breaker_free(&assignment->breaker);
	offset_list_free(&assignment->positions);
	offset_list_free(&assignment->targets);
	offset_list_free(&assignment->unanswered);
	halt_list_free(&assignment->halts);
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
	assignment->reason[0] = '\0';
	halt_list_clear(&assignment->halts);
	offset_list_clear(&assignment->unanswered);
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
	WriterPositions *question = &assignment->question;
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
	if (may_add && !is_complete(&question->found, consumer_assigned(consumer)))
	{
		if (!newcomers_choose(question, &assignment->start, consumer, errstr,
							  sizeof(errstr)))
		{
			try_later(assignment, errstr);
			return false;
		}
		if (question->add.count > 0)
		{
			add_newcomers(assignment, writer);
			return false;
		}
	}
	if (begin_fetch(assignment, consumer, errstr, sizeof(errstr)))
		return true;
	try_later(assignment, errstr);
	return false;
}

MarkVerdict
assignment_recognise(Assignment *assignment, size_t slot,
					 const BatchMessage *message)
{
	OffsetItem *item = &assignment->positions.items[slot];
	char		reason[HALT_REASON_BYTES];
	MarkVerdict verdict;

	if (!item->last.is_set)
		return MARK_PASSED;
	verdict = message_mark_judge(&item->last, item->offset, message, reason,
								 sizeof(reason));
	/* without the memory for it the next fetch finds it out again */
	if (verdict == MARK_REPLACED)
		(void) halt_list_add(&assignment->halts, item, POSITION_REPLACED,
							 reason);
	item->last.is_set = false;
	return verdict;
}

void
assignment_trip(Assignment *assignment, size_t slot, int64_t offset,
				const char *reason)
{
	OffsetItem	position = assignment->positions.items[slot];
	char		text[HALT_REASON_BYTES];

	/* where the table will be when all before it has been stored */
	position.offset = offset;
	snprintf(text, sizeof(text),
			 "offset %" PRId64 " (%s) would be dead letter %" PRId64
			 " of %" PRId64 " offsets: mend what is sent, or how it is read,"
			 " or raise --max-reject-percent", offset, reason,
			 assignment->breaker.allowed + 1, assignment->breaker.window);
	/* without the memory for it the next fetch finds it out again */
	if (halt_list_add(&assignment->halts, &position, POSITION_TRIPPED, text))
		halt_list_report(&assignment->halts);
}

void
assignment_set_breaker(Assignment *assignment, int64_t window,
					   int64_t percent)
{
	breaker_set(&assignment->breaker, window, percent);
	halt_list_forget(&assignment->halts, POSITION_TRIPPED);
}

void
assignment_pass_end(Assignment *assignment, size_t slot)
{
	assignment->positions.items[slot].last.is_set = false;
}

bool
assignment_review(Assignment *assignment, Consumer *consumer)
{
	return assignment->stage == ASSIGNMENT_LOADING &&
		(halt_list_review(&assignment->halts, consumer,
						  assignment->skip_lost) ||
		 review_unanswered(assignment, consumer));
}

bool
assignment_is_whole(const Assignment *assignment, const Consumer *consumer)
{
	return assignment->positions.count + assignment->halts.count ==
		consumer_assigned(consumer)->count;
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
	assignment->question.window = breaker_remembers(&assignment->breaker) ?
		assignment->breaker.window : 0;
	assignment->question.allowed = assignment->breaker.allowed;
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

static void
add_newcomers(Assignment *assignment, Writer *writer)
{
	const OffsetList *add = &assignment->question.add;

	for (size_t i = 0; i < add->count; i++)
		log_write(LOG_LEVEL_INFO, "new partition",
				  "topic=%s partition=%" PRId32 " first_offset=%" PRId64,
				  add->items[i].topic, add->items[i].partition,
				  add->items[i].offset);
	writer_positions(writer, &assignment->question);
	assignment->stage = ASSIGNMENT_ADDING;
}

static bool
begin_fetch(Assignment *assignment, Consumer *consumer, char *errstr,
			size_t errstr_size)
{
	const OffsetList *assigned = consumer_assigned(consumer);
	OffsetList	fetch = {0};
	Bounds		bounds = {0};
	bool		begun = false;

	consumer_ask_topic_ids(consumer);
	snprintf(errstr, errstr_size, "out of memory");
	if (bounds_ask(&bounds, consumer, assigned, errstr, errstr_size) &&
		judge(assignment, assigned, &bounds, &fetch) &&
		start_breaker(assignment))
		begun = consumer_fetch(consumer, &fetch, errstr, errstr_size);
	offset_list_free(&fetch);
	bounds_free(&bounds);
	if (!begun)
		return false;
	assignment->stage = ASSIGNMENT_LOADING;
	assignment->ask_again_ms = clock_monotonic_ms() + ASK_AGAIN_MS;
	backoff_reset(&assignment->trouble);
	assignment->reason[0] = '\0';
	report_loading(assignment);
	halt_list_report(&assignment->halts);
	report_unanswered(assignment);
	return true;
}

/* Renewals may follow each other closely: then one line a second will do. */
static void
report_loading(Assignment *assignment)
{
	const size_t counts[3] = {
		assignment->positions.count, assignment->halts.count,
		assignment->unanswered.count
	};
	int64_t		now_ms = clock_monotonic_ms();

	if (memcmp(counts, assignment->told, sizeof(counts)) == 0 &&
		now_ms < assignment->told_ms + LOADING_REPORT_MS)
		return;
	memcpy(assignment->told, counts, sizeof(counts));
	assignment->told_ms = now_ms;
	log_write(LOG_LEVEL_INFO, "loading",
			  "partitions=%zu halted=%zu unanswered=%zu", counts[0], counts[1],
			  counts[2]);
}

/* With what the table has; false when memory is short. */
static bool
start_breaker(Assignment *assignment)
{
	const OffsetList *dead_letters = &assignment->question.dead_letters;
	const OffsetList *positions = &assignment->positions;

	if (!breaker_start(&assignment->breaker, positions->count))
		return false;
	for (size_t i = 0; i < dead_letters->count; i++)
	{
		const OffsetItem *letter = &dead_letters->items[i];
		const OffsetItem *position = offset_list_find(positions, letter->topic,
													  letter->partition);

		if (position != NULL && letter->offset < position->offset &&
			!breaker_note(&assignment->breaker,
						  (size_t) (position - positions->items),
						  letter->offset))
			return false;
	}
	return true;
}

/* False when memory is short. */
static bool
judge(Assignment *assignment, const OffsetList *assigned,
	  const Bounds *bounds, OffsetList *fetch)
{
	halt_list_begin(&assignment->halts, &assignment->question.found);
	offset_list_clear(&assignment->positions);
	offset_list_clear(&assignment->unanswered);
	for (size_t i = 0; i < assigned->count; i++)
	{
		const OffsetItem *given = &assigned->items[i];
		const OffsetItem *item =
			offset_list_find(&assignment->question.found, given->topic,
							 given->partition);
		PositionBounds held = bounds_at(bounds, i);

		if ((item == NULL || !position_is_known(&held)) &&
			!offset_list_add(&assignment->unanswered, given->topic,
							 given->partition, 0))
			return false;
		if (item != NULL &&
			!judge_partition(assignment, given, item, &held, fetch))
			return false;
	}
	return true;
}

static bool
judge_partition(Assignment *assignment, const OffsetItem *given,
				const OffsetItem *item, const PositionBounds *bounds,
				OffsetList *fetch)
{
	char		reason[HALT_REASON_BYTES];
	PositionVerdict verdict = judge_position(assignment, given, item, bounds,
											 reason, sizeof(reason));
	int64_t		from = position_fetch_from(verdict, item->offset,
										   &item->last, bounds);
	OffsetItem *position;

	if (!note_target(assignment, item, bounds))
		return false;
	if (halt_list_has(&assignment->halts, item))
		return true;
	if (position_is_halt(verdict))
		return halt_list_add(&assignment->halts, item, verdict, reason);
	if (verdict == POSITION_SKIP)
		log_write(LOG_LEVEL_WARNING, "offsets skipped",
				  "topic=%s partition=%" PRId32 " reason=%s", item->topic,
				  item->partition,
				  log_quote(reason, (char[256]) {0}, 256));
	if (!offset_list_add(&assignment->positions, item->topic,
						 item->partition, item->offset) ||
		!offset_list_add(fetch, item->topic, item->partition, from))
		return false;
	position = &assignment->positions.items[assignment->positions.count - 1];
	if (from < item->offset)
		position->last = item->last;
	/* one that Kafka does not tell now is still that of what was read */
	memcpy(position->topic_id, given->topic_id[0] == '\0' && item->last.is_set ?
		   item->topic_id : given->topic_id, sizeof(position->topic_id));
	return true;
}

/* The topic's id tells what the message at a position may not. */
static PositionVerdict
judge_position(const Assignment *assignment, const OffsetItem *given,
			   const OffsetItem *item, const PositionBounds *bounds,
			   char *reason, size_t reason_size)
{
	if (!item->last.is_set ||
		!position_is_of_other_topic(item->topic_id, given->topic_id))
		return position_judge(item->offset, bounds, assignment->skip_lost,
							  reason, reason_size);
	snprintf(reason, reason_size,
			 "topic was made anew: it had the id %s, and has %s",
			 item->topic_id, given->topic_id);
	return POSITION_REPLACED;
}

/*
 * What is fetched goes on being fetched when the answer comes.  A renewal
 * interrupts it, and so takes place only when a partition can join.
 */
static bool
review_unanswered(Assignment *assignment, Consumer *consumer)
{
	int64_t		began_ms = clock_monotonic_ms();
	int64_t		taken_ms;
	Bounds		bounds = {0};
	char		errstr[ERROR_BYTES];
	bool		can_join = false;

	if (assignment->unanswered.count == 0 ||
		began_ms < assignment->ask_again_ms)
		return false;
	if (bounds_ask(&bounds, consumer, &assignment->unanswered, errstr,
				   sizeof(errstr)))
		take_answers(assignment, &bounds);
	bounds_free(&bounds);
	if (!assignment_is_whole(assignment, consumer))
		can_join = newcomers_choose(&assignment->question, &assignment->start,
									consumer, errstr, sizeof(errstr)) &&
			assignment->question.add.count > 0;
	report_unanswered(assignment);
	taken_ms = clock_monotonic_ms() - began_ms;
	assignment->ask_again_ms = began_ms + taken_ms +
		(taken_ms * ASK_AGAIN_RATIO > ASK_AGAIN_MS ?
		 taken_ms * ASK_AGAIN_RATIO : ASK_AGAIN_MS);
	return can_join;
}

/* Of partitions that are taken up; others have to join first. */
static void
take_answers(Assignment *assignment, const Bounds *bounds)
{
	OffsetList *unanswered = &assignment->unanswered;
	size_t		left = 0;

	for (size_t i = 0; i < unanswered->count; i++)
	{
		const OffsetItem *item = &unanswered->items[i];
		PositionBounds held = bounds_at(bounds, i);

		if (position_is_known(&held) && is_taken_up(assignment, item) &&
			note_target(assignment, item, &held))
			log_write(LOG_LEVEL_INFO, "Kafka answers for a partition",
					  "topic=%s partition=%" PRId32, item->topic,
					  item->partition);
		else
			unanswered->items[left++] = *item;
	}
	unanswered->count = left;
}

/* Fetched or halted? */
static bool
is_taken_up(const Assignment *assignment, const OffsetItem *item)
{
	return offset_list_find(&assignment->positions, item->topic,
							item->partition) != NULL ||
		halt_list_has(&assignment->halts, item);
}

/* Names as many as fit. */
static void
report_unanswered(Assignment *assignment)
{
	const OffsetList *unanswered = &assignment->unanswered;
	char		names[ERROR_BYTES] = "";
	size_t		used = 0;

	for (size_t i = 0; i < unanswered->count && used < sizeof(names); i++)
		used += (size_t) snprintf(names + used, sizeof(names) - used,
								  "%s%s [%" PRId32 "]", i > 0 ? ", " : "",
								  unanswered->items[i].topic,
								  unanswered->items[i].partition);
	if (unanswered->count > 0 &&
		backoff_is_news(&assignment->silence, names, clock_monotonic_ms()))
		log_write(LOG_LEVEL_WARNING, "Kafka does not answer for partitions",
				  "unanswered=%zu text=%s", unanswered->count,
				  log_quote(names, (char[ERROR_BYTES]) {0}, ERROR_BYTES));
}

/* False when memory is short. */
static bool
note_target(Assignment *assignment, const OffsetItem *item,
			const PositionBounds *bounds)
{
	return !position_is_known(bounds) ||
		assignment_target(assignment, item->topic, item->partition) >= 0 ||
		offset_list_add(&assignment->targets, item->topic, item->partition,
						bounds->high_watermark);
}

static void
try_later(Assignment *assignment, const char *reason)
{
	int64_t		now_ms = clock_monotonic_ms();

	snprintf(assignment->reason, sizeof(assignment->reason), "%s", reason);
	if (backoff_is_news(&assignment->trouble, reason, now_ms))
		log_write(LOG_LEVEL_WARNING, "positions not settled, retrying",
				  "text=%s", log_quote(reason, (char[ERROR_BYTES]) {0},
									   ERROR_BYTES));
	assignment->stage = ASSIGNMENT_WANTED;
	assignment->retry_ms = now_ms + RETRY_MS;
}
