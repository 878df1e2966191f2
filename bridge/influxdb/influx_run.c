/*
 * Partitions are lanes: a lane is read up to where PostgreSQL has committed
 * and it is known which messages are dead letters, never further.  Batches are
 * sent two at a time and taken off in the order in which they were made, so
 * what is through in a lane has no gap, and sending it again after a crash
 * begins where it ends.
 */
#include "influx_run.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backoff.h"
#include "clock.h"
#include "influx_batch.h"
#include "influx_lane.h"
#include "influx_reader.h"
#include "influx_sender.h"
#include "log.h"
#include "record.h"

/* A batch that is not full is sent this long after its first point. */
#define LINGER_MS 500

/* Waits: for messages that must come, for anything that may. */
#define WAIT_SOON_MS 5
#define WAIT_MS 200

/* Positions are kept this often, and all of them anew, lest Kafka forgets. */
#define KEEP_MS 1000
#define KEEP_ALL_MS (INT64_C(60) * 60 * 1000)

/* How long closing waits for Kafka to keep the last ones. */
#define CLOSE_MS 1000

/* Pause before a question is asked again, and a partition read again. */
#define ASK_AGAIN_MS 1000

struct InfluxRun
{
	const InfluxRunSettings *settings;
	InfluxClient *client;
	InfluxLedger *ledger;
	InfluxStats *stats;
	InfluxSender *sender;
	InfluxReader *reader;		/* NULL before it could be opened */
	bool		reading;		/* Kafka and PostgreSQL told where to begin */
	OffsetList	partitions;
	InfluxLane *lanes;
	size_t		first_lane;		/* next time */
	bool		starving;		/* messages are due that have not come yet */
	int64_t		ask_ms;			/* when to ask again, after a failure */
	bool		unanswered;		/* the latest question */
	int64_t		keep_ms;
	int64_t		keep_all_ms;
	Backoff		backoff;
};

static bool copy_lanes(InfluxRun *run, const OffsetList *partitions);
static void free_run(InfluxRun *run);
static void begin_reading(InfluxRun *run, int64_t now_ms);
static bool find_start(InfluxRun *run, OffsetList *first, OffsetList *kept,
					   char *errstr, size_t errstr_size);
static void clear_lanes(InfluxRun *run, int64_t now_ms);
static void note_unanswered(InfluxRun *run, const char *event,
							const char *reason, int64_t now_ms);
static void note_answered(InfluxRun *run);
static void fill(InfluxRun *run, int64_t now_ms);
static bool fill_from(InfluxRun *run, size_t lane, InfluxBatch *batch,
					  int64_t now_ms);
static bool take_message(InfluxRun *run, InfluxLane *lane, InfluxBatch *batch,
						 const BatchMessage *message);
static void advance(InfluxLane *lane, int64_t offset, InfluxBatch *batch,
					int64_t now_ms);
static void go_astray(InfluxRun *run, size_t number, InfluxBatch *batch,
					  int64_t now_ms);
static void keep_positions(InfluxRun *run, int64_t now_ms);
static void publish_stats(InfluxRun *run);
static void send_due(InfluxRun *run, int64_t now_ms);
static void take_through(InfluxRun *run);
static int64_t wait_until(InfluxRun *run, int64_t now_ms);

InfluxRun *
influx_run_new(const InfluxRunSettings *settings, InfluxClient *client,
			   InfluxLedger *ledger, InfluxStats *stats,
			   const OffsetList *partitions)
{
	InfluxRun  *run = calloc(1, sizeof(*run));

	if (run == NULL)
		return NULL;
	run->settings = settings;
	run->client = client;
	run->ledger = ledger;
	run->stats = stats;
	backoff_init(&run->backoff, (uint64_t) clock_real_ms() ^
				 ((uint64_t) getpid() << 32));
	run->sender = influx_sender_new(client, stats, settings->batch_points,
									partitions->count);
	if (run->sender != NULL && copy_lanes(run, partitions))
		return run;
	free_run(run);
	return NULL;
}

void
influx_run_close(InfluxRun *run)
{
	int64_t		deadline_ms = clock_monotonic_ms() + CLOSE_MS;
	bool		kept;

	if (run == NULL)
		return;
	if (run->reading)
	{
		/* what is being kept now may be older than what is through */
		for (int last = 0; last < 2; last++)
		{
			run->keep_ms = 0;
			keep_positions(run, clock_monotonic_ms());
			while (!influx_reader_answered(run->reader, &kept) &&
				   clock_monotonic_ms() < deadline_ms)
			{
				InfluxResult ignored;

				influx_reader_serve(run->reader);
				(void) influx_client_wait(run->client, WAIT_SOON_MS, &ignored);
			}
		}
	}
	free_run(run);
}

