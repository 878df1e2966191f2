/*
 * Runs librdkafka's mock cluster and obeys commands about its faults.
 *
 * The only file of the broker that includes rdkafka.h.
 */
#include "mock_cluster.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include "log.h"
#include "topic_list.h"

#define COMMAND_MAX_WORDS 4
#define ERROR_MAX_COUNT 10000

struct MockCluster
{
	rd_kafka_t *handle;			/* what the cluster needs for bookkeeping */
	rd_kafka_mock_cluster_t *cluster;
	int			broker_count;
	char		error[512];		/* of the latest call */
};

typedef struct Command
{
	const char *name;
	const char *arguments;		/* as an error shows them */
	int			minimum;		/* of arguments */
	int			maximum;
	bool		(*run) (MockCluster *mock, char **arguments, int count);
} Command;

static bool run_up_down(MockCluster *mock, char **arguments, int count,
						rd_kafka_resp_err_t (*set) (rd_kafka_mock_cluster_t *,
													int32_t));
static bool run_down(MockCluster *mock, char **arguments, int count);
static bool run_up(MockCluster *mock, char **arguments, int count);
static bool run_rtt(MockCluster *mock, char **arguments, int count);
static bool run_error(MockCluster *mock, char **arguments, int count);
static bool run_clear(MockCluster *mock, char **arguments, int count);
static bool run_topic(MockCluster *mock, char **arguments, int count);
static bool run_topic_error(MockCluster *mock, char **arguments, int count);
static bool run_leader(MockCluster *mock, char **arguments, int count);
static bool run_coordinator(MockCluster *mock, char **arguments, int count);

static const Command commands[] = {
	{"down", "[BROKER]", 0, 1, run_down},
	{"up", "[BROKER]", 0, 1, run_up},
	{"rtt", "MILLISECONDS", 1, 1, run_rtt},
	{"error", "API ERROR COUNT", 3, 3, run_error},
	{"clear", "API", 1, 1, run_clear},
	{"topic", "NAME PARTITIONS", 2, 2, run_topic},
	{"topic-error", "NAME ERROR", 2, 2, run_topic_error},
	{"leader", "TOPIC PARTITION BROKER", 3, 3, run_leader},
	{"coordinator", "GROUP BROKER", 2, 2, run_coordinator},
	{NULL, NULL, 0, 0, NULL}
};

/* Requests the mock cluster answers, by their keys in Kafka's protocol. */
static const struct
{
	const char *name;
	int16_t		key;
}			apis[] = {
	{"Produce", 0},
	{"Fetch", 1},
	{"ListOffsets", 2},
	{"Metadata", 3},
	{"OffsetCommit", 8},
	{"OffsetFetch", 9},
	{"FindCoordinator", 10},
	{"JoinGroup", 11},
	{"Heartbeat", 12},
	{"LeaveGroup", 13},
	{"SyncGroup", 14},
	{"ApiVersions", 18},
	{"InitProducerId", 22},
	{"AddPartitionsToTxn", 24},
	{"AddOffsetsToTxn", 25},
	{"EndTxn", 26},
	{"TxnOffsetCommit", 28},
	{NULL, 0}
};

static bool open_handle(MockCluster *mock);
static void on_kafka_log(const rd_kafka_t *handle, int level,
						 const char *facility, const char *message);
static bool fail(MockCluster *mock, const char *format,...)
			__attribute__((format(printf, 2, 3)));
static bool done(MockCluster *mock, rd_kafka_resp_err_t code);
static bool parse_integer(MockCluster *mock, const char *what,
						  const char *text, int64_t minimum, int64_t maximum,
						  int64_t *value);
static bool parse_api(MockCluster *mock, const char *text, int16_t *key);
static bool parse_error(MockCluster *mock, const char *text,
						rd_kafka_resp_err_t *code);

MockCluster *
mock_cluster_new(void)
{
	return calloc(1, sizeof(MockCluster));
}

bool
mock_cluster_open(MockCluster *mock, int broker_count)
{
	mock->broker_count = broker_count;
	if (!open_handle(mock))
		return false;
	mock->cluster = rd_kafka_mock_cluster_new(mock->handle, broker_count);
	if (mock->cluster == NULL)
		return fail(mock, "could not start the mock cluster");
	return true;
}

