/*
 * A librdkafka consumer with eager rebalancing.  Positions never come from
 * Kafka: offsets are neither stored nor committed by the library, and a
 * position that Kafka does not have is an error instead of a silent jump.
 */
#include "consumer_state.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "clock.h"
#include "consumer_conf.h"
#include "log.h"

/* How often a new password is looked for. */
#define RENEW_MS 1000

static rd_kafka_conf_t *make_conf(const ConsumerSettings *settings,
								  Consumer *consumer,
								  char *errstr, size_t errstr_size);
static bool subscribe(Consumer *consumer, const char *names,
					  char *errstr, size_t errstr_size);
static void on_rebalance(rd_kafka_t *client, rd_kafka_resp_err_t error,
						 rd_kafka_topic_partition_list_t *partitions,
						 void *opaque);
static void on_error(rd_kafka_t *client, int code, const char *reason,
					 void *opaque);
static void look_for_password(Consumer *consumer);
static bool keep_assigned(Consumer *consumer,
						  const rd_kafka_topic_partition_list_t *partitions);
static ConsumerEvent report_message(Consumer *consumer,
									ConsumerMessage *message);
static ConsumerEvent report_error(Consumer *consumer,
								  const rd_kafka_message_t *kafka_message,
								  ConsumerMessage *message);
static size_t find_slot(Consumer *consumer,
						const rd_kafka_message_t *kafka_message);
static rd_kafka_topic_partition_list_t *to_kafka(const OffsetList *list);
static void note_trouble(Consumer *consumer, int code, const char *topic,
						 const char *event, const char *text);
static void fail(Consumer *consumer, const char *reason);

bool
consumer_check(const ConsumerSettings *settings, char *errstr,
			   size_t errstr_size)
{
	TopicList	topics;
	rd_kafka_conf_t *conf;

	if (!topic_list_read(&topics, settings->topics, errstr, errstr_size))
		return false;
	topic_list_free(&topics);
	conf = consumer_conf_make(settings, errstr, errstr_size);
	if (conf == NULL)
		return false;
	rd_kafka_conf_destroy(conf);
	return true;
}

Consumer *
consumer_open(const ConsumerSettings *settings, char *errstr,
			  size_t errstr_size)
{
	Consumer   *consumer = calloc(1, sizeof(*consumer));
	rd_kafka_conf_t *conf;

	if (consumer == NULL)
	{
		snprintf(errstr, errstr_size, "out of memory");
		return NULL;
	}
	conf = make_conf(settings, consumer, errstr, errstr_size);
	if (conf == NULL)
	{
		free(consumer);
		return NULL;
	}
	consumer->properties = settings->properties;
	consumer->poll_limit_ms = consumer_conf_poll_limit_ms(conf);
	consumer->client = kafka_client_new(RD_KAFKA_CONSUMER, conf,
										settings->properties, errstr,
										errstr_size);
	if (consumer->client == NULL)
	{
		free(consumer);
		return NULL;
	}
	pthread_mutex_init(&consumer->lock, NULL);
	rd_kafka_poll_set_consumer(consumer->client);
	consumer_log_open(consumer);
	if (!subscribe(consumer, settings->topics, errstr, errstr_size))
	{
		consumer_close(consumer);
		consumer_free(consumer);
		return NULL;
	}
	return consumer;
}

int64_t
consumer_poll_limit_ms(const Consumer *consumer)
{
	return consumer->poll_limit_ms;
}

ConsumerEvent
consumer_poll(Consumer *consumer, int timeout_ms, ConsumerMessage *message)
{
	if (consumer->message != NULL)
		rd_kafka_message_destroy(consumer->message);
	consumer->message = rd_kafka_consumer_poll(consumer->client, timeout_ms);
	consumer_log_serve(consumer);
	if (consumer->refused)
		look_for_password(consumer);

	if (atomic_load(&consumer->made_anew) &&
		consumer->pending == CONSUMER_NOTHING)
	{
		atomic_store(&consumer->made_anew, false);
		consumer->pending = CONSUMER_ASTRAY;
	}

	if (consumer->failed)
		return CONSUMER_FATAL;
	if (consumer->pending != CONSUMER_NOTHING)
	{
		ConsumerEvent event = consumer->pending;

		/* a message of this moment is of the assignment before */
		consumer->pending = CONSUMER_NOTHING;
		return event;
	}
	if (consumer->message == NULL)
		return CONSUMER_NOTHING;
	if (consumer->message->err != RD_KAFKA_RESP_ERR_NO_ERROR)
		return report_error(consumer, consumer->message, message);
	return report_message(consumer, message);
}