bool
influx_run_is_of(const InfluxRun *run, const OffsetList *partitions)
{
	if (run->partitions.count != partitions->count)
		return false;
	for (size_t i = 0; i < partitions->count; i++)
		if (run->lanes[i].partition != partitions->items[i].partition ||
			strcmp(run->lanes[i].topic, partitions->items[i].topic) != 0)
			return false;
	return true;
}

void
influx_run_advance(InfluxRun *run, size_t number, int64_t committed,
				   bool may_have_letters)
{
	influx_lane_commit(&run->lanes[number], committed, may_have_letters);
}

void
influx_run_set_credentials(InfluxRun *run, const char *user,
						   const char *password)
{
	if (run->reader != NULL)
		influx_reader_set_credentials(run->reader, user, password);
}

void
influx_run_step(InfluxRun *run)
{
	int64_t		now_ms = clock_monotonic_ms();

	/* before it reads as well: its password may be refused */
	if (run->reader != NULL)
		influx_reader_serve(run->reader);
	if (!run->reading)
		begin_reading(run, now_ms);
	if (run->reading)
	{
		clear_lanes(run, now_ms);
		fill(run, now_ms);
		send_due(run, now_ms);
	}
	influx_sender_step(run->sender, wait_until(run, now_ms));
	take_through(run);
	if (run->reading)
		keep_positions(run, now_ms);
	publish_stats(run);
}

bool
influx_run_is_through(const InfluxRun *run)
{
	for (size_t i = 0; i < run->partitions.count; i++)
		if (run->lanes[i].sent < run->lanes[i].committed)
			return false;
	return true;
}

static bool
copy_lanes(InfluxRun *run, const OffsetList *partitions)
{
	run->lanes = calloc(partitions->count + 1, sizeof(*run->lanes));
	if (run->lanes == NULL)
		return false;
	for (size_t i = 0; i < partitions->count; i++)
	{
		const OffsetItem *item = &partitions->items[i];

		/* counted first, to be freed */
		if (!offset_list_add(&run->partitions, "", item->partition,
							 item->offset) ||
			!influx_lane_init(&run->lanes[i], item->topic, item->partition,
							  item->offset))
			return false;
		run->partitions.items[i].topic = run->lanes[i].topic;
	}
	return true;
}

static void
free_run(InfluxRun *run)
{
	influx_reader_close(run->reader);
	for (size_t i = 0; run->lanes != NULL && i < run->partitions.count; i++)
		influx_lane_free(&run->lanes[i]);
	free(run->lanes);
	influx_sender_free(run->sender);
	offset_list_free(&run->partitions);
	atomic_store(&run->stats->queued, 0);
	free(run);
}

/* Where it was left, or from the first offset that PostgreSQL has. */
static void
begin_reading(InfluxRun *run, int64_t now_ms)
{
	OffsetList	first = {0};
	OffsetList	kept = {0};
	char		errstr[400] = "out of memory";

	if (now_ms < run->ask_ms)
		return;
	if (offset_list_copy(&first, &run->partitions) &&
		offset_list_copy(&kept, &run->partitions) &&
		find_start(run, &first, &kept, errstr, sizeof(errstr)))
	{
		run->reading = true;
		note_answered(run);
	}
	else
		note_unanswered(run, "could not find out where InfluxDB was left, retrying",
						errstr, now_ms);
	offset_list_free(&first);
	offset_list_free(&kept);
}

static bool
find_start(InfluxRun *run, OffsetList *first, OffsetList *kept, char *errstr,
		   size_t errstr_size)
{
	if (run->reader == NULL)
		run->reader = influx_reader_open(run->settings->kafka,
										 &run->partitions, errstr, errstr_size);
	if (run->reader == NULL ||
		!influx_reader_positions(run->reader, kept, errstr, errstr_size))
		return false;
	if (!influx_ledger_first(run->ledger, first))
	{
		snprintf(errstr, errstr_size, "%s", influx_ledger_error(run->ledger));
		return false;
	}
	for (size_t i = 0; i < run->partitions.count; i++)
	{
		InfluxLane *lane = &run->lanes[i];

		influx_lane_begin(lane, kept->items[i].offset, first->items[i].offset);
		if (lane->next > lane->committed)
			log_write(LOG_LEVEL_WARNING,
					  "InfluxDB has been sent more than PostgreSQL has",
					  "topic=%s partition=%" PRId32 " sent_offset=%" PRId64
					  " next_offset=%" PRId64, lane->topic, lane->partition,
					  lane->next, lane->committed);
		if (!influx_reader_start(run->reader, i, lane->next))
			return false;
	}
	return true;
}

