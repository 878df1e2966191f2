/*
 * What it reports are the monitor's copies and the metrics' counters.  Of
 * counters it tells what has been added since the latest report that went
 * well; when the answer to one is lost, some may be told twice: this is for
 * dashboards, and fintrans_offsets has what is exact.
 */
#include "reporter.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "array_text.h"
#include "chore.h"
#include "log.h"
#include "session.h"

#define HOST_BYTES 256
#define NUMBER_BYTES 32

/*
 * The counters, as parameters of fintrans_report_bridge() in this order:
 * X(enumerator, current number, what divides it).
 */
#define REPORTED(X) \
	X(MESSAGES, metrics_total(metrics, METRIC_ROWS_COMMITTED) + \
	  metrics_total(metrics, METRIC_DEAD_LETTERS), 1) \
	X(DEAD_LETTERS, metrics_total(metrics, METRIC_DEAD_LETTERS), 1) \
	X(BATCHES, metrics_number(metrics, METRIC_BATCHES, RESULT_COMMITTED), 1) \
	X(STORING, metrics_total_ms(metrics, METRIC_BATCH_DURATION), 1000) \
	X(LATENCY, metrics_total_ms(metrics, METRIC_LATENCY), 1000) \
	X(RETRIES, metrics_total(metrics, METRIC_RETRIES), 1)

enum
{
#define X(enumerator, number, divisor) REPORTED_##enumerator,
	REPORTED(X)
#undef X
	REPORTED_COUNT
};

/* Columns of partitions, before the counters among the parameters. */
enum
{
	ARRAY_TOPIC,
	ARRAY_PARTITION,
	ARRAY_HIGH_WATERMARK,
	ARRAY_HALTED,
	ARRAY_UNANSWERED,
	ARRAY_COUNT
};

#define PARAMETERS (1 + ARRAY_COUNT + REPORTED_COUNT)

struct Reporter
{
	Monitor    *monitor;
	Session    *session;		/* the thread's, and so is the rest */
	Chore	   *chore;
	char		bridge[HOST_BYTES + NUMBER_BYTES];	/* host:pid */
	int64_t		told[REPORTED_COUNT];
	ArrayText	arrays[ARRAY_COUNT];
	Outcome		outcome;		/* of the latest report */
	bool		complained;		/* since one went well */
};

static void report(void *context);
static void report_last(void *context);
static Outcome send_report(Reporter *reporter);
static bool list_partitions(Reporter *reporter);
static void list_partition(Reporter *reporter,
						   const MetricsPartition *partition);
static void read_counters(const Metrics *metrics, int64_t *numbers);
static Outcome call(Reporter *reporter, const char *const *parameters);
static void free_reporter(Reporter *reporter);

Reporter *
reporter_start(const char *conninfo, Monitor *monitor, int64_t seconds,
			   char *errstr, size_t errstr_size)
{
	Reporter   *reporter = calloc(1, sizeof(*reporter));
	char		host[HOST_BYTES] = "";

	if (reporter != NULL)
	{
		/* a name cut short need not be terminated */
		(void) gethostname(host, sizeof(host) - 1);
		snprintf(reporter->bridge, sizeof(reporter->bridge), "%s:%ld", host,
				 (long) getpid());
		reporter->monitor = monitor;
		reporter->session = session_new(conninfo, NULL);
		if (reporter->session != NULL)
			reporter->chore = chore_start(&(ChoreSpec) {
				report, report_last, reporter, seconds * 1000
			});
		if (reporter->chore != NULL)
			return reporter;
		free_reporter(reporter);
	}
	snprintf(errstr, errstr_size, "could not start the thread of reports");
	return NULL;
}

bool
reporter_stop(Reporter *reporter, int64_t timeout_ms)
{
	if (!chore_stop(reporter->chore, timeout_ms))
		return false;
	free_reporter(reporter);
	return true;
}

/*
 * Until the database has been checked there is nothing to tell.  A database
 * that does not answer is the writer's to complain of; what it answers, such
 * as that a privilege is missing, or that the role has too many connections,
 * is logged once.
 */
static void
report(void *context)
{
	Reporter   *reporter = context;
	const DatabaseError *error = session_error(reporter->session);

	if (monitor_state(reporter->monitor) == STATE_STARTING)
		return;
	reporter->outcome = send_report(reporter);
	if (reporter->outcome == OUTCOME_DONE)
		reporter->complained = false;
	else if (!reporter->complained &&
			 (reporter->outcome == OUTCOME_FATAL || error->sqlstate[0] != '\0'))
	{
		reporter->complained = true;
		log_write(LOG_LEVEL_WARNING,
				  "cannot report to the database, trying on", "text=%s",
				  log_quote(error->text, (char[512]) {0}, 512));
	}
}

