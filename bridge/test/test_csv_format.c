/*
 * CSV against what RFC 4180 allows and does not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "csv_format.h"
#include "one_codec.h"

#define TESTED_FORMAT "csv"

static void
use(const char *fields, const char *header)
{
	use_settings(&(CodecSettings) {.format = "csv",.fields = fields,
			.csv_header = header});
}

static void
accepts_records(void **state)
{
	(void) state;
	check_accepted(codec, BYTES("516,482,8644"), "516", "482", "8644.", NULL);
	check_accepted(codec, BYTES("a,b,12.50\r\n"), "a", "b", "12.50", NULL);
	check_accepted(codec, BYTES("a,b,0.10\n"), "a", "b", ".10", NULL);
	check_accepted(codec, BYTES("a,b,1,more,\"and more\""), "a", "b", "1.",
				   NULL);
	check_accepted(codec, BYTES("a,b,999999999999999.999999999999999999"),
				   "a", "b", "999999999999999.999999999999999999", NULL);
}

static void
quotes_and_blanks_are_rfc_4180s(void **state)
{
	(void) state;
	check_accepted(codec, BYTES("\"a,b\",\"say \"\"c\"\"\",\"1.5\""),
				   "a,b", "say \"c\"", "1.5", NULL);
	/* blanks are part of a field */
	check_accepted(codec, BYTES(" a , b b,1"), " a ", " b b", "1.", NULL);
	check_accepted(codec, BYTES("\xC3\xA9,\"\xF0\x9F\x92\xB0\",1"),
				   "\xC3\xA9", "\xF0\x9F\x92\xB0", "1.", NULL);
}

static void
columns_have_numbers_or_names(void **state)
{
	(void) state;
	use("amount=1,target=3,source=5", NULL);
	check_accepted(codec, BYTES("1,x,b,y,a"), "a", "b", "1.", NULL);
	use(NULL, "amount,id,\"source\",target");
	check_accepted(codec, BYTES("1,x,a,b"), "a", "b", "1.", NULL);
	use("source=from,target=to\\, or so,amount=4,reference=id",
		"id,from,\"to, or so\",value");
	check_accepted(codec, BYTES("T1,a,b,1"), "a", "b", "1.", "T1");
	check_accepted(codec, BYTES(",a,b,1"), "a", "b", "1.", NULL);
	/* a name that is a number comes before the number */
	use("source=2,target=1,amount=3", "2,1,3");
	check_accepted(codec, BYTES("a,b,1"), "a", "b", "1.", NULL);
}

static void
refuses_what_is_not_a_record(void **state)
{
	static const Refused cases[] = {
		{BYTES("\"a,b,1"), "bad_syntax", "not closed"},
		{BYTES("\"a\"x,b,1"), "bad_syntax", "not CSV at byte 4"},
		{BYTES("\"a\" ,b,1"), "bad_syntax", "not CSV at byte 4"},
		{BYTES("a\"\",b,1"), "bad_syntax", "not CSV at byte 2"},
		{BYTES("a,b,1\nc,d,2"), "bad_syntax", "2 records"},
		{BYTES("a,b,1\r\nc,d,2\r\n"), "bad_syntax", "2 records"},
		{BYTES("a,b"), "field_count", "2 fields, at least 3"},
		{BYTES("516 482 8644"), "field_count", "1 fields"},
		{BYTES("{\"source\":1}"), "bad_syntax", "not CSV"},
		{BYTES("\xEF\xBB\xBF" "a,b,1"), "bad_encoding", "byte order mark"},
		{BYTES("a,b\xFF,1"), "bad_encoding", "not UTF-8 at byte 4"},
		{BYTES("a,b\0,1"), "bad_encoding", "NUL at byte 4"},
		{BYTES("\0\0\0\0\1a,b,1"), "wire_format", "schema registry"},
		{BYTES("\r\n"), "empty", "blanks"},
		{NULL, 0, "empty", "no payload"},
	};
	static const Refused headed[] = {
		{BYTES("a,b,1,x"), "field_count", "4 fields, 3 are expected"},
		{BYTES("a,b"), "field_count", "2 fields, 3 are expected"},
	};

	(void) state;
	CHECK_REFUSED(codec, cases);
	/* the parser begins anew behind each */
	check_accepted(codec, BYTES("a,b,1"), "a", "b", "1.", NULL);
	use(NULL, "source,target,amount");
	CHECK_REFUSED(codec, headed);
	check_accepted(codec, BYTES("a,b,1"), "a", "b", "1.", NULL);
}

