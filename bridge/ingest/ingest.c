/*
 * The main loop.  Two batches take turns: one is filled here while the writer
 * stores the other.  What is not stored is never waited for by Kafka: when
 * anything goes wrong (a conflict, a database that stays away) the batch being
 * filled is dropped, and all positions are looked up again.
 *
 * Nothing here decides what is stored exactly once; that is the loader's
 * compare-and-set.  Here a mistake costs time, not rows.
 */
#include "ingest_state.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "log.h"

/* Messages taken between two looks at everything else. */
#define PUMP_MESSAGES 1000

/*
 * Waits for a message; the short ones while something else is due soon, or a
 * batch that is due waits for the writer, who wakes nobody.
 */
#define POLL_MS 100
#define POLL_SOON_MS 5
#define POLL_DUE_MS 1

/* How long a revocation waits for the batch in hand. */
#define REVOKE_WAIT_MS 5000

/* How long a drain waits for the last batch. */
#define DRAIN_MS 10000

/* Pause before positions that Kafka refused are looked up again. */
#define ASTRAY_MS 1000

/* While nothing is assigned, topics are looked for this often. */
#define TOPICS_MS 1000

/* How things stand is published this often. */
#define OBSERVE_MS 500

/* Kafka's own copy of the positions is brought up to date this often. */
#define PUBLISH_MS 1000

volatile sig_atomic_t ingest_stop = 0;

static bool open_ingest(Ingest *ingest, const IngestSettings *settings,
						Consumer *consumer, Writer *writer,
						char *errstr, size_t errstr_size);
static void close_ingest(Ingest *ingest);
static void log_stopping(int64_t messages);
static void keep_house(Ingest *ingest, int64_t now_ms);
static void report_status(Ingest *ingest, int64_t now_ms);
static void close_if_asked(Ingest *ingest, int64_t now_ms);
static bool is_at_end(const Ingest *ingest);
static bool has_nothing_to_load(Ingest *ingest, int64_t now_ms);
static int64_t unstored_messages(const Ingest *ingest);
static int64_t messages_left(const Ingest *ingest);
static void end_if_closed(Ingest *ingest, int64_t now_ms);
static void fail_if_halted(Ingest *ingest);
static void fail_if_missing(Ingest *ingest);
static void pump(Ingest *ingest, int64_t now_ms);
static bool is_held_up(const Ingest *ingest);
static int	poll_ms(const Ingest *ingest, int64_t now_ms);
static void take_event(Ingest *ingest, ConsumerEvent event);
static void take_end(Ingest *ingest);
static void open_filling(Ingest *ingest);
static void take_revocation(Ingest *ingest);
static void publish(Ingest *ingest);

bool
ingest_prepare(IngestSettings *settings, Writer *writer, Monitor *monitor,
			   char *errstr, size_t errstr_size)
{
	WriterReport report;

	writer_connect(writer);
	while (!writer_wait(writer, POLL_MS))
	{
		ingest_observe_start(monitor, writer);
		if (ingest_stop)
		{
			log_stopping(0);
			return true;
		}
	}
	if (!writer_take(writer, &report))
		return true;
	memcpy(settings->currency, report.currency, sizeof(settings->currency));
	settings->older_reasons = report.older_reasons;
	if (report.result == WRITER_DONE)
		return codec_set_currency(settings->codec,
								  *settings->currency != '\0' ?
								  settings->currency : NULL,
								  errstr, errstr_size);
	snprintf(errstr, errstr_size, "%s", report.text);
	return false;
}

bool
ingest_run(const IngestSettings *settings, Consumer *consumer, Writer *writer,
		   Monitor *monitor, char *errstr, size_t errstr_size)
{
	/* too large for the stack */
	Ingest	   *ingest = calloc(1, sizeof(*ingest));
	bool		succeeded;

	if (ingest != NULL)
	{
		ingest->monitor = monitor;
		ingest->metrics = monitor_metrics(monitor);
	}
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
	publish(ingest);
	if (settings->status_seconds > 0)
		report_status(ingest, clock_monotonic_ms());
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
	ingest->intake.codec = settings->codec;
	ingest->intake.older_reasons = settings->older_reasons;
	status_init(&ingest->status, settings->status_seconds,
				clock_monotonic_ms());
	assignment_init(&ingest->assignment, &settings->start,
					settings->skip_lost);
	assignment_set_breaker(&ingest->assignment, settings->reject_window,
						   settings->reject_percent);
	ingest->intake.breaker = &ingest->assignment.breaker;
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
	consumer_view_free(&ingest->view);
	lag_list_free(&ingest->partitions);
	batch_free(&ingest->batches[0]);
	batch_free(&ingest->batches[1]);
	free(ingest);
}

