/*
 * Lists of brokers: ports that are none are named.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "broker_list.h"

static void
takes_what_librdkafka_takes(void **state)
{
	static const char *const texts[] = {
		"db1", "db1:9092", "db1:1,db2:65535", "db1 , db2:9093", ",db1,",
		"SASL_SSL://db1:9093", "[::1]:9092", "[::1]", "::1", "fe80::1",
		"PLAINTEXT://[fe80::1]:9092", "127.0.0.1:9092"
	};
	char		errstr[300];

	(void) state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_true(broker_list_check(texts[i], errstr, sizeof(errstr)));
}

static void
names_the_broker_without_a_port(void **state)
{
	static const char *const texts[][2] = {
		{"host:abc", "\"host:abc\""}, {"a:9092,b:", "\"b:\""},
		{"a:0,b:1", "\"a:0\""}, {"a:65536", "\"a:65536\""},
		{"a:9092x", "\"a:9092x\""}, {"a:-1", "\"a:-1\""},
		{"a:+1", "\"a:+1\""}, {"a:99999999999999999999", "\"a:999"},
		{"SSL://a:b", "\"SSL://a:b\""}, {"[::1]:x", "\"[::1]:x\""},
		{"", "no broker is named"}, {" , ,", "no broker is named"}
	};
	char		errstr[300];

	(void) state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
	{
		assert_false(broker_list_check(texts[i][0], errstr, sizeof(errstr)));
		assert_non_null(strstr(errstr, "option --brokers: "));
		assert_non_null(strstr(errstr, texts[i][1]));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_what_librdkafka_takes),
		cmocka_unit_test(names_the_broker_without_a_port),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
