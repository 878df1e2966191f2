/*
 * Tests of the file reader: plain lines byte for byte, CSV rows by their
 * columns, and the errors of both.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "replay.h"

#define TEXT(literal) (literal), sizeof(literal) - 1
#define STA "source=s,target=t,amount=a"
#define STAT STA ",time=z"

/* 2026-11-24T00:00:00Z, by `date -u -d 2026-11-24 +%s` */
#define NOVEMBER_24_MS INT64_C(1795478400000)

static char path[64];
static char errstr[512];
static ReplaySource source;

static int
make_path(void **state)
{
	int			fd;

	(void) state;
	snprintf(path, sizeof(path), "/tmp/test_replay.XXXXXX");
	fd = mkstemp(path);
	return fd < 0 ? -1 : close(fd);
}

static int
remove_path(void **state)
{
	(void) state;
	return unlink(path);
}

/* Open a file of these bytes. */
static Replay *
open_bytes(const char *bytes, size_t count, const char *columns,
		   const char *unit)
{
	FILE	   *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, count, file), count);
	assert_int_equal(fclose(file), 0);
	source.file = path;
	source.columns = columns;
	source.time_unit = unit;
	errstr[0] = '\0';
	return replay_open(&source, errstr, sizeof(errstr));
}

static void
assert_message(Replay *replay, const char *bytes, size_t count,
			   size_t key_bytes, uint64_t line)
{
	ReplayMessage message;

	if (replay_next(replay, &message, errstr, sizeof(errstr)) !=
		REPLAY_MESSAGE)
		fail_msg("no message: %s", errstr);
	assert_int_equal(message.bytes, count);
	assert_memory_equal(message.payload, bytes, count);
	assert_int_equal(message.key_bytes, key_bytes);
	assert_int_equal(replay_line(replay), line);
}

static void
assert_end(Replay *replay)
{
	ReplayMessage message;

	assert_int_equal(replay_next(replay, &message, errstr, sizeof(errstr)),
					 REPLAY_END);
	replay_close(replay);
}

/* Reading fails at some message, in these words after the file's name. */
static void
assert_fails(const char *bytes, size_t count, const char *columns,
			 const char *unit, const char *expected)
{
	Replay	   *replay = open_bytes(bytes, count, columns, unit);
	ReplayMessage message;
	ReplayOutcome outcome = REPLAY_FAILED;
	char		whole[512];

	while (replay != NULL &&
		   (outcome = replay_next(replay, &message, errstr,
								  sizeof(errstr))) == REPLAY_MESSAGE)
		;
	replay_close(replay);
	assert_int_equal(outcome, REPLAY_FAILED);
	snprintf(whole, sizeof(whole), "file \"%s\"%s", path, expected);
	assert_string_equal(errstr, whole);
}

/* ------------------------------------------------------------------ lines */

static void
lines_are_sent_as_they_are(void **state)
{
	Replay	   *replay = open_bytes(TEXT("516 482 8644\n"
										 "\n"
										 "  a\t\n"
										 "x\0y z\n"
										 "\xff\xfe\r\n"
										 "no line end"), "", "s");

	(void) state;
	assert_non_null(replay);
	assert_message(replay, TEXT("516 482 8644"), 3, 1);
	assert_message(replay, TEXT(""), 0, 2);
	assert_message(replay, TEXT("  a\t"), 0, 3);
	assert_message(replay, TEXT("x\0y z"), 3, 4);
	assert_message(replay, TEXT("\xff\xfe\r"), 3, 5);
	assert_message(replay, TEXT("no line end"), 2, 6);
	assert_end(replay);
}

static void
an_empty_file_has_no_lines(void **state)
{
	Replay	   *replay = open_bytes(TEXT(""), NULL, "s");

	(void) state;
	assert_non_null(replay);
	assert_end(replay);
}

static void
long_lines_are_whole(void **state)
{
	size_t		count = 3 * 1000 * 1000;
	char	   *bytes = malloc(count);
	Replay	   *replay;

	(void) state;
	memset(bytes, 'x', count);
	bytes[count - 1] = '\n';
	replay = open_bytes(bytes, count, NULL, "s");
	assert_message(replay, bytes, count - 1, count - 1, 1);
	assert_end(replay);
	free(bytes);
}

