/*
 * How the bridge stands, for those who watch it: gathered by the main loop,
 * which alone may look at its own structures, and published as a copy.
 */
#include "ingest_state.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* The database has not answered for so long. */
#define SILENT_MS 20000

static const char *describe_database(Writer *writer, char *text, size_t size);
static void list_partitions(Ingest *ingest, int64_t now_ms);
static void list_partition(Ingest *ingest, const OffsetItem *given,
						   int64_t stored, int64_t now_ms);
static int64_t stored_up_to(const Ingest *ingest, const OffsetItem *given,
							size_t *slot);

void
ingest_observe_start(Monitor *monitor, Writer *writer)
{
	char		database[512];
	Readiness	readiness;
	const ReadinessFacts facts = {
		.starting = true,
		.stopping = ingest_stop,
		.database = describe_database(writer, database, sizeof(database))
	};

	readiness_judge(&readiness, &facts);
	monitor_publish(monitor, &readiness, NULL);
	monitor_tick(monitor);
}

void
ingest_observe(Ingest *ingest, int64_t now_ms)
{
	const Assignment *assignment = &ingest->assignment;
	bool		is_watched = consumer_look(ingest->consumer, &ingest->view);
	char		database[512];
	const ReadinessFacts facts = {
		.stopping = ingest->closing != CLOSING_NOT || ingest->ended,
		.assigned = assignment->stage != ASSIGNMENT_NONE,
		.loading = assignment->stage == ASSIGNMENT_LOADING,
		.group = ingest->settings->group,
		.database = describe_database(ingest->writer, database,
									  sizeof(database)),
		.kafka = is_watched && ingest->view.trouble[0] != '\0' ?
		ingest->view.trouble : NULL,
		.positions = assignment->reason[0] != '\0' ? assignment->reason : NULL,
		.topics = ingest->view.topics,
		.topic_count = ingest->view.topic_count,
		.partitions = &ingest->partitions,
		.now_ms = now_ms,
		.idle_ms = ingest->idle_ms,
		.patience_ms = ingest->settings->linger_ms
	};

	list_partitions(ingest, now_ms);
	readiness_judge(&ingest->readiness, &facts);
	monitor_publish(ingest->monitor, &ingest->readiness, &ingest->partitions);
	metrics_set(ingest->metrics, METRIC_PARTITIONS_ASSIGNED, 0,
				(int64_t) ingest->partitions.count);
}

/* What is wrong with it, in text; NULL for nothing. */
static const char *
describe_database(Writer *writer, char *text, size_t size)
{
	int64_t		failing_ms = writer_failing_ms(writer);
	int64_t		busy_ms = writer_busy_ms(writer);
	char		failure[400];

	if (failing_ms > 0)
	{
		writer_failure(writer, failure, sizeof(failure));
		snprintf(text, size, "fails for %" PRId64 " s: %s", failing_ms / 1000,
				 failure);
	}
	else if (busy_ms >= SILENT_MS)
		snprintf(text, size, "has not answered for %" PRId64 " s",
				 busy_ms / 1000);
	else
		return NULL;
	return text;
}

/* All that is assigned; none when memory is short. */
static void
list_partitions(Ingest *ingest, int64_t now_ms)
{
	const OffsetList *assigned = consumer_assigned(ingest->consumer);
	size_t		slot = 0;

	if (!lag_list_begin(&ingest->partitions, assigned->count))
		return;
	for (size_t i = 0; i < assigned->count; i++)
		list_partition(ingest, &assigned->items[i],
					   stored_up_to(ingest, &assigned->items[i], &slot),
					   now_ms);
}

/*
 * What a fetch told last of a partition's end may be old when it is no longer
 * fetched, so the watch is listened to as well.
 */
static void
list_partition(Ingest *ingest, const OffsetItem *given, int64_t stored,
			   int64_t now_ms)
{
	const Assignment *assignment = &ingest->assignment;
	const Halt *halt = halt_list_find(&assignment->halts, given);
	const OffsetItem *seen = offset_list_find(&ingest->view.ends,
											  given->topic, given->partition);
	int64_t		end = consumer_known_high_watermark(ingest->consumer,
													given->topic,
													given->partition);
	LagItem    *item;

	if (seen != NULL && seen->offset > end)
		end = seen->offset;
	item = lag_list_add(&ingest->partitions, given->topic, given->partition,
						halt != NULL ? halt->position.offset : stored, end,
						now_ms);
	item->halted = halt != NULL ? halt->reason : NULL;
	item->unreadable = halt != NULL && halt->verdict == POSITION_TRIPPED;
	item->unanswered =
		offset_list_find(&assignment->unanswered, given->topic,
						 given->partition) != NULL ||
		(seen != NULL && seen->offset == CONSUMER_NO_ANSWER);
}

/*
 * The offset before which all is stored, negative while that is looked up.
 * Slots are in the order of the assignment, so slot goes on with each call.
 */
static int64_t
stored_up_to(const Ingest *ingest, const OffsetItem *given, size_t *slot)
{
	const Batch *batch = ingest->storing != NULL && ingest->storing_is_ours ?
		ingest->storing : ingest->filling;
	const BatchProgress *progress;

	if (*slot >= batch->slots)
		return -1;
	progress = &batch->progress[*slot];
	if (progress->partition != given->partition ||
		strcmp(progress->topic, given->topic) != 0)
		return -1;
	++*slot;
	return progress->expected_offset;
}
