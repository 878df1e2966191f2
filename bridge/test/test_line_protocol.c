/*
 * Points as lines: escaping as InfluxDB 1.6.7 reads it, and times that no two
 * points of a series share.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "line_protocol.h"

static char text[4 * LINE_MAX_BYTES];

static Record
record_of(const char *source, const char *target, const char *integer,
		  const char *decimals)
{
	return (Record)
	{
		.source_account = source,
		.target_account = target,
		.source_bytes = (uint32_t) strlen(source),
		.target_bytes = (uint32_t) strlen(target),
		.amount = {
			integer, decimals, (uint8_t) strlen(integer),
			(uint8_t) strlen(decimals)
		}
	};
}

/* The line of such a transaction, from offset 5 of partition 3. */
static const char *
line_of(LineAccounts accounts, bool integer_amounts, const char *source,
		const char *target, const char *integer, const char *decimals)
{
	const LineStyle style = {accounts, integer_amounts};
	const LineOrigin origin = {"London", 3, 5, 1764000000123};
	const Record record = record_of(source, target, integer, decimals);
	LineBuffer	buffer = {text, sizeof(text), 0};

	if (line_write(&buffer, &style, &origin, &record) != LINE_WRITTEN)
		return "";
	text[buffer.used] = '\0';
	return text;
}

static void
writes_points(void **state)
{
	(void) state;
	assert_string_equal(line_of(LINE_ACCOUNTS_TAG, false, "516", "482",
								"8644", ""),
						"London,source=516,target=482 amount=8644"
						" 1764000000123046880\n");
	assert_string_equal(line_of(LINE_ACCOUNTS_FIELD, false, "516", "482", "12",
								"50"),
						"London,partition=3 amount=12.50,"
						"source=\"516\",target=\"482\""
						" 1764000000123000005\n");
	assert_string_equal(line_of(LINE_ACCOUNTS_NONE, true, "516", "482", "12",
								"00"),
						"London,partition=3 amount=12i 1764000000123000005\n");
	assert_string_equal(line_of(LINE_ACCOUNTS_NONE, false, "1", "2", "", ""),
						"London,partition=3 amount=0 1764000000123000005\n");
	assert_string_equal(line_of(LINE_ACCOUNTS_NONE, false, "1", "2", "",
								"000000000000000001"),
						"London,partition=3 amount=0.000000000000000001"
						" 1764000000123000005\n");
}

static void
escapes(void **state)
{
	(void) state;
	assert_string_equal(line_of(LINE_ACCOUNTS_TAG, false, "a,b=c d", "\"q\"",
								"1", ""),
						"London,source=a\\,b\\=c\\ d,target=\"q\" amount=1"
						" 1764000000123046880\n");
	/* a backslash stands for itself, but cannot end a tag */
	assert_string_equal(line_of(LINE_ACCOUNTS_TAG, false, "a\\b\\,", "c\\\\",
								"1", ""),
						"London,source=a\\b\\\\,,target=c\\\\\\  amount=1"
						" 1764000000123046880\n");
	assert_string_equal(line_of(LINE_ACCOUNTS_FIELD, false, "a\"b", "c\\",
								"1", ""),
						"London,partition=3 amount=1,"
						"source=\"a\\\"b\",target=\"c\\\\\""
						" 1764000000123000005\n");
}

static void
refuses(void **state)
{
	const LineStyle integers = {LINE_ACCOUNTS_TAG, true};
	const LineStyle floats = {LINE_ACCOUNTS_TAG, false};
	LineOrigin	origin = {"London", 0, 0, 0};
	const Record record = record_of("1", "2", "1", "50");
	LineBuffer	small = {text, LINE_MAX_BYTES - 1, 0};
	LineBuffer	buffer = {text, sizeof(text), 0};

	(void) state;
	assert_int_equal(line_write(&buffer, &integers, &origin, &record),
					 LINE_BAD_AMOUNT);
	assert_int_equal(line_write(&small, &floats, &origin, &record), LINE_FULL);
	/* 1677-09-21T00:12:43.146Z, and a millisecond before */
	origin.event_time_ms = -INT64_C(9223372036854);
	assert_int_equal(line_write(&buffer, &floats, &origin, &record),
					 LINE_WRITTEN);
	origin.event_time_ms--;
	assert_int_equal(line_write(&buffer, &floats, &origin, &record),
					 LINE_BAD_TIME);
	/* 2262-04-11T23:47:16.854Z, the same */
	origin.event_time_ms = INT64_C(9223372036854);
	assert_int_equal(line_write(&buffer, &floats, &origin, &record),
					 LINE_WRITTEN);
	origin.event_time_ms++;
	assert_int_equal(line_write(&buffer, &floats, &origin, &record),
					 LINE_BAD_TIME);
	origin.event_time_ms = INT64_MAX;
	assert_int_equal(line_write(&buffer, &floats, &origin, &record),
					 LINE_BAD_TIME);
}

/* No line is longer than its bound, whatever it holds. */
static void
stays_within_bounds(void **state)
{
	char		topic[250];
	char		account[FINTRANS_ACCOUNT_MAX_BYTES + 1];
	const LineOrigin origin = {topic, INT32_MAX, INT64_MAX, -9223372036853};

	(void) state;
	memset(topic, 'x', sizeof(topic) - 1);
	topic[sizeof(topic) - 1] = '\0';
	for (int odd = 0; odd < 3; odd++)
	{
		memset(account, ",\\\""[odd], sizeof(account) - 1);
		account[sizeof(account) - 1] = '\0';
		for (int accounts = LINE_ACCOUNTS_TAG; accounts <= LINE_ACCOUNTS_NONE;
			 accounts++)
		{
			const LineStyle style = {(LineAccounts) accounts, false};
			const Record record = record_of(account, account,
											"999999999999999",
											"999999999999999999");
			LineBuffer	buffer = {text, LINE_MAX_BYTES, 0};

			assert_int_equal(line_write(&buffer, &style, &origin,
										&record), LINE_WRITTEN);
			assert_true(buffer.used <= LINE_MAX_BYTES);
		}
	}
}

/*
 * Of a pair 64 partitions with 15625 messages each in one millisecond, of a
 * partition a million: no time comes twice, and none leaves its millisecond.
 */
static void
gives_each_its_time(void **state)
{
	static uint8_t seen[LINE_PLACES];
	const LineStyle pairs = {LINE_ACCOUNTS_TAG, false};
	const LineStyle partitions = {LINE_ACCOUNTS_FIELD, false};
	int64_t		ns;

	(void) state;
	for (int32_t partition = 0; partition < 64; partition++)
		for (int64_t offset = 999999000000; offset < 999999015625; offset++)
		{
			const LineOrigin origin = {"NYC", partition, offset, 1764000000123};

			assert_true(line_time(&pairs, &origin, &ns));
			assert_int_equal(ns / 1000000, 1764000000123);
			assert_int_equal(seen[ns % 1000000]++, 0);
		}
	for (int64_t offset = 7; offset < 1000007; offset++)
	{
		const LineOrigin origin = {"NYC", 65, offset, 1764000000124};

		assert_true(line_time(&partitions, &origin, &ns));
		assert_int_equal(ns / 1000000, 1764000000124);
		assert_int_equal(seen[ns % 1000000]++, 1);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_points),
		cmocka_unit_test(escapes),
		cmocka_unit_test(refuses),
		cmocka_unit_test(stays_within_bounds),
		cmocka_unit_test(gives_each_its_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
