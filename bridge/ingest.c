/*
 * The main loop.  Two batches take turns: one is filled here while the writer
 * stores the other.  What is not stored is never waited for by Kafka: when
 * anything goes wrong (a conflict, a refused row, a database that stays away)
 * the batch being filled is dropped, and all positions are looked up again.
 *
 * Nothing here decides what is stored exactly once; that is the loader's
 * compare-and-set.  Here a mistake costs time, not rows.
 */
#include "ingest.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "assignment.h"
#include "batch.h"
#include "clock.h"
#include "log.h"
#include "record.h"
#include "refusals.h"

/* Messages taken between two looks at everything else. */
#define PUMP_MESSAGES 1000

/* Waits: for a message, and for one while something else is about to happen. */
#define POLL_MS 100
#define POLL_SOON_MS 5

/* How long a revocation waits for the batch in hand. */
#define REVOKE_WAIT_MS 5000

/* How long a drain waits for the last batch. */
#define DRAIN_MS 10000

/*
 * The writer is stuck when it has been failing, or at work, for so long: then
 * polling must go on, or the group takes the partitions away.
 */
#define STUCK_FAILING_MS 3000
#define STUCK_BUSY_MS 60000

/* Pause before positions that Kafka refused are looked up again. */
#define ASTRAY_MS 1000

/* Kafka's own copy of the positions is brought up to date this often. */
#define PUBLISH_MS 1000

/* Event times are kept within years of four digits, 0001 to 9999. */
#define EVENT_TIME_FIRST_MS (-INT64_C(62135596800000))
#define EVENT_TIME_LAST_MS INT64_C(253402300799999)

/* Why no more messages are taken. */
typedef enum Closing
{
	CLOSING_NOT,
	CLOSING_SIGNAL,				/* drain, within a time */
	CLOSING_AT_END,				/* --exit-at-end, --max-messages */
} Closing;

typedef struct Ingest
{
	const IngestSettings *settings;
	Consumer   *consumer;
	Writer	   *writer;
	Assignment	assignment;
	Batch		batches[2];
	Batch	   *filling;
	Batch	   *storing;		/* the writer's, NULL for none */
	bool		storing_is_ours;	/* its partitions are still assigned */
	ConsumerMessage message;
	bool		message_waits;	/* it did not fit the batch */
	bool		stuck;			/* the writer was; look up when it is through */
	Refusals	refusals;
	OffsetList	published;		/* positions stored, for Kafka's copy */
	int64_t		publish_ms;		/* when to do so next, monotonic */
	int64_t		time_from_ms;	/* accepted event times, now */
	int64_t		time_to_ms;
	Closing		closing;
	int64_t		closing_ms;		/* since when, monotonic */
	bool		ended;
	bool		failed;
	char	   *errstr;			/* the caller's */
	size_t		errstr_size;
	int64_t		stored;			/* rows, since the start */
	int64_t		dead_lettered;
	int64_t		stale;			/* messages delivered twice by Kafka */
	int64_t		status_ms;		/* of the next status line, monotonic */
	int64_t		status_stored;	/* rows at the latest one */
	int64_t		status_last_ms;
} Ingest;

volatile sig_atomic_t ingest_stop = 0;

static bool open_ingest(Ingest *ingest, const IngestSettings *settings,
						Consumer *consumer, Writer *writer,
						char *errstr, size_t errstr_size);
static void close_ingest(Ingest *ingest);
static void keep_house(Ingest *ingest, int64_t now_ms);
static void fail(Ingest *ingest, const char *event, const char *reason);
static void take_report(Ingest *ingest);
static void take_commit(Ingest *ingest, const WriterReport *report);
static void note_stored(Ingest *ingest);
static void note_refused(Ingest *ingest, const WriterReport *report);
static void begin_loading(Ingest *ingest);
static void renew(Ingest *ingest, int64_t delay_ms);
static void drop_filling(Ingest *ingest);
static void watch_writer(Ingest *ingest);
static void hand_over(Ingest *ingest, int64_t now_ms);
static void close_if_asked(Ingest *ingest, int64_t now_ms);
static bool is_at_end(const Ingest *ingest);
static int64_t messages_left(const Ingest *ingest);
static void end_if_closed(Ingest *ingest, int64_t now_ms);
static void fail_if_halted(Ingest *ingest);
static void pump(Ingest *ingest, int64_t now_ms);
static int	poll_ms(const Ingest *ingest, int64_t now_ms);
static void take_event(Ingest *ingest, ConsumerEvent event);
static void take_message(Ingest *ingest);
static void take_end(Ingest *ingest);
static BatchResult add_message(Ingest *ingest);
static bool check_time(const Ingest *ingest, const BatchMessage *message,
					   char *detail, size_t detail_size);
