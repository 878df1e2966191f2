/*
 * Asks Kafka every few seconds whether it is there, whether it has the topics
 * and where the partitions end, in a thread of its own, since an answer may
 * take seconds.  What librdkafka tells unasked does not say when a trouble is
 * over, nor that a partition is no longer fetched.
 *
 * Locking: the watch's `lock` guards what is asked for, what was found, and
 * stop.
 */
#include "consumer_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "position.h"

/* Between two rounds. */
#define PERIOD_MS 3000

/* What librdkafka said last is told with a trouble that is not older. */
#define RECENT_MS 60000

struct ConsumerWatch
{
	Consumer   *consumer;
	pthread_t	thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool		stop;
	OffsetList	asked;			/* partitions to be looked at */
	OffsetList	asking;			/* the thread's copy */
	ConsumerView found;			/* by the latest round */
};

static bool start_thread(ConsumerWatch *watch, char *errstr,
						 size_t errstr_size);
static void *watch_main(void *argument);
static void look_around(ConsumerWatch *watch);
static void take_answer(ConsumerWatch *watch, rd_kafka_resp_err_t error,
						const struct rd_kafka_metadata *metadata);
static rd_kafka_resp_err_t
			topic_error(const struct rd_kafka_metadata *metadata,
						const char *topic);
static void look_at_ends(ConsumerWatch *watch);
static void look_at_ids(ConsumerWatch *watch);

bool
consumer_watch(Consumer *consumer, char *errstr, size_t errstr_size)
{
	ConsumerWatch *watch = calloc(1, sizeof(*watch));

	snprintf(errstr, errstr_size, "out of memory");
	if (watch == NULL)
		return false;
	watch->consumer = consumer;
	watch->found.topics = calloc(consumer->topics.count,
								 sizeof(*watch->found.topics));
	/* librdkafka asks for topics that have a handle */
	for (size_t i = 0; i < consumer->topics.count; i++)
		if (watch->found.topics == NULL ||
			consumer_keep_topic(consumer, consumer->topics.names[i]) == NULL)
		{
			free(watch->found.topics);
			free(watch);
			return false;
		}
	return start_thread(watch, errstr, errstr_size);
}

bool
consumer_look(Consumer *consumer, ConsumerView *view)
{
	ConsumerWatch *watch = consumer->watch;
	size_t		bytes = consumer->topics.count * sizeof(*view->topics);
	bool		copied;

	if (watch == NULL)
		return false;
	if (view->topics == NULL && (view->topics = malloc(bytes)) == NULL)
		return false;
	pthread_mutex_lock(&watch->lock);
	copied = offset_list_copy(&watch->asked, &consumer->assigned) &&
		offset_list_copy(&view->ends, &watch->found.ends);
	memcpy(view->topics, watch->found.topics, bytes);
	memcpy(view->trouble, watch->found.trouble, sizeof(view->trouble));
	pthread_mutex_unlock(&watch->lock);
	view->topic_count = consumer->topics.count;
	for (size_t i = 0; i < view->topic_count; i++)
		view->topics[i].topic = consumer->topics.names[i];
	return copied;
}

void
consumer_view_free(ConsumerView *view)
{
	free(view->topics);
	offset_list_free(&view->ends);
	memset(view, 0, sizeof(*view));
}

/* Waits for a request that is on its way. */
void
consumer_watch_stop(ConsumerWatch *watch)
{
	if (watch == NULL)
		return;
	pthread_mutex_lock(&watch->lock);
	watch->stop = true;
	pthread_cond_broadcast(&watch->changed);
	pthread_mutex_unlock(&watch->lock);
	pthread_join(watch->thread, NULL);
	pthread_cond_destroy(&watch->changed);
	pthread_mutex_destroy(&watch->lock);
	offset_list_free(&watch->asked);
	offset_list_free(&watch->asking);
	consumer_view_free(&watch->found);
	free(watch);
}

static bool
start_thread(ConsumerWatch *watch, char *errstr, size_t errstr_size)
{
	pthread_mutex_init(&watch->lock, NULL);
	clock_init_condition(&watch->changed);
	if (pthread_create(&watch->thread, NULL, watch_main, watch) == 0)
	{
		watch->consumer->watch = watch;
		return true;
	}
	free(watch->found.topics);
	free(watch);
	snprintf(errstr, errstr_size, "could not start the thread of the watch");
	return false;
}