/* Told to stop: so many messages are still to be stored. */
static void
log_stopping(int64_t messages)
{
	log_write(LOG_LEVEL_INFO, "stopping", "messages=%" PRId64, messages);
}

/* All that is not taking messages; each step looks whether it is due. */
static void
keep_house(Ingest *ingest, int64_t now_ms)
{
	int64_t		real_ms = clock_real_ms();

	ingest_take_settings(ingest);
	ingest->intake.time_from_ms =
		time_spec_resolve(&ingest->settings->time_range.from, real_ms);
	ingest->intake.time_to_ms =
		time_spec_resolve(&ingest->settings->time_range.to, real_ms);
	ingest_take_report(ingest);
	ingest_watch_writer(ingest);
	if (ingest->closing != CLOSING_SIGNAL)
	{
		if (assignment_review(&ingest->assignment, ingest->consumer))
			ingest_renew(ingest, 0);
		assignment_step(&ingest->assignment, ingest->consumer,
						ingest->writer);
	}
	close_if_asked(ingest, now_ms);
	ingest_leave_tripped(ingest);
	ingest_hand_over(ingest, now_ms);
	end_if_closed(ingest, now_ms);
	if (now_ms >= ingest->publish_ms)
		publish(ingest);
	ingest_check_database(ingest, now_ms);
	monitor_tick(ingest->monitor);
	if (now_ms >= ingest->observe_ms)
	{
		ingest_observe(ingest, now_ms);
		ingest->observe_ms = now_ms + OBSERVE_MS;
	}
	if (status_is_due(&ingest->status, now_ms))
		report_status(ingest, now_ms);
}

static void
report_status(Ingest *ingest, int64_t now_ms)
{
	ingest_observe(ingest, now_ms);
	status_report(&ingest->status,
				  bridge_state_words[ingest->readiness.state],
				  ingest->metrics, &ingest->partitions, now_ms);
}

static void
close_if_asked(Ingest *ingest, int64_t now_ms)
{
	if (ingest_stop && ingest->closing != CLOSING_SIGNAL)
	{
		log_stopping(unstored_messages(ingest));
		ingest->closing = CLOSING_SIGNAL;
		ingest->closing_ms = now_ms;
		ingest->message_waits = false;
	}
	if (ingest->closing == CLOSING_NOT &&
		(messages_left(ingest) == 0 || is_at_end(ingest) ||
		 has_nothing_to_load(ingest, now_ms)))
	{
		ingest->closing = CLOSING_AT_END;
		ingest->message_waits = false;
	}
}

/*
 * Has each partition that is not halted been read up to its target, and found
 * to be the one that was read before?  One that Kafka does not answer for has
 * no target yet.
 */
static bool
is_at_end(const Ingest *ingest)
{
	const Assignment *assignment = &ingest->assignment;
	const Batch *batch = ingest->filling;

	if (!ingest->settings->exit_at_end ||
		assignment->stage != ASSIGNMENT_LOADING ||
		!assignment_is_whole(assignment, ingest->consumer))
		return false;
	for (size_t slot = 0; slot < batch->slots; slot++)
	{
		const BatchProgress *progress = &batch->progress[slot];
		int64_t		target = assignment_target(assignment, progress->topic,
											   progress->partition);

		if (target < 0 || progress->next_offset < target ||
			assignment->positions.items[slot].last.is_set)
			return false;
	}
	return true;
}

