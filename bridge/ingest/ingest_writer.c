/*
 * Between the main loop and the writer: batches go over, reports come back,
 * and whatever was not stored is begun again from the table of positions.
 */
#include "ingest_state.h"

#include <inttypes.h>
#include <stdio.h>

#include "clock.h"
#include "log.h"

/*
 * The writer is stuck when it has been failing, or at work, for so long: then
 * polling must go on, or the group takes the partitions away.  It does so
 * after POLL_SHARES times as long as a writer may be at work, at least.
 */
#define STUCK_FAILING_MS 3000
#define STUCK_BUSY_MS 30000
#define POLL_SHARES 3

/* The writer looks whether the database is there after so long at rest. */
#define CHECK_MS 3000

static int64_t stuck_busy_ms(const Ingest *ingest);
static void take_commit(Ingest *ingest, const WriterReport *report);
static void report_conflict(Ingest *ingest, const WriterReport *report);
static void note_stored(Ingest *ingest, const WriterReport *report);
static void count_consumed(Ingest *ingest);
static void count_stored(Ingest *ingest, const Batch *batch);
static void count_times(Ingest *ingest, const Batch *batch, int64_t done_ms);
static void count_result(Ingest *ingest, const WriterReport *report);
static void publish_later(Ingest *ingest, const Batch *batch);
static void begin_loading(Ingest *ingest);

void
ingest_take_report(Ingest *ingest)
{
	WriterReport report;

	if (!writer_take(ingest->writer, &report))
		return;
	ingest->checking = false;
	ingest->check_ms = clock_monotonic_ms() + CHECK_MS;
	/* of an abandoned job nothing is known */
	if (report.result != WRITER_ABANDONED)
		ingest->intake.older_reasons = report.older_reasons;
	if (report.job == WRITER_COMMIT)
		take_commit(ingest, &report);
	if (report.result == WRITER_FATAL)
		ingest_fail(ingest, "the database refused", report.text);
	else if (report.job == WRITER_POSITIONS &&
			 assignment_take(&ingest->assignment, ingest->consumer,
							 ingest->writer, &report))
		begin_loading(ingest);
}

void
ingest_hand_over(Ingest *ingest, int64_t now_ms)
{
	Batch	   *batch = ingest->filling;
	Batch	   *next = batch == &ingest->batches[0] ? &ingest->batches[1] :
		&ingest->batches[0];

	if (ingest->ended || batch->opened_ms == 0 ||
		!writer_is_idle(ingest->writer) ||
		(ingest->closing == CLOSING_NOT && !ingest->message_waits &&
		 !ingest->tripped &&
		 !batch_is_full(batch) &&
		 now_ms < batch->opened_ms + ingest->settings->linger_ms))
		return;
	if (!batch_continue(next, batch))
	{
		ingest_fail(ingest, "could not begin a batch", "out of memory");
		return;
	}
	count_consumed(ingest);
	ingest->storing = batch;
	ingest->storing_is_ours = true;
	ingest->filling = next;
	writer_commit(ingest->writer, batch);
	if (ingest->message_waits && ingest->closing == CLOSING_NOT)
	{
		ingest->message_waits = false;
		ingest_take_message(ingest);
	}
}

void
ingest_watch_writer(Ingest *ingest)
{
	bool		is_storing = ingest->storing != NULL &&
		ingest->storing_is_ours;
	bool		is_checking = ingest->checking &&
		ingest->assignment.stage == ASSIGNMENT_LOADING;

	if (ingest->stuck || !(is_storing || is_checking) ||
		(writer_failing_ms(ingest->writer) < STUCK_FAILING_MS &&
		 writer_busy_ms(ingest->writer) < stuck_busy_ms(ingest)))
		return;
	ingest->stuck = is_storing;
	if (ingest->closing == CLOSING_SIGNAL)
		return;
	log_write(LOG_LEVEL_WARNING, "waiting for the database, fetching stops",
			  "messages=%" PRId64, batch_messages(ingest->filling));
	ingest_renew(ingest, 0);
}

void
ingest_leave_tripped(Ingest *ingest)
{
	if (ingest->tripped && ingest->storing == NULL &&
		ingest->filling->opened_ms == 0 && ingest->closing == CLOSING_NOT)
		ingest_renew(ingest, 0);
}

void
ingest_renew(Ingest *ingest, int64_t delay_ms)
{
	ingest_drop(ingest);
	assignment_renew(&ingest->assignment, ingest->consumer, delay_ms);
	if (ingest->closing == CLOSING_AT_END)
		ingest->closing = CLOSING_NOT;
}

void
ingest_drop(Ingest *ingest)
{
	ingest->message_waits = false;
	count_consumed(ingest);
	ingest->tripped = false;
	/* no memory is needed for no slots */
	(void) batch_start(ingest->filling, 0);
}

void
ingest_check_database(Ingest *ingest, int64_t now_ms)
{
	if (!ingest->settings->watches_database || ingest->closing != CLOSING_NOT ||
		now_ms < ingest->check_ms || !writer_is_idle(ingest->writer))
		return;
	ingest->checking = true;
	writer_check(ingest->writer);
}

void
ingest_fail(Ingest *ingest, const char *event, const char *reason)
{
	snprintf(ingest->errstr, ingest->errstr_size, "%s: %s", event, reason);
	ingest->failed = true;
	ingest->ended = true;
}

