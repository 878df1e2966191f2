/*
 * The parser of plain text against every kind of payload that is known to come:
 * good ones with their fields, bad ones with the reason for refusing them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "text_format.h"

/* A payload with NULs inside, as pointer and length. */
#define BYTES(literal) literal, sizeof(literal) - 1

typedef struct Refused
{
	const char *payload;
	size_t		length;
	RecordVerdict verdict;
} Refused;

static RecordVerdict
parse(const void *payload, size_t length, const char *currency,
	  Record *record, char *detail)
{
	/* at its exact size, so that a sanitizer sees a read beyond it */
	char	   *copy = malloc(length > 0 ? length : 1);
	const RecordDetail where = {detail, RECORD_DETAIL_BYTES};
	Record		parsed;
	RecordVerdict verdict;

	assert_non_null(copy);
	memcpy(copy, payload, length);
	memset(detail, 'x', RECORD_DETAIL_BYTES);
	verdict = text_decode(copy, length, currency, &parsed, &where);
	assert_false(parsed.time.is_set);
	assert_null(parsed.reference);
	if (verdict != FINTRANS_ACCEPTED)
	{
		assert_non_null(memchr(detail, '\0', RECORD_DETAIL_BYTES));
		assert_true(strlen(detail) > 0);
	}
	else if (record != NULL)
	{
		*record = parsed;
		/* pointers into the caller's payload instead of the copy */
#define MOVE(field) \
	record->field = (const char *) payload + (parsed.field - copy)
		MOVE(source_account);
		MOVE(target_account);
		MOVE(amount.integer);
		MOVE(amount.decimals);
#undef MOVE
	}
	free(copy);
	return verdict;
}

static void
check_refused(const Refused *cases, size_t count, const char *currency)
{
	char		detail[RECORD_DETAIL_BYTES];

	for (size_t i = 0; i < count; i++)
	{
		RecordVerdict verdict = parse(cases[i].payload, cases[i].length,
									  currency, NULL, detail);

		if (verdict != cases[i].verdict)
			fail_msg("case %zu: \"%.*s\" gives %s (%s)", i,
					 (int) cases[i].length, cases[i].payload,
					 verdict == FINTRANS_ACCEPTED ? "no refusal" :
					 record_reason(verdict), detail);
	}
}

#define CHECK_REFUSED(cases, currency) \
	check_refused(cases, sizeof(cases) / sizeof(cases[0]), currency)

static void
check_accepted(const char *payload, const char *currency, const char *source,
			   const char *target, const char *integer, const char *decimals)
{
	char		detail[RECORD_DETAIL_BYTES];
	Record		record;

	if (parse(payload, strlen(payload), currency, &record, detail)
		!= FINTRANS_ACCEPTED)
		fail_msg("\"%s\" is refused: %s", payload, detail);
	assert_int_equal(record.source_bytes, strlen(source));
	assert_memory_equal(record.source_account, source, strlen(source));
	assert_int_equal(record.target_bytes, strlen(target));
	assert_memory_equal(record.target_account, target, strlen(target));
	assert_int_equal(record.amount.integer_digits, strlen(integer));
	assert_memory_equal(record.amount.integer, integer, strlen(integer));
	assert_int_equal(record.amount.decimal_digits, strlen(decimals));
	assert_memory_equal(record.amount.decimals, decimals, strlen(decimals));
}

static void
accepts_the_demos_messages(void **state)
{
	(void) state;
	check_accepted("516 482 8644", NULL, "516", "482", "8644", "");
	check_accepted("0 999 0", NULL, "0", "999", "", "");
	check_accepted("7 7 1", NULL, "7", "7", "1", "");
}

static void
accepts_amounts_within_the_limits(void **state)
{
	(void) state;
	check_accepted("a b 007", NULL, "a", "b", "7", "");
	check_accepted("a b 0000000000000000000001", NULL, "a", "b", "1", "");
	check_accepted("a b 0.1", NULL, "a", "b", "", "1");
	check_accepted("a b 00.10", NULL, "a", "b", "", "10");
	check_accepted("a b 12.50", NULL, "a", "b", "12", "50");
	check_accepted("a b 0.000000000000000000", NULL, "a", "b", "",
				   "000000000000000000");
	check_accepted("a b 999999999999999.999999999999999999", NULL, "a", "b",
				   "999999999999999", "999999999999999999");
	/* more digits than a double holds */
	check_accepted("a b 900719925474099.31", NULL, "a", "b",
				   "900719925474099", "31");
}