void
mock_cluster_free(MockCluster *mock)
{
	if (mock == NULL)
		return;
	if (mock->cluster != NULL)
		rd_kafka_mock_cluster_destroy(mock->cluster);
	if (mock->handle != NULL)
		rd_kafka_destroy(mock->handle);
	free(mock);
}

const char *
mock_cluster_bootstrap(const MockCluster *mock)
{
	return rd_kafka_mock_cluster_bootstraps(mock->cluster);
}

const char *
mock_cluster_error(const MockCluster *mock)
{
	return mock->error;
}

static bool
open_handle(MockCluster *mock)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();

	rd_kafka_conf_set_log_cb(conf, on_kafka_log);
	mock->handle = rd_kafka_new(RD_KAFKA_PRODUCER, conf, mock->error,
								sizeof(mock->error));
	if (mock->handle == NULL)
		rd_kafka_conf_destroy(conf);
	return mock->handle != NULL;
}

static void
on_kafka_log(const rd_kafka_t *handle, int level, const char *facility,
			 const char *message)
{
	char		quoted[512];

	(void) handle;
	/* the handle itself is no client: what it says matters for debugging */
	log_write(level <= 3 ? LOG_LEVEL_WARNING : LOG_LEVEL_DEBUG, "librdkafka",
			  "facility=%s message=%s", facility,
			  log_quote(message, quoted, sizeof(quoted)));
}

bool
mock_cluster_create_topic(MockCluster *mock, const char *name, int64_t partitions)
{
	rd_kafka_resp_err_t code;

	/* the mock cluster takes any name; Kafka does not */
	if (!topic_name_is_valid(name))
		return fail(mock, "topic \"%s\" is not a name of %s", name,
					topic_name_rule);
	code = rd_kafka_mock_topic_create(mock->cluster, name,
									  (int) partitions, 1);
	if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
		return fail(mock, "could not create topic \"%s\": %s", name,
					rd_kafka_err2str(code));
	return true;
}

/* --------------------------------------------------------------- commands */

bool
mock_cluster_run(MockCluster *mock, char *text)
{
	char	   *words[COMMAND_MAX_WORDS + 1];
	int			count = 0;
	char	   *rest = NULL;

	for (char *word = strtok_r(text, " \t\r", &rest);
		 word != NULL && count <= COMMAND_MAX_WORDS;
		 word = strtok_r(NULL, " \t\r", &rest))
		words[count++] = word;
	if (count == 0)
		return fail(mock, "no command");
	for (const Command *command = commands; command->name != NULL; command++)
	{
		if (strcmp(command->name, words[0]) != 0)
			continue;
		if (count - 1 < command->minimum || count - 1 > command->maximum)
			return fail(mock, "expected: %s %s", command->name,
						command->arguments);
		return command->run(mock, words + 1, count - 1);
	}
	return fail(mock, "unrecognized command \"%.64s\"; --help lists them",
				words[0]);
}

static bool
run_down(MockCluster *mock, char **arguments, int count)
{
	return run_up_down(mock, arguments, count,
					   rd_kafka_mock_broker_set_down);
}

static bool
run_up(MockCluster *mock, char **arguments, int count)
{
	return run_up_down(mock, arguments, count, rd_kafka_mock_broker_set_up);
}

static bool
run_up_down(MockCluster *mock, char **arguments, int count,
			rd_kafka_resp_err_t (*set) (rd_kafka_mock_cluster_t *, int32_t))
{
	int64_t		number = -1;	/* all */

	if (count > 0 && !parse_integer(mock, "broker", arguments[0], 1,
									mock->broker_count, &number))
		return false;
	return done(mock, set(mock->cluster, (int32_t) number));
}

static bool
run_rtt(MockCluster *mock, char **arguments, int count)
{
	int64_t		rtt_ms;

	(void) count;
	return parse_integer(mock, "delay", arguments[0], 0, 600000, &rtt_ms) &&
		done(mock, rd_kafka_mock_broker_set_rtt(mock->cluster, -1,
												  (int) rtt_ms));
}

