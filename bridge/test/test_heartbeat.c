/*
 * /health of a program that tells nothing else.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "heartbeat.h"

static int64_t now_ms = 5000;

/* In place of clock.c: time that passes when it is told to. */
int64_t
clock_monotonic_ms(void)
{
	return now_ms;
}

static void
assert_says(Heartbeat *heartbeat, const char *path, unsigned status,
			const char *wanted)
{
	HttpAnswer	answer = {0};

	assert_true(heartbeat_answer(heartbeat, path, &answer));
	assert_int_equal(answer.status, status);
	assert_string_equal(answer.content_type, "text/plain; charset=utf-8");
	assert_int_equal(answer.bytes, strlen(wanted));
	assert_string_equal(answer.body, wanted);
	free(answer.body);
}

static void
a_loop_is_alive_for_a_minute_after_its_last_sign(void **state)
{
	Heartbeat	heartbeat;

	(void) state;
	heartbeat_tick(&heartbeat);
	now_ms += 59999;
	assert_says(&heartbeat, "/health", 200, "alive\n");
	now_ms += 1;
	assert_says(&heartbeat, "/health", 503,
				"the main loop has stood still for 60 s\n");
	assert_true(heartbeat_still_ms(&heartbeat) == 60000);
	heartbeat_tick(&heartbeat);
	assert_says(&heartbeat, "/health", 200, "alive\n");
}

static void
nothing_else_is_there(void **state)
{
	Heartbeat	heartbeat;

	(void) state;
	heartbeat_tick(&heartbeat);
	assert_says(&heartbeat, "/ready", 404, "only /health is answered\n");
	assert_says(&heartbeat, "", 404, "only /health is answered\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_loop_is_alive_for_a_minute_after_its_last_sign),
		cmocka_unit_test(nothing_else_is_there)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