static void
accepts_any_text_as_account(void **state)
{
	static const char *const accounts[] = {
		"DE89370400440532013000", "x", "a,b=c", "\\.", "\\N", "back\\",
		"'quote\"", "$__timeFilter(x)", "${var}", "<script>", "';DROP",
		"../", "NaN", "\xC3\xA9", "e\xCC\x81", "\xE2\x80\xAEright",
		"\xF0\x9F\x92\xB0", "\xC2\xA0", "\xF4\x8F\xBF\xBF", "\xEE\x80\x80",
		"\xED\x9F\xBF", "Case", "CASE"
	};
	char		payload[64];

	(void) state;
	for (size_t i = 0; i < sizeof(accounts) / sizeof(accounts[0]); i++)
	{
		snprintf(payload, sizeof(payload), "%s %s 1", accounts[i],
				 accounts[i]);
		check_accepted(payload, NULL, accounts[i], accounts[i], "1", "");
	}
}

static void
accepts_the_longest_account_and_no_longer(void **state)
{
	char		payload[TEXT_MAX_BYTES];
	char		account[FINTRANS_ACCOUNT_MAX_BYTES + 2];
	char		detail[RECORD_DETAIL_BYTES];

	(void) state;
	memset(account, 'z', sizeof(account));
	account[FINTRANS_ACCOUNT_MAX_BYTES] = '\0';
	snprintf(payload, sizeof(payload), "%s %s 1", account, account);
	check_accepted(payload, NULL, account, account, "1", "");

	account[FINTRANS_ACCOUNT_MAX_BYTES] = 'z';
	account[FINTRANS_ACCOUNT_MAX_BYTES + 1] = '\0';
	snprintf(payload, sizeof(payload), "a %s 1", account);
	assert_int_equal(parse(payload, strlen(payload), NULL, NULL, detail),
					 FINTRANS_REJECT_BAD_ACCOUNT);
	assert_non_null(strstr(detail, "target"));
	assert_non_null(strstr(detail, "257"));
	snprintf(payload, sizeof(payload), "%s a 1", account);
	assert_int_equal(parse(payload, strlen(payload), NULL, NULL, detail),
					 FINTRANS_REJECT_BAD_ACCOUNT);
	assert_non_null(strstr(detail, "source"));
}

static void
refuses_what_has_no_content(void **state)
{
	static const Refused cases[] = {
		{BYTES(""), FINTRANS_REJECT_EMPTY},
		{BYTES(" "), FINTRANS_REJECT_EMPTY},
		{BYTES("     "), FINTRANS_REJECT_EMPTY},
		{BYTES("\r\n"), FINTRANS_REJECT_EMPTY},
		{BYTES(" \t \n"), FINTRANS_REJECT_EMPTY},
	};
	char		detail[RECORD_DETAIL_BYTES];
	const RecordDetail where = {detail, sizeof(detail)};
	Record		record;

	(void) state;
	CHECK_REFUSED(cases, NULL);
	/* a tombstone */
	assert_int_equal(text_decode(NULL, 0, NULL, &record, &where),
					 FINTRANS_REJECT_EMPTY);
}

static void
refuses_what_is_too_long(void **state)
{
	static const size_t lengths[] = {
		TEXT_MAX_BYTES + 1, 65536, 1048576, 10485760
	};
	char		detail[RECORD_DETAIL_BYTES];

	(void) state;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++)
	{
		char	   *payload = malloc(lengths[i]);

		assert_non_null(payload);
		memset(payload, '7', lengths[i]);
		assert_int_equal(parse(payload, lengths[i], NULL, NULL, detail),
						 FINTRANS_REJECT_TOO_LONG);
		free(payload);
	}
}

