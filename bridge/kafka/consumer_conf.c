/*
 * Makes the configuration.  Applied in order: what stands in the table, the
 * brokers and group of the options, the user's -F file and -X pairs; then the
 * result is asked for the properties that exactly-once depends on, so that no
 * alias slips through.
 */
#include "consumer_conf.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kafka_client.h"

typedef struct Property
{
	const char *name;
	const char *value;
	const char *reason;			/* why the user may not change it, or NULL */
	int			since;			/* the first version of librdkafka to have it, 0
								 * when all that we run with do */
} Property;

/* As rd_kafka_version() tells them. */
#define LIBRDKAFKA_2_2_0 0x020200ff

/*
 * What differs from librdkafka's defaults.  queued.min.messages decides how
 * fast small messages come: with a full queue 2.0.2 rests a whole second, so
 * they come at twice the number a second, which is more than one writer stores
 * (later versions can be told to rest for less).  More would be memory for
 * nothing: a small message takes some 300 bytes.  It is looked at before a
 * fetch, so what a fetch brings comes on top, and fetch.max.bytes is to be small
 * as well.
 */
static const Property properties[] = {
	{"client.id", "fintrans-bridge", NULL, 0},
	{"enable.auto.commit", "false",
	"positions are committed with the rows, in the database", 0},
	{"enable.auto.offset.store", "false",
	"positions are committed with the rows, in the database", 0},
	{"auto.offset.reset", "error",
	"a position that Kafka does not have must not be passed over in silence", 0},
	{"isolation.level", "read_committed",
	"messages of aborted Kafka transactions must not be loaded", 0},
	{"enable.partition.eof", "true",
	"offsets without a message at a partition's end are counted", 0},
	{"partition.assignment.strategy", "range", NULL, 0},
	{"check.crcs", "true", NULL, 0},
	{"socket.keepalive.enable", "true", NULL, 0},
	{"socket.nagle.disable", "true", NULL, 0},
	{"queued.min.messages", "200000", NULL, 0},
	{"queued.max.messages.kbytes", "32768", NULL, 0},
	{"fetch.queue.backoff.ms", "20", NULL, LIBRDKAFKA_2_2_0},
	{"fetch.max.bytes", "2097152", NULL, 0},
	{"fetch.wait.max.ms", "100", NULL, 0},
	{"topic.metadata.refresh.interval.ms", "10000", NULL, 0},
	{"log.queue", "true",
	"the log is written by the consumer's thread", 0},
};

#define PROPERTY_COUNT (sizeof(properties) / sizeof(properties[0]))

static bool set_own(rd_kafka_conf_t *conf, const ConsumerSettings *settings,
					char *errstr, size_t errstr_size);
static bool check_fixed(const rd_kafka_conf_t *conf,
						char *errstr, size_t errstr_size);
static bool check_result(const rd_kafka_conf_t *conf,
						 char *errstr, size_t errstr_size);

rd_kafka_conf_t *
consumer_conf_make(const ConsumerSettings *settings, char *errstr,
				   size_t errstr_size)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();

	if (set_own(conf, settings, errstr, errstr_size) &&
		kafka_client_configure(conf, settings->properties, errstr,
							   errstr_size) &&
		check_fixed(conf, errstr, errstr_size) &&
		check_result(conf, errstr, errstr_size))
		return conf;
	rd_kafka_conf_destroy(conf);
	return NULL;
}

int64_t
consumer_conf_poll_limit_ms(const rd_kafka_conf_t *conf)
{
	char		value[24];
	size_t		size = sizeof(value);

	/* librdkafka knows the property, and has checked its value */
	return rd_kafka_conf_get(conf, "max.poll.interval.ms", value, &size) ==
		RD_KAFKA_CONF_OK ? strtoll(value, NULL, 10) : INT64_MAX;
}

static bool
set_own(rd_kafka_conf_t *conf, const ConsumerSettings *settings,
		char *errstr, size_t errstr_size)
{
	for (size_t i = 0; i < PROPERTY_COUNT; i++)
		if (rd_kafka_version() >= properties[i].since &&
			rd_kafka_conf_set(conf, properties[i].name, properties[i].value,
							  errstr, errstr_size) != RD_KAFKA_CONF_OK)
			return false;
	return rd_kafka_conf_set(conf, "bootstrap.servers", settings->brokers,
							 errstr, errstr_size) == RD_KAFKA_CONF_OK &&
		rd_kafka_conf_set(conf, "group.id", settings->group,
						  errstr, errstr_size) == RD_KAFKA_CONF_OK;
}

static bool
check_fixed(const rd_kafka_conf_t *conf, char *errstr, size_t errstr_size)
{
	char		value[512];
	size_t		size;

	for (size_t i = 0; i < PROPERTY_COUNT; i++)
	{
		const Property *property = &properties[i];

		size = sizeof(value);
		if (property->reason == NULL ||
			(rd_kafka_conf_get(conf, property->name, value, &size)
			 == RD_KAFKA_CONF_OK && strcmp(value, property->value) == 0))
			continue;
		snprintf(errstr, errstr_size, "property \"%s\" must stay %s: %s",
				 property->name, property->value, property->reason);
		return false;
	}
	return true;
}

static bool
check_result(const rd_kafka_conf_t *conf, char *errstr, size_t errstr_size)
{
	char		value[512];
	size_t		size = sizeof(value);

	if (!kafka_client_check_brokers(conf, errstr, errstr_size))
		return false;
	if (rd_kafka_conf_get(conf, "partition.assignment.strategy", value, &size)
		!= RD_KAFKA_CONF_OK || strstr(value, "cooperative") != NULL)
	{
		snprintf(errstr, errstr_size,
				 "property \"partition.assignment.strategy\" must name eager strategies, range or roundrobin: an assignment is taken up as a whole");
		return false;
	}
	return true;
}