/* Nobody is kept waiting for a database that is away. */
static void
report_last(void *context)
{
	Reporter   *reporter = context;

	if (reporter->outcome == OUTCOME_DONE)
		report(reporter);
}

static Outcome
send_report(Reporter *reporter)
{
	static const int divisors[] = {
#define X(enumerator, number, divisor) divisor,
		REPORTED(X)
#undef X
	};
	const char *parameters[PARAMETERS] = {reporter->bridge};
	char		texts[REPORTED_COUNT][NUMBER_BYTES];
	int64_t		numbers[REPORTED_COUNT];
	Outcome		outcome;

	if (!list_partitions(reporter))
		return OUTCOME_RETRY;
	for (int i = 0; i < ARRAY_COUNT; i++)
		if ((parameters[1 + i] =
			 array_text_finish(&reporter->arrays[i])) == NULL)
			return OUTCOME_RETRY;
	read_counters(monitor_metrics(reporter->monitor), numbers);
	for (int i = 0; i < REPORTED_COUNT; i++)
	{
		int64_t		added = numbers[i] - reporter->told[i];

		if (divisors[i] == 1)
			snprintf(texts[i], NUMBER_BYTES, "%" PRId64, added);
		else
			snprintf(texts[i], NUMBER_BYTES, "%.3f",
					 (double) added / divisors[i]);
		parameters[1 + ARRAY_COUNT + i] = texts[i];
	}
	outcome = call(reporter, parameters);
	if (outcome == OUTCOME_DONE)
		memcpy(reporter->told, numbers, sizeof(numbers));
	return outcome;
}

/* False when memory is short. */
static bool
list_partitions(Reporter *reporter)
{
	size_t		count;
	MetricsPartition *partitions = monitor_partitions(reporter->monitor,
													  &count);

	for (int i = 0; i < ARRAY_COUNT; i++)
		array_text_reset(&reporter->arrays[i]);
	if (partitions == NULL)
		return false;
	for (size_t i = 0; i < count; i++)
		list_partition(reporter, &partitions[i]);
	free(partitions);
	return true;
}

static void
list_partition(Reporter *reporter, const MetricsPartition *partition)
{
	ArrayText  *arrays = reporter->arrays;

	array_text_add_text(&arrays[ARRAY_TOPIC],
						metrics_topic_name(monitor_metrics(reporter->monitor),
										   partition->topic));
	array_text_add_integer(&arrays[ARRAY_PARTITION], partition->partition);
	if (partition->high_watermark >= 0)
		array_text_add_integer(&arrays[ARRAY_HIGH_WATERMARK],
							   partition->high_watermark);
	else
		array_text_add_null(&arrays[ARRAY_HIGH_WATERMARK]);
	if (partition->halted[0] != '\0')
		array_text_add_text(&arrays[ARRAY_HALTED], partition->halted);
	else
		array_text_add_null(&arrays[ARRAY_HALTED]);
	array_text_add_text(&arrays[ARRAY_UNANSWERED],
						partition->is_unanswered ? "t" : "f");
}

static void
read_counters(const Metrics *metrics, int64_t *numbers)
{
#define X(enumerator, number, divisor) \
	numbers[REPORTED_##enumerator] = number;
	REPORTED(X)
#undef X
}

static Outcome
call(Reporter *reporter, const char *const *parameters)
{
	Outcome		outcome = OUTCOME_DONE;
	char		sql[SESSION_SQL_BYTES];

	if (!session_is_connected(reporter->session))
		outcome = session_connect(reporter->session);
	if (outcome != OUTCOME_DONE)
		return outcome;
	snprintf(sql, sizeof(sql),
			 "SELECT %s.fintrans_report_bridge($1, $2::text[], $3::int4[],"
			 " $4::int8[], $5::text[], $6::bool[], $7, $8, $9, $10, $11, $12)",
			 session_schema(reporter->session));
	return session_run(reporter->session, sql, parameters, PARAMETERS);
}

static void
free_reporter(Reporter *reporter)
{
	for (int i = 0; i < ARRAY_COUNT; i++)
		array_text_free(&reporter->arrays[i]);
	session_free(reporter->session);
	free(reporter);
}
