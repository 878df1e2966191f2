/*
 * For tests of one format: a codec that lives through a test, and what holds
 * for any format.  Static, as decode.h is.
 */
#ifndef FINTRANS_TEST_ONE_CODEC_H
#define FINTRANS_TEST_ONE_CODEC_H

#include "decode.h"

/* Each begins with a codec of this format and no other settings. */
#define TEST(name) \
	cmocka_unit_test_prestate_setup_teardown(name, set_up, tear_down, \
											 TESTED_FORMAT)

#define CHECK_DISCREET(payloads) \
	check_discreet(payloads, sizeof(payloads) / sizeof(payloads[0]))

static Codec *codec;

/* With these settings instead of those it had. */
static void
use_settings(const CodecSettings *settings)
{
	codec_close(codec);
	codec = codec_of(settings);
}

static int
set_up(void **state)
{
	use_settings(&(CodecSettings) {.format = *state});
	return 0;
}

static int
tear_down(void **state)
{
	(void) state;
	codec_close(codec);
	codec = NULL;
	return 0;
}

/* What is said about these payloads, all bad, must not tell their secret. */
static void
check_discreet(const char *const *payloads, size_t count)
{
	char		text[RECORD_DETAIL_BYTES];
	Record		record;

	for (size_t i = 0; i < count; i++)
	{
		assert_int_not_equal(decode(codec, payloads[i], strlen(payloads[i]),
									&record, text), FINTRANS_ACCEPTED);
		assert_null(strstr(text, "SECRET"));
	}
}

/* Cut anywhere, a payload is refused or still good, and read no further. */
static void
check_cuts(const char *payload, size_t size)
{
	char		text[RECORD_DETAIL_BYTES];
	Record		record;

	for (size_t length = 0; length < size; length++)
		for (size_t start = 0; start <= length; start++)
			(void) decode(codec, payload + start, length - start, &record,
						  text);
}

#endif							/* FINTRANS_TEST_ONE_CODEC_H */