static void open_filling(Ingest *ingest);
static void take_revocation(Ingest *ingest);
static void publish(Ingest *ingest, int64_t now_ms);
static void report_status(Ingest *ingest, int64_t now_ms);
static int64_t count_lag(const Ingest *ingest);
static const char *state_name(const Ingest *ingest);

bool
ingest_prepare(Writer *writer, char *errstr, size_t errstr_size)
{
	WriterReport report;

	writer_connect(writer);
	while (!writer_wait(writer, POLL_MS))
		if (ingest_stop)
			return true;
	if (!writer_take(writer, &report) || report.result == WRITER_DONE)
		return true;
	snprintf(errstr, errstr_size, "%s", report.text);
	return false;
}

bool
ingest_run(const IngestSettings *settings, Consumer *consumer, Writer *writer,
		   char *errstr, size_t errstr_size)
{
	/* too large for the stack */
	Ingest	   *ingest = calloc(1, sizeof(*ingest));
	bool		succeeded;

	if (ingest == NULL || !open_ingest(ingest, settings, consumer, writer,
									   errstr, errstr_size))
	{
		snprintf(errstr, errstr_size, "not enough memory for two batches");
		free(ingest);
		return false;
	}
	while (!ingest->ended)
	{
		int64_t		now_ms = clock_monotonic_ms();

		keep_house(ingest, now_ms);
		if (!ingest->ended)
			pump(ingest, now_ms);
	}
	publish(ingest, INT64_MAX);
	report_status(ingest, INT64_MAX);
	succeeded = !ingest->failed;
	close_ingest(ingest);
	return succeeded;
}

static bool
open_ingest(Ingest *ingest, const IngestSettings *settings,
			Consumer *consumer, Writer *writer, char *errstr,
			size_t errstr_size)
{
	ingest->settings = settings;
	ingest->consumer = consumer;
	ingest->writer = writer;
	ingest->errstr = errstr;
	ingest->errstr_size = errstr_size;
	ingest->status_last_ms = clock_monotonic_ms();
	ingest->status_ms = ingest->status_last_ms +
		settings->status_seconds * 1000;
	assignment_init(&ingest->assignment, &settings->start,
					settings->skip_lost);
	for (int i = 0; i < 2; i++)
	{
		if (batch_init(&ingest->batches[i], settings->batch_rows,
					   (size_t) settings->batch_bytes))
			continue;
		if (i == 1)
			batch_free(&ingest->batches[0]);
		return false;
	}
	ingest->filling = &ingest->batches[0];
	return true;
}

/* What the writer cannot be parted from goes down with the process. */
static void
close_ingest(Ingest *ingest)
{
	if (!writer_is_idle(ingest->writer))
		return;
	assignment_free(&ingest->assignment);
	offset_list_free(&ingest->published);
	batch_free(&ingest->batches[0]);
	batch_free(&ingest->batches[1]);
	free(ingest);
}

/* All that is not taking messages; each step looks whether it is due. */
static void
keep_house(Ingest *ingest, int64_t now_ms)
{
	int64_t		real_ms = clock_real_ms();

	ingest->time_from_ms =
		time_spec_resolve(&ingest->settings->time_range.from, real_ms);
	ingest->time_to_ms =
		time_spec_resolve(&ingest->settings->time_range.to, real_ms);
	take_report(ingest);
	watch_writer(ingest);
	if (ingest->closing != CLOSING_SIGNAL)
	{
		if (assignment_review_halts(&ingest->assignment, ingest->consumer))
			renew(ingest, 0);
		assignment_step(&ingest->assignment, ingest->consumer,
						ingest->writer);
	}
	close_if_asked(ingest, now_ms);
	hand_over(ingest, now_ms);
	end_if_closed(ingest, now_ms);
	publish(ingest, now_ms);
	if (now_ms >= ingest->status_ms)
		report_status(ingest, now_ms);
}

static void
fail(Ingest *ingest, const char *event, const char *reason)
{
	snprintf(ingest->errstr, ingest->errstr_size, "%s: %s", event, reason);
	ingest->failed = true;
	ingest->ended = true;
}

