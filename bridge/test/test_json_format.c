/*
 * JSON against what RFC 8259 allows and does not, what senders of money write,
 * and what a text of PostgreSQL cannot hold.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "json_format.h"
#include "one_codec.h"

#define TESTED_FORMAT "json"

#define FLAT(amount) "{\"source\":\"a\",\"target\":\"b\",\"amount\":" amount "}"
#define FROM(source) "{\"source\":" source ",\"target\":\"b\",\"amount\":1}"

static void
use_fields(const char *fields, const char *time_unit)
{
	use_settings(&(CodecSettings) {.format = "json",.fields = fields,
			.time_unit = time_unit});
}

static void
accepts_flat_objects(void **state)
{
	(void) state;
	check_accepted(codec, BYTES("{\"source\":516,\"target\":482,\"amount\":8644}"),
				   "516", "482", "8644.", NULL);
	check_accepted(codec, BYTES(" {\n\t\"amount\" : \"12.50\" ,\r\n \"target\":\"b\", \"source\":\"a\" } \n"),
				   "a", "b", "12.50", NULL);
	check_accepted(codec, BYTES("{\"x\":[1,{\"source\":\"no\",\"amount\":9},[]],"
								"\"source\":\"a\",\"y\":{\"source\":7,\"target\":{}},"
								"\"target\":\"b\",\"amount\":1,\"z\":null,\"t\":true}"),
				   "a", "b", "1.", NULL);
}

/* Digits as they are written, none of them by way of a double. */
static void
amounts_are_exact(void **state)
{
	(void) state;
	check_accepted(codec, BYTES(FLAT("0.1")), "a", "b", ".1", NULL);
	check_accepted(codec, BYTES(FLAT("0.10")), "a", "b", ".10", NULL);
	check_accepted(codec, BYTES(FLAT("\"0.10\"")), "a", "b", ".10", NULL);
	check_accepted(codec, BYTES(FLAT("0")), "a", "b", ".", NULL);
	/* 2^53 + 1 */
	check_accepted(codec, BYTES(FLAT("900719925474099.3")), "a", "b",
				   "900719925474099.3", NULL);
	check_accepted(codec, BYTES(FLAT("999999999999999.999999999999999999")),
				   "a", "b", "999999999999999.999999999999999999", NULL);
	check_accepted(codec, BYTES(FLAT("\"000000000000000000001.5\"")), "a", "b",
				   "1.5", NULL);
}

static void
accepts_any_text_as_account(void **state)
{
	(void) state;
	check_accepted(codec, BYTES(FROM("\"DE89 3704 0044 0532 0130 00\"")),
				   "DE89 3704 0044 0532 0130 00", "b", "1.", NULL);
	check_accepted(codec, BYTES(FROM("\"\\\"\\\\\\/\"")), "\"\\/", "b", "1.",
				   NULL);
	check_accepted(codec, BYTES(FROM("\"\\u00e9\\u20AC\\ud83d\\udcb0\"")),
				   "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x92\xB0", "b", "1.", NULL);
	check_accepted(codec, BYTES(FROM("\"\xC3\xA9\xF0\x9F\x92\xB0\"")),
				   "\xC3\xA9\xF0\x9F\x92\xB0", "b", "1.", NULL);
	/* more digits than any integer of a machine */
	check_accepted(codec, BYTES(FROM("123456789012345678901234567890")),
				   "123456789012345678901234567890", "b", "1.", NULL);
	check_accepted(codec, BYTES("{\"source\":\"\\u0061\",\"target\":\"\\u0062\",\"amount\":\"\\u0031\"}"),
				   "a", "b", "1.", NULL);
	/* names too may be escaped */
	check_accepted(codec, BYTES("{\"s\\u006furce\":\"a\",\"target\":\"b\",\"amount\":1}"),
				   "a", "b", "1.", NULL);
}

static void
follows_paths(void **state)
{
	(void) state;
	use_fields("source=payload.debtor.account,target=payload.creditor.account,"
			   "amount=payload.value.amount,reference=id,time=payload.at", NULL);
	check_accepted(codec, BYTES("{\"id\":\"T-1\",\"payload\":{\"debtor\":{\"name\":\"x\",\"account\":\"a\"},"
								"\"at\":\"1970-01-01\",\"account\":\"no\",\"value\":{\"amount\":3.20},"
								"\"creditor\":{\"x\":{\"account\":\"no\"},\"account\":\"b\"}},\"account\":1}"),
				   "a", "b", "3.20", "T-1");
	use_fields("source=a\\.b,target=c\\,d\\=e,amount=\xC3\xA9", NULL);
	check_accepted(codec, BYTES("{\"a.b\":\"a\",\"c,d=e\":\"b\",\"\\u00e9\":1,\"a\":{\"b\":2}}"),
				   "a", "b", "1.", NULL);
}

