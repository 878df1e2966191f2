/*
 * For tests of codecs: decodes payloads that stand at the end of their memory,
 * and compares what comes out with what is expected.  Static, since only test
 * files of one format each include it.
 */
#ifndef FINTRANS_TEST_DECODE_H
#define FINTRANS_TEST_DECODE_H

#include <stdlib.h>
#include <string.h>

#include "codec.h"

/* A payload with NULs inside, as pointer and length. */
#define BYTES(literal) literal, sizeof(literal) - 1

/* What is refused, why, and a part of what is said about it. */
typedef struct Refused
{
	const char *payload;
	size_t		length;
	const char *reason;
	const char *detail;
} Refused;

#define CHECK_REFUSED(codec, cases) \
	check_refused(codec, cases, sizeof(cases) / sizeof(cases[0]))

/* The record and its payload live until the next call. */
static RecordVerdict
decode(Codec *codec, const char *payload, size_t length, Record *record,
	   char *text)
{
	static char *copy;
	const RecordDetail detail = {text, RECORD_DETAIL_BYTES};
	RecordVerdict verdict;

	free(copy);
	copy = NULL;
	if (payload != NULL)
	{
		/* at its exact size, so that a sanitizer sees a read beyond it */
		copy = malloc(length > 0 ? length : 1);
		assert_non_null(copy);
		memcpy(copy, payload, length);
	}
	memset(text, 'x', RECORD_DETAIL_BYTES);
	verdict = codec_decode(codec, copy, length, record, &detail);
	if (verdict != FINTRANS_ACCEPTED)
	{
		assert_non_null(memchr(text, '\0', RECORD_DETAIL_BYTES));
		assert_true(strlen(text) > 0);
	}
	return verdict;
}

static void
check_refused(Codec *codec, const Refused *cases, size_t count)
{
	char		text[RECORD_DETAIL_BYTES];
	Record		record;

	for (size_t i = 0; i < count; i++)
	{
		RecordVerdict verdict = decode(codec, cases[i].payload,
									   cases[i].length, &record, text);
		const char *reason = verdict == FINTRANS_ACCEPTED ? "no refusal" :
			record_reason(verdict);

		if (verdict == FINTRANS_ACCEPTED ||
			strcmp(reason, cases[i].reason) != 0 ||
			strstr(text, cases[i].detail) == NULL)
			fail_msg("case %zu: \"%.*s\" gives %s (%s)", i,
					 (int) cases[i].length, cases[i].payload, reason,
					 verdict == FINTRANS_ACCEPTED ? "" : text);
	}
}

static void
assert_text(const char *text, size_t bytes, const char *expected)
{
	assert_int_equal(bytes, strlen(expected));
	assert_memory_equal(text, expected, bytes);
}

/* amount is "integer.decimals", reference NULL for none. */
static void
check_accepted(Codec *codec, const char *payload, size_t length,
			   const char *source, const char *target, const char *amount,
			   const char *reference)
{
	char		text[RECORD_DETAIL_BYTES];
	char		digits[64];
	Record		record;

	if (decode(codec, payload, length, &record, text) != FINTRANS_ACCEPTED)
		fail_msg("\"%.*s\" is refused: %s", (int) length, payload, text);
	assert_text(record.source_account, record.source_bytes, source);
	assert_text(record.target_account, record.target_bytes, target);
	snprintf(digits, sizeof(digits), "%.*s.%.*s",
			 record.amount.integer_digits, record.amount.integer,
			 record.amount.decimal_digits, record.amount.decimals);
	assert_string_equal(digits, amount);
	assert_int_equal(record.reference != NULL, reference != NULL);
	if (reference != NULL)
		assert_text(record.reference, record.reference_bytes, reference);
}

/* Settings that can be used. */
static Codec *
codec_of(const CodecSettings *settings)
{
	char		errstr[256] = "";
	Codec	   *codec = codec_open(settings, errstr, sizeof(errstr));

	if (codec == NULL)
		fail_msg("the codec cannot be opened: %s", errstr);
	return codec;
}

#endif							/* FINTRANS_TEST_DECODE_H */