/* The group gives nothing, not even an empty list, while no topic exists. */
static bool
has_nothing_to_load(Ingest *ingest, int64_t now_ms)
{
	size_t		count;
	const char *missing;
	char		errstr[200];

	if (!ingest->settings->exit_at_end || now_ms < ingest->topics_ms ||
		ingest->assignment.stage != ASSIGNMENT_NONE)
		return false;
	ingest->topics_ms = now_ms + TOPICS_MS;
	return consumer_count_topics(ingest->consumer, &count, &missing, errstr,
								 sizeof(errstr)) && count == 0;
}

/* Read, but not known to be stored. */
static int64_t
unstored_messages(const Ingest *ingest)
{
	return batch_messages(ingest->filling) +
		(ingest->storing != NULL ? batch_messages(ingest->storing) : 0);
}

/* Of --max-messages; what has been read counts until it is dropped. */
static int64_t
messages_left(const Ingest *ingest)
{
	int64_t		most = ingest->settings->max_messages;
	int64_t		taken;

	if (most == 0)
		return INT64_MAX;
	taken = metrics_total(ingest->metrics, METRIC_ROWS_COMMITTED) +
		metrics_total(ingest->metrics, METRIC_DEAD_LETTERS) +
		unstored_messages(ingest);
	return taken < most ? most - taken : 0;
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
		/* --max-messages asks for no more */
		if (ingest->closing == CLOSING_AT_END && messages_left(ingest) > 0)
		{
			fail_if_halted(ingest);
			if (!ingest->failed)
				fail_if_missing(ingest);
		}
	}
	else if (ingest->closing == CLOSING_SIGNAL &&
			 now_ms >= ingest->closing_ms + DRAIN_MS)
	{
		/* no failure: positions have not moved, so nothing is lost */
		log_write(LOG_LEVEL_WARNING,
				  "stopped before all was stored, the rest will be read again",
				  "messages=%" PRId64, unstored_messages(ingest));
		ingest->ended = true;
	}
}

/* What was asked for is not all there is. */
static void
fail_if_halted(Ingest *ingest)
{
	const Halt *halt = ingest->assignment.halts.items;
	char		event[300];

	if (ingest->assignment.halts.count == 0)
		return;
	snprintf(event, sizeof(event), "partition %" PRId32
			 " of topic \"%s\" is halted", halt->position.partition,
			 halt->position.topic);
	ingest_fail(ingest, event, halt->reason);
}

/* Or what was asked for is not there. */
static void
fail_if_missing(Ingest *ingest)
{
	size_t		count;
	const char *missing;
	char		event[300];
	char		errstr[200];

	if (!consumer_count_topics(ingest->consumer, &count, &missing, errstr,
							   sizeof(errstr)))
		ingest_fail(ingest, "could not look whether all topics exist", errstr);
	else if (missing != NULL)
	{
		snprintf(event, sizeof(event), "topic \"%s\" was not loaded",
				 missing);
		ingest_fail(ingest, event, errstr);
	}
}

static void
pump(Ingest *ingest, int64_t now_ms)
{
	int64_t		left = messages_left(ingest);
	int			timeout_ms = poll_ms(ingest, now_ms);

	if (left > PUMP_MESSAGES)
		left = PUMP_MESSAGES;
	if (ingest->closing != CLOSING_NOT || is_held_up(ingest))
	{
		writer_wait(ingest->writer, POLL_MS);
		return;
	}
	for (int64_t i = 0; i < left && !ingest->ended; i++)
	{
		ConsumerEvent event = consumer_poll(ingest->consumer, timeout_ms,
											&ingest->message);

		take_event(ingest, event);
		if (event == CONSUMER_NOTHING && timeout_ms > 0)
			ingest->idle_ms = clock_monotonic_ms();
		timeout_ms = 0;
		if (event != CONSUMER_MESSAGE || is_held_up(ingest))
			break;
	}
}

/* Has the batch to be handed over before another message is taken? */
static bool
is_held_up(const Ingest *ingest)
{
	return ingest->message_waits || ingest->tripped ||
		batch_is_full(ingest->filling);
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
	if (left_ms > POLL_MS)
		return POLL_MS;
	if (left_ms > 0)
		return (int) left_ms;
	/* a failing one is not done soon */
	return writer_failing_ms(ingest->writer) == 0 ? POLL_DUE_MS :
		POLL_SOON_MS;
}

