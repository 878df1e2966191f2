/*
 * What is counted is written, in a form that no scraper stumbles over.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "exposition.h"
#include "metrics.h"
#include "readiness.h"
#include "record.h"

#define NAME(rest) "fintrans_bridge_" rest

static char text[1 << 16];

static void
write_all(const Metrics *metrics, const MetricsPartition *partitions,
		  size_t count)
{
	size_t		bytes = metrics_write(metrics, partitions, count, text,
									  sizeof(text));

	assert_int_equal(bytes, strlen(text));
	exposition_read(text);
}

static void
all_known_series_begin_at_0(void **state)
{
	Metrics    *metrics = metrics_new("London,NYC");
	const char *const topics[] = {"London", "NYC"};
	char		series[200];

	(void) state;
	assert_non_null(metrics);
	write_all(metrics, NULL, 0);
	for (size_t i = 0; i < exposition_count; i++)
		assert_true(exposition[i].value == 0 ||
					strstr(exposition[i].series, "build_info{") != NULL ||
					strstr(exposition[i].series, "{state=\"starting\"}"));
	for (int i = 0; i < 2; i++)
	{
		snprintf(series, sizeof(series),
				 NAME("rows_committed_total{topic=\"%s\"}"), topics[i]);
		assert_true(exposition_value(series) == 0);
		for (int verdict = FINTRANS_ACCEPTED + 1; verdict < FINTRANS_VERDICTS;
			 verdict++)
		{
			snprintf(series, sizeof(series),
					 NAME("dead_letters_total{topic=\"%s\",reason=\"%s\"}"),
					 topics[i], record_reason(verdict));
			assert_true(exposition_value(series) == 0);
		}
	}
	assert_true(exposition_value(NAME("batches_total{result=\"conflict\"}"))
				== 0);
	assert_true(exposition_value(NAME("rebalances_total{kind=\"lost\"}"))
				== 0);
	assert_true(exposition_value(NAME("retries_total{sqlstate_class="
									  "\"none\"}")) == 0);
	assert_true(exposition_value(NAME("not_ready{cause=\"stalled\"}")) == 0);
	assert_true(exposition_value(NAME("build_info{version=\""
									  FINTRANS_VERSION "\"}")) == 1);
	metrics_free(metrics);
}

static void
numbers_go_where_they_belong(void **state)
{
	Metrics    *metrics = metrics_new("London,NYC");
	size_t		nyc = metrics_topic(metrics, "NYC");

	(void) state;
	metrics_add(metrics, METRIC_ROWS_COMMITTED, nyc, 0, 3);
	metrics_add(metrics, METRIC_ROWS_COMMITTED, nyc, 0, INT64_C(1) << 53);
	metrics_add(metrics, METRIC_ROWS_COMMITTED,
				metrics_topic(metrics, "London"), 0, 7);
	metrics_add(metrics, METRIC_DEAD_LETTERS, nyc,
				FINTRANS_REJECT_BAD_AMOUNT - FINTRANS_ACCEPTED - 1, 4);
	metrics_add(metrics, METRIC_REBALANCES, REBALANCE_LOST, 0, 1);
	metrics_add(metrics, METRIC_RETRIES, metrics_sqlstate_class("40P01"), 0,
				5);
	metrics_set(metrics, METRIC_STATE, 0, STATE_HALTED);
	metrics_set(metrics, METRIC_NOT_READY, CAUSE_HALTED, 1);
	metrics_set(metrics, METRIC_LAST_COMMIT, 0, INT64_C(1795508100120));
	assert_int_equal(metrics_total(metrics, METRIC_ROWS_COMMITTED),
					 (INT64_C(1) << 53) + 10);
	assert_int_equal(metrics_total(metrics, METRIC_DEAD_LETTERS), 4);

	/* exactly, though a double has 53 bits */
	metrics_write(metrics, NULL, 0, text, sizeof(text));
	assert_non_null(strstr(text, NAME("rows_committed_total{topic=\"NYC\"}"
									  " 9007199254740995\n")));
	assert_non_null(strstr(text, NAME("last_commit_timestamp_seconds"
									  " 1795508100.12\n")));
	write_all(metrics, NULL, 0);
	assert_true(exposition_value(NAME("rows_committed_total{topic="
									  "\"London\"}")) == 7);
	assert_true(exposition_value(NAME("dead_letters_total{topic=\"NYC\","
									  "reason=\"bad_amount\"}")) == 4);
	assert_true(exposition_value(NAME("rebalances_total{kind=\"lost\"}"))
				== 1);
	assert_true(exposition_value(NAME("retries_total{sqlstate_class="
									  "\"40\"}")) == 5);
	assert_true(exposition_value(NAME("state{state=\"halted\"}")) == 1);
	assert_true(exposition_value(NAME("state{state=\"starting\"}")) == 0);
	assert_true(exposition_value(NAME("not_ready{cause=\"halted\"}")) == 1);
	metrics_free(metrics);
}

