/*
 * Locking: `lock` guards readiness, partitions, upkeep and failure, and is held
 * for as long as it takes to copy them, never while text is made or sent.  Numbers
 * and the time of the latest tick are atomic.
 */
#include "monitor.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "heartbeat.h"
#include "text_buffer.h"

/*
 * The main loop turns ten times a second, but waits a few times for up to five
 * seconds when it asks brokers that are away.
 */
#define NOT_READY_MS 20000

#define FAILURE_BYTES 600
#define UPKEEP_BYTES 300

#define METRICS_TEXT "text/plain; version=0.0.4; charset=utf-8"

struct Monitor
{
	Metrics    *metrics;
	Heartbeat	heartbeat;
	pthread_mutex_t lock;
	Readiness	readiness;
	MetricsPartition *partitions;
	size_t		partition_count;
	size_t		partitions_allocated;
	char		upkeep[TASK_COUNT][UPKEEP_BYTES];	/* why a task fails, "" for
													 * not */
	char		failure[FAILURE_BYTES]; /* "" for none */
};

/* A path and what makes its text. */
typedef struct MonitorPage
{
	const char *path;
	bool		(*write) (Monitor *monitor, HttpAnswer *answer);
} MonitorPage;

static bool write_health(Monitor *monitor, HttpAnswer *answer);
static bool write_ready(Monitor *monitor, HttpAnswer *answer);
static bool write_metrics(Monitor *monitor, HttpAnswer *answer);
static bool write_not_found(Monitor *monitor, HttpAnswer *answer);

static const MonitorPage pages[] = {
	{"/health", write_health},
	{"/ready", write_ready},
	{"/metrics", write_metrics},
	{NULL, write_not_found}
};

static void list_upkeep(Monitor *monitor, char *text, size_t size);
static bool is_ready(const Monitor *monitor, const Readiness *readiness);
static void copy_partitions(Monitor *monitor, const LagList *partitions);
static void copy_partition(MetricsPartition *partition, size_t topic,
						   const LagItem *item);
static Readiness *read_readiness(Monitor *monitor);
static void count_readiness(Monitor *monitor);
static bool print_metrics(Monitor *monitor,
						  const MetricsPartition *partitions, size_t count,
						  HttpAnswer *answer);

Monitor *
monitor_new(const char *topics)
{
	Monitor    *monitor = calloc(1, sizeof(*monitor));

	if (monitor == NULL)
		return NULL;
	monitor->metrics = metrics_new(topics);
	if (monitor->metrics == NULL)
	{
		free(monitor);
		return NULL;
	}
	pthread_mutex_init(&monitor->lock, NULL);
	readiness_judge(&monitor->readiness,
					&(ReadinessFacts) {.starting = true});
	metrics_set(monitor->metrics, METRIC_START, 0, clock_real_ms());
	monitor_tick(monitor);
	return monitor;
}

void
monitor_free(Monitor *monitor)
{
	if (monitor == NULL)
		return;
	pthread_mutex_destroy(&monitor->lock);
	metrics_free(monitor->metrics);
	free(monitor->partitions);
	free(monitor);
}

Metrics *
monitor_metrics(Monitor *monitor)
{
	return monitor->metrics;
}

void
monitor_tick(Monitor *monitor)
{
	heartbeat_tick(&monitor->heartbeat);
}

void
monitor_publish(Monitor *monitor, const Readiness *readiness,
				const LagList *partitions)
{
	pthread_mutex_lock(&monitor->lock);
	monitor->readiness = *readiness;
	copy_partitions(monitor, partitions);
	pthread_mutex_unlock(&monitor->lock);
}

void
monitor_note_upkeep(Monitor *monitor, MetricsTask task, const char *error)
{
	char	   *text = monitor->upkeep[task];

	pthread_mutex_lock(&monitor->lock);
	snprintf(text, UPKEEP_BYTES, "%s", error != NULL ? error : "");
	readiness_clean_line(text);
	pthread_mutex_unlock(&monitor->lock);
	metrics_set(monitor->metrics, METRIC_UPKEEP_FAILING, task, error != NULL);
}

void
monitor_fail(Monitor *monitor, const char *reason)
{
	pthread_mutex_lock(&monitor->lock);
	snprintf(monitor->failure, sizeof(monitor->failure), "%s", reason);
	pthread_mutex_unlock(&monitor->lock);
}

MetricsPartition *
monitor_partitions(Monitor *monitor, size_t *count)
{
	MetricsPartition *partitions;

	pthread_mutex_lock(&monitor->lock);
	*count = monitor->partition_count;
	partitions = malloc((*count + 1) * sizeof(*partitions));
	if (partitions != NULL && *count > 0)
		memcpy(partitions, monitor->partitions,
			   *count * sizeof(*partitions));
	pthread_mutex_unlock(&monitor->lock);
	return partitions;
}

BridgeState
monitor_state(Monitor *monitor)
{
	BridgeState state;

	pthread_mutex_lock(&monitor->lock);
	state = monitor->readiness.state;
	pthread_mutex_unlock(&monitor->lock);
	return state;
}

bool
monitor_answer(void *context, const char *path, HttpAnswer *answer)
{
	const MonitorPage *page = pages;

	while (page->path != NULL && strcmp(page->path, path) != 0)
		page++;
	return page->write(context, answer);
}

static bool
write_health(Monitor *monitor, HttpAnswer *answer)
{
	char		failure[FAILURE_BYTES];

	pthread_mutex_lock(&monitor->lock);
	memcpy(failure, monitor->failure, sizeof(failure));
	pthread_mutex_unlock(&monitor->lock);
	if (failure[0] != '\0')
		return heartbeat_say(answer, 503, "cannot go on: %s\n", failure);
	return heartbeat_say_health(&monitor->heartbeat, answer);
}

