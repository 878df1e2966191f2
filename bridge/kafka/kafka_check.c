/*
 * A client of its own, with the bridge's configuration.  Whether partitions can
 * be read is tried by fetching from their ends, where there is nothing.
 */
#include "kafka_check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "consumer_conf.h"
#include "log.h"

/* For all partitions of a topic together. */
#define FETCH_MS 10000
#define POLL_MS 100

struct KafkaCheck
{
	rd_kafka_t *client;
	char		group[256];
	char		trouble[300];	/* the latest, "" for none */
	rd_kafka_resp_err_t trouble_code;
};

/* What to do about an error. */
typedef struct Advice
{
	rd_kafka_resp_err_t code;
	const char *text;
} Advice;

static const Advice advices[] = {
	{RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART,
	"create it, or take it out of --topics"},
	{RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC,
	"create it, or take it out of --topics"},
	{RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED,
	"allow the user to READ and DESCRIBE the topic"},
	{RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED,
	"allow the user to READ the group"},
	{RD_KAFKA_RESP_ERR__AUTHENTICATION,
	"look at sasl.mechanisms, sasl.username and sasl.password"},
	{RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED,
	"look at sasl.mechanisms, sasl.username and sasl.password"},
	{RD_KAFKA_RESP_ERR__SSL,
	"look at security.protocol, ssl.ca.location and the host's name in the"
	" broker's certificate"},
	{RD_KAFKA_RESP_ERR__RESOLVE, "look at the hosts of --brokers"},
	{RD_KAFKA_RESP_ERR_NO_ERROR, NULL}
};

static void on_error(rd_kafka_t *client, int code, const char *reason,
					 void *opaque);
static bool explain(const KafkaCheck *kafka, const char *what,
					rd_kafka_resp_err_t error, char *text, size_t size);
static const char *advice(rd_kafka_resp_err_t error);
static rd_kafka_resp_err_t fetch_ends(KafkaCheck *kafka, const char *topic,
									  int partitions);
static rd_kafka_resp_err_t wait_for_ends(KafkaCheck *kafka, int partitions);

KafkaCheck *
kafka_check_open(const ConsumerSettings *settings, char *errstr,
				 size_t errstr_size)
{
	KafkaCheck *kafka = calloc(1, sizeof(*kafka));
	rd_kafka_conf_t *conf = consumer_conf_make(settings, errstr, errstr_size);

	if (kafka == NULL)
		snprintf(errstr, errstr_size, "out of memory");
	else if (conf != NULL)
	{
		snprintf(kafka->group, sizeof(kafka->group), "%s", settings->group);
		rd_kafka_conf_set_opaque(conf, kafka);
		rd_kafka_conf_set_error_cb(conf, on_error);
		rd_kafka_conf_set_log_cb(conf, NULL);
		kafka->client = rd_kafka_new(RD_KAFKA_CONSUMER, conf, errstr,
									 errstr_size);
		if (kafka->client != NULL)
		{
			rd_kafka_poll_set_consumer(kafka->client);
			return kafka;
		}
	}
	if (conf != NULL)
		rd_kafka_conf_destroy(conf);
	free(kafka);
	return NULL;
}