static void
refuses_bad_fields(void **state)
{
	static const Refused cases[] = {
		{BYTES(",b,1"), "bad_account", "source account is empty"},
		{BYTES("a,\"\",1"), "bad_account", "target account is empty"},
		{BYTES("a,   ,1"), "bad_account", "made of blanks"},
		{BYTES("a,b\tc,1"), "bad_account", "control"},
		{BYTES("\"a\nb\",b,1"), "bad_account", "control"},
		{BYTES("a,b,"), "bad_amount", "empty"},
		{BYTES("a,b, 1"), "bad_amount", "digits"},
		{BYTES("a,b,-1"), "bad_amount", "sign"},
		{BYTES("a,b,1e3"), "bad_amount", "exponent"},
		{BYTES("a,b,\"1,000.00\""), "bad_amount", "separator"},
		{BYTES("source,target,amount"), "bad_amount", "digits"},
	};
	static char wide[3 * RECORD_MAX_BYTES];
	char		text[RECORD_DETAIL_BYTES];
	Record		record;

	(void) state;
	CHECK_REFUSED(codec, cases);
	memset(wide, 'x', sizeof(wide));
	memcpy(wide + 300, ",b,1", 4);
	assert_int_equal(decode(codec, wide, 304, &record, text),
					 FINTRANS_REJECT_BAD_ACCOUNT);
	assert_non_null(strstr(text, "300 bytes"));
	memcpy(wide + RECORD_MAX_BYTES - 4, ",b,1", 4);
	wide[300] = 'x';
	assert_int_equal(decode(codec, wide, RECORD_MAX_BYTES, &record, text),
					 FINTRANS_REJECT_BAD_ACCOUNT);
	assert_int_equal(decode(codec, wide, sizeof(wide), &record, text),
					 FINTRANS_REJECT_TOO_LONG);
	/* as many columns as there can be */
	memset(wide, ',', RECORD_MAX_BYTES);
	memcpy(wide, "a,b,1", 5);
	check_accepted(codec, wide, RECORD_MAX_BYTES, "a", "b", "1.", NULL);
}

static void
details_hold_nothing_of_the_payload(void **state)
{
	static const char *const payloads[] = {
		"SECRET", "SECRET,SECRET,SECRET", "SECRET,\"SECRET", "\"SECRET\"SECRET",
		"SECRET,\tSECRET,1", "SECRET\nSECRET"
	};

	(void) state;
	CHECK_DISCREET(payloads);
}

static void
survives_any_cut(void **state)
{
	static const char payload[] =
		"\"D\xC3\xA9\",\"\xF0\x9F\x92\xB0 \"\"x\"\",\",123.450,\r\n\"z\"y\n";

	(void) state;
	check_cuts(payload, sizeof(payload));
}

static void
refuses_bad_mappings(void **state)
{
	static const struct
	{
		const char *fields;
		const char *header;
		const char *reason;
	}			mappings[] = {
		{"source=0,target=2,amount=3", NULL, "number from 1 to 256"},
		{"source=257,target=2,amount=3", NULL, "number from 1 to 256"},
		{"source=9999999999999999999999,target=2,amount=3", NULL, "source"},
		{"source=x,target=2,amount=3", NULL, "nor a name in --csv-header"},
		{"source=1,target=1,amount=3", NULL, "same place"},
		{"source=1,target=2,amount=4", "a,b,c", "amount"},
		{"source=a,target=b,amount=c", "a,b,a,c", "\"a\" twice"},
		{"source=a,target=b,amount=c", "a,b,\"c", "not one record"},
		{"source=a,target=b,amount=c", "a,b,c\nd", "not one record"},
		{"source=a,target=b,amount=c", "", "not one record"},
		{NULL, "a,b,c", "source"},
	};
	char		errstr[256];

	(void) state;
	for (size_t i = 0; i < sizeof(mappings) / sizeof(mappings[0]); i++)
	{
		const CodecSettings settings = {
			.format = "csv",.fields = mappings[i].fields,
			.csv_header = mappings[i].header
		};

		assert_null(codec_open(&settings, errstr, sizeof(errstr)));
		if (strstr(errstr, mappings[i].reason) == NULL)
			fail_msg("case %zu: %s", i, errstr);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(accepts_records),
		TEST(quotes_and_blanks_are_rfc_4180s),
		TEST(columns_have_numbers_or_names),
		TEST(refuses_what_is_not_a_record),
		TEST(refuses_bad_fields),
		TEST(details_hold_nothing_of_the_payload),
		TEST(survives_any_cut),
		TEST(refuses_bad_mappings),
	};

	return cmocka_run_group_tests_name("csv_format", tests, NULL, NULL);
}