static void
refuses_other_encodings(void **state)
{
	static const Refused cases[] = {
		{BYTES("\x00\x00\x00\x00\x2A" "516"), FINTRANS_REJECT_WIRE_FORMAT},
		{BYTES("\x00"), FINTRANS_REJECT_WIRE_FORMAT},
		{BYTES("1 2 3\x00"), FINTRANS_REJECT_BAD_ENCODING},
		{BYTES("1 a\x00" "b 3"), FINTRANS_REJECT_BAD_ENCODING},
		{BYTES("\xEF\xBB\xBF" "1 2 3"), FINTRANS_REJECT_BAD_ENCODING},
		{BYTES("\xFF\xFE\x31\x00\x20"), FINTRANS_REJECT_BAD_ENCODING},
		{BYTES("\x1F\x8B\x08"), FINTRANS_REJECT_BAD_ENCODING},
		/* continuation without lead, lead without continuation */
		{BYTES("\x80 b 1"), FINTRANS_REJECT_BAD_ENCODING},
		{BYTES("a\xBF b 1"), FINTRANS_REJECT_BAD_ENCODING},
		{BYTES("\xC3 b 1"), FINTRANS_REJECT_BAD_ENCODING},
		{BYTES("a b 1\xC3"), FINTRANS_REJECT_BAD_ENCODING},
		{BYTES("a b 1\xE2\x82"), FINTRANS_REJECT_BAD_ENCODING},
		{BYTES("a b 1\xF0\x9F\x92"), FINTRANS_REJECT_BAD_ENCODING},
		{BYTES("\xE2\x28\xA1 b 1"), FINTRANS_REJECT_BAD_ENCODING},
		{BYTES("\xF0\x9F\x28\xB0 b 1"), FINTRANS_REJECT_BAD_ENCODING},
		/* overlong forms of / and NUL, and of U+07FF and U+FFFF */
		{BYTES("\xC0\xAF b 1"), FINTRANS_REJECT_BAD_ENCODING},
		{BYTES("\xC0\x80 b 1"), FINTRANS_REJECT_BAD_ENCODING},
		{BYTES("\xC1\xBF b 1"), FINTRANS_REJECT_BAD_ENCODING},
		{BYTES("\xE0\x80\xAF b 1"), FINTRANS_REJECT_BAD_ENCODING},
		{BYTES("\xE0\x9F\xBF b 1"), FINTRANS_REJECT_BAD_ENCODING},
		{BYTES("\xF0\x8F\xBF\xBF b 1"), FINTRANS_REJECT_BAD_ENCODING},
		/* surrogates, the first and the last */
		{BYTES("\xED\xA0\x80 b 1"), FINTRANS_REJECT_BAD_ENCODING},
		{BYTES("\xED\xBF\xBF b 1"), FINTRANS_REJECT_BAD_ENCODING},
		/* above U+10FFFF */
		{BYTES("\xF4\x90\x80\x80 b 1"), FINTRANS_REJECT_BAD_ENCODING},
		{BYTES("\xF5\x80\x80\x80 b 1"), FINTRANS_REJECT_BAD_ENCODING},
		{BYTES("\xF8\x88\x80\x80\x80 b 1"), FINTRANS_REJECT_BAD_ENCODING},
		{BYTES("\xFE b 1"), FINTRANS_REJECT_BAD_ENCODING},
	};
	char		detail[RECORD_DETAIL_BYTES];

	(void) state;
	CHECK_REFUSED(cases, NULL);
	assert_int_equal(parse(BYTES("\x00\x00\x00\x00\x2A"), NULL, NULL, detail),
					 FINTRANS_REJECT_WIRE_FORMAT);
	assert_non_null(strstr(detail, "Confluent"));
}

static void
refuses_other_numbers_of_fields(void **state)
{
	static const Refused cases[] = {
		{BYTES("1"), FINTRANS_REJECT_FIELD_COUNT},
		{BYTES("1 2"), FINTRANS_REJECT_FIELD_COUNT},
		{BYTES("1 2 3 4"), FINTRANS_REJECT_FIELD_COUNT},
		{BYTES("1 2 3 "), FINTRANS_REJECT_FIELD_COUNT},
		{BYTES(" 1 2 3"), FINTRANS_REJECT_FIELD_COUNT},
		{BYTES("1  2 3"), FINTRANS_REJECT_FIELD_COUNT},
		{BYTES("1\t2\t3"), FINTRANS_REJECT_FIELD_COUNT},
		{BYTES("1,2,3"), FINTRANS_REJECT_FIELD_COUNT},
		{BYTES("1 2 3 USD"), FINTRANS_REJECT_FIELD_COUNT},
		{BYTES("1 2 1 000.00"), FINTRANS_REJECT_FIELD_COUNT},
		{BYTES("{\"source\":\"1\",\"target\":\"2\",\"amount\":3}"),
		FINTRANS_REJECT_FIELD_COUNT},
		{BYTES("1 2 3 4 5 6 7 8 9 10"), FINTRANS_REJECT_FIELD_COUNT},
		{BYTES("[[[[[[[[[[[["), FINTRANS_REJECT_FIELD_COUNT},
	};

	(void) state;
	CHECK_REFUSED(cases, NULL);
}

