/*
 * The choice of a format, and which options go with it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "decode.h"

static void
formats_are_told_apart(void **state)
{
	static const struct
	{
		const char *format;
		const char *payload;
	}			cases[] = {
		{"text", "516 482 86.44"},
		{"json", "{\"source\":516,\"target\":482,\"amount\":86.44}"},
		{"csv", "516,482,86.44"},
	};
	const size_t count = sizeof(cases) / sizeof(cases[0]);
	char		text[RECORD_DETAIL_BYTES];
	Record		record;

	(void) state;
	for (size_t i = 0; i < count; i++)
	{
		Codec	   *codec = codec_of(&(CodecSettings) {.format =
											cases[i].format});

		assert_false(codec_tells_time(codec));
		for (size_t j = 0; j < count; j++)
		{
			if (i == j)
				check_accepted(codec, cases[j].payload,
							   strlen(cases[j].payload), "516", "482", "86.44",
							   NULL);
			else
				assert_int_not_equal(decode(codec, cases[j].payload,
											strlen(cases[j].payload), &record,
											text), FINTRANS_ACCEPTED);
		}
		codec_close(codec);
	}
}

static void
settings_go_together(void **state)
{
	static const struct
	{
		CodecSettings settings;
		const char *reason;
	}			cases[] = {
		{{.format = "text",.fields = "source=1,target=2,amount=3"}, "--fields"},
		{{.format = "text",.time_unit = "s"}, "place of a time"},
		{{.format = "text",.csv_header = "a"}, "--csv-header"},
		{{.format = "json",.csv_header = "a"}, "--csv-header"},
		{{.format = "json",.time_unit = "s"}, "place of a time"},
		{{.format = "csv",.time_unit = "us"}, "place of a time"},
	};
	char		errstr[256];

	(void) state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		assert_null(codec_open(&cases[i].settings, errstr, sizeof(errstr)));
		if (strstr(errstr, cases[i].reason) == NULL)
			fail_msg("case %zu: %s", i, errstr);
	}
	codec_close(NULL);
}

static void
a_currency_asked_for_must_be_known(void **state)
{
	static const Refused cases[] = {
		{BYTES("a,b,1,USD"), "wrong_currency", "EUR"},
		{BYTES("a,b,1,"), "wrong_currency", "EUR"},
		{BYTES("a,b,1"), "field_count", "at least 4"},
	};
	char		errstr[256] = "";
	Codec	   *codec = codec_of(&(CodecSettings) {.format = "csv",
			.fields = "source=1,target=2,amount=3,currency=4"});

	(void) state;
	assert_false(codec_set_currency(codec, NULL, errstr, sizeof(errstr)));
	assert_non_null(strstr(errstr, "--currency"));
	assert_true(codec_set_currency(codec, "EUR", errstr, sizeof(errstr)));
	check_accepted(codec, BYTES("a,b,1,EUR"), "a", "b", "1.", NULL);
	CHECK_REFUSED(codec, cases);
	codec_close(codec);
	codec = codec_of(&(CodecSettings) {.format = "csv"});
	assert_true(codec_set_currency(codec, NULL, errstr, sizeof(errstr)));
	codec_close(codec);
}

static void
times_come_in_units(void **state)
{
	static const struct
	{
		const char *unit;
		const char *payload;
	}			cases[] = {
		{NULL, "a,b,1,2026-11-24T08:15:00.123456Z"},
		{"iso", "a,b,1,2026-11-24T09:15:00.123456+01:00"},
		{"s", "a,b,1,1795508100.123456"},
		{"ms", "a,b,1,1795508100123.456"},
		{"us", "a,b,1,1795508100123456"},
	};
	char		text[RECORD_DETAIL_BYTES];
	Record		record;

	(void) state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		Codec	   *codec = codec_of(&(CodecSettings) {.format = "csv",
				.fields = "source=1,target=2,amount=3,time=4",
				.time_unit = cases[i].unit});

		assert_true(codec_tells_time(codec));
		assert_int_equal(decode(codec, cases[i].payload,
								strlen(cases[i].payload), &record, text),
						 FINTRANS_ACCEPTED);
		/* date -d 2026-11-24T08:15:00Z +%s */
		assert_true(record.time.us == INT64_C(1795508100123456));
		codec_close(codec);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(formats_are_told_apart),
		cmocka_unit_test(settings_go_together),
		cmocka_unit_test(a_currency_asked_for_must_be_known),
		cmocka_unit_test(times_come_in_units),
	};

	return cmocka_run_group_tests_name("codec", tests, NULL, NULL);
}