static void *
watch_main(void *argument)
{
	ConsumerWatch *watch = argument;

	do
		look_around(watch);
	while (!clock_wait_for(&watch->lock, &watch->changed, &watch->stop,
						   PERIOD_MS));
	return NULL;
}

static void
look_around(ConsumerWatch *watch)
{
	const struct rd_kafka_metadata *metadata;
	rd_kafka_resp_err_t error = rd_kafka_metadata(watch->consumer->client, 0,
												  NULL, &metadata,
												  CONSUMER_TIMEOUT_MS);

	take_answer(watch, error, metadata);
	if (error != RD_KAFKA_RESP_ERR_NO_ERROR)
		return;
	rd_kafka_metadata_destroy(metadata);
	look_at_ends(watch);
}

static void
take_answer(ConsumerWatch *watch, rd_kafka_resp_err_t error,
			const struct rd_kafka_metadata *metadata)
{
	Consumer   *consumer = watch->consumer;
	ConsumerView *found = &watch->found;
	char		text[300] = "";

	if (error != RD_KAFKA_RESP_ERR_NO_ERROR)
		consumer_latest_trouble(consumer, RECENT_MS, text, sizeof(text));
	pthread_mutex_lock(&watch->lock);
	found->trouble[0] = '\0';
	if (error != RD_KAFKA_RESP_ERR_NO_ERROR)
		snprintf(found->trouble, sizeof(found->trouble),
				 "no broker answers: %s%s%s", rd_kafka_err2str(error),
				 text[0] != '\0' ? "; " : "", text);
	for (size_t i = 0; i < consumer->topics.count; i++)
	{
		rd_kafka_resp_err_t wrong = error != RD_KAFKA_RESP_ERR_NO_ERROR ?
			RD_KAFKA_RESP_ERR_NO_ERROR :
			topic_error(metadata, consumer->topics.names[i]);

		snprintf(found->topics[i].reason, sizeof(found->topics[i].reason),
				 "%s", wrong == RD_KAFKA_RESP_ERR_NO_ERROR ? "" :
				 rd_kafka_err2str(wrong));
	}
	pthread_mutex_unlock(&watch->lock);
}

static rd_kafka_resp_err_t
topic_error(const struct rd_kafka_metadata *metadata, const char *topic)
{
	for (int i = 0; i < metadata->topic_cnt; i++)
		if (strcmp(metadata->topics[i].topic, topic) == 0)
			return metadata->topics[i].err;
	return RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
}

static void
look_at_ends(ConsumerWatch *watch)
{
	OffsetList	ends = {0};
	OffsetList	before;
	char		errstr[256];
	bool		copied;

	pthread_mutex_lock(&watch->lock);
	copied = offset_list_copy(&watch->asking, &watch->asked);
	pthread_mutex_unlock(&watch->lock);
	if (copied && watch->asking.count > 0)
		look_at_ids(watch);
	if (copied && watch->asking.count > 0)
		copied = consumer_high_watermarks(watch->consumer, &watch->asking,
										  &ends, errstr, sizeof(errstr));
	if (!copied)
	{
		offset_list_free(&ends);
		return;
	}
	pthread_mutex_lock(&watch->lock);
	before = watch->found.ends;
	watch->found.ends = ends;
	pthread_mutex_unlock(&watch->lock);
	offset_list_free(&before);
}

/* Of a topic whose id was known when it was taken up. */
static void
look_at_ids(ConsumerWatch *watch)
{
	OffsetList	now = {0};

	if (watch->asking.items[0].topic_id[0] != '\0' &&
		offset_list_copy(&now, &watch->asking))
		consumer_tell_topic_ids(watch->consumer, &now);
	for (size_t i = 0; i < now.count; i++)
		if (position_is_of_other_topic(watch->asking.items[i].topic_id,
									   now.items[i].topic_id))
			atomic_store(&watch->consumer->made_anew, true);
	offset_list_free(&now);
}
