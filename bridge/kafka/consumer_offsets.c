/*
 * What Kafka tells about partitions: how many there are, and offsets of each,
 * asked leader by leader.
 */
#include "consumer_state.h"

#include <stdio.h>
#include <string.h>

static bool list_offsets(Consumer *consumer, int64_t query,
						 const OffsetList *partitions, OffsetList *offsets,
						 char *errstr, size_t errstr_size);
static void ask_leader(Consumer *consumer,
					   const struct rd_kafka_metadata *metadata,
					   int32_t broker, int64_t query,
					   const OffsetList *partitions, OffsetList *offsets);
static void keep_answers(rd_kafka_topic_partition_list_t *answers,
						 OffsetList *offsets);
static int32_t find_leader(const struct rd_kafka_metadata *metadata,
						   const OffsetItem *item);

bool
consumer_count_partitions(Consumer *consumer, const char *topic,
						  int32_t *count, char *errstr, size_t errstr_size)
{
	SlotTopic  *entry = consumer_keep_topic(consumer, topic);
	const struct rd_kafka_metadata *metadata;
	rd_kafka_resp_err_t error;

	if (entry == NULL)
	{
		snprintf(errstr, errstr_size, "out of memory");
		return false;
	}
	error = rd_kafka_metadata(consumer->client, 0, entry->handle, &metadata,
							  CONSUMER_TIMEOUT_MS);
	if (error != RD_KAFKA_RESP_ERR_NO_ERROR)
	{
		snprintf(errstr, errstr_size, "topic \"%s\": %s", topic,
				 rd_kafka_err2str(error));
		return false;
	}
	error = metadata->topic_cnt == 1 ? metadata->topics[0].err :
		RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
	*count = error == RD_KAFKA_RESP_ERR_NO_ERROR ?
		metadata->topics[0].partition_cnt : 0;
	snprintf(errstr, errstr_size, "%s", rd_kafka_err2str(error));
	rd_kafka_metadata_destroy(metadata);
	return true;
}

bool
consumer_count_topics(Consumer *consumer, size_t *count,
					  const char **missing, char *errstr, size_t errstr_size)
{
	*count = 0;
	*missing = NULL;
	for (size_t i = 0; i < consumer->topics.count; i++)
	{
		const char *topic = consumer->topics.names[i];
		int32_t		partitions;
		char		reason[128];

		if (!consumer_count_partitions(consumer, topic, &partitions, reason,
									   sizeof(reason)))
		{
			snprintf(errstr, errstr_size, "%s", reason);
			return false;
		}
		if (partitions == 0 && *missing == NULL)
		{
			snprintf(errstr, errstr_size, "%s", reason);
			*missing = topic;
		}
		if (partitions > 0)
			++*count;
	}
	return true;
}

bool
consumer_low_watermarks(Consumer *consumer, const OffsetList *partitions,
						OffsetList *offsets, char *errstr, size_t errstr_size)
{
	return list_offsets(consumer, RD_KAFKA_OFFSET_BEGINNING, partitions,
						offsets, errstr, errstr_size);
}

bool
consumer_high_watermarks(Consumer *consumer, const OffsetList *partitions,
						 OffsetList *offsets, char *errstr,
						 size_t errstr_size)
{
	return list_offsets(consumer, RD_KAFKA_OFFSET_END, partitions, offsets,
						errstr, errstr_size);
}

bool
consumer_offsets_at(Consumer *consumer, int64_t ms,
					const OffsetList *partitions, OffsetList *offsets,
					char *errstr, size_t errstr_size)
{
	/* negative numbers mean something else to Kafka */
	return list_offsets(consumer, ms > 0 ? ms : 0, partitions, offsets,
						errstr, errstr_size);
}

int64_t
consumer_known_high_watermark(Consumer *consumer, const char *topic,
							  int32_t partition)
{
	int64_t		low;
	int64_t		high;

	if (rd_kafka_get_watermark_offsets(consumer->client, topic, partition,
									   &low, &high)
		!= RD_KAFKA_RESP_ERR_NO_ERROR)
		return -1;
	return high;
}

/*
 * Broker by broker, since librdkafka answers for all partitions of a call or
 * for none.  query is a time, or one of Kafka's two negative numbers for the
 * ends.
 */
static bool
list_offsets(Consumer *consumer, int64_t query, const OffsetList *partitions,
			 OffsetList *offsets, char *errstr, size_t errstr_size)
{
	const struct rd_kafka_metadata *metadata;
	rd_kafka_resp_err_t error = rd_kafka_metadata(consumer->client, 0, NULL,
												  &metadata,
												  CONSUMER_TIMEOUT_MS);

	bool		copied;

	if (error != RD_KAFKA_RESP_ERR_NO_ERROR)
	{
		snprintf(errstr, errstr_size, "%s", rd_kafka_err2str(error));
		return false;
	}
	copied = offset_list_copy(offsets, partitions);
	for (size_t i = 0; i < offsets->count; i++)
		offsets->items[i].offset = CONSUMER_NO_ANSWER;
	for (int i = 0; i < metadata->broker_cnt && copied && !consumer->closing;
		 i++)
		ask_leader(consumer, metadata, metadata->brokers[i].id, query,
				   partitions, offsets);
	rd_kafka_metadata_destroy(metadata);
	if (!copied)
		snprintf(errstr, errstr_size, "out of memory");
	return copied;
}

/* Fill in what this broker tells about the partitions that it leads. */
static void
ask_leader(Consumer *consumer, const struct rd_kafka_metadata *metadata,
		   int32_t broker, int64_t query, const OffsetList *partitions,
		   OffsetList *offsets)
{
	rd_kafka_topic_partition_list_t *list =
		rd_kafka_topic_partition_list_new((int) partitions->count);
	rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR_NO_ERROR;

	for (size_t i = 0; i < partitions->count; i++)
	{
		const OffsetItem *item = &partitions->items[i];

		if (item->offset != CONSUMER_NO_ANSWER &&
			find_leader(metadata, item) == broker)
			rd_kafka_topic_partition_list_add(list, item->topic,
											  item->partition)->offset = query;
	}
	if (list->cnt > 0)
		error = rd_kafka_offsets_for_times(consumer->client, list,
										   CONSUMER_TIMEOUT_MS);
	if (error != RD_KAFKA_RESP_ERR_NO_ERROR)
		consumer_note_trouble(consumer, error, "Kafka does not tell offsets",
							  rd_kafka_err2str(error));
	else
		keep_answers(list, offsets);
	rd_kafka_topic_partition_list_destroy(list);
}

static void
keep_answers(rd_kafka_topic_partition_list_t *answers, OffsetList *offsets)
{
	for (size_t i = 0; i < offsets->count; i++)
	{
		const rd_kafka_topic_partition_t *answer =
			rd_kafka_topic_partition_list_find(answers,
											   offsets->items[i].topic,
											   offsets->items[i].partition);

		if (answer != NULL && answer->err == RD_KAFKA_RESP_ERR_NO_ERROR)
			offsets->items[i].offset = answer->offset;
	}
}

/* The broker that leads a partition, negative for none. */
static int32_t
find_leader(const struct rd_kafka_metadata *metadata, const OffsetItem *item)
{
	for (int i = 0; i < metadata->topic_cnt; i++)
	{
		const struct rd_kafka_metadata_topic *topic = &metadata->topics[i];

		for (int j = 0; j < topic->partition_cnt; j++)
			if (topic->partitions[j].id == item->partition &&
				strcmp(topic->topic, item->topic) == 0)
				return topic->partitions[j].leader;
	}
	return -1;
}