static void
what_is_not_in_the_table_is_not_counted(void **state)
{
	Metrics    *metrics = metrics_new("London");

	(void) state;
	assert_int_equal(metrics_topic(metrics, "Oslo"), SIZE_MAX);
	metrics_add(metrics, METRIC_ROWS_COMMITTED, SIZE_MAX, 0, 1);
	metrics_add(metrics, METRIC_DEAD_LETTERS, 0, 1000, 1);
	metrics_set(metrics, METRIC_NOT_READY, 1000, 1);
	assert_int_equal(metrics_total(metrics, METRIC_ROWS_COMMITTED), 0);
	assert_int_equal(metrics_total(metrics, METRIC_DEAD_LETTERS), 0);
	assert_int_equal(metrics_sqlstate_class(""), 0);
	assert_int_equal(metrics_sqlstate_class("99999"),
					 metrics_sqlstate_class("ZZ000"));
	assert_int_not_equal(metrics_sqlstate_class("99999"),
						 metrics_sqlstate_class("40001"));
	metrics_free(metrics);
}

static void
partitions_are_samples(void **state)
{
	Metrics    *metrics = metrics_new("London,NYC");
	const MetricsPartition partitions[] = {
		{0, 0, 5, 5, "", false},
		{0, 1, 0, -1, "made anew", false},
		{1, 0, INT64_C(1) << 40, INT64_C(1) << 40, "", true}
	};

	(void) state;
	write_all(metrics, partitions, 3);
	assert_true(exposition_value(NAME("consumer_lag{topic=\"London\","
									  "partition=\"0\"}")) == 5);
	assert_true(exposition_value(NAME("consumer_lag{topic=\"NYC\","
									  "partition=\"0\"}")) == 1099511627776.);
	assert_true(exposition_value(NAME("partition_halted{topic=\"London\","
									  "partition=\"1\"}")) == 1);
	assert_true(exposition_value(NAME("partition_halted{topic=\"NYC\","
									  "partition=\"0\"}")) == 0);
	assert_true(exposition_value(NAME("partition_unanswered{topic=\"NYC\","
									  "partition=\"0\"}")) == 1);
	metrics_free(metrics);
}

/* A duration belongs to the first bound that is not below it. */
static void
durations_are_sorted_into_buckets(void **state)
{
	Metrics    *metrics = metrics_new("London");
	MetricsDurations durations = {0};
	const int64_t times[] = {-1, 0, 5, 6, 99, 100, 101, 300000, 300001};

	(void) state;
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++)
		metrics_take_duration(&durations, times[i]);
	metrics_add_durations(metrics, METRIC_LATENCY, &durations);
	metrics_add_durations(metrics, METRIC_LATENCY, &durations);
	write_all(metrics, NULL, 0);
#define BUCKET(le) \
	exposition_value(NAME("latency_seconds_bucket{le=\"" le "\"}"))
	assert_true(BUCKET("0.005") == 2 * 3);
	assert_true(BUCKET("0.01") == 2 * 4);
	assert_true(BUCKET("0.05") == 2 * 4);
	assert_true(BUCKET("0.1") == 2 * 6);
	assert_true(BUCKET("0.2") == 2 * 7);
	assert_true(BUCKET("300") == 2 * 8);
	assert_true(BUCKET("+Inf") == 2 * 9);
	/* 0 + 0 + 5 + 6 + 99 + 100 + 101 + 300000 + 300001, twice */
	assert_true(exposition_value(NAME("latency_seconds_sum")) == 1200.624);
	assert_true(exposition_value(NAME("latency_seconds_count")) == 18);
	metrics_free(metrics);
}

static void
a_buffer_that_is_too_small_is_told(void **state)
{
	Metrics    *metrics = metrics_new("London");
	size_t		bytes = metrics_write(metrics, NULL, 0, text, sizeof(text));
	char	   *small = malloc(bytes);

	(void) state;
	assert_int_equal(metrics_write(metrics, NULL, 0, small, bytes), bytes);
	assert_int_equal(strlen(small), bytes - 1);
	assert_int_equal(metrics_write(metrics, NULL, 0, small, 1), bytes);
	assert_string_equal(small, "");
	free(small);
	metrics_free(metrics);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_known_series_begin_at_0),
		cmocka_unit_test(numbers_go_where_they_belong),
		cmocka_unit_test(what_is_not_in_the_table_is_not_counted),
		cmocka_unit_test(partitions_are_samples),
		cmocka_unit_test(durations_are_sorted_into_buckets),
		cmocka_unit_test(a_buffer_that_is_too_small_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