/* The connection is not held when there is nothing to ask. */
static void
clear_lanes(InfluxRun *run, int64_t now_ms)
{
	bool		asked = false;

	if (now_ms < run->ask_ms)
		return;
	for (size_t i = 0; i < run->partitions.count; i++)
	{
		InfluxLane *lane = &run->lanes[i];
		size_t		letters;

		if (!influx_lane_wants_letters(lane))
			continue;
		asked = true;
		if (!influx_ledger_refused(run->ledger, lane->topic, lane->partition,
								   lane->next, lane->letters,
								   INFLUX_LANE_LETTERS, &letters))
		{
			note_unanswered(run, "could not read for InfluxDB what is a dead letter, retrying",
							influx_ledger_error(run->ledger), now_ms);
			break;
		}
		influx_lane_take_letters(lane, letters);
		note_answered(run);
	}
	if (asked)
		influx_ledger_rest(run->ledger);
}

/* Kafka or PostgreSQL: without them there is nothing to be sent. */
static void
note_unanswered(InfluxRun *run, const char *event, const char *reason,
				int64_t now_ms)
{
	run->ask_ms = now_ms + ASK_AGAIN_MS;
	run->unanswered = true;
	if (atomic_load(&run->stats->failing_ms) == 0)
		atomic_store(&run->stats->failing_ms, now_ms);
	if (backoff_is_news(&run->backoff, reason, now_ms))
		log_write(LOG_LEVEL_WARNING, event, "text=%s",
				  log_quote(reason, (char[512]) {0}, 512));
}

static void
note_answered(InfluxRun *run)
{
	if (!run->unanswered)
		return;
	run->unanswered = false;
	backoff_reset(&run->backoff);
	atomic_store(&run->stats->failing_ms, 0);
}

/* A little of each lane in turn, beginning with another one each time. */
static void
fill(InfluxRun *run, int64_t now_ms)
{
	size_t		lanes = run->partitions.count;
	InfluxBatch *batch = influx_sender_filling(run->sender);

	run->starving = false;
	if (batch == NULL)
		return;
	for (size_t i = 0; i < lanes; i++)
		if (!fill_from(run, (run->first_lane + i) % lanes, batch, now_ms))
			break;
	if (lanes > 0)
		run->first_lane = (run->first_lane + 1) % lanes;
}

/* False when the batch is full. */
static bool
fill_from(InfluxRun *run, size_t number, InfluxBatch *batch, int64_t now_ms)
{
	InfluxLane *lane = &run->lanes[number];

	if (lane->again_ms != 0)
	{
		if (now_ms < lane->again_ms ||
			!influx_reader_start(run->reader, number, lane->next))
			return true;
		lane->again_ms = 0;
	}
	while (lane->next < lane->cleared)
	{
		BatchMessage message;

		switch (influx_reader_peek(run->reader, number, &message))
		{
			case INFLUX_NOTHING:
				run->starving = true;
				return true;
			case INFLUX_GONE:
				influx_reader_pass(run->reader, number);
				go_astray(run, number, batch, now_ms);
				return true;
			case INFLUX_END:
				advance(lane, message.offset, batch, now_ms);
				/* it is looked at again when the end has been committed */
				if (message.offset > lane->cleared)
					return true;
				break;
			case INFLUX_MESSAGE:
				advance(lane, message.offset, batch, now_ms);
				if (message.offset >= lane->cleared)
					return true;
				if (message.offset < lane->next)
					break;
				if (!take_message(run, lane, batch, &message))
					return false;
				advance(lane, message.offset + 1, batch, now_ms);
				break;
		}
		influx_reader_pass(run->reader, number);
	}
	return true;
}

/* False when the batch is full, and nothing done. */
static bool
take_message(InfluxRun *run, InfluxLane *lane, InfluxBatch *batch,
			 const BatchMessage *message)
{
	Codec	   *codec = run->settings->codec;
	LineOrigin	origin = {
		lane->topic, lane->partition, message->offset, message->event_time_ms
	};
	Record		record;
	char		text[RECORD_DETAIL_BYTES];
	const RecordDetail detail = {text, sizeof(text)};

	if (influx_batch_is_full(batch))
		return false;
	/* what is no row has no point */
	if (influx_lane_is_letter(lane, message->offset) ||
		codec_decode(codec, message->payload, message->payload_bytes, &record,
					 &detail) != FINTRANS_ACCEPTED ||
		!(codec_tells_time(codec) ? record.time.is_set :
		  message->has_event_time))
		return true;
	if (codec_tells_time(codec))
		origin.event_time_ms = event_time_ms(&record.time);
	switch (influx_batch_add(batch, &run->settings->style, &origin, &record))
	{
		case LINE_WRITTEN:
		case LINE_FULL:
			break;
		case LINE_BAD_TIME:
			influx_stats_count(run->stats, INFLUX_RESULT_BAD_TIME, 1);
			break;
		case LINE_BAD_AMOUNT:
			influx_stats_count(run->stats, INFLUX_RESULT_BAD_AMOUNT, 1);
			break;
	}
	return true;
}