static void
references_are_optional(void **state)
{
	static const Refused cases[] = {
		{BYTES("{\"source\":1,\"target\":2,\"amount\":3,\"id\":\"a\\tb\"}"),
		"bad_reference", "control"},
		{BYTES("{\"source\":1,\"target\":2,\"amount\":3,\"id\":1.5}"),
		"bad_reference", "whole"},
		{BYTES("{\"source\":1,\"target\":2,\"amount\":3,\"id\":[]}"),
		"bad_reference", "neither"},
	};
	char		payload[400];
	char		id[FINTRANS_REFERENCE_MAX_BYTES + 2];
	const Refused too_long = {
		payload, 0, "bad_reference", "257 bytes, at most 256"
	};
	Refused		refused = too_long;

	(void) state;
	use_fields("source=source,target=target,amount=amount,reference=id", NULL);
	check_accepted(codec, BYTES(FLAT("1")), "a", "b", "1.", NULL);
	check_accepted(codec, BYTES("{\"source\":1,\"target\":2,\"amount\":3,\"id\":null}"),
				   "1", "2", "3.", NULL);
	check_accepted(codec, BYTES("{\"source\":1,\"target\":2,\"amount\":3,\"id\":\"\"}"),
				   "1", "2", "3.", NULL);
	check_accepted(codec, BYTES("{\"source\":1,\"target\":2,\"amount\":3,\"id\":12345678901234567890}"),
				   "1", "2", "3.", "12345678901234567890");
	CHECK_REFUSED(codec, cases);

	memset(id, 'i', sizeof(id));
	id[FINTRANS_REFERENCE_MAX_BYTES] = '\0';
	snprintf(payload, sizeof(payload),
			 "{\"source\":1,\"target\":2,\"amount\":3,\"id\":\"%s\"}", id);
	check_accepted(codec, payload, strlen(payload), "1", "2", "3.", id);
	snprintf(payload, sizeof(payload),
			 "{\"source\":1,\"target\":2,\"amount\":3,\"id\":\"i%s\"}", id);
	refused.length = strlen(payload);
	check_refused(codec, &refused, 1);
}

static void
refuses_what_is_not_json(void **state)
{
	static const Refused cases[] = {
		{BYTES("516 482 8644"), "bad_syntax", "not an object"},
		{BYTES("{"), "bad_syntax", "ends too early"},
		{BYTES(FLAT("1") "x"), "bad_syntax", "not JSON at byte"},
		{BYTES(FLAT("1") FLAT("1")), "bad_syntax", "not JSON at byte"},
		{BYTES("{\"source\":\"a"), "bad_syntax", "ends too early"},
		{BYTES("{\"source\":\"a\\"), "bad_syntax", "ends too early"},
		{BYTES("{\"source\":\"a\\u00"), "bad_syntax", "ends too early"},
		{BYTES("{\"source\":\"a\\u00g0\"}"), "bad_syntax", "not JSON at byte"},
		{BYTES("{\"source\":\"a\\x\"}"), "bad_syntax", "not JSON at byte"},
		{BYTES("{\"source\":\"a\n\"}"), "bad_syntax", "not JSON at byte"},
		{BYTES("{'source':1}"), "bad_syntax", "not JSON at byte"},
		{BYTES("{source:1}"), "bad_syntax", "not JSON at byte"},
		{BYTES("{\"source\":1,}"), "bad_syntax", "not JSON at byte"},
		{BYTES("{\"source\" 1}"), "bad_syntax", "not JSON at byte"},
		{BYTES("{\"source\":1}//"), "bad_syntax", "not JSON at byte"},
		{BYTES("/**/{\"source\":1}"), "bad_syntax", "not JSON at byte"},
		{BYTES("[1,2,3]"), "bad_syntax", "not an object"},
		{BYTES("17"), "bad_syntax", "not an object"},
		{BYTES("\"{}\""), "bad_syntax", "not an object"},
		{BYTES("null"), "bad_syntax", "not an object"},
		{BYTES("true"), "bad_syntax", "not an object"},
		{BYTES(FLAT("NaN")), "bad_syntax", "not JSON at byte"},
		{BYTES(FLAT("Infinity")), "bad_syntax", "not JSON at byte"},
		{BYTES(FLAT("-Infinity")), "bad_syntax", "not JSON at byte"},
		{BYTES(FLAT("01")), "bad_syntax", "not JSON at byte"},
		{BYTES(FLAT("+1")), "bad_syntax", "not JSON at byte"},
		{BYTES(FLAT(".5")), "bad_syntax", "not JSON at byte"},
		{BYTES(FLAT("5.")), "bad_syntax", "not JSON at byte"},
		{BYTES(FLAT("0x10")), "bad_syntax", "not JSON at byte"},
		{BYTES(FLAT("1_000")), "bad_syntax", "not JSON at byte"},
		{BYTES(FLAT("1e")), "bad_syntax", "not JSON at byte"},
		{BYTES(FLAT("--1")), "bad_syntax", "not JSON at byte"},
		{BYTES(FLAT("1.5.2")), "bad_syntax", "not JSON at byte"},
	};

	(void) state;
	CHECK_REFUSED(codec, cases);
}