static void
files_that_cannot_be_read_are_named(void **state)
{
	Replay	   *replay;
	ReplayMessage message;

	(void) state;
	source = (ReplaySource) {.file = "/nonexistent"};
	assert_null(replay_open(&source, errstr, sizeof(errstr)));
	assert_string_equal(errstr, "could not open file \"/nonexistent\": "
						"No such file or directory");
	source.file = "/";
	replay = replay_open(&source, errstr, sizeof(errstr));
	assert_non_null(replay);
	assert_int_equal(replay_next(replay, &message, errstr, sizeof(errstr)),
					 REPLAY_FAILED);
	assert_string_equal(errstr, "could not read file \"/\": Is a directory");
	replay_close(replay);
	source = (ReplaySource) {NULL, NULL, NULL, 0};
}

/* -------------------------------------------------------------------- CSV */

static void
columns_are_found_by_their_names(void **state)
{
	Replay	   *replay = open_bytes(TEXT("x,a,t,s\n"
										 "9,163.3,14730,216\n"
										 "\"q,\"\"\n\",1,DE02 ,\"AB\"\n"
										 "\n"
										 "0,007,b,b"), STA, "s");

	(void) state;
	assert_non_null(replay);
	assert_message(replay, TEXT("216 14730 163.3"), 3, 2);
	assert_message(replay, TEXT("AB DE02 1"), 2, 3);
	assert_message(replay, TEXT("b b 007"), 1, 6);
	assert_end(replay);
}

static void
line_ends_and_marks_of_other_systems_are_forgiven(void **state)
{
	Replay	   *replay = open_bytes(TEXT("\xef\xbb\xbfs,t,a\r\n"
										 "\r\n"
										 "1,2,3\r\n"
										 "4,5,6\r\n"), STA, "s");

	(void) state;
	assert_non_null(replay);
	assert_message(replay, TEXT("1 2 3"), 1, 3);
	assert_message(replay, TEXT("4 5 6"), 1, 4);
	assert_end(replay);
	replay = open_bytes(TEXT("s,t,a\r1,2,3\r4,5,6"), STA, "s");
	assert_non_null(replay);
	assert_message(replay, TEXT("1 2 3"), 1, 1);
	assert_message(replay, TEXT("4 5 6"), 1, 1);
	assert_end(replay);
}

static void
a_header_alone_has_no_messages(void **state)
{
	Replay	   *replay = open_bytes(TEXT("s,t,a"), STA, "s");

	(void) state;
	assert_non_null(replay);
	assert_end(replay);
}

static void
bad_columns_are_refused(void **state)
{
	static const struct
	{
		const char *columns;
		const char *expected;
	}			cases[] = {
		{"source=s,target=t", "option --columns names no amount: expected source=..,"
		"target=..,amount=..[,time=..]"},
		{"source=s,source=t,amount=a", "option --columns names source twice"},
		{"source=s,to=t,amount=a", "option --columns: \"to\" is not one of source, "
		"target, amount, time"},
		{"source=s,target,amount=a", "option --columns: \"target\" is not role=column"},
		{"source=s,target=,amount=a", "option --columns: \"target=\" is not "
		"role=column"},
		{",", "option --columns names no source: expected source=..,target=..,"
		"amount=..[,time=..]"}
	};

	(void) state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		assert_null(open_bytes(TEXT("s,t,a\n"), cases[i].columns, "s"));
		assert_string_equal(errstr, cases[i].expected);
	}
}

static void
bad_headers_are_refused(void **state)
{
	(void) state;
	assert_fails(TEXT(""), STA, "s", " is empty: expected a header");
	assert_fails(TEXT("\n\n"), STA, "s", " is empty: expected a header");
	assert_fails(TEXT("s,t,b\n"), STA, "s",
				 ", line 1: the header has no column \"a\"");
	assert_fails(TEXT("S,t,a\n"), STA, "s",
				 ", line 1: the header has no column \"s\"");
	assert_fails(TEXT("\ns,t,a,s\n"), STA, "s",
				 ", line 2: the header names column \"s\" twice");
	assert_fails(TEXT("s,t,\"a\n"), STA, "s",
				 ", line 1: the file ends within quotes");
}