static void
advance(InfluxLane *lane, int64_t offset, InfluxBatch *batch, int64_t now_ms)
{
	if (influx_lane_advance(lane, offset) && batch->opened_ms == 0)
		batch->opened_ms = now_ms;
}

/*
 * Kafka has deleted what was to come next.  What PostgreSQL had committed of it
 * never gets to InfluxDB.  The batch, though it may stay empty, carries the
 * place on.
 */
static void
go_astray(InfluxRun *run, size_t number, InfluxBatch *batch, int64_t now_ms)
{
	InfluxLane *lane = &run->lanes[number];
	int64_t		lowest;

	lane->again_ms = now_ms + ASK_AGAIN_MS;
	if (!influx_reader_lowest(run->reader, number, &lowest) ||
		lowest <= lane->next)
		return;
	log_write(LOG_LEVEL_WARNING,
			  "messages were deleted from Kafka before InfluxDB had their points",
			  "topic=%s partition=%" PRId32 " from_offset=%" PRId64
			  " to_offset=%" PRId64, lane->topic, lane->partition, lane->next,
			  lowest);
	influx_stats_count(run->stats, INFLUX_RESULT_LOST, lowest - lane->next);
	lane->next = lowest;
	lane->again_ms = now_ms;
	if (batch->opened_ms == 0)
		batch->opened_ms = now_ms;
}

/* A batch that is full, or old enough. */
static void
send_due(InfluxRun *run, int64_t now_ms)
{
	InfluxBatch *batch = influx_sender_filling(run->sender);

	if (batch == NULL || batch->opened_ms == 0 ||
		(!influx_batch_is_full(batch) &&
		 now_ms < batch->opened_ms + LINGER_MS))
		return;
	for (size_t i = 0; i < run->partitions.count; i++)
		batch->next_offsets[i] = run->lanes[i].next;
	influx_sender_send(run->sender);
}

static void
take_through(InfluxRun *run)
{
	const InfluxBatch *batch;

	while ((batch = influx_sender_through(run->sender)) != NULL)
	{
		for (size_t i = 0; i < run->partitions.count; i++)
			run->lanes[i].sent = batch->next_offsets[i];
		influx_sender_retire(run->sender);
	}
}

/* Whatever comes from PostgreSQL or InfluxDB ends the wait. */
static int64_t
wait_until(InfluxRun *run, int64_t now_ms)
{
	const InfluxBatch *batch = influx_sender_filling(run->sender);
	int64_t		until_ms = now_ms + WAIT_MS;

	if (influx_sender_through(run->sender) != NULL)
		return now_ms;
	if (batch != NULL && batch->opened_ms != 0 &&
		batch->opened_ms + LINGER_MS < until_ms)
		until_ms = batch->opened_ms + LINGER_MS;
	if (run->starving && now_ms + WAIT_SOON_MS < until_ms)
		until_ms = now_ms + WAIT_SOON_MS;
	if (batch != NULL && influx_batch_is_full(batch))
		until_ms = now_ms;
	return until_ms;
}

static void
keep_positions(InfluxRun *run, int64_t now_ms)
{
	OffsetList	positions = {0};
	bool		kept;

	if (now_ms < run->keep_ms ||
		!influx_reader_answered(run->reader, &kept))
		return;
	run->keep_ms = now_ms + KEEP_MS;
	if (now_ms >= run->keep_all_ms || !kept)
	{
		run->keep_all_ms = now_ms + KEEP_ALL_MS;
		for (size_t i = 0; i < run->partitions.count; i++)
			run->lanes[i].kept = -1;
	}
	for (size_t i = 0; i < run->partitions.count; i++)
		if (run->lanes[i].kept != run->lanes[i].sent &&
			!offset_list_add(&positions, run->lanes[i].topic,
							 run->lanes[i].partition, run->lanes[i].sent))
			break;
	if (positions.count > 0 && influx_reader_keep(run->reader, &positions))
		for (size_t i = 0; i < run->partitions.count; i++)
			run->lanes[i].kept = run->lanes[i].sent;
	offset_list_free(&positions);
}

/* Before Kafka has told where InfluxDB was left there is no lag to tell. */
static void
publish_stats(InfluxRun *run)
{
	int64_t		lag = 0;

	for (size_t i = 0; run->reading && i < run->partitions.count; i++)
		if (run->lanes[i].committed > run->lanes[i].sent)
			lag += run->lanes[i].committed - run->lanes[i].sent;
	atomic_store(&run->stats->lag, lag);
	atomic_store(&run->stats->queued, influx_sender_points(run->sender));
}