static void
refuses_other_encodings(void **state)
{
	static const Refused cases[] = {
		{BYTES("\x00\x00\x00\x00\x2A{}"), "wire_format", "schema registry"},
		{BYTES("\xEF\xBB\xBF" FLAT("1")), "bad_encoding", "byte order mark"},
		{BYTES("\xFF\xFE{\0}\0"), "bad_encoding", "not UTF-8 at byte 1"},
		{BYTES("{\0"), "bad_encoding", "NUL at byte 2"},
		{BYTES(FROM("\"a\0b\"")), "bad_encoding", "NUL at byte 13"},
		{BYTES(FROM("\"\xC0\x80\"")), "bad_encoding", "not UTF-8 at byte 12"},
		{BYTES(FROM("\"\xED\xA0\x80\"")), "bad_encoding", "byte 12"},
		{BYTES(FROM("\"\xF4\x90\x80\x80\"")), "bad_encoding", "byte 12"},
		{BYTES("{\"x\":\"\xE2\x82"), "bad_encoding", "byte 7"},
		/* what no field is made of is text all the same */
		{BYTES("{\"x\":\"\\u0000\"}"), "bad_encoding", "escaped NUL at byte 7"},
		{BYTES("{\"\\u0000\":1}"), "bad_encoding", "escaped NUL at byte 3"},
		{BYTES(FROM("\"\\ud800\"")), "bad_encoding", "surrogate pair at byte 12"},
		{BYTES(FROM("\"\\uDFFF\"")), "bad_encoding", "surrogate"},
		{BYTES(FROM("\"\\ud800\\u0041\"")), "bad_encoding", "surrogate"},
		{BYTES(FROM("\"\\ud800\\ud800\"")), "bad_encoding", "surrogate"},
		{BYTES(FROM("\"\\ud800x\\udc00\"")), "bad_encoding", "surrogate"},
		{BYTES("{\"a\":\"\\ud800"), "bad_encoding", "surrogate"},
		{BYTES("\x1F\x8B\x08"), "bad_encoding", "not UTF-8"},
		{NULL, 0, "empty", "no payload"},
		{BYTES(""), "empty", "0 bytes"},
		{BYTES(" \r\n\t "), "empty", "blanks"},
	};

	(void) state;
	CHECK_REFUSED(codec, cases);
	/* a backslash, and text that only looks like an escape */
	check_accepted(codec, BYTES(FROM("\"\\\\u0000\"")), "\\u0000", "b", "1.",
				   NULL);
	check_accepted(codec, BYTES(FROM("\"\\\\\\\\ud800\"")), "\\\\ud800", "b",
				   "1.", NULL);
}