static void
bad_rows_are_named(void **state)
{
	(void) state;
	assert_fails(TEXT("s,t,a\n1,2,3\n1,2\n"), STA, "s",
				 ", line 3: 2 fields where the header has 3");
	assert_fails(TEXT("s,t,a\n1,2,3,4\n"), STA, "s",
				 ", line 2: 4 fields where the header has 3");
	assert_fails(TEXT("s,t,a\n,2,3\n"), STA, "s",
				 ", line 2: the source is empty");
	assert_fails(TEXT("s,t,a\n1,\"2 2\",\n"), STA, "s",
				 ", line 2: the target holds a blank or a line end");
	assert_fails(TEXT("s,t,a\n1,\"2\n\",3\n"), STA, "s",
				 ", line 2: the target holds a blank or a line end");
	assert_fails(TEXT("s,t,a\n1,2\"2,3\n"), STA, "s", ", line 2: error "
				 "parsing data while strict checking enabled");
	assert_fails(TEXT("s,t,a\n\n1,2,\"3\n"), STA, "s",
				 ", line 3: the file ends within quotes");
}

/* The bridge's own parser judges; its details are tested with it. */
static void
rows_the_bridge_would_refuse_are_refused(void **state)
{
	static const char *const rows[] = {
		"s,t,a\n1,2,-3\n", "s,t,a\n1,2,1e3\n", "s,t,a\n1,2,NaN\n",
		"s,t,a\n1,2,1000000000000000\n", "s,t,a\n\xff,2,3\n",
		"s,t,a\n\x01,2,3\n"
	};

	(void) state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
	{
		Replay	   *replay = open_bytes(rows[i], strlen(rows[i]), STA, "s");
		ReplayMessage message;

		assert_non_null(replay);
		assert_int_equal(replay_next(replay, &message, errstr,
									 sizeof(errstr)), REPLAY_FAILED);
		assert_non_null(strstr(errstr, ", line 2: bad_"));
		replay_close(replay);
	}
}

static void
endless_quotes_are_refused(void **state)
{
	size_t		count = 200000;
	char	   *bytes = malloc(count);

	(void) state;
	memset(bytes, '\n', count);
	memcpy(bytes, "s,t,a\n\"", 7);
	assert_fails(bytes, count, STA, "s", ", line 2: a row of more than 65536 "
				 "bytes: a quote may not be closed");
	memset(bytes + 7, 'x', count - 7);
	assert_fails(bytes, count, STA, "s", ", line 2: longer than 65536 bytes");
	memset(bytes + 6, ',', count - 6);
	bytes[1000] = '\n';
	assert_fails(bytes, count, STA, "s", ", line 2: a row of 995 fields, at "
				 "most 256 can be read");
	free(bytes);
}

/* ------------------------------------------------------------------- time */

/* A row with this time is sent with that event time. */
static void
assert_time(const char *text, const char *unit, int64_t origin_ms,
			int64_t expected_ms)
{
	char		bytes[128];
	Replay	   *replay;
	ReplayMessage message;
	int			count = snprintf(bytes, sizeof(bytes), "s,t,a,z\n1,2,3,%s\n",
								 text);

	source.time_origin_ms = origin_ms;
	replay = open_bytes(bytes, (size_t) count, STAT, unit);
	assert_non_null(replay);
	if (replay_next(replay, &message, errstr, sizeof(errstr)) !=
		REPLAY_MESSAGE)
		fail_msg("%s", errstr);
	assert_true(message.event_time_ms == expected_ms);
	replay_close(replay);
	source.time_origin_ms = 0;
}