static void
refuses_bad_accounts(void **state)
{
	static const Refused cases[] = {
		{BYTES(" 2 3"), FINTRANS_REJECT_BAD_ACCOUNT},
		{BYTES("1  3"), FINTRANS_REJECT_BAD_ACCOUNT},
		{BYTES("1\t 2 3"), FINTRANS_REJECT_BAD_ACCOUNT},
		{BYTES("1 2\n 3"), FINTRANS_REJECT_BAD_ACCOUNT},
		{BYTES("\x01 2 3"), FINTRANS_REJECT_BAD_ACCOUNT},
		{BYTES("1 \x1F 3"), FINTRANS_REJECT_BAD_ACCOUNT},
		{BYTES("1 \x7F 3"), FINTRANS_REJECT_BAD_ACCOUNT},
		{BYTES("1 \xC2\x80 3"), FINTRANS_REJECT_BAD_ACCOUNT},
		{BYTES("\xC2\x9F 2 3"), FINTRANS_REJECT_BAD_ACCOUNT},
	};

	(void) state;
	CHECK_REFUSED(cases, NULL);
}

static void
refuses_bad_amounts(void **state)
{
	static const char *const amounts[] = {
		"", "-0", "-5", "+5", "1e3", "1E3", "0x10", "1_000", "1,000.00",
		".5", "5.", ".", "1.2.3", "1..2", "NaN", "nan", "Infinity", "inf",
		"\xD9\xA3", "\xE2\x88\x92" "5", "12a", "a12", "1.5x", "5\r\n", "5\n",
		"5\t", "5\r", "\xEF\xBC\x95", "$5", "5%",
		/* one digit more than the limits */
		"1000000000000000", "0.0000000000000000001",
		/* 2^53 + 1, 2^63 - 1, 2^63, 10^38 */
		"9007199254740993", "9223372036854775807", "9223372036854775808",
		"100000000000000000000000000000000000000",
	};
	char		payload[128];
	char		detail[RECORD_DETAIL_BYTES];

	(void) state;
	for (size_t i = 0; i < sizeof(amounts) / sizeof(amounts[0]); i++)
	{
		RecordVerdict verdict;

		snprintf(payload, sizeof(payload), "a b %s", amounts[i]);
		verdict = parse(payload, strlen(payload), NULL, NULL, detail);
		if (verdict != FINTRANS_REJECT_BAD_AMOUNT)
			fail_msg("amount \"%s\" gives %s", amounts[i],
					 verdict == FINTRANS_ACCEPTED ? "no refusal" :
					 record_reason(verdict));
	}
}

static void
knows_the_installations_currency(void **state)
{
	static const Refused cases[] = {
		{BYTES("1 2 3 EUR"), FINTRANS_REJECT_WRONG_CURRENCY},
		{BYTES("1 2 3 usd"), FINTRANS_REJECT_WRONG_CURRENCY},
		{BYTES("1 2 3 US"), FINTRANS_REJECT_WRONG_CURRENCY},
		{BYTES("1 2 3 USDT"), FINTRANS_REJECT_WRONG_CURRENCY},
		{BYTES("1 2 3 "), FINTRANS_REJECT_WRONG_CURRENCY},
		{BYTES("1 2 3 USD\n"), FINTRANS_REJECT_WRONG_CURRENCY},
		{BYTES("1 2 3 USD x"), FINTRANS_REJECT_FIELD_COUNT},
		{BYTES("1 2"), FINTRANS_REJECT_FIELD_COUNT},
	};

	(void) state;
	check_accepted("1 2 3", "USD", "1", "2", "3", "");
	check_accepted("1 2 3.50 USD", "USD", "1", "2", "3", "50");
	CHECK_REFUSED(cases, "USD");
}