void
kafka_check_close(KafkaCheck *kafka)
{
	rd_kafka_destroy_flags(kafka->client,
						   RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
	free(kafka);
}

bool
kafka_check_brokers(KafkaCheck *kafka, char *text, size_t size)
{
	const struct rd_kafka_metadata *metadata;
	rd_kafka_resp_err_t error = rd_kafka_metadata(kafka->client, 0, NULL,
												  &metadata,
												  CONSUMER_TIMEOUT_MS);

	/* have on_error() told why */
	rd_kafka_consumer_poll(kafka->client, 0);
	if (error != RD_KAFKA_RESP_ERR_NO_ERROR)
		return explain(kafka, "no broker answers", error, text, size);
	snprintf(text, size, "brokers: %d, the first is %s:%d",
			 metadata->broker_cnt,
			 metadata->broker_cnt > 0 ? metadata->brokers[0].host : "",
			 metadata->broker_cnt > 0 ? metadata->brokers[0].port : 0);
	rd_kafka_metadata_destroy(metadata);
	return true;
}

bool
kafka_check_topic(KafkaCheck *kafka, const char *topic, char *text,
				  size_t size)
{
	rd_kafka_topic_t *handle = rd_kafka_topic_new(kafka->client, topic, NULL);
	const struct rd_kafka_metadata *metadata;
	rd_kafka_resp_err_t error;
	int			partitions = 0;
	char		what[300];

	snprintf(what, sizeof(what), "\"%s\"", topic);
	error = rd_kafka_metadata(kafka->client, 0, handle, &metadata,
							  CONSUMER_TIMEOUT_MS);
	rd_kafka_topic_destroy(handle);
	if (error == RD_KAFKA_RESP_ERR_NO_ERROR)
	{
		if (metadata->topic_cnt == 1)
		{
			error = metadata->topics[0].err;
			partitions = metadata->topics[0].partition_cnt;
		}
		rd_kafka_metadata_destroy(metadata);
	}
	if (error == RD_KAFKA_RESP_ERR_NO_ERROR)
		error = fetch_ends(kafka, topic, partitions);
	if (error != RD_KAFKA_RESP_ERR_NO_ERROR)
		return explain(kafka, what, error, text, size);
	snprintf(text, size, "%s can be read, partitions: %d", what, partitions);
	return true;
}

bool
kafka_check_group(KafkaCheck *kafka, char *text, size_t size)
{
	const struct rd_kafka_group_list *groups;
	rd_kafka_topic_partition_list_t *list =
		rd_kafka_topic_partition_list_new(1);
	rd_kafka_resp_err_t error;
	char		what[300];
	int			members = 0;

	/* the coordinator is asked for a position, which nobody needs to have */
	rd_kafka_topic_partition_list_add(list, "fintrans-check", 0);
	snprintf(what, sizeof(what), "\"%s\"", kafka->group);
	error = rd_kafka_committed(kafka->client, list, CONSUMER_TIMEOUT_MS);
	rd_kafka_topic_partition_list_destroy(list);
	if (error != RD_KAFKA_RESP_ERR_NO_ERROR)
		return explain(kafka, what, error, text, size);
	if (rd_kafka_list_groups(kafka->client, kafka->group, &groups,
							 CONSUMER_TIMEOUT_MS) == RD_KAFKA_RESP_ERR_NO_ERROR)
	{
		if (groups->group_cnt > 0)
			members = groups->groups[0].member_cnt;
		rd_kafka_group_list_destroy(groups);
	}
	snprintf(text, size, "%s has a coordinator, members now: %d", what,
			 members);
	return true;
}

/* A cause that the client has told is better than that time was over. */
static void
on_error(rd_kafka_t *client, int code, const char *reason, void *opaque)
{
	KafkaCheck *kafka = opaque;

	(void) client;
	if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN &&
		kafka->trouble[0] != '\0')
		return;
	kafka->trouble_code = code;
	snprintf(kafka->trouble, sizeof(kafka->trouble), "%s", reason);
}

/* Always false. */
static bool
explain(const KafkaCheck *kafka, const char *what, rd_kafka_resp_err_t error,
		char *text, size_t size)
{
	bool		is_silence = error == RD_KAFKA_RESP_ERR__TIMED_OUT ||
		error == RD_KAFKA_RESP_ERR__TRANSPORT ||
		error == RD_KAFKA_RESP_ERR__WAIT_COORD;

	if (is_silence && kafka->trouble[0] != '\0')
		snprintf(text, size, "%s: %s: %s", what, kafka->trouble,
				 advice(kafka->trouble_code));
	else
		snprintf(text, size, "%s: %s: %s", what, rd_kafka_err2str(error),
				 advice(error));
	return false;
}

static const char *
advice(rd_kafka_resp_err_t error)
{
	for (const Advice *a = advices; a->text != NULL; a++)
		if (a->code == error)
			return a->text;
	return "look whether --brokers is right, and whether all brokers run and"
		" can be reached from here by the names they advertise";
}

static rd_kafka_resp_err_t
fetch_ends(KafkaCheck *kafka, const char *topic, int partitions)
{
	rd_kafka_topic_partition_list_t *list =
		rd_kafka_topic_partition_list_new(partitions);
	rd_kafka_resp_err_t error;

	for (int i = 0; i < partitions; i++)
		rd_kafka_topic_partition_list_add(list, topic, i)->offset =
			RD_KAFKA_OFFSET_END;
	error = rd_kafka_assign(kafka->client, list);
	rd_kafka_topic_partition_list_destroy(list);
	if (error == RD_KAFKA_RESP_ERR_NO_ERROR)
		error = wait_for_ends(kafka, partitions);
	rd_kafka_assign(kafka->client, NULL);
	return error;
}

/* A partition whose end is told, or that has a message after it, is read. */
static rd_kafka_resp_err_t
wait_for_ends(KafkaCheck *kafka, int partitions)
{
	int64_t		deadline_ms = clock_monotonic_ms() + FETCH_MS;
	rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR_NO_ERROR;
	bool	   *read = calloc((size_t) partitions + 1, sizeof(*read));
	int			left = partitions;

	while (read != NULL && left > 0 && error == RD_KAFKA_RESP_ERR_NO_ERROR)
	{
		rd_kafka_message_t *message = rd_kafka_consumer_poll(kafka->client,
															 POLL_MS);

		/* others may have new messages all the time */
		if (clock_monotonic_ms() >= deadline_ms)
			error = RD_KAFKA_RESP_ERR__TIMED_OUT;
		if (message == NULL)
			continue;
		if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR &&
			message->err != RD_KAFKA_RESP_ERR__PARTITION_EOF)
			error = message->err;
		else if (message->partition >= 0 && message->partition < partitions &&
				 !read[message->partition])
		{
			read[message->partition] = true;
			left--;
		}
		rd_kafka_message_destroy(message);
	}
	free(read);
	return error;
}