const OffsetList *
consumer_assigned(const Consumer *consumer)
{
	return &consumer->assigned;
}

void
consumer_ask_topic_ids(Consumer *consumer)
{
	consumer_tell_topic_ids(consumer, &consumer->assigned);
}

bool
consumer_was_lost(const Consumer *consumer)
{
	return consumer->lost;
}

bool
consumer_fetch(Consumer *consumer, const OffsetList *positions,
			   char *errstr, size_t errstr_size)
{
	rd_kafka_topic_partition_list_t *list = to_kafka(positions);
	rd_kafka_resp_err_t error = rd_kafka_assign(consumer->client, list);

	rd_kafka_topic_partition_list_destroy(list);
	if (error != RD_KAFKA_RESP_ERR_NO_ERROR)
	{
		snprintf(errstr, errstr_size, "%s", rd_kafka_err2str(error));
		return false;
	}
	if (!slot_map_assign(&consumer->slots, positions))
	{
		snprintf(errstr, errstr_size, "out of memory");
		return false;
	}
	return true;
}

void
consumer_give_up(Consumer *consumer)
{
	rd_kafka_resp_err_t error = rd_kafka_assign(consumer->client, NULL);
	const OffsetList none = {0};

	(void) slot_map_assign(&consumer->slots, &none);
	offset_list_clear(&consumer->assigned);
	if (error != RD_KAFKA_RESP_ERR_NO_ERROR)
		consumer_note_trouble(consumer, error,
							  "could not give partitions back",
							  rd_kafka_err2str(error));
}

void
consumer_publish(Consumer *consumer, const OffsetList *positions)
{
	rd_kafka_topic_partition_list_t *list = to_kafka(positions);
	rd_kafka_resp_err_t error = rd_kafka_commit(consumer->client, list, 1);

	rd_kafka_topic_partition_list_destroy(list);
	if (error != RD_KAFKA_RESP_ERR_NO_ERROR)
		log_write(LOG_LEVEL_DEBUG, "offsets not published", "error=%s",
				  rd_kafka_err2name(error));
}

bool
consumer_set_credentials(Consumer *consumer, const char *user,
						 const char *password,
						 char *errstr, size_t errstr_size)
{
	rd_kafka_error_t *error =
		rd_kafka_sasl_set_credentials(consumer->client, user, password);

	if (error == NULL)
	{
		/* what is refused later is looked for beside these */
		pthread_mutex_lock(&consumer->lock);
		kafka_properties_set(consumer->properties, "sasl.username", user);
		kafka_properties_set(consumer->properties, "sasl.password", password);
		pthread_mutex_unlock(&consumer->lock);
		return true;
	}
	snprintf(errstr, errstr_size, "%s", rd_kafka_error_string(error));
	rd_kafka_error_destroy(error);
	return false;
}

const char *
consumer_error(const Consumer *consumer)
{
	return consumer->error;
}

void
consumer_close(Consumer *consumer)
{
	consumer->closing = true;
	consumer_watch_stop(consumer->watch);
	consumer->watch = NULL;
	if (consumer->message != NULL)
		rd_kafka_message_destroy(consumer->message);
	rd_kafka_consumer_close(consumer->client);
	consumer_log_close(consumer);
	for (size_t i = 0; i < consumer->slots.topic_count; i++)
		if (consumer->slots.topics[i]->handle != NULL)
			rd_kafka_topic_destroy(consumer->slots.topics[i]->handle);
	rd_kafka_destroy(consumer->client);
}

void
consumer_free(Consumer *consumer)
{
	if (consumer == NULL)
		return;
	slot_map_free(&consumer->slots);
	topic_list_free(&consumer->topics);
	offset_list_free(&consumer->assigned);
	pthread_mutex_destroy(&consumer->lock);
	free(consumer);
}

static rd_kafka_conf_t *
make_conf(const ConsumerSettings *settings, Consumer *consumer,
		  char *errstr, size_t errstr_size)
{
	rd_kafka_conf_t *conf = consumer_conf_make(settings, errstr, errstr_size);

	if (conf == NULL)
		return NULL;
	rd_kafka_conf_set_opaque(conf, consumer);
	rd_kafka_conf_set_rebalance_cb(conf, on_rebalance);
	rd_kafka_conf_set_error_cb(conf, on_error);
	return conf;
}

