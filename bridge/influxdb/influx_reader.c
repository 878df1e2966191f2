/*
 * librdkafka's simple consumer, since it has a queue for each partition: what
 * waits for PostgreSQL in one does not hold up another, and nothing has to be
 * paused or sought.  What is fetched ahead is bounded over all of them.
 */
#include "influx_reader.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "consumer_conf.h"
#include "kafka_client.h"

/*
 * What is fetched ahead, over all partitions: a message takes some hundred
 * bytes in memory.  More of them come in a second the more there may be:
 * librdkafka 2.0.2 rests a second whenever a queue is full.
 */
#define AHEAD_MESSAGES 200000
#define AHEAD_LEAST 2000
#define AHEAD_KBYTES 32768
#define AHEAD_LEAST_KBYTES 256

/* How often a new password is looked for. */
#define RENEW_MS 1000

typedef struct Feed
{
	rd_kafka_topic_t *topic;
	int32_t		partition;
	bool		started;
	rd_kafka_message_t *message;	/* the next one; NULL before it has come */
} Feed;

struct InfluxReader
{
	rd_kafka_t *client;
	rd_kafka_queue_t *kept;		/* answers to influx_reader_keep() */
	bool		keeping;
	bool		keep_failed;	/* the last time */
	Feed	   *feeds;
	size_t		count;
	KafkaProperties *properties;
	Trouble		trouble;
	bool		refused;		/* our password was */
	int64_t		renew_ms;		/* when to look for another one */
};

static rd_kafka_t *open_client(const ConsumerSettings *settings,
							   size_t partitions, InfluxReader *reader,
							   char *errstr, size_t errstr_size);
static bool set_ahead(rd_kafka_conf_t *conf, const char *name, size_t all,
					  size_t least, size_t partitions, char *errstr,
					  size_t errstr_size);
static void on_error(rd_kafka_t *client, int code, const char *reason,
					 void *opaque);
static void on_log(const rd_kafka_t *client, int level, const char *facility,
				   const char *text);
static void on_kept(rd_kafka_t *client, rd_kafka_resp_err_t error,
					rd_kafka_topic_partition_list_t *offsets, void *opaque);
static void note(InfluxReader *reader, rd_kafka_resp_err_t error,
				 const char *text);
static void drop_message(Feed *feed);
static InfluxEvent event_of(InfluxReader *reader, Feed *feed,
							BatchMessage *message);

InfluxReader *
influx_reader_open(const ConsumerSettings *settings,
				   const OffsetList *partitions, char *errstr,
				   size_t errstr_size)
{
	InfluxReader *reader = calloc(1, sizeof(*reader));

	if (reader != NULL)
		reader->feeds = calloc(partitions->count + 1, sizeof(*reader->feeds));
	if (reader == NULL || reader->feeds == NULL)
	{
		snprintf(errstr, errstr_size, "out of memory");
		free(reader);
		return NULL;
	}
	reader->properties = settings->properties;
	reader->client = open_client(settings, partitions->count, reader, errstr,
								 errstr_size);
	if (reader->client == NULL)
	{
		free(reader->feeds);
		free(reader);
		return NULL;
	}
	reader->kept = rd_kafka_queue_new(reader->client);
	for (size_t i = 0; i < partitions->count; i++)
	{
		Feed	   *feed = &reader->feeds[reader->count];

		feed->partition = partitions->items[i].partition;
		feed->topic = rd_kafka_topic_new(reader->client,
										 partitions->items[i].topic, NULL);
		if (feed->topic == NULL)
		{
			snprintf(errstr, errstr_size, "could not open topic \"%s\"",
					 partitions->items[i].topic);
			influx_reader_close(reader);
			return NULL;
		}
		reader->count++;
	}
	return reader;
}