static void
take_report(Ingest *ingest)
{
	WriterReport report;

	if (!writer_take(ingest->writer, &report))
		return;
	if (report.job == WRITER_COMMIT)
		take_commit(ingest, &report);
	if (report.result == WRITER_FATAL)
		fail(ingest, "the database refused", report.text);
	else if (report.job == WRITER_POSITIONS &&
			 assignment_take(&ingest->assignment, ingest->consumer,
							 ingest->writer, &report))
		begin_loading(ingest);
}

static void
take_commit(Ingest *ingest, const WriterReport *report)
{
	bool		is_ours = ingest->storing_is_ours;
	bool		look_up = ingest->stuck;

	if (report->result == WRITER_DONE)
		note_stored(ingest);
	else if (report->result == WRITER_CONFLICT)
		log_write(LOG_LEVEL_WARNING,
				  "another writer moved a position, batch dropped",
				  "text=%s", log_quote(report->text, (char[256]) {0}, 256));
	else if (report->result == WRITER_REFUSED)
		note_refused(ingest, report);
	if (report->result != WRITER_DONE)
		look_up = true;
	ingest->storing = NULL;
	ingest->stuck = false;
	if (look_up && is_ours && !ingest->ended)
		renew(ingest, 0);
}

static void
note_stored(Ingest *ingest)
{
	const Batch *batch = ingest->storing;

	ingest->stored += batch->row_count;
	ingest->dead_lettered += batch->dead_letter_count;
	for (size_t slot = 0; slot < batch->slots; slot++)
	{
		const BatchProgress *progress = &batch->progress[slot];

		if (progress->next_offset == progress->expected_offset)
			continue;
		refusals_forget(&ingest->refusals, progress->topic,
						progress->partition, progress->next_offset);
	}
	if (!ingest->storing_is_ours)
		return;
	offset_list_clear(&ingest->published);
	for (size_t slot = 0; slot < batch->slots; slot++)
		/* Kafka's copy is a courtesy: a short list does no harm */
		(void) offset_list_add(&ingest->published,
							   batch->progress[slot].topic,
							   batch->progress[slot].partition,
							   batch->progress[slot].next_offset);
}

/* The message is read again and becomes a dead letter then. */
static void
note_refused(Ingest *ingest, const WriterReport *report)
{
	char		detail[REFUSAL_DETAIL_BYTES];
	const char *topic;
	int32_t		partition;
	int64_t		offset;

	if (!batch_find_row(ingest->storing, report->row, &topic, &partition,
						&offset))
	{
		fail(ingest, "the database refused a row that was not sent",
			 report->text);
		return;
	}
	snprintf(detail, sizeof(detail), "SQLSTATE %s%s%s", report->sqlstate,
			 report->constraint[0] != '\0' ? ", constraint " : "",
			 report->constraint);
	log_write(LOG_LEVEL_WARNING, "row refused by the database",
			  "topic=%s partition=%" PRId32 " offset=%" PRId64 " detail=%s",
			  topic, partition, offset,
			  log_quote(detail, (char[128]) {0}, 128));
	if (!refusals_add(&ingest->refusals, topic, partition, offset, detail))
		fail(ingest, "the database refuses row after row", detail);
}

static void
begin_loading(Ingest *ingest)
{
	const OffsetList *positions = &ingest->assignment.positions;

	ingest->message_waits = false;
	if (!batch_start(ingest->filling, positions->count))
	{
		fail(ingest, "could not begin a batch", "out of memory");
		return;
	}
	for (size_t slot = 0; slot < positions->count; slot++)
		batch_set_position(ingest->filling, slot,
						   positions->items[slot].topic,
						   positions->items[slot].partition,
						   positions->items[slot].offset);
}

/* Begin again from the table of positions. */
static void
renew(Ingest *ingest, int64_t delay_ms)
{
	drop_filling(ingest);
	assignment_renew(&ingest->assignment, ingest->consumer, delay_ms);
	if (ingest->closing == CLOSING_AT_END)
		ingest->closing = CLOSING_NOT;
}

static void
drop_filling(Ingest *ingest)
{
	ingest->message_waits = false;
	/* no memory is needed for no slots */
	(void) batch_start(ingest->filling, 0);
}