static int64_t
stuck_busy_ms(const Ingest *ingest)
{
	int64_t		share_ms = consumer_poll_limit_ms(ingest->consumer) /
		POLL_SHARES;

	return share_ms < STUCK_BUSY_MS ? share_ms : STUCK_BUSY_MS;
}

static void
take_commit(Ingest *ingest, const WriterReport *report)
{
	bool		is_ours = ingest->storing_is_ours;
	bool		look_up = ingest->stuck;

	count_result(ingest, report);
	if (report->result == WRITER_DONE)
		note_stored(ingest, report);
	else if (report->result == WRITER_CONFLICT)
		report_conflict(ingest, report);
	if (report->result != WRITER_DONE)
		look_up = true;
	ingest->storing = NULL;
	ingest->stuck = false;
	if (look_up && is_ours && !ingest->ended)
		ingest_renew(ingest, 0);
}

/* A bridge of another group on the same database makes one of each batch. */
static void
report_conflict(Ingest *ingest, const WriterReport *report)
{
	int64_t		suppressed;

	if (trouble_is_due(&ingest->conflicts, WRITER_CONFLICT,
					   clock_monotonic_ms(), &suppressed))
		log_write(LOG_LEVEL_WARNING,
				  "another writer moved a position, batch dropped",
				  "text=%s suppressed=%" PRId64,
				  log_quote(report->text, (char[256]) {0}, 256), suppressed);
}

static void
note_stored(Ingest *ingest, const WriterReport *report)
{
	const Batch *batch = ingest->storing;

	count_stored(ingest, batch);
	count_times(ingest, batch, report->done_ms);
	if (ingest->storing_is_ours)
	{
		publish_later(ingest, batch);
		influx_sink_advance(ingest->settings->sink, batch);
	}
}

/* What is in the batch being filled, before it is handed over or dropped. */
static void
count_consumed(Ingest *ingest)
{
	const Batch *batch = ingest->filling;

	for (size_t slot = 0; slot < batch->slots; slot++)
	{
		const BatchProgress *progress = &batch->progress[slot];
		int64_t		messages = progress->stored + progress->dead_lettered;

		if (messages > 0)
			metrics_add(ingest->metrics, METRIC_MESSAGES_CONSUMED,
						metrics_topic(ingest->metrics, progress->topic), 0,
						messages);
	}
}

static void
count_stored(Ingest *ingest, const Batch *batch)
{
	Metrics    *metrics = ingest->metrics;

	for (size_t slot = 0; slot < batch->slots; slot++)
	{
		const BatchProgress *progress = &batch->progress[slot];
		size_t		topic = metrics_topic(metrics, progress->topic);

		metrics_add(metrics, METRIC_ROWS_COMMITTED, topic, 0,
					progress->stored);
		metrics_add(metrics, METRIC_OFFSETS_SKIPPED, topic, 0,
					progress->skipped);
		for (int verdict = FINTRANS_ACCEPTED + 1;
			 verdict < FINTRANS_VERDICTS && progress->dead_lettered > 0;
			 verdict++)
			metrics_add(metrics, METRIC_DEAD_LETTERS, topic,
						(size_t) (verdict - FINTRANS_ACCEPTED - 1),
						progress->refused[verdict]);
	}
}

static void
count_times(Ingest *ingest, const Batch *batch, int64_t done_ms)
{
	MetricsDurations latencies = {0};

	for (int64_t i = 0; i < batch->messages; i++)
		if (batch->times[i] != BATCH_NO_TIME)
			metrics_take_duration(&latencies, done_ms - batch->times[i]);
	metrics_add_durations(ingest->metrics, METRIC_LATENCY, &latencies);
	metrics_set(ingest->metrics, METRIC_LAST_COMMIT, 0, done_ms);
}

static void
count_result(Ingest *ingest, const WriterReport *report)
{
	static const MetricsResult results[] = {
		[WRITER_DONE] = RESULT_COMMITTED,
		[WRITER_CONFLICT] = RESULT_CONFLICT,
		[WRITER_ABANDONED] = RESULT_ABANDONED,
		[WRITER_FATAL] = RESULT_FATAL
	};
	MetricsDurations taken = {0};

	metrics_add(ingest->metrics, METRIC_BATCHES, results[report->result], 0,
				1);
	if (report->result != WRITER_DONE)
		return;
	metrics_take_duration(&taken, report->taken_ms);
	metrics_add_durations(ingest->metrics, METRIC_BATCH_DURATION, &taken);
}

/* Kafka's copy is a courtesy: a list cut short does no harm. */
static void
publish_later(Ingest *ingest, const Batch *batch)
{
	offset_list_clear(&ingest->published);
	for (size_t slot = 0; slot < batch->slots; slot++)
		if (!offset_list_add(&ingest->published,
							 batch->progress[slot].topic,
							 batch->progress[slot].partition,
							 batch->progress[slot].next_offset))
			return;
}

static void
begin_loading(Ingest *ingest)
{
	const OffsetList *positions = &ingest->assignment.positions;

	ingest->message_waits = false;
	if (!batch_start(ingest->filling, positions->count))
	{
		ingest_fail(ingest, "could not begin a batch", "out of memory");
		return;
	}
	for (size_t slot = 0; slot < positions->count; slot++)
		batch_set_position(ingest->filling, slot,
						   positions->items[slot].topic,
						   positions->items[slot].partition,
						   positions->items[slot].offset,
						   &positions->items[slot].last,
						   positions->items[slot].topic_id);
	influx_sink_assign(ingest->settings->sink, positions);
}