static void
refuses_bad_fields(void **state)
{
	static const Refused cases[] = {
		{BYTES("{}"), "missing_field", "the source is missing"},
		{BYTES("{\"source\":1,\"target\":2}"), "missing_field", "amount"},
		{BYTES("{\"source\":1,\"amount\":2}"), "missing_field", "target"},
		{BYTES("{\"Source\":1,\"target\":2,\"amount\":3}"), "missing_field",
		"source"},
		{BYTES("{\"source\":null,\"target\":2,\"amount\":3}"), "missing_field",
		"the source is null"},
		{BYTES(FROM("\"\"")), "bad_account", "the source account is empty"},
		{BYTES(FROM("\"  \"")), "bad_account", "made of blanks"},
		{BYTES(FROM("true")), "bad_account", "neither"},
		{BYTES(FROM("[\"a\"]")), "bad_account", "neither"},
		{BYTES(FROM("{\"iban\":\"a\"}")), "bad_account", "neither"},
		{BYTES(FROM("1.0")), "bad_account", "whole"},
		{BYTES(FROM("1e3")), "bad_account", "whole"},
		{BYTES(FROM("-1")), "bad_account", "whole"},
		{BYTES(FROM("\"a\\u0001\"")), "bad_account", "control"},
		{BYTES(FROM("\"a\\n\"")), "bad_account", "control"},
		{BYTES(FROM("\"a\x7F\"")), "bad_account", "control"},
		{BYTES(FROM("\"\\u0085\"")), "bad_account", "control"},
		{BYTES(FLAT("-5")), "bad_amount", "sign"},
		{BYTES(FLAT("-0")), "bad_amount", "sign"},
		{BYTES(FLAT("\"+5\"")), "bad_amount", "sign"},
		{BYTES(FLAT("1e3")), "bad_amount", "exponent"},
		{BYTES(FLAT("1E400")), "bad_amount", "exponent"},
		{BYTES(FLAT("1e999999999999999999999")), "bad_amount", "exponent"},
		{BYTES(FLAT("1.5e-300")), "bad_amount", "exponent"},
		{BYTES(FLAT("\"1,000.00\"")), "bad_amount", "separator"},
		{BYTES(FLAT("\"1.000,00\"")), "bad_amount", "separator"},
		{BYTES(FLAT("\"NaN\"")), "bad_amount", "digits"},
		{BYTES(FLAT("\" 5\"")), "bad_amount", "digits"},
		{BYTES(FLAT("\"\"")), "bad_amount", "empty"},
		{BYTES(FLAT("\".5\"")), "bad_amount", "point"},
		{BYTES(FLAT("\"5.\"")), "bad_amount", "point"},
		{BYTES(FLAT("true")), "bad_amount", "neither"},
		{BYTES(FLAT("{\"value\":1}")), "bad_amount", "neither"},
		{BYTES(FLAT("[1]")), "bad_amount", "neither"},
		{BYTES(FLAT("1000000000000000")), "bad_amount", "16 digits"},
		{BYTES(FLAT("0.1234567890123456789")), "bad_amount", "19 decimals"},
	};

	(void) state;
	CHECK_REFUSED(codec, cases);
}

/* Parsers differ in which one they take, so nobody knows what was meant. */
static void
refuses_members_that_are_there_twice(void **state)
{
	static const Refused flat[] = {
		{BYTES("{\"amount\":1,\"source\":1,\"target\":2,\"amount\":2}"),
		"bad_syntax", "member \"amount\" is there twice"},
		{BYTES("{\"amount\":1,\"\\u0061mount\":1}"), "bad_syntax", "twice"},
	};
	static const Refused nested[] = {
		{BYTES("{\"p\":{\"s\":1},\"p\":{\"t\":2,\"a\":3}}"), "bad_syntax",
		"member \"p\""},
		{BYTES("{\"p\":1,\"p\":{\"s\":1,\"t\":2,\"a\":3}}"), "bad_syntax",
		"member \"p\""},
		{BYTES("{\"p\":[{\"s\":1,\"t\":2,\"a\":3}]}"), "missing_field", "source"},
		{BYTES("{\"p\":{\"p\":{\"s\":1,\"t\":2,\"a\":3}}}"), "missing_field",
		"source"},
	};

	(void) state;
	CHECK_REFUSED(codec, flat);
	/* what is not asked for does not count, nor does the same name elsewhere */
	check_accepted(codec, BYTES("{\"x\":1,\"x\":2,\"y\":{\"amount\":1},\"source\":\"a\","
								"\"z\":[{\"amount\":1}],\"target\":\"b\",\"amount\":3}"),
				   "a", "b", "3.", NULL);
	use_fields("source=p.s,target=p.t,amount=p.a", NULL);
	CHECK_REFUSED(codec, nested);
}