void
influx_reader_close(InfluxReader *reader)
{
	if (reader == NULL)
		return;
	for (size_t i = 0; i < reader->count; i++)
	{
		Feed	   *feed = &reader->feeds[i];

		drop_message(feed);
		if (feed->started)
			rd_kafka_consume_stop(feed->topic, feed->partition);
		rd_kafka_topic_destroy(feed->topic);
	}
	rd_kafka_queue_destroy(reader->kept);
	rd_kafka_destroy_flags(reader->client,
						   RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
	free(reader->feeds);
	free(reader);
}

bool
influx_reader_positions(InfluxReader *reader, OffsetList *positions,
						char *errstr, size_t errstr_size)
{
	rd_kafka_topic_partition_list_t *list =
		rd_kafka_topic_partition_list_new((int) positions->count);
	rd_kafka_resp_err_t error;

	for (size_t i = 0; i < positions->count; i++)
		rd_kafka_topic_partition_list_add(list, positions->items[i].topic,
										  positions->items[i].partition);
	error = rd_kafka_committed(reader->client, list, CONSUMER_TIMEOUT_MS);
	for (size_t i = 0; i < positions->count && !error; i++)
	{
		const rd_kafka_topic_partition_t *item =
			rd_kafka_topic_partition_list_find(list,
											   positions->items[i].topic,
											   positions->items[i].partition);

		error = item->err;
		positions->items[i].offset = item->offset >= 0 ? item->offset : -1;
	}
	rd_kafka_topic_partition_list_destroy(list);
	if (error)
		snprintf(errstr, errstr_size, "%s", rd_kafka_err2str(error));
	return error == RD_KAFKA_RESP_ERR_NO_ERROR;
}

bool
influx_reader_start(InfluxReader *reader, size_t slot, int64_t offset)
{
	Feed	   *feed = &reader->feeds[slot];

	drop_message(feed);
	if (feed->started)
		rd_kafka_consume_stop(feed->topic, feed->partition);
	feed->started = rd_kafka_consume_start(feed->topic, feed->partition,
										   offset) == 0;
	if (!feed->started)
		note(reader, rd_kafka_last_error(), "could not begin to read");
	return feed->started;
}

InfluxEvent
influx_reader_peek(InfluxReader *reader, size_t slot, BatchMessage *message)
{
	Feed	   *feed = &reader->feeds[slot];

	/* one at a time: 2.0.2 loses messages of its batch calls */
	if (feed->message == NULL && feed->started)
		feed->message = rd_kafka_consume(feed->topic, feed->partition, 0);
	if (feed->message == NULL)
		return INFLUX_NOTHING;
	return event_of(reader, feed, message);
}

void
influx_reader_pass(InfluxReader *reader, size_t slot)
{
	drop_message(&reader->feeds[slot]);
}

bool
influx_reader_lowest(InfluxReader *reader, size_t slot, int64_t *offset)
{
	Feed	   *feed = &reader->feeds[slot];
	int64_t		high;
	rd_kafka_resp_err_t error =
		rd_kafka_query_watermark_offsets(reader->client,
										 rd_kafka_topic_name(feed->topic),
										 feed->partition, offset, &high,
										 CONSUMER_TIMEOUT_MS);

	if (error)
		note(reader, error, "could not ask for the lowest offset");
	return error == RD_KAFKA_RESP_ERR_NO_ERROR;
}

bool
influx_reader_keep(InfluxReader *reader, const OffsetList *positions)
{
	rd_kafka_topic_partition_list_t *list;

	if (reader->keeping)
		return false;
	list = rd_kafka_topic_partition_list_new((int) positions->count);
	for (size_t i = 0; i < positions->count; i++)
		rd_kafka_topic_partition_list_add(list, positions->items[i].topic,
										  positions->items[i].partition)
			->offset = positions->items[i].offset;
	reader->keeping = rd_kafka_commit_queue(reader->client, list, reader->kept,
											on_kept, reader) ==
		RD_KAFKA_RESP_ERR_NO_ERROR;
	rd_kafka_topic_partition_list_destroy(list);
	return reader->keeping;
}

void
influx_reader_serve(InfluxReader *reader)
{
	int64_t		now_ms = clock_monotonic_ms();

	rd_kafka_poll(reader->client, 0);
	rd_kafka_queue_poll_callback(reader->kept, 0);
	if (!reader->refused || now_ms < reader->renew_ms)
		return;
	reader->renew_ms = now_ms + RENEW_MS;
	reader->refused = !kafka_client_renew(reader->client, &reader->trouble,
										  reader->properties);
}

void
influx_reader_set_credentials(InfluxReader *reader, const char *user,
							  const char *password)
{
	rd_kafka_error_t *error =
		rd_kafka_sasl_set_credentials(reader->client, user, password);

	if (error != NULL)
		note(reader, rd_kafka_error_code(error), rd_kafka_error_string(error));
	rd_kafka_error_destroy(error);
}

bool
influx_reader_answered(const InfluxReader *reader, bool *kept)
{
	*kept = !reader->keep_failed;
	return !reader->keeping;
}

static rd_kafka_t *
open_client(const ConsumerSettings *settings, size_t partitions,
			InfluxReader *reader, char *errstr, size_t errstr_size)
{
	rd_kafka_conf_t *conf = consumer_conf_make(settings, errstr, errstr_size);
	rd_kafka_t *client = NULL;

	if (conf == NULL)
		return NULL;
	rd_kafka_conf_set_opaque(conf, reader);
	rd_kafka_conf_set_error_cb(conf, on_error);
	rd_kafka_conf_set_log_cb(conf, on_log);
	if (set_ahead(conf, "queued.min.messages", AHEAD_MESSAGES, AHEAD_LEAST,
				  partitions, errstr, errstr_size) &&
		set_ahead(conf, "queued.max.messages.kbytes", AHEAD_KBYTES,
				  AHEAD_LEAST_KBYTES, partitions, errstr, errstr_size))
		client = kafka_client_new(RD_KAFKA_CONSUMER, conf,
								  settings->properties, errstr, errstr_size);
	else
		rd_kafka_conf_destroy(conf);
	if (client != NULL)
		rd_kafka_set_log_queue(client, NULL);
	return client;
}

/* librdkafka counts by partition. */
static bool
set_ahead(rd_kafka_conf_t *conf, const char *name, size_t all, size_t least,
		  size_t partitions, char *errstr, size_t errstr_size)
{
	size_t		share = partitions > 0 ? all / partitions : all;
	char		value[24];

	snprintf(value, sizeof(value), "%zu", share > least ? share : least);
	return rd_kafka_conf_set(conf, name, value, errstr, errstr_size) ==
		RD_KAFKA_CONF_OK;
}

static void
on_error(rd_kafka_t *client, int code, const char *reason, void *opaque)
{
	InfluxReader *reader = opaque;

	(void) client;
	reader->refused = reader->refused ||
		code == RD_KAFKA_RESP_ERR__AUTHENTICATION;
	note(reader, (rd_kafka_resp_err_t) code, reason);
}

static void
on_log(const rd_kafka_t *client, int level, const char *facility,
	   const char *text)
{
	const InfluxReader *reader = rd_kafka_opaque(client);

	(void) level;
	kafka_client_log(reader->properties, LOG_LEVEL_DEBUG, facility, text);
}

/* A position that is not kept costs a restart some points sent again. */
static void
on_kept(rd_kafka_t *client, rd_kafka_resp_err_t error,
		rd_kafka_topic_partition_list_t *offsets, void *opaque)
{
	InfluxReader *reader = opaque;

	(void) client;
	(void) offsets;
	reader->keeping = false;
	reader->keep_failed = error != RD_KAFKA_RESP_ERR_NO_ERROR;
	if (error)
		note(reader, error, "positions are not kept, points may be sent again");
}

static void
note(InfluxReader *reader, rd_kafka_resp_err_t error, const char *text)
{
	kafka_client_note(&reader->trouble, reader->properties, error, NULL,
					  "Kafka client for InfluxDB in trouble", text);
}

static void
drop_message(Feed *feed)
{
	if (feed->message != NULL)
		rd_kafka_message_destroy(feed->message);
	feed->message = NULL;
}

static InfluxEvent
event_of(InfluxReader *reader, Feed *feed, BatchMessage *message)
{
	const rd_kafka_message_t *kafka_message = feed->message;
	rd_kafka_timestamp_type_t type;
	int64_t		ms;

	switch (kafka_message->err)
	{
		case RD_KAFKA_RESP_ERR_NO_ERROR:
			break;
		case RD_KAFKA_RESP_ERR__PARTITION_EOF:
			message->offset = kafka_message->offset;
			return INFLUX_END;
		case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
		case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
			return INFLUX_GONE;
		default:
			note(reader, kafka_message->err,
				 rd_kafka_message_errstr(kafka_message));
			drop_message(feed);
			return INFLUX_NOTHING;
	}
	ms = rd_kafka_message_timestamp(kafka_message, &type);
	*message = (BatchMessage)
	{
		.offset = kafka_message->offset,
		.payload = kafka_message->payload,
		.payload_bytes = kafka_message->len,
		.has_event_time = type != RD_KAFKA_TIMESTAMP_NOT_AVAILABLE && ms != -1,
		.event_time_ms = ms
	};
	return INFLUX_MESSAGE;
}