static void
times_count_units_from_the_origin(void **state)
{
	(void) state;
	assert_time("1795478400", "s", 0, NOVEMBER_24_MS);
	assert_time("1795478400000", "ms", 0, NOVEMBER_24_MS);
	assert_time("1795478400000999", "us", 0, NOVEMBER_24_MS);
	assert_time("1", "day", NOVEMBER_24_MS, NOVEMBER_24_MS + 86400000);
	assert_time("0", "day", NOVEMBER_24_MS, NOVEMBER_24_MS);
	assert_time("-1", "hour", NOVEMBER_24_MS, NOVEMBER_24_MS - 3600000);
	assert_time("1.5", "day", NOVEMBER_24_MS, NOVEMBER_24_MS + 129600000);
	assert_time("-0.25", "hour", NOVEMBER_24_MS, NOVEMBER_24_MS - 900000);
	assert_time("0.001", "s", NOVEMBER_24_MS, NOVEMBER_24_MS + 1);
	/* down, also before the origin */
	assert_time("-1", "us", NOVEMBER_24_MS, NOVEMBER_24_MS - 1);
	assert_time("2026-11-24", "iso", 0, NOVEMBER_24_MS);
	assert_time("2026-11-24T01:00:00+01:00", "iso", 0, NOVEMBER_24_MS);
}

static void
a_message_without_time_has_none(void **state)
{
	Replay	   *replay = open_bytes(TEXT("s,t,a\n1,2,3\n"), STA, "s");
	ReplayMessage message;

	(void) state;
	assert_int_equal(replay_next(replay, &message, errstr, sizeof(errstr)),
					 REPLAY_MESSAGE);
	assert_true(message.event_time_ms == REPLAY_NO_TIME);
	assert_end(replay);
}

static void
bad_times_are_refused(void **state)
{
	static const char *const no_numbers[] = {
		"", "x", "1x", "1.", ".5", "1e3", "--1", "1.5.5", "0x10", "+1",
		"99999999999999999999", "9223372036854775807"
	};

	(void) state;
	for (size_t i = 0; i < sizeof(no_numbers) / sizeof(no_numbers[0]); i++)
	{
		char		bytes[128];
		int			count = snprintf(bytes, sizeof(bytes),
									 "s,t,a,z\n1,2,3,%s\n", no_numbers[i]);

		assert_fails(bytes, (size_t) count, STAT, "day",
					 ", line 2: the time is not a number of time units");
	}
	assert_fails(TEXT("s,t,a,z\n1,2,3,2562047788.99\n"), STAT, "hour",
				 ", line 2: the time is too far from its origin");
	assert_fails(TEXT("s,t,a,z\n1,2,3,0\n"), STAT, "s", ", line 2: a Kafka "
				 "message cannot carry the time 1970-01-01 00:00 UTC or an "
				 "earlier one");
	assert_fails(TEXT("s,t,a,z\n1,2,3,-5\n"), STAT, "day", ", line 2: a Kafka "
				 "message cannot carry the time 1970-01-01 00:00 UTC or an "
				 "earlier one");
	assert_fails(TEXT("s,t,a,z\n1,2,3,-1d\n"), STAT, "iso",
				 ", line 2: the time is relative to now");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_sent_as_they_are),
		cmocka_unit_test(an_empty_file_has_no_lines),
		cmocka_unit_test(long_lines_are_whole),
		cmocka_unit_test(files_that_cannot_be_read_are_named),
		cmocka_unit_test(columns_are_found_by_their_names),
		cmocka_unit_test(line_ends_and_marks_of_other_systems_are_forgiven),
		cmocka_unit_test(a_header_alone_has_no_messages),
		cmocka_unit_test(bad_columns_are_refused),
		cmocka_unit_test(bad_headers_are_refused),
		cmocka_unit_test(bad_rows_are_named),
		cmocka_unit_test(rows_the_bridge_would_refuse_are_refused),
		cmocka_unit_test(endless_quotes_are_refused),
		cmocka_unit_test(times_count_units_from_the_origin),
		cmocka_unit_test(a_message_without_time_has_none),
		cmocka_unit_test(bad_times_are_refused),
	};

	return cmocka_run_group_tests_name("replay", tests, make_path,
									   remove_path);
}