/* While the writer is stuck nothing is fetched, but polling goes on. */
static void
watch_writer(Ingest *ingest)
{
	if (ingest->stuck || ingest->storing == NULL || !ingest->storing_is_ours ||
		(writer_failing_ms(ingest->writer) < STUCK_FAILING_MS &&
		 writer_busy_ms(ingest->writer) < STUCK_BUSY_MS))
		return;
	ingest->stuck = true;
	if (ingest->closing == CLOSING_SIGNAL)
		return;
	log_write(LOG_LEVEL_WARNING, "waiting for the database, fetching stops",
			  "messages=%" PRId64, batch_messages(ingest->filling));
	renew(ingest, 0);
}

static void
hand_over(Ingest *ingest, int64_t now_ms)
{
	Batch	   *batch = ingest->filling;
	Batch	   *next = batch == &ingest->batches[0] ? &ingest->batches[1] :
		&ingest->batches[0];

	if (ingest->ended || batch->opened_ms == 0 ||
		!writer_is_idle(ingest->writer) ||
		(ingest->closing == CLOSING_NOT && !ingest->message_waits &&
		 !batch_is_full(batch) &&
		 now_ms < batch->opened_ms + ingest->settings->linger_ms))
		return;
	if (!batch_continue(next, batch))
	{
		fail(ingest, "could not begin a batch", "out of memory");
		return;
	}
	ingest->storing = batch;
	ingest->storing_is_ours = true;
	ingest->filling = next;
	writer_commit(ingest->writer, batch);
	if (ingest->message_waits && ingest->closing == CLOSING_NOT)
	{
		ingest->message_waits = false;
		take_message(ingest);
	}
}

static void
close_if_asked(Ingest *ingest, int64_t now_ms)
{
	if (ingest_stop && ingest->closing != CLOSING_SIGNAL)
	{
		log_write(LOG_LEVEL_INFO, "stopping", "messages=%" PRId64,
				  batch_messages(ingest->filling));
		ingest->closing = CLOSING_SIGNAL;
		ingest->closing_ms = now_ms;
		ingest->message_waits = false;
	}
	if (ingest->closing == CLOSING_NOT &&
		(messages_left(ingest) == 0 || is_at_end(ingest)))
	{
		ingest->closing = CLOSING_AT_END;
		ingest->message_waits = false;
	}
}

/* Has each partition that can be fetched been read up to its target? */
static bool
is_at_end(const Ingest *ingest)
{
	const Batch *batch = ingest->filling;

	if (!ingest->settings->exit_at_end ||
		ingest->assignment.stage != ASSIGNMENT_LOADING)
		return false;
	for (size_t slot = 0; slot < batch->slots; slot++)
		if (batch->progress[slot].next_offset <
			assignment_target(&ingest->assignment,
							  batch->progress[slot].topic,
							  batch->progress[slot].partition))
			return false;
	return true;
}

/* Of --max-messages; what has been read counts until it is dropped. */
static int64_t
messages_left(const Ingest *ingest)
{
	int64_t		taken = ingest->stored + ingest->dead_lettered +
		batch_messages(ingest->filling);

	if (ingest->settings->max_messages == 0)
		return INT64_MAX;
	if (ingest->storing != NULL)
		taken += batch_messages(ingest->storing);
	return taken < ingest->settings->max_messages ?
		ingest->settings->max_messages - taken : 0;
}

static void
end_if_closed(Ingest *ingest, int64_t now_ms)
{
	bool		is_empty = ingest->filling->opened_ms == 0 &&
		ingest->storing == NULL;

	if (ingest->ended || ingest->closing == CLOSING_NOT)
		return;
	if (is_empty)
	{
		ingest->ended = true;
		if (ingest->closing == CLOSING_AT_END)
			fail_if_halted(ingest);
	}
	else if (ingest->closing == CLOSING_SIGNAL &&
			 now_ms >= ingest->closing_ms + DRAIN_MS)
	{
		log_write(LOG_LEVEL_WARNING,
				  "stopped before the last batch was stored; it will be read again",
				  NULL);
		ingest->ended = true;
	}
}

/* What was asked for is not all there is. */
static void
fail_if_halted(Ingest *ingest)
{
	const AssignmentHalt *halt = ingest->assignment.halts;
	char		event[300];

	if (ingest->assignment.halt_count == 0)
		return;
	snprintf(event, sizeof(event), "partition %" PRId32
			 " of topic \"%s\" is halted", halt->partition, halt->topic);
	fail(ingest, event, halt->reason);
}