static bool
run_error(MockCluster *mock, char **arguments, int count)
{
	int16_t		key;
	rd_kafka_resp_err_t code;
	int64_t		times;

	(void) count;
	if (!parse_api(mock, arguments[0], &key) ||
		!parse_error(mock, arguments[1], &code) ||
		!parse_integer(mock, "count", arguments[2], 1, ERROR_MAX_COUNT,
					   &times))
		return false;
	for (int64_t i = 0; i < times; i++)
		rd_kafka_mock_push_request_errors_array(mock->cluster, key, 1,
												&code);
	return true;
}

static bool
run_clear(MockCluster *mock, char **arguments, int count)
{
	int16_t		key;

	(void) count;
	if (!parse_api(mock, arguments[0], &key))
		return false;
	rd_kafka_mock_clear_request_errors(mock->cluster, key);
	return true;
}

static bool
run_topic(MockCluster *mock, char **arguments, int count)
{
	int64_t		partitions;

	(void) count;
	return parse_integer(mock, "partition count", arguments[1], 1, 1000,
						 &partitions) &&
		mock_cluster_create_topic(mock, arguments[0], partitions);
}

static bool
run_topic_error(MockCluster *mock, char **arguments, int count)
{
	rd_kafka_resp_err_t code;

	(void) count;
	if (!parse_error(mock, arguments[1], &code))
		return false;
	rd_kafka_mock_topic_set_error(mock->cluster, arguments[0], code);
	return true;
}

static bool
run_leader(MockCluster *mock, char **arguments, int count)
{
	int64_t		partition;
	int64_t		number;

	(void) count;
	return parse_integer(mock, "partition", arguments[1], 0, INT32_MAX,
						 &partition) &&
		parse_integer(mock, "broker", arguments[2], -1,
					  mock->broker_count, &number) &&
		done(mock,
			 rd_kafka_mock_partition_set_leader(mock->cluster, arguments[0],
												(int32_t) partition,
												(int32_t) number));
}

static bool
run_coordinator(MockCluster *mock, char **arguments, int count)
{
	int64_t		number;

	(void) count;
	return parse_integer(mock, "broker", arguments[1], 1,
						 mock->broker_count, &number) &&
		done(mock, rd_kafka_mock_coordinator_set(mock->cluster, "group",
												   arguments[0],
												   (int32_t) number));
}

/* ---------------------------------------------------------------- helpers */

/* Always false. */
static bool
fail(MockCluster *mock, const char *format,...)
{
	va_list		arguments;

	va_start(arguments, format);
	vsnprintf(mock->error, sizeof(mock->error), format, arguments);
	va_end(arguments);
	return false;
}

static bool
done(MockCluster *mock, rd_kafka_resp_err_t code)
{
	if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
		return fail(mock, "%s", rd_kafka_err2str(code));
	return true;
}

static bool
parse_integer(MockCluster *mock, const char *what, const char *text,
			  int64_t minimum, int64_t maximum, int64_t *value)
{
	char	   *end;

	errno = 0;
	*value = strtoll(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0' || isspace((int) *text) ||
		*value < minimum || *value > maximum)
		return fail(mock, "%s \"%.64s\" is not a whole number between %"
					PRId64 " and %" PRId64, what, text, minimum, maximum);
	return true;
}

static bool
parse_api(MockCluster *mock, const char *text, int16_t *key)
{
	char		names[300] = "";
	size_t		bytes = 0;

	for (size_t i = 0; apis[i].name != NULL; i++)
	{
		if (strcasecmp(apis[i].name, text) == 0)
		{
			*key = apis[i].key;
			return true;
		}
		bytes += (size_t) snprintf(names + bytes, sizeof(names) - bytes,
								   "%s%s", i == 0 ? "" : ", ", apis[i].name);
	}
	return fail(mock, "API \"%.64s\" is not one of %s", text, names);
}

static bool
parse_error(MockCluster *mock, const char *text, rd_kafka_resp_err_t *code)
{
	const struct rd_kafka_err_desc *descriptions;
	size_t		count;

	rd_kafka_get_err_descs(&descriptions, &count);
	for (size_t i = 0; i < count; i++)
	{
		if (descriptions[i].name != NULL &&
			strcasecmp(descriptions[i].name, text) == 0)
		{
			*code = descriptions[i].code;
			return true;
		}
	}
	return fail(mock, "\"%.64s\" is not an error code of Kafka", text);
}