static bool
subscribe(Consumer *consumer, const char *names, char *errstr,
		  size_t errstr_size)
{
	rd_kafka_topic_partition_list_t *list;
	rd_kafka_resp_err_t error;

	if (!topic_list_read(&consumer->topics, names, errstr, errstr_size))
		return false;
	list = rd_kafka_topic_partition_list_new((int) consumer->topics.count);
	for (size_t i = 0; i < consumer->topics.count; i++)
		rd_kafka_topic_partition_list_add(list, consumer->topics.names[i],
										  RD_KAFKA_PARTITION_UA);
	error = rd_kafka_subscribe(consumer->client, list);
	rd_kafka_topic_partition_list_destroy(list);
	if (error != RD_KAFKA_RESP_ERR_NO_ERROR)
		snprintf(errstr, errstr_size, "could not subscribe: %s",
				 rd_kafka_err2str(error));
	return error == RD_KAFKA_RESP_ERR_NO_ERROR;
}

/*
 * Only takes notes, and ends the poll it is called from, so that the event is
 * dealt with before the next message.
 */
static void
on_rebalance(rd_kafka_t *client, rd_kafka_resp_err_t error,
			 rd_kafka_topic_partition_list_t *partitions, void *opaque)
{
	Consumer   *consumer = opaque;

	consumer->refused = false;
	if (error == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS && !consumer->closing)
	{
		if (!keep_assigned(consumer, partitions))
			fail(consumer, "out of memory");
		consumer->pending = CONSUMER_ASSIGNED;
	}
	else if (error == RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS &&
			 !consumer->closing)
	{
		consumer->lost = rd_kafka_assignment_lost(client);
		consumer->pending = CONSUMER_REVOKED;
	}
	else
	{
		if (!consumer->closing)
			consumer_note_trouble(consumer, error, "rebalance failed",
								  rd_kafka_err2str(error));
		rd_kafka_assign(client, NULL);
	}
	rd_kafka_yield(client);
}

static void
on_error(rd_kafka_t *client, int code, const char *reason, void *opaque)
{
	Consumer   *consumer = opaque;
	char		text[400];

	if (code != RD_KAFKA_RESP_ERR__FATAL)
	{
		consumer_note_trouble(consumer, code, "Kafka client in trouble", reason);
		if (code == RD_KAFKA_RESP_ERR__AUTHENTICATION)
			consumer->refused = true;
		/* what comes back under its name may be another topic */
		if ((code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART ||
			 code == RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION) &&
			consumer->pending == CONSUMER_NOTHING)
			consumer->pending = CONSUMER_ASTRAY;
		return;
	}
	rd_kafka_fatal_error(client, text, sizeof(text));
	fail(consumer, text);
}

/* Once a second, until there is a new one or the broker takes the old one. */
static void
look_for_password(Consumer *consumer)
{
	int64_t		now_ms = clock_monotonic_ms();

	if (now_ms < consumer->renew_ms)
		return;
	consumer->renew_ms = now_ms + RENEW_MS;
	pthread_mutex_lock(&consumer->lock);
	if (kafka_client_renew(consumer->client, &consumer->trouble,
						   consumer->properties))
		consumer->refused = false;
	pthread_mutex_unlock(&consumer->lock);
}

static bool
keep_assigned(Consumer *consumer,
			  const rd_kafka_topic_partition_list_t *partitions)
{
	offset_list_clear(&consumer->assigned);
	for (int i = 0; i < partitions->cnt; i++)
	{
		SlotTopic  *topic =
			consumer_keep_topic(consumer, partitions->elems[i].topic);

		if (topic == NULL ||
			!offset_list_add(&consumer->assigned, topic->name,
							 partitions->elems[i].partition, 0))
			return false;
		pthread_mutex_lock(&consumer->lock);
		kafka_client_note_topic(&consumer->trouble, topic->name);
		pthread_mutex_unlock(&consumer->lock);
	}
	offset_list_sort(&consumer->assigned);
	return true;
}

static ConsumerEvent
report_message(Consumer *consumer, ConsumerMessage *message)
{
	const rd_kafka_message_t *kafka_message = consumer->message;
	rd_kafka_timestamp_type_t type;
	int64_t		ms = rd_kafka_message_timestamp(kafka_message, &type);

	message->slot = find_slot(consumer, kafka_message);
	if (message->slot == SLOT_MAP_NONE)
		return CONSUMER_NOTHING;	/* of an assignment before */
	message->message = (BatchMessage)
	{
		.offset = kafka_message->offset,
		.payload = kafka_message->payload,
		.payload_bytes = kafka_message->len,
		.has_event_time = type != RD_KAFKA_TIMESTAMP_NOT_AVAILABLE && ms != -1,
		.event_time_ms = ms
	};
	return CONSUMER_MESSAGE;
}