static void
pump(Ingest *ingest, int64_t now_ms)
{
	int64_t		left = messages_left(ingest);
	int			timeout_ms = poll_ms(ingest, now_ms);

	if (left > PUMP_MESSAGES)
		left = PUMP_MESSAGES;
	if (ingest->closing != CLOSING_NOT || ingest->message_waits ||
		batch_is_full(ingest->filling))
	{
		writer_wait(ingest->writer, POLL_MS);
		return;
	}
	for (int64_t i = 0; i < left && !ingest->ended; i++)
	{
		ConsumerEvent event = consumer_poll(ingest->consumer, timeout_ms,
											&ingest->message);

		take_event(ingest, event);
		timeout_ms = 0;
		if (event != CONSUMER_MESSAGE || ingest->message_waits ||
			batch_is_full(ingest->filling))
			break;
	}
}

/* How long nothing but a message could be of interest. */
static int
poll_ms(const Ingest *ingest, int64_t now_ms)
{
	int64_t		left_ms;

	if (ingest->assignment.stage != ASSIGNMENT_NONE &&
		ingest->assignment.stage != ASSIGNMENT_LOADING &&
		writer_failing_ms(ingest->writer) == 0)
		return POLL_SOON_MS;
	if (ingest->filling->opened_ms == 0)
		return POLL_MS;
	left_ms = ingest->filling->opened_ms + ingest->settings->linger_ms -
		now_ms;
	if (left_ms < POLL_SOON_MS)
		return POLL_SOON_MS;
	return left_ms < POLL_MS ? (int) left_ms : POLL_MS;
}

static void
take_event(Ingest *ingest, ConsumerEvent event)
{
	switch (event)
	{
		case CONSUMER_NOTHING:
			break;
		case CONSUMER_MESSAGE:
			take_message(ingest);
			break;
		case CONSUMER_END:
			take_end(ingest);
			break;
		case CONSUMER_ASSIGNED:
			log_write(LOG_LEVEL_INFO, "partitions assigned", "partitions=%zu",
					  consumer_assigned(ingest->consumer)->count);
			assignment_begin(&ingest->assignment);
			break;
		case CONSUMER_REVOKED:
			take_revocation(ingest);
			break;
		case CONSUMER_ASTRAY:
			if (ingest->assignment.stage == ASSIGNMENT_LOADING)
				renew(ingest, ASTRAY_MS);
			break;
		case CONSUMER_FATAL:
			fail(ingest, "Kafka client failed",
				 consumer_error(ingest->consumer));
			break;
	}
}

static void
take_message(Ingest *ingest)
{
	/* what comes while positions are looked up is fetched again */
	if (ingest->assignment.stage != ASSIGNMENT_LOADING)
		return;
	switch (add_message(ingest))
	{
		case BATCH_ADDED:
			open_filling(ingest);
			break;
		case BATCH_STALE:
			ingest->stale++;
			break;
		case BATCH_FULL:
			ingest->message_waits = true;
			break;
		case BATCH_NO_MEMORY:
			fail(ingest, "could not keep a dead letter", "out of memory");
			break;
	}
}

static void
take_end(Ingest *ingest)
{
	if (ingest->assignment.stage == ASSIGNMENT_LOADING &&
		batch_skip_to(ingest->filling, ingest->message.slot,
					  ingest->message.message.offset) == BATCH_ADDED)
		open_filling(ingest);
}

static BatchResult
add_message(Ingest *ingest)
{
	const BatchMessage *message = &ingest->message.message;
	size_t		slot = ingest->message.slot;
	const BatchProgress *progress = &ingest->filling->progress[slot];
	const char *refusal = NULL;
	Record		record;
	char		detail[RECORD_DETAIL_BYTES];
	RecordVerdict verdict = record_parse(message->payload,
										 message->payload_bytes,
										 ingest->settings->currency, &record,
										 detail, sizeof(detail));

	if (verdict == FINTRANS_ACCEPTED &&
		!check_time(ingest, message, detail, sizeof(detail)))
		verdict = FINTRANS_REJECT_BAD_TIME;
	if (verdict == FINTRANS_ACCEPTED && ingest->refusals.count > 0)
		refusal = refusals_find(&ingest->refusals, progress->topic,
								progress->partition, message->offset);
	if (refusal != NULL)
		return batch_add_dead_letter(ingest->filling, slot, message,
									 FINTRANS_REJECT_REFUSED, refusal);
	if (verdict != FINTRANS_ACCEPTED)
		return batch_add_dead_letter(ingest->filling, slot, message, verdict,
									 detail);
	return batch_add_row(ingest->filling, slot, message, &record);
}