static void
details_hold_nothing_of_the_payload(void **state)
{
	static const char *const payloads[] = {
		"SECRET", "SECRET SECRET", "SECRET SECRET -SECRET",
		"SECRET SECRET 1 SECRET", "SECRET\x01 b 1", "SECRET\xFF",
		"SECRET SECRET 1.SECRET"
	};
	char		detail[RECORD_DETAIL_BYTES];

	(void) state;
	for (size_t i = 0; i < sizeof(payloads) / sizeof(payloads[0]); i++)
	{
		assert_int_not_equal(parse(payloads[i], strlen(payloads[i]), "USD",
								   NULL, detail), FINTRANS_ACCEPTED);
		assert_null(strstr(detail, "SECRET"));
	}
}

/* Cut anywhere, a payload is refused or still good, and read no further. */
static void
survives_any_cut(void **state)
{
	static const char payload[] =
		"D\xC3\xA9" "89 \xF0\x9F\x92\xB0\xE2\x82\xAC 00123.450 USD";
	char		detail[RECORD_DETAIL_BYTES];

	(void) state;
	for (size_t length = 0; length < sizeof(payload); length++)
		for (size_t start = 0; start <= length; start++)
			(void) parse(payload + start, length - start, "USD", NULL,
						 detail);
}

/* Every pair of bytes inside an account: accepted only when well-formed. */
static void
survives_any_two_bytes(void **state)
{
	char		payload[] = "a?? b 1";
	char		detail[RECORD_DETAIL_BYTES];
	int			accepted = 0;

	(void) state;
	for (int first = 0; first < 256; first++)
	{
		for (int second = 0; second < 256; second++)
		{
			payload[1] = (char) first;
			payload[2] = (char) second;
			if (parse(payload, sizeof(payload) - 1, NULL, NULL, detail)
				== FINTRANS_ACCEPTED)
				accepted++;
		}
	}
	/*
	 * 94 printable ASCII characters in each place, or one character of two
	 * bytes: leads C2 to DF times 64, less the 32 control characters.
	 */
	assert_int_equal(accepted, 94 * 94 + 30 * 64 - 32);
}

static void
reasons_are_the_closed_list(void **state)
{
	/* as they are now, and as a table of 0.1.0 takes them */
	static const char *const expected[][2] = {
		{"empty", "empty"},
		{"too_long", "too_long"},
		{"bad_encoding", "bad_encoding"},
		{"field_count", "field_count"},
		{"bad_account", "bad_account"},
		{"bad_amount", "bad_amount"},
		{"bad_time", "bad_time"},
		{"wrong_currency", "wrong_currency"},
		{"wire_format", "bad_encoding"},
		{"bad_syntax", "field_count"},
		{"missing_field", "field_count"},
		{"bad_reference", "field_count"},
		{"refused", "refused"}
	};

	(void) state;
	assert_int_equal(FINTRANS_VERDICTS,
					 1 + sizeof(expected) / sizeof(expected[0]));
	for (int i = 1; i < FINTRANS_VERDICTS; i++)
	{
		assert_string_equal(record_reason((RecordVerdict) i),
							expected[i - 1][0]);
		assert_string_equal(record_older_reason((RecordVerdict) i),
							expected[i - 1][1]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(accepts_the_demos_messages),
		cmocka_unit_test(accepts_amounts_within_the_limits),
		cmocka_unit_test(accepts_any_text_as_account),
		cmocka_unit_test(accepts_the_longest_account_and_no_longer),
		cmocka_unit_test(refuses_what_has_no_content),
		cmocka_unit_test(refuses_what_is_too_long),
		cmocka_unit_test(refuses_other_encodings),
		cmocka_unit_test(refuses_other_numbers_of_fields),
		cmocka_unit_test(refuses_bad_accounts),
		cmocka_unit_test(refuses_bad_amounts),
		cmocka_unit_test(knows_the_installations_currency),
		cmocka_unit_test(details_hold_nothing_of_the_payload),
		cmocka_unit_test(survives_any_cut),
		cmocka_unit_test(survives_any_two_bytes),
		cmocka_unit_test(reasons_are_the_closed_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
