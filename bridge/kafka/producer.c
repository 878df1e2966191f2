/*
 * Sends messages by librdkafka and counts what became of them.
 *
 * The only file of the generator that includes rdkafka.h, beside what all
 * clients have in common.
 */
#include "producer.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <librdkafka/rdkafka.h>

#include "kafka_client.h"

struct Producer
{
	rd_kafka_t *handle;
	rd_kafka_topic_t **topics;
	uint32_t	topic_count;
	ProducerCounts counts;
	char		first_failure[256];
	Trouble		trouble;
	const KafkaProperties *properties;	/* the caller's */
};

/*
 * The partitioner is the one Java clients use, so that an account's messages
 * meet in one partition whoever sends them.  Idempotence keeps them in order
 * and single when a broker has to be asked again.  The rest is for speed with
 * messages of a dozen bytes: few, large requests.
 */
static const struct
{
	const char *name;
	const char *value;
}			defaults[] = {
	{"client.id", "fintrans-generator"},
	{"partitioner", "murmur2_random"},
	{"enable.idempotence", "true"},
	{"linger.ms", "20"},
	{"batch.size", "1000000"},
	{"batch.num.messages", "100000"},
	{"queue.buffering.max.messages", "1000000"},
	{"queue.buffering.max.kbytes", "1048576"},
	{"socket.keepalive.enable", "true"},
	{"socket.nagle.disable", "true"}
};

static bool open_handle(Producer *producer, const char *brokers,
						const KafkaProperties *properties,
						char *errstr, size_t errstr_size);
static bool set_defaults(rd_kafka_conf_t *conf, const char *brokers,
						 char *errstr, size_t errstr_size);
static bool open_topics(Producer *producer, const char *topics,
						char *errstr, size_t errstr_size);
static bool open_topic(Producer *producer, const char *name,
					   char *errstr, size_t errstr_size);
static void on_delivery(rd_kafka_t *handle, const rd_kafka_message_t *message,
						void *opaque);
static void on_error(rd_kafka_t *handle, int code, const char *reason,
					 void *opaque);
static void on_kafka_log(const rd_kafka_t *handle, int level,
						 const char *facility, const char *message);

Producer *
producer_open(const char *brokers, const char *topics,
			  const KafkaProperties *properties,
			  char *errstr, size_t errstr_size)
{
	Producer   *producer = calloc(1, sizeof(*producer));

	if (producer == NULL)
		snprintf(errstr, errstr_size, "out of memory");
	else if (!open_handle(producer, brokers, properties,
						  errstr, errstr_size) ||
			 !open_topics(producer, topics, errstr, errstr_size))
	{
		producer_close(producer);
		producer = NULL;
	}
	return producer;
}

uint32_t
producer_topic_count(const Producer *producer)
{
	return producer->topic_count;
}

ProducerOutcome
producer_send(Producer *producer, uint32_t topic, const char *payload,
			  size_t bytes, const char *key, size_t key_bytes,
			  int64_t event_time_ms, char *errstr, size_t errstr_size)
{
	rd_kafka_resp_err_t code;

	/* a key of 0 bytes would be one */
	if (key_bytes == 0)
		key = NULL;
	code = rd_kafka_producev(producer->handle,
							 RD_KAFKA_V_RKT(producer->topics[topic]),
							 RD_KAFKA_V_VALUE((void *) payload, bytes),
							 RD_KAFKA_V_KEY(key, key_bytes),
							 RD_KAFKA_V_TIMESTAMP(event_time_ms),
							 RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
							 RD_KAFKA_V_END);
	if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
	{
		producer->counts.sent++;
		return PRODUCER_SENT;
	}
	if (code == RD_KAFKA_RESP_ERR__QUEUE_FULL)
		return PRODUCER_FULL;
	if (code == RD_KAFKA_RESP_ERR__FATAL)
		rd_kafka_fatal_error(producer->handle, errstr, errstr_size);
	else
		snprintf(errstr, errstr_size, "could not send to topic \"%s\": %s",
				 rd_kafka_topic_name(producer->topics[topic]),
				 rd_kafka_err2str(code));
	return PRODUCER_FAILED;
}

void
producer_wait(Producer *producer, int timeout_ms)
{
	rd_kafka_poll(producer->handle, timeout_ms);
}

void
producer_flush(Producer *producer, int timeout_ms)
{
	/* a timeout is no failure: the caller looks at what is under way */
	rd_kafka_flush(producer->handle, timeout_ms);
}

const ProducerCounts *
producer_counts(const Producer *producer)
{
	return &producer->counts;
}

uint64_t
producer_under_way(const Producer *producer)
{
	return producer->counts.sent - producer->counts.delivered -
		producer->counts.failed;
}

const char *
producer_first_failure(const Producer *producer)
{
	return producer->first_failure;
}