static void
depth_and_size_are_bounded(void **state)
{
	static char payload[RECORD_MAX_BYTES + 2];
	static char nested[2 * JSON_MAX_DEPTH - 1];
	static char deep[2 * JSON_MAX_DEPTH + 100];
	static const char end[] = "\",\"source\":\"a\",\"target\":\"b\",\"amount\":1}";
	char		text[RECORD_DETAIL_BYTES];
	Record		record;

	(void) state;
	/* the outermost object is one of them */
	memset(nested, '[', JSON_MAX_DEPTH - 1);
	memset(nested + JSON_MAX_DEPTH - 1, ']', JSON_MAX_DEPTH - 1);
	snprintf(deep, sizeof(deep),
			 "{\"x\":%s,\"source\":1,\"target\":2,\"amount\":3}", nested);
	check_accepted(codec, deep, strlen(deep), "1", "2", "3.", NULL);

	memset(payload, '[', sizeof(payload));
	memcpy(payload, "{\"x\":", 5);
	assert_int_equal(decode(codec, payload, RECORD_MAX_BYTES, &record, text),
					 FINTRANS_REJECT_BAD_SYNTAX);
	assert_non_null(strstr(text, "more than 32 deep"));
	assert_int_equal(decode(codec, payload, RECORD_MAX_BYTES + 1, &record,
							text), FINTRANS_REJECT_TOO_LONG);

	/* as long as can be, once with escapes for which yajl needs a buffer */
	memset(payload, ' ', sizeof(payload));
	memcpy(payload, FLAT("1"), sizeof(FLAT("1")) - 1);
	check_accepted(codec, payload, RECORD_MAX_BYTES, "a", "b", "1.", NULL);
	memset(payload, 'n', sizeof(payload));
	memcpy(payload, "{\"x\":\"\\n", 8);
	memcpy(payload + RECORD_MAX_BYTES - strlen(end), end, strlen(end));
	check_accepted(codec, payload, RECORD_MAX_BYTES, "a", "b", "1.", NULL);
	check_accepted(codec, BYTES(FLAT("2")), "a", "b", "2.", NULL);
}

static void
long_fields_are_refused(void **state)
{
	static char payload[3000];
	static char digits[1001];
	char		text[RECORD_DETAIL_BYTES];
	Record		record;
	static const char *const forms[] = {
		"{\"source\":\"%s\",\"target\":2,\"amount\":3}",
		"{\"source\":\"\\n%s\",\"target\":2,\"amount\":3}",
		"{\"source\":%s,\"target\":2,\"amount\":3}",
		"{\"source\":1,\"target\":2,\"amount\":%s}",
		"{\"source\":1,\"target\":2,\"amount\":\"\\u0031%s\"}",
	};

	(void) state;
	memset(digits, '1', sizeof(digits) - 1);
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
	{
		const char *field = strstr(forms[i], "%s");
		size_t		before = (size_t) (field - forms[i]);

		memcpy(payload, forms[i], before);
		memcpy(payload + before, digits, sizeof(digits) - 1);
		memcpy(payload + before + sizeof(digits) - 1, field + 2,
			   strlen(field + 2) + 1);
		assert_int_equal(decode(codec, payload, strlen(payload), &record,
								text),
						 i < 3 ? FINTRANS_REJECT_BAD_ACCOUNT :
						 FINTRANS_REJECT_BAD_AMOUNT);
		assert_non_null(strstr(text, i == 1 || i == 4 ? "1001" : "1000"));
	}
}

static void
times_are_fields(void **state)
{
	static const Refused cases[] = {
		{BYTES("{\"source\":1,\"target\":2,\"amount\":3}"), "missing_field",
		"the time is missing"},
		{BYTES("{\"source\":1,\"target\":2,\"amount\":3,\"t\":null}"),
		"missing_field", "the time is null"},
		{BYTES("{\"source\":1,\"target\":2,\"amount\":3,\"t\":true}"),
		"bad_time", "neither"},
		{BYTES("{\"source\":1,\"target\":2,\"amount\":3,\"t\":\"\"}"),
		"bad_time", "number"},
		{BYTES("{\"source\":1,\"target\":2,\"amount\":3,\"t\":1.7E9}"),
		"bad_time", "exponent"},
	};
	char		text[RECORD_DETAIL_BYTES];
	Record		record;

	(void) state;
	use_fields("source=source,target=target,amount=amount,time=t", "s");
	CHECK_REFUSED(codec, cases);
	assert_int_equal(decode(codec, BYTES("{\"source\":1,\"target\":2,\"amount\":3,\"t\":1795508100.123456}"),
							&record, text), FINTRANS_ACCEPTED);
	assert_true(record.time.is_set);
	assert_true(record.time.us == INT64_C(1795508100123456));
	/* and of a message that is refused */
	assert_int_equal(decode(codec, BYTES("{\"source\":1,\"target\":2,\"amount\":-3,\"t\":\"17\"}"),
							&record, text), FINTRANS_REJECT_BAD_AMOUNT);
	assert_true(record.time.is_set);
	assert_true(record.time.us == 17000000);
}