static void
take_event(Ingest *ingest, ConsumerEvent event)
{
	switch (event)
	{
		case CONSUMER_NOTHING:
			break;
		case CONSUMER_MESSAGE:
			ingest_take_message(ingest);
			break;
		case CONSUMER_END:
			take_end(ingest);
			break;
		case CONSUMER_ASSIGNED:
			log_write(LOG_LEVEL_INFO, "partitions assigned", "partitions=%zu",
					  consumer_assigned(ingest->consumer)->count);
			metrics_add(ingest->metrics, METRIC_REBALANCES,
						REBALANCE_ASSIGNED, 0, 1);
			assignment_begin(&ingest->assignment);
			break;
		case CONSUMER_REVOKED:
			take_revocation(ingest);
			break;
		case CONSUMER_ASTRAY:
			if (ingest->assignment.stage == ASSIGNMENT_LOADING)
				ingest_renew(ingest, ASTRAY_MS);
			break;
		case CONSUMER_FATAL:
			ingest_fail(ingest, "Kafka client failed",
				 consumer_error(ingest->consumer));
			break;
	}
}

void
ingest_take_message(Ingest *ingest)
{
	RecordVerdict verdict;

	/* what comes while positions are looked up is fetched again */
	if (ingest->assignment.stage != ASSIGNMENT_LOADING)
		return;
	switch (assignment_recognise(&ingest->assignment, ingest->message.slot,
								 &ingest->message.message))
	{
		case MARK_PASSED:
			break;
		case MARK_SEEN:
			return;
		case MARK_REPLACED:
			ingest_renew(ingest, 0);
			return;
	}
	switch (intake_add(&ingest->intake, ingest->filling,
					   ingest->message.slot, &ingest->message.message,
					   &verdict))
	{
		case BATCH_ADDED:
			open_filling(ingest);
			break;
		case BATCH_STALE:
			metrics_add(ingest->metrics, METRIC_MESSAGES_REPEATED, 0, 0, 1);
			break;
		case BATCH_FULL:
			ingest->message_waits = true;
			break;
		case BATCH_NO_MEMORY:
			ingest_fail(ingest, "could not keep a dead letter", "out of memory");
			break;
		case BATCH_TRIPPED:
			/* offsets without a message lie before it, not behind */
			if (batch_skip_to(ingest->filling, ingest->message.slot,
							  ingest->message.message.offset) == BATCH_ADDED)
				open_filling(ingest);
			assignment_trip(&ingest->assignment, ingest->message.slot,
							ingest->message.message.offset,
							record_reason(verdict));
			ingest->tripped = true;
			break;
	}
}

static void
take_end(Ingest *ingest)
{
	if (ingest->assignment.stage != ASSIGNMENT_LOADING)
		return;
	assignment_pass_end(&ingest->assignment, ingest->message.slot);
	if (batch_skip_to(ingest->filling, ingest->message.slot,
					  ingest->message.message.offset) == BATCH_ADDED)
		open_filling(ingest);
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
	metrics_add(ingest->metrics, METRIC_REBALANCES,
				lost ? REBALANCE_LOST : REBALANCE_REVOKED, 0, 1);
	ingest_drop(ingest);
	assignment_end(&ingest->assignment);
	if (ingest->storing != NULL && !lost && !ingest->stuck)
		writer_wait(ingest->writer, REVOKE_WAIT_MS);
	ingest_take_report(ingest);
	ingest->storing_is_ours = false;
	ingest->stuck = false;
	writer_abandon(ingest->writer);
	offset_list_clear(&ingest->published);
	influx_sink_assign(ingest->settings->sink, &ingest->published);
	consumer_give_up(ingest->consumer);
	if (ingest->closing == CLOSING_AT_END)
		ingest->closing = CLOSING_NOT;
}

/* Bring Kafka's copy of the positions up to date. */
static void
publish(Ingest *ingest)
{
	if (ingest->published.count == 0)
		return;
	consumer_publish(ingest->consumer, &ingest->published);
	offset_list_clear(&ingest->published);
	ingest->publish_ms = clock_monotonic_ms() + PUBLISH_MS;
}