void
producer_close(Producer *producer)
{
	if (producer == NULL)
		return;
	for (uint32_t i = 0; i < producer->topic_count; i++)
		rd_kafka_topic_destroy(producer->topics[i]);
	free(producer->topics);
	if (producer->handle != NULL)
	{
		rd_kafka_purge(producer->handle,
					   RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
		rd_kafka_destroy(producer->handle);
	}
	free(producer);
}

static bool
open_handle(Producer *producer, const char *brokers,
			const KafkaProperties *properties,
			char *errstr, size_t errstr_size)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();

	producer->properties = properties;
	rd_kafka_conf_set_opaque(conf, producer);
	rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
	rd_kafka_conf_set_error_cb(conf, on_error);
	rd_kafka_conf_set_log_cb(conf, on_kafka_log);
	if (set_defaults(conf, brokers, errstr, errstr_size) &&
		kafka_client_configure(conf, properties, errstr, errstr_size) &&
		kafka_client_check_brokers(conf, errstr, errstr_size))
		producer->handle = kafka_client_new(RD_KAFKA_PRODUCER, conf,
											properties, errstr, errstr_size);
	else
		rd_kafka_conf_destroy(conf);
	return producer->handle != NULL;
}

static bool
set_defaults(rd_kafka_conf_t *conf, const char *brokers, char *errstr,
			 size_t errstr_size)
{
	for (size_t i = 0; i < sizeof(defaults) / sizeof(defaults[0]); i++)
		if (rd_kafka_conf_set(conf, defaults[i].name, defaults[i].value,
							  errstr, errstr_size) != RD_KAFKA_CONF_OK)
			return false;
	return rd_kafka_conf_set(conf, "bootstrap.servers", brokers, errstr,
							 errstr_size) == RD_KAFKA_CONF_OK;
}

static bool
open_topics(Producer *producer, const char *topics,
			char *errstr, size_t errstr_size)
{
	char	   *names = strdup(topics);
	char	   *rest = NULL;
	bool		ok = names != NULL;

	if (!ok)
		snprintf(errstr, errstr_size, "out of memory");
	for (char *name = ok ? strtok_r(names, ",", &rest) : NULL;
		 ok && name != NULL; name = strtok_r(NULL, ",", &rest))
		ok = open_topic(producer, name, errstr, errstr_size);
	if (ok && producer->topic_count == 0)
	{
		snprintf(errstr, errstr_size,
				 "option --topics: no topic is named, expected NAME,...");
		ok = false;
	}
	free(names);
	return ok;
}

static bool
open_topic(Producer *producer, const char *name,
		   char *errstr, size_t errstr_size)
{
	rd_kafka_topic_t **topics = realloc(producer->topics,
										(producer->topic_count + 1) *
										sizeof(*topics));
	rd_kafka_topic_t *topic;

	if (topics == NULL)
	{
		snprintf(errstr, errstr_size, "out of memory");
		return false;
	}
	producer->topics = topics;
	for (uint32_t i = 0; i < producer->topic_count; i++)
	{
		if (strcmp(rd_kafka_topic_name(topics[i]), name) == 0)
		{
			snprintf(errstr, errstr_size,
					 "option --topics: topic \"%s\" is named twice", name);
			return false;
		}
	}
	topic = rd_kafka_topic_new(producer->handle, name, NULL);
	if (topic == NULL)
	{
		snprintf(errstr, errstr_size, "option --topics: topic \"%s\": %s",
				 name,
				 rd_kafka_err2str(rd_kafka_last_error()));
		return false;
	}
	topics[producer->topic_count++] = topic;
	return true;
}

static void
on_delivery(rd_kafka_t *handle, const rd_kafka_message_t *message,
			void *opaque)
{
	Producer   *producer = opaque;

	(void) handle;
	if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR)
	{
		producer->counts.delivered++;
		return;
	}
	if (producer->counts.failed++ == 0)
		snprintf(producer->first_failure, sizeof(producer->first_failure),
				 "topic \"%s\": %s", rd_kafka_topic_name(message->rkt),
				 rd_kafka_err2str(message->err));
}

/* All of these mend themselves, or come back from producer_send(). */
static void
on_error(rd_kafka_t *handle, int code, const char *reason, void *opaque)
{
	Producer   *producer = opaque;

	(void) handle;
	kafka_client_note(&producer->trouble, producer->properties, code, NULL,
					  "Kafka client in trouble", reason);
}

/* A connection that failed comes to on_error() too. */
static void
on_kafka_log(const rd_kafka_t *handle, int level, const char *facility,
			 const char *message)
{
	const Producer *producer = rd_kafka_opaque(handle);
	bool		is_told = strcmp(facility, "FAIL") == 0 ||
		strcmp(facility, "SSLCERTVRFY") == 0;

	kafka_client_log(producer->properties, level <= 4 && !is_told ?
					 LOG_LEVEL_WARNING : LOG_LEVEL_DEBUG, facility, message);
}
