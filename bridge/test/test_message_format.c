/*
 * What the generator writes is what the bridge reads: by its own codecs, with
 * the settings it has when only --format is given.  The texts are written by
 * hand too.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "message_format.h"
#include "text_format.h"
#include "decode.h"

static const char *const cases[][3] = {
	{"516 482 8644",
		"{\"source\":\"516\",\"target\":\"482\",\"amount\":8644}",
		"\"516\",\"482\",8644"},
	{"a b 0", "{\"source\":\"a\",\"target\":\"b\",\"amount\":0}",
		"\"a\",\"b\",0"},
	{"a b 007.50", "{\"source\":\"a\",\"target\":\"b\",\"amount\":7.50}",
		"\"a\",\"b\",7.50"},
	{"a b 0.05", "{\"source\":\"a\",\"target\":\"b\",\"amount\":0.05}",
		"\"a\",\"b\",0.05"},
	{"\"q\" \\b,\\ 1", "{\"source\":\"\\\"q\\\"\",\"target\":\"\\\\b,\\\\\",\"amount\":1}",
		"\"\"\"q\"\"\",\"\\b,\\\",1"},
	{"\xC3\xA9 \xF0\x9F\x92\xB0 1",
		"{\"source\":\"\xC3\xA9\",\"target\":\"\xF0\x9F\x92\xB0\",\"amount\":1}",
		"\"\xC3\xA9\",\"\xF0\x9F\x92\xB0\",1"},
};

static Record
record_of(const char *payload)
{
	char		text[RECORD_DETAIL_BYTES];
	const RecordDetail detail = {text, sizeof(text)};
	Record		record;

	assert_int_equal(text_decode(payload, strlen(payload), NULL, &record,
								 &detail), FINTRANS_ACCEPTED);
	return record;
}

/* Written in a format and read again, it is the same record. */
static void
check_round_trip(const char *format, const char *payload,
				 const char *expected)
{
	/* of the exact size, so that a sanitizer sees a write beyond it */
	char	   *text = malloc(MESSAGE_FORMAT_BYTES);
	Codec	   *codec = codec_of(&(CodecSettings) {.format = format});
	Record		record = record_of(payload);
	size_t		bytes = message_format_write(message_format_of(format),
											 &record, text);
	char		source[FINTRANS_ACCOUNT_MAX_BYTES + 1];
	char		target[FINTRANS_ACCOUNT_MAX_BYTES + 1];
	char		amount[64];

	if (expected != NULL)
		assert_text(text, bytes, expected);
	snprintf(source, sizeof(source), "%.*s", (int) record.source_bytes,
			 record.source_account);
	snprintf(target, sizeof(target), "%.*s", (int) record.target_bytes,
			 record.target_account);
	snprintf(amount, sizeof(amount), "%.*s.%.*s",
			 record.amount.integer_digits, record.amount.integer,
			 record.amount.decimal_digits, record.amount.decimals);
	check_accepted(codec, text, bytes, source, target, amount, NULL);
	codec_close(codec);
	free(text);
}

static void
messages_are_read_as_they_were_meant(void **state)
{
	(void) state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		check_round_trip("json", cases[i][0], cases[i][1]);
		check_round_trip("csv", cases[i][0], cases[i][2]);
	}
}

static void
the_longest_message_has_room(void **state)
{
	char		payload[TEXT_MAX_BYTES];
	char		account[FINTRANS_ACCOUNT_MAX_BYTES + 1];

	(void) state;
	memset(account, '"', sizeof(account) - 1);
	account[FINTRANS_ACCOUNT_MAX_BYTES] = '\0';
	snprintf(payload, sizeof(payload),
			 "%s %s 999999999999999.999999999999999999", account, account);
	check_round_trip("json", payload, NULL);
	check_round_trip("csv", payload, NULL);
}

static void
text_is_as_it_is(void **state)
{
	static const Refused refused[] = {{BYTES("1,2,3"), "field_count", "1"}};
	Codec	   *codec = codec_of(&(CodecSettings) {.format = "text"});

	(void) state;
	assert_null(message_format_of("text"));
	CHECK_REFUSED(codec, refused);
	codec_close(codec);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_are_read_as_they_were_meant),
		cmocka_unit_test(the_longest_message_has_room),
		cmocka_unit_test(text_is_as_it_is),
	};

	return cmocka_run_group_tests_name("message_format", tests, NULL, NULL);
}