static void
currencies_are_the_installations(void **state)
{
	static const Refused cases[] = {
		{BYTES("{\"source\":1,\"target\":2,\"amount\":3}"), "missing_field",
		"currency"},
		{BYTES("{\"source\":1,\"target\":2,\"amount\":3,\"c\":\"USD\"}"),
		"wrong_currency", "EUR"},
		{BYTES("{\"source\":1,\"target\":2,\"amount\":3,\"c\":\"eur\"}"),
		"wrong_currency", "EUR"},
		{BYTES("{\"source\":1,\"target\":2,\"amount\":3,\"c\":\"EURO\"}"),
		"wrong_currency", "EUR"},
		{BYTES("{\"source\":1,\"target\":2,\"amount\":3,\"c\":978}"),
		"wrong_currency", "EUR"},
	};

	(void) state;
	use_fields("source=source,target=target,amount=amount,currency=c", NULL);
	assert_true(codec_set_currency(codec, "EUR", NULL, 0));
	CHECK_REFUSED(codec, cases);
	check_accepted(codec, BYTES("{\"source\":1,\"target\":2,\"amount\":3,\"c\":\"EUR\"}"),
				   "1", "2", "3.", NULL);
}

/* A name may be in it, but it is the mapping's. */
static void
details_hold_nothing_of_the_payload(void **state)
{
	static const char *const payloads[] = {
		"SECRET", "{SECRET}", "{\"SECRET\":1}", "{\"source\":\"SECRET\"}",
		FROM("\"SECRET\\n\""), FLAT("\"SECRET\""), "{\"SECRET\":SECRET}",
		"[\"SECRET\"]", "{\"a\":\"SECRET\\q\"}", FLAT("1") "SECRET",
		"{\"SECRET\":\"\\u0000\"}", "{\"a\":1 \"SECRET\"}", "{\"SECRET"
	};

	(void) state;
	CHECK_DISCREET(payloads);
}

static void
survives_any_cut(void **state)
{
	static const char payload[] =
		" {\"p\":{\"s\":\"D\xC3\xA9\\u20ac\\ud83d\\udcb0\\\\\",\"x\":[1,{\"s\":[]}]},"
		"\"t\":123,\"a\":00123.450,\"n\":null,\"a\":1e5} ";

	(void) state;
	use_fields("source=p.s,target=t,amount=a,reference=n", NULL);
	check_cuts(payload, sizeof(payload));
}

static void
refuses_bad_mappings(void **state)
{
	static const char *const mappings[][2] = {
		{"source=a..b,target=t,amount=a", "empty name"},
		{"source=.a,target=t,amount=b", "empty name"},
		{"source=a.,target=t,amount=b", "empty name"},
		{"source=a,target=a,amount=b", "another field"},
		{"source=a,target=a.b,amount=c", "another field"},
		{"source=a.b,target=a,amount=c", "another field"},
		{"source=1.2.3.4.5.6.7.8.9.10.11.12.13.14.15.16.17,target=t,amount=a",
		"more than 16 names"},
	};
	char		errstr[256];

	(void) state;
	for (size_t i = 0; i < sizeof(mappings) / sizeof(mappings[0]); i++)
	{
		const CodecSettings settings = {
			.format = "json",.fields = mappings[i][0]
		};

		assert_null(codec_open(&settings, errstr, sizeof(errstr)));
		if (strstr(errstr, mappings[i][1]) == NULL)
			fail_msg("%s: %s", mappings[i][0], errstr);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(accepts_flat_objects),
		TEST(amounts_are_exact),
		TEST(accepts_any_text_as_account),
		TEST(follows_paths),
		TEST(references_are_optional),
		TEST(refuses_what_is_not_json),
		TEST(refuses_other_encodings),
		TEST(refuses_bad_fields),
		TEST(refuses_members_that_are_there_twice),
		TEST(depth_and_size_are_bounded),
		TEST(long_fields_are_refused),
		TEST(times_are_fields),
		TEST(currencies_are_the_installations),
		TEST(details_hold_nothing_of_the_payload),
		TEST(survives_any_cut),
		TEST(refuses_bad_mappings),
	};

	return cmocka_run_group_tests_name("json_format", tests, NULL, NULL);
}