static ConsumerEvent
report_error(Consumer *consumer, const rd_kafka_message_t *kafka_message,
			 ConsumerMessage *message)
{
	char		text[400];

	switch (kafka_message->err)
	{
		case RD_KAFKA_RESP_ERR__PARTITION_EOF:
			message->slot = find_slot(consumer, kafka_message);
			message->message.offset = kafka_message->offset;
			return message->slot == SLOT_MAP_NONE ?
				CONSUMER_NOTHING : CONSUMER_END;
		case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
		case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
			if (find_slot(consumer, kafka_message) == SLOT_MAP_NONE)
				return CONSUMER_NOTHING;
			consumer_note_trouble(consumer, kafka_message->err,
								  "Kafka does not have a position",
								  rd_kafka_message_errstr(kafka_message));
			return CONSUMER_ASTRAY;
		case RD_KAFKA_RESP_ERR__FATAL:
			rd_kafka_fatal_error(consumer->client, text, sizeof(text));
			fail(consumer, text);
			return CONSUMER_FATAL;
		case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
			kafka_client_explain(kafka_message->err, text, sizeof(text));
			fail(consumer, text);
			return CONSUMER_FATAL;
		default:
			note_trouble(consumer, kafka_message->err,
						 kafka_message->rkt == NULL ? NULL :
						 rd_kafka_topic_name(kafka_message->rkt),
						 "Kafka consumer in trouble",
						 rd_kafka_message_errstr(kafka_message));
			return CONSUMER_NOTHING;
	}
}

/*
 * A topic's handle in a message is the one we hold; should librdkafka ever
 * have another one, the name decides.
 */
static size_t
find_slot(Consumer *consumer, const rd_kafka_message_t *kafka_message)
{
	size_t		slot = slot_map_find(&consumer->slots, kafka_message->rkt,
									 kafka_message->partition);
	const SlotTopic *topic;

	if (slot != SLOT_MAP_NONE || kafka_message->rkt == NULL)
		return slot;
	topic = slot_map_topic(&consumer->slots,
						   rd_kafka_topic_name(kafka_message->rkt));
	if (topic == NULL || topic->handle == kafka_message->rkt)
		return SLOT_MAP_NONE;
	return slot_map_find(&consumer->slots, topic->handle,
						 kafka_message->partition);
}

SlotTopic *
consumer_keep_topic(Consumer *consumer, const char *name)
{
	SlotTopic  *topic = slot_map_topic(&consumer->slots, name);

	if (topic != NULL && topic->handle == NULL)
		topic->handle = rd_kafka_topic_new(consumer->client, name, NULL);
	return topic != NULL && topic->handle != NULL ? topic : NULL;
}

static rd_kafka_topic_partition_list_t *
to_kafka(const OffsetList *list)
{
	rd_kafka_topic_partition_list_t *partitions =
		rd_kafka_topic_partition_list_new((int) list->count);

	for (size_t i = 0; i < list->count; i++)
		rd_kafka_topic_partition_list_add(partitions, list->items[i].topic,
										  list->items[i].partition)->offset =
			list->items[i].offset;
	return partitions;
}

static void
fail(Consumer *consumer, const char *reason)
{
	consumer->failed = true;
	snprintf(consumer->error, sizeof(consumer->error), "%s", reason);
}

void
consumer_note_trouble(Consumer *consumer, int code, const char *event,
					  const char *text)
{
	note_trouble(consumer, code, NULL, event, text);
}

static void
note_trouble(Consumer *consumer, int code, const char *topic,
			 const char *event, const char *text)
{
	pthread_mutex_lock(&consumer->lock);
	kafka_client_note(&consumer->trouble, consumer->properties, code, topic,
					  event, text);
	/* it follows from another one, which says why */
	if (code != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN ||
		consumer->latest_trouble[0] == '\0')
		kafka_client_describe(consumer->properties, code, text,
							  consumer->latest_trouble,
							  sizeof(consumer->latest_trouble));
	consumer->latest_trouble_ms = clock_monotonic_ms();
	pthread_mutex_unlock(&consumer->lock);
}

void
consumer_latest_trouble(Consumer *consumer, int64_t within_ms, char *text,
						size_t size)
{
	int64_t		now_ms = clock_monotonic_ms();

	pthread_mutex_lock(&consumer->lock);
	snprintf(text, size, "%s",
			 now_ms - consumer->latest_trouble_ms <= within_ms ?
			 consumer->latest_trouble : "");
	pthread_mutex_unlock(&consumer->lock);
}
