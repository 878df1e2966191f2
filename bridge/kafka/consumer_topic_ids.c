/*
 * What Kafka calls each topic by itself: an id, which a topic that is deleted
 * and made anew does not get again.
 */
#include "consumer_state.h"

#include <stdio.h>
#include <string.h>

/* Older ones know topics by their names only. */
#if RD_KAFKA_VERSION >= 0x020300ff

static int32_t find_broker(Consumer *consumer);
static rd_kafka_event_t *ask(Consumer *consumer, int32_t broker);
static void keep_id(const rd_kafka_TopicDescription_t *topic,
					OffsetList *partitions);

void
consumer_tell_topic_ids(Consumer *consumer, OffsetList *partitions)
{
	int32_t		broker = find_broker(consumer);
	rd_kafka_event_t *answer;
	const rd_kafka_DescribeTopics_result_t *result;
	const rd_kafka_TopicDescription_t **topics = NULL;
	size_t		count = 0;

	for (size_t i = 0; i < partitions->count; i++)
		partitions->items[i].topic_id[0] = '\0';
	answer = broker >= 0 ? ask(consumer, broker) : NULL;
	result = answer != NULL ?
		rd_kafka_event_DescribeTopics_result(answer) : NULL;
	if (result != NULL)
		topics = rd_kafka_DescribeTopics_result_topics(result, &count);
	for (size_t i = 0; i < count; i++)
		keep_id(topics[i], partitions);
	if (answer != NULL)
		rd_kafka_event_destroy(answer);
}

/*
 * One that answers, negative for none: librdkafka would wait for the
 * controller, which may be away, though every broker knows.
 */
static int32_t
find_broker(Consumer *consumer)
{
	const struct rd_kafka_metadata *metadata;
	int32_t		broker;

	if (rd_kafka_metadata(consumer->client, 0, NULL, &metadata,
						  CONSUMER_TIMEOUT_MS) != RD_KAFKA_RESP_ERR_NO_ERROR)
		return -1;
	broker = metadata->orig_broker_id;
	if (broker < 0 && metadata->broker_cnt > 0)
		broker = metadata->brokers[0].id;
	rd_kafka_metadata_destroy(metadata);
	return broker;
}

/* For all topics that are subscribed to; NULL when there is no answer. */
static rd_kafka_event_t *
ask(Consumer *consumer, int32_t broker)
{
	rd_kafka_queue_t *queue = rd_kafka_queue_new(consumer->client);
	rd_kafka_AdminOptions_t *options =
		rd_kafka_AdminOptions_new(consumer->client,
								  RD_KAFKA_ADMIN_OP_DESCRIBETOPICS);
	rd_kafka_TopicCollection_t *topics =
		rd_kafka_TopicCollection_of_topic_names(
			(const char **) consumer->topics.names, consumer->topics.count);
	rd_kafka_event_t *answer;
	char		errstr[128];

	(void) rd_kafka_AdminOptions_set_request_timeout(options,
													 CONSUMER_TIMEOUT_MS,
													 errstr, sizeof(errstr));
	(void) rd_kafka_AdminOptions_set_broker(options, broker, errstr,
											sizeof(errstr));
	rd_kafka_DescribeTopics(consumer->client, topics, options, queue);
	answer = rd_kafka_queue_poll(queue, CONSUMER_TIMEOUT_MS);
	rd_kafka_TopicCollection_destroy(topics);
	rd_kafka_AdminOptions_destroy(options);
	rd_kafka_queue_destroy(queue);
	return answer;
}

/* A broker that has none says zero. */
static void
keep_id(const rd_kafka_TopicDescription_t *topic, OffsetList *partitions)
{
	const rd_kafka_Uuid_t *id = rd_kafka_TopicDescription_topic_id(topic);

	if (rd_kafka_error_code(rd_kafka_TopicDescription_error(topic)) !=
		RD_KAFKA_RESP_ERR_NO_ERROR ||
		(rd_kafka_Uuid_most_significant_bits(id) == 0 &&
		 rd_kafka_Uuid_least_significant_bits(id) == 0))
		return;
	for (size_t i = 0; i < partitions->count; i++)
	{
		OffsetItem *item = &partitions->items[i];

		if (strcmp(item->topic, rd_kafka_TopicDescription_name(topic)) == 0)
			snprintf(item->topic_id, sizeof(item->topic_id), "%s",
					 rd_kafka_Uuid_base64str(id));
	}
}

#else

void
consumer_tell_topic_ids(Consumer *consumer, OffsetList *partitions)
{
	(void) consumer;
	for (size_t i = 0; i < partitions->count; i++)
		partitions->items[i].topic_id[0] = '\0';
}

#endif
