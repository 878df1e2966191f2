/*
 * Between the main loop and the writer: batches go over, reports come back,
 * and whatever was not stored is begun again from the table of positions.
 */
#include "ingest_state.h"

#include <inttypes.h>
#include <stdio.h>

#include "log.h"

/*
 * The writer is stuck when it has been failing, or at work, for so long: then
 * polling must go on, or the group takes the partitions away.
 */
#define STUCK_FAILING_MS 3000
#define STUCK_BUSY_MS 60000

static void take_commit(Ingest *ingest, const WriterReport *report);
static void note_stored(Ingest *ingest);
static void publish_later(Ingest *ingest, const Batch *batch);
static void begin_loading(Ingest *ingest);

void
ingest_take_report(Ingest *ingest)
{
	WriterReport report;

	if (!writer_take(ingest->writer, &report))
		return;
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
		 !batch_is_full(batch) &&
		 now_ms < batch->opened_ms + ingest->settings->linger_ms))
		return;
	if (!batch_continue(next, batch))
	{
		ingest_fail(ingest, "could not begin a batch", "out of memory");
		return;
	}
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
	if (ingest->stuck || ingest->storing == NULL || !ingest->storing_is_ours ||
		(writer_failing_ms(ingest->writer) < STUCK_FAILING_MS &&
		 writer_busy_ms(ingest->writer) < STUCK_BUSY_MS))
		return;
	ingest->stuck = true;
	if (ingest->closing == CLOSING_SIGNAL)
		return;
	log_write(LOG_LEVEL_WARNING, "waiting for the database, fetching stops",
			  "messages=%" PRId64, batch_messages(ingest->filling));
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
	/* no memory is needed for no slots */
	(void) batch_start(ingest->filling, 0);
}

void
ingest_fail(Ingest *ingest, const char *event, const char *reason)
{
	snprintf(ingest->errstr, ingest->errstr_size, "%s: %s", event, reason);
	ingest->failed = true;
	ingest->ended = true;
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
	if (report->result != WRITER_DONE)
		look_up = true;
	ingest->storing = NULL;
	ingest->stuck = false;
	if (look_up && is_ours && !ingest->ended)
		ingest_renew(ingest, 0);
}

static void
note_stored(Ingest *ingest)
{
	const Batch *batch = ingest->storing;

	ingest->status.stored += batch->row_count;
	ingest->status.dead_lettered += batch->dead_letter_count;
	if (ingest->storing_is_ours)
		publish_later(ingest, batch);
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
						   &positions->items[slot].last);
}