static bool
check_time(const Ingest *ingest, const BatchMessage *message, char *detail,
		   size_t detail_size)
{
	int64_t		ms = message->event_time_ms;

	if (!message->has_event_time)
	{
		snprintf(detail, detail_size, "the message has no timestamp");
		return false;
	}
	if (ms < ingest->time_from_ms || ms < EVENT_TIME_FIRST_MS ||
		ms > ingest->time_to_ms || ms > EVENT_TIME_LAST_MS)
	{
		snprintf(detail, detail_size,
				 "timestamp %" PRId64 " ms is outside the accepted range",
				 ms);
		return false;
	}
	return true;
}

static void
open_filling(Ingest *ingest)
{
	if (ingest->filling->opened_ms == 0)
		ingest->filling->opened_ms = clock_monotonic_ms();
}

/*
 * What was read but not handed over is dropped: the next owner reads it.  The
 * batch in hand gets a moment to finish, since a conflict would cost the next
 * owner more.
 */
static void
take_revocation(Ingest *ingest)
{
	bool		lost = consumer_was_lost(ingest->consumer);

	log_write(lost ? LOG_LEVEL_WARNING : LOG_LEVEL_INFO,
			  lost ? "membership lost" : "partitions revoked",
			  "partitions=%zu messages_dropped=%" PRId64,
			  consumer_assigned(ingest->consumer)->count,
			  batch_messages(ingest->filling));
	drop_filling(ingest);
	assignment_end(&ingest->assignment);
	if (ingest->storing != NULL && !lost && !ingest->stuck)
		writer_wait(ingest->writer, REVOKE_WAIT_MS);
	take_report(ingest);
	ingest->storing_is_ours = false;
	ingest->stuck = false;
	writer_abandon(ingest->writer);
	offset_list_clear(&ingest->published);
	consumer_give_up(ingest->consumer);
	if (ingest->closing == CLOSING_AT_END)
		ingest->closing = CLOSING_NOT;
}

static void
publish(Ingest *ingest, int64_t now_ms)
{
	if (ingest->published.count == 0 || now_ms < ingest->publish_ms)
		return;
	consumer_publish(ingest->consumer, &ingest->published);
	offset_list_clear(&ingest->published);
	ingest->publish_ms = now_ms + PUBLISH_MS;
}

/* now_ms is INT64_MAX for the last one. */
static void
report_status(Ingest *ingest, int64_t now_ms)
{
	int64_t		real_now_ms = clock_monotonic_ms();
	int64_t		elapsed_ms = real_now_ms - ingest->status_last_ms;
	int64_t		rows = ingest->stored - ingest->status_stored;

	if (ingest->settings->status_seconds == 0)
	{
		ingest->status_ms = INT64_MAX;
		return;
	}
	log_write(LOG_LEVEL_INFO, "status",
			  "state=%s transactions=%" PRId64 " rate=%" PRId64
			  " lag=%" PRId64 " dead_letters=%" PRId64
			  " partitions=%zu halted=%zu",
			  now_ms == INT64_MAX ? "stopped" : state_name(ingest),
			  ingest->stored, elapsed_ms > 0 ? rows * 1000 / elapsed_ms : 0,
			  count_lag(ingest), ingest->dead_lettered,
			  consumer_assigned(ingest->consumer)->count,
			  ingest->assignment.halt_count);
	ingest->status_last_ms = real_now_ms;
	ingest->status_stored = ingest->stored;
	ingest->status_ms = real_now_ms +
		ingest->settings->status_seconds * 1000;
}

/* Messages that Kafka has beyond what is stored, of fetched partitions. */
static int64_t
count_lag(const Ingest *ingest)
{
	const Batch *batch = ingest->storing != NULL && ingest->storing_is_ours ?
		ingest->storing : ingest->filling;
	int64_t		lag = 0;

	for (size_t slot = 0; slot < batch->slots; slot++)
	{
		const BatchProgress *progress = &batch->progress[slot];
		int64_t		high =
			consumer_known_high_watermark(ingest->consumer, progress->topic,
										  progress->partition);

		if (high > progress->expected_offset)
			lag += high - progress->expected_offset;
	}
	return lag;
}

static const char *
state_name(const Ingest *ingest)
{
	if (ingest->closing == CLOSING_SIGNAL)
		return "stopping";
	if (writer_failing_ms(ingest->writer) > 0)
		return "retrying";
	return ingest->assignment.stage == ASSIGNMENT_LOADING ? "loading" :
		"waiting";
}