static bool
write_ready(Monitor *monitor, HttpAnswer *answer)
{
	Readiness  *readiness = read_readiness(monitor);
	char		still[80] = "";
	char		upkeep[TASK_COUNT * (UPKEEP_BYTES + 40)];
	bool		ready;
	bool		said;

	if (readiness == NULL)
		return false;
	ready = is_ready(monitor, readiness);
	if (heartbeat_still_ms(&monitor->heartbeat) >= NOT_READY_MS)
		snprintf(still, sizeof(still),
				 "%s: the main loop has stood still for %" PRId64 " s\n",
				 readiness_cause_words[CAUSE_MAIN_LOOP],
				 heartbeat_still_ms(&monitor->heartbeat) / 1000);
	list_upkeep(monitor, upkeep, sizeof(upkeep));
	said = heartbeat_say(answer, ready ? 200 : 503,
						 "%s\nstate: %s\n%s%s%s",
						 ready ? "ready" : "not ready",
						 bridge_state_words[readiness->state], still,
						 readiness->reasons, upkeep);
	free(readiness);
	return said;
}

/* A line for each task that fails. */
static void
list_upkeep(Monitor *monitor, char *text, size_t size)
{
	TextBuffer	buffer = text_buffer_of(text, size);

	pthread_mutex_lock(&monitor->lock);
	for (int i = 0; i < TASK_COUNT; i++)
		if (monitor->upkeep[i][0] != '\0')
			text_buffer_add(&buffer, "upkeep: %s: %s\n",
							metrics_task_words[i], monitor->upkeep[i]);
	pthread_mutex_unlock(&monitor->lock);
}

static bool
write_metrics(Monitor *monitor, HttpAnswer *answer)
{
	size_t		count;
	MetricsPartition *partitions = monitor_partitions(monitor, &count);
	bool		printed;

	if (partitions == NULL)
		return false;
	count_readiness(monitor);
	printed = print_metrics(monitor, partitions, count, answer);
	free(partitions);
	return printed;
}

static bool
write_not_found(Monitor *monitor, HttpAnswer *answer)
{
	(void) monitor;
	return heartbeat_say(answer, 404,
						 "there are /health, /ready and /metrics\n");
}

static bool
is_ready(const Monitor *monitor, const Readiness *readiness)
{
	return readiness_is_ready(readiness) &&
		heartbeat_still_ms(&monitor->heartbeat) < NOT_READY_MS;
}

static void
copy_partitions(Monitor *monitor, const LagList *partitions)
{
	size_t		count = partitions != NULL ? partitions->count : 0;
	MetricsPartition *larger;

	if (count > monitor->partitions_allocated)
	{
		larger = realloc(monitor->partitions, count * sizeof(*larger));
		if (larger == NULL)
			return;
		monitor->partitions = larger;
		monitor->partitions_allocated = count;
	}
	monitor->partition_count = 0;
	for (size_t i = 0; i < count; i++)
	{
		const LagItem *item = &partitions->items[i];
		size_t		topic = metrics_topic(monitor->metrics, item->topic);

		if (topic != SIZE_MAX)
			copy_partition(&monitor->partitions[monitor->partition_count++],
						   topic, item);
	}
}

static void
copy_partition(MetricsPartition *partition, size_t topic, const LagItem *item)
{
	*partition = (MetricsPartition)
	{
		.topic = topic,
		.partition = item->partition,
		.lag = lag_of(item),
		.high_watermark = item->high_watermark,
		.is_unanswered = item->unanswered
	};
	if (item->halted != NULL)
		snprintf(partition->halted, sizeof(partition->halted), "%s",
				 item->halted);
}

/* A copy to be freed; NULL when memory is short. */
static Readiness *
read_readiness(Monitor *monitor)
{
	Readiness  *readiness = malloc(sizeof(*readiness));

	if (readiness == NULL)
		return NULL;
	pthread_mutex_lock(&monitor->lock);
	*readiness = monitor->readiness;
	pthread_mutex_unlock(&monitor->lock);
	return readiness;
}

/* The numbers that tell what /ready would. */
static void
count_readiness(Monitor *monitor)
{
	Metrics    *metrics = monitor->metrics;
	Readiness  *readiness = read_readiness(monitor);

	if (readiness == NULL)
		return;
	if (heartbeat_still_ms(&monitor->heartbeat) >= NOT_READY_MS)
		readiness->causes[CAUSE_MAIN_LOOP] = true;
	for (size_t i = 0; i < READINESS_CAUSE_COUNT; i++)
		metrics_set(metrics, METRIC_NOT_READY, i, readiness->causes[i]);
	metrics_set(metrics, METRIC_READY, 0, is_ready(monitor, readiness));
	metrics_set(metrics, METRIC_STATE, 0, readiness->state);
	free(readiness);
}

/* Numbers grow meanwhile, so there is room for longer ones. */
static bool
print_metrics(Monitor *monitor, const MetricsPartition *partitions,
			  size_t count, HttpAnswer *answer)
{
	size_t		size = metrics_write(monitor->metrics, partitions, count,
									 (char[1]) {0}, 1) * 2;

	answer->body = malloc(size);
	if (answer->body == NULL)
		return false;
	answer->status = 200;
	answer->content_type = METRICS_TEXT;
	answer->bytes = metrics_write(monitor->metrics, partitions, count,
								  answer->body, size);
	if (answer->bytes < size)
		return true;
	free(answer->body);
	return false;
}
