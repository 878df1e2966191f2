/*
 * The three pages, and what they say at each moment.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "clock.h"
#include "exposition.h"
#include "monitor.h"

static Monitor *monitor;
static Readiness readiness;
static int64_t now_ms;

/* In place of clock.c: time that passes when it is told to. */
int64_t
clock_monotonic_ms(void)
{
	return now_ms;
}

int64_t
clock_real_ms(void)
{
	return INT64_C(1795508100120);
}

static int
set_up(void **state)
{
	(void) state;
	now_ms = 1000;
	monitor = monitor_new("London,NYC");
	return monitor != NULL ? 0 : -1;
}

static int
tear_down(void **state)
{
	(void) state;
	monitor_free(monitor);
	return 0;
}

/* The answer's body, to be freed. */
static char *
ask(const char *path, unsigned status)
{
	HttpAnswer	answer = {0};
	char	   *body;

	assert_true(monitor_answer(monitor, path, &answer));
	assert_int_equal(answer.status, status);
	assert_non_null(answer.content_type);
	body = malloc(answer.bytes + 1);
	memcpy(body, answer.body, answer.bytes);
	body[answer.bytes] = '\0';
	assert_int_equal(strlen(body), answer.bytes);
	free(answer.body);
	return body;
}

static void
assert_says(const char *path, unsigned status, const char *wanted)
{
	char	   *body = ask(path, status);

	assert_string_equal(body, wanted);
	free(body);
}

static double
metric(const char *series)
{
	char	   *body = ask("/metrics", 200);

	exposition_read(body);
	free(body);
	return exposition_value(series);
}

static void
it_starts_alive_and_not_ready(void **state)
{
	(void) state;
	assert_says("/health", 200, "alive\n");
	assert_says("/ready", 503, "not ready\nstate: starting\n"
				"starting: the database has not been checked yet\n");
	assert_true(metric("fintrans_bridge_ready") == 0);
	assert_true(metric("fintrans_bridge_not_ready{cause=\"starting\"}") == 1);
	assert_true(metric("fintrans_bridge_state{state=\"starting\"}") == 1);
	assert_true(metric("fintrans_bridge_start_timestamp_seconds") ==
				1795508100.12);
	assert_says("/", 404, "there are /health, /ready and /metrics\n");
	assert_says("/health/", 404, "there are /health, /ready and /metrics\n");
}

static void
what_is_published_is_said(void **state)
{
	LagList		partitions = {0};
	ReadinessFacts facts = {
		.assigned = true, .loading = true, .partitions = &partitions
	};

	(void) state;
	assert_true(lag_list_begin(&partitions, 3));
	lag_list_add(&partitions, "London", 7, 2, 5, 1);
	lag_list_add(&partitions, "NYC", 0, 2, 2, 1)->halted = "made anew";
	lag_list_add(&partitions, "of nobody", 0, 2, 2, 1);
	readiness_judge(&readiness, &facts);
	monitor_publish(monitor, &readiness, &partitions);
	assert_says("/health", 200, "alive\n");
	assert_says("/ready", 503, "not ready\nstate: halted\n"
				"halted: topic \"NYC\" partition 0: made anew\n");
	assert_true(metric("fintrans_bridge_consumer_lag{topic=\"London\","
					   "partition=\"7\"}") == 3);
	assert_true(metric("fintrans_bridge_partition_halted{topic=\"NYC\","
					   "partition=\"0\"}") == 1);
	assert_true(metric("fintrans_bridge_not_ready{cause=\"halted\"}") == 1);

	assert_true(lag_list_begin(&partitions, 0));
	readiness_judge(&readiness, &facts);
	monitor_publish(monitor, &readiness, &partitions);
	assert_says("/ready", 200, "ready\nstate: loading\n");
	assert_true(metric("fintrans_bridge_ready") == 1);
	assert_true(metric("fintrans_bridge_not_ready{cause=\"halted\"}") == 0);
	lag_list_free(&partitions);
}

static void
a_main_loop_that_stands_still_is_told(void **state)
{
	const LagList none = {0};
	const ReadinessFacts facts = {
		.assigned = true, .loading = true, .partitions = &none
	};

	(void) state;
	readiness_judge(&readiness, &facts);
	monitor_publish(monitor, &readiness, &none);
	now_ms += 19999;
	assert_says("/ready", 200, "ready\nstate: loading\n");
	now_ms += 1;
	assert_says("/ready", 503, "not ready\nstate: loading\n"
				"main_loop: the main loop has stood still for 20 s\n");
	assert_true(metric("fintrans_bridge_ready") == 0);
	assert_true(metric("fintrans_bridge_not_ready{cause=\"main_loop\"}") == 1);
	assert_says("/health", 200, "alive\n");
	now_ms += 40000;
	assert_says("/health", 503, "the main loop has stood still for 60 s\n");
	monitor_tick(monitor);
	assert_says("/health", 200, "alive\n");
	assert_says("/ready", 200, "ready\nstate: loading\n");
}

/* Whoever restarts or deploys need not care; whoever looks is told. */
static void
upkeep_that_fails_is_told(void **state)
{
	const LagList none = {0};
	const ReadinessFacts facts = {
		.assigned = true, .loading = true, .partitions = &none
	};

	(void) state;
	readiness_judge(&readiness, &facts);
	monitor_publish(monitor, &readiness, &none);
	monitor_note_upkeep(monitor, TASK_RETENTION, "permission denied\nHINT: x");
	assert_says("/ready", 200, "ready\nstate: loading\n"
				"upkeep: retention: permission denied HINT: x\n");
	assert_true(metric("fintrans_bridge_upkeep_failing{task=\"retention\"}") == 1);
	assert_true(metric("fintrans_bridge_upkeep_failing{task=\"indexes\"}") == 0);
	monitor_note_upkeep(monitor, TASK_RETENTION, NULL);
	assert_says("/ready", 200, "ready\nstate: loading\n");
	assert_true(metric("fintrans_bridge_upkeep_failing{task=\"retention\"}") == 0);
}

static void
a_failure_is_told(void **state)
{
	(void) state;
	monitor_fail(monitor, "the table is gone");
	assert_says("/health", 503, "cannot go on: the table is gone\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_starts_alive_and_not_ready),
		TEST(what_is_published_is_said),
		TEST(a_main_loop_that_stands_still_is_told),
		TEST(upkeep_that_fails_is_told),
		TEST(a_failure_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
