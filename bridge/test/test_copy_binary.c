/*
 * The COPY BINARY encoder against bytes that PostgreSQL 15 itself wrote:
 * numeric_send(), timestamptz_send(), and a whole COPY .. TO STDOUT (FORMAT
 * binary).  Each statement stands beside its bytes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "copy_binary.h"

#define BUFFER_BYTES 512

static uint8_t memory[BUFFER_BYTES];

static CopyBuffer
buffer_of(size_t size)
{
	return (CopyBuffer)
	{
		memory, size, 0
	};
}

static void
assert_hex(const CopyBuffer *buffer, size_t from, const char *expected)
{
	char		hex[2 * BUFFER_BYTES + 1] = "";

	for (size_t i = from; i < buffer->used; i++)
		snprintf(hex + 2 * (i - from), 3, "%02x", buffer->data[i]);
	assert_string_equal(hex, expected);
}

/* The amount as the parser hands it over. */
static RecordAmount
amount_of(const char *text)
{
	static char kept[64];
	char		detail_text[RECORD_DETAIL_BYTES];
	const RecordDetail detail = {detail_text, sizeof(detail_text)};
	Record		record;

	snprintf(kept, sizeof(kept), "%s", text);
	assert_int_equal(record_take_amount(&record, kept, strlen(kept), &detail),
					 FINTRANS_ACCEPTED);
	return record.amount;
}

static void
numerics_are_postgresqls(void **state)
{
	/* SELECT numeric_send(<text>) */
	static const char *const cases[][2] = {
		{"0", "0000000000000000"},
		{"0.0", "0000000000000001"},
		{"0.00", "0000000000000002"},
		{"0.1", "0001ffff0000000103e8"},
		{"5", "00010000000000000005"},
		{"7", "00010000000000000007"},
		{"9999", "0001000000000000270f"},
		{"10000", "00010001000000000001"},
		{"10001", "000200010000000000010001"},
		{"100000000", "00010002000000000001"},
		{"99999999.99", "0003000100000002270f270f26ac"},
		{"12.50", "0002000000000002000c1388"},
		{"0.000000000000000001", "0001fffb000000120064"},
		{"999999999999999.999999999999999999",
		"000900030000001203e7270f270f270f270f270f270f270f26ac"},
		{"1000000000000", "00010003000000000001"},
		{"0.0001", "0001ffff000000040001"},
		{"0.00001", "0001fffe0000000503e8"},
		{"1.0000", "00010000000000040001"},
		{"123456789.12345", "0005000200000005000109291a8504d21388"},
		{"100000000.00010000", "00040002000000080001000000000001"},
		{"20000.05", "00030001000000020002000001f4"},
		{"007", "00010000000000000007"},
	};

	(void) state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		RecordAmount amount = amount_of(cases[i][0]);
		CopyBuffer	buffer = buffer_of(BUFFER_BYTES);

		assert_true(copy_put_numeric(&buffer, &amount));
		assert_int_equal(buffer.data[3], buffer.used - 4);
		assert_hex(&buffer, 4, cases[i][1]);
	}
}

static void
timestamps_are_postgresqls(void **state)
{
	/* SELECT timestamptz_send(t), extract(epoch FROM t) * 1000000 */
	static const struct
	{
		int64_t		us;
		const char *hex;
	}			cases[] = {
		{INT64_C(946684800000000), "000000080000000000000000"},
		{INT64_C(1795508100123456), "00000008000304001347eb40"},
		{INT64_C(0), "00000008fffca2fec4c82000"},
		{INT64_C(1795508100123000), "00000008000304001347e978"},
		{INT64_C(946684799999000), "00000008fffffffffffffc18"},
	};

	(void) state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		CopyBuffer	buffer = buffer_of(BUFFER_BYTES);

		assert_true(copy_put_timestamptz(&buffer, cases[i].us));
		assert_hex(&buffer, 0, cases[i].hex);
	}
}

static void
timestamps_have_postgresqls_limits(void **state)
{
	/* SELECT extract(epoch FROM timestamptz '4714-11-24 00:00:00+00 BC') */
	const int64_t first_us = INT64_C(-210866803200) * 1000000;

	(void) state;
	assert_true(copy_is_timestamp(first_us));
	assert_false(copy_is_timestamp(first_us - 1));
	assert_false(copy_is_timestamp(INT64_MIN));
	/* in the year 294247; PostgreSQL has 29 more */
	assert_true(copy_is_timestamp(INT64_MAX - 1));
	assert_false(copy_is_timestamp(INT64_MAX));
	assert_true(copy_is_timestamp(0));
}

#define EVENT_TIME_US INT64_C(1795508100123000)

static bool
put_transaction(CopyBuffer *buffer, int64_t offset)
{
	RecordAmount amount = amount_of("8644");

	return copy_put_row(buffer, 8) &&
		copy_put_timestamptz(buffer, EVENT_TIME_US) &&
		copy_put_bytes(buffer, "London", 6) &&
		copy_put_bytes(buffer, "516", 3) &&
		copy_put_bytes(buffer, "482", 3) &&
		copy_put_numeric(buffer, &amount) &&
		copy_put_null(buffer) &&
		copy_put_int4(buffer, 3) &&
		copy_put_int8(buffer, offset);
}

static void
a_table_is_postgresqls(void **state)
{
	CopyBuffer	buffer = buffer_of(BUFFER_BYTES);

	(void) state;
	assert_true(copy_put_header(&buffer));
	assert_int_equal(buffer.used, COPY_HEADER_BYTES);
	assert_true(put_transaction(&buffer, INT64_C(1234567890123)));
	assert_true(copy_put_trailer(&buffer));
	/*
	 * COPY (SELECT timestamptz '2026-11-24 08:15:00.123+00', 'London'::text,
	 * '516'::text, '482'::text, 8644::numeric, NULL::text, 3::int4,
	 * 1234567890123::int8) TO STDOUT (FORMAT binary)
	 */
	assert_hex(&buffer, 0,
			   "5047434f50590aff0d0a0000000000000000000008000000080003040013"
			   "47e978000000064c6f6e646f6e0000000335313600000003343832000000"
			   "0a000100000000000021c4ffffffff000000040000000300000008000001"
			   "1f71fb04cbffff");
}

static void
nothing_is_written_beyond_the_end(void **state)
{
	CopyBuffer	buffer = buffer_of(BUFFER_BYTES);
	size_t		needed;

	(void) state;
	assert_true(copy_put_header(&buffer) && put_transaction(&buffer, 1) &&
				copy_put_trailer(&buffer));
	needed = buffer.used;
	for (size_t size = 0; size < needed; size++)
	{
		/* at its exact size, so that a sanitizer sees a write beyond it */
		CopyBuffer	small = {malloc(size > 0 ? size : 1), size, 0};

		assert_non_null(small.data);
		assert_false(copy_put_header(&small) && put_transaction(&small, 1) &&
					 copy_put_trailer(&small));
		assert_true(small.used <= size);
		free(small.data);
	}
}

static void
lengths_that_do_not_fit_are_refused(void **state)
{
	CopyBuffer	buffer = buffer_of(8);

	(void) state;
	assert_false(copy_put_bytes(&buffer, memory, SIZE_MAX));
	assert_false(copy_put_bytes(&buffer, memory, (size_t) INT32_MAX + 1));
	assert_false(copy_put_bytes(&buffer, memory, 5));
	assert_int_equal(buffer.used, 0);
	assert_true(copy_put_bytes(&buffer, "abcd", 4));
	assert_true(copy_put_bytes(&buffer, NULL, 0) == false);
}

static void
rows_are_found_again(void **state)
{
	CopyBuffer	buffer = buffer_of(BUFFER_BYTES);
	CopyField	fields[8];
	size_t		at = COPY_HEADER_BYTES;
	size_t		end;
	int64_t		us;
	int64_t		offset;
	int32_t		partition;

	(void) state;
	assert_true(copy_put_header(&buffer));
	for (int64_t i = 0; i < 3; i++)
		assert_true(put_transaction(&buffer, 70 + i));
	for (int64_t row = 1; row <= 3; row++)
	{
		end = at;
		assert_false(copy_next_row(&buffer, &at, fields, 7));
		assert_int_equal(at, end);
		assert_true(copy_next_row(&buffer, &at, fields, 8));
		assert_int_equal(fields[1].length, 6);
		assert_memory_equal(fields[1].data, "London", 6);
		assert_null(fields[5].data);
		assert_true(copy_get_int4(&fields[6], &partition));
		assert_int_equal(partition, 3);
		assert_true(copy_get_int8(&fields[7], &offset));
		assert_int_equal(offset, 69 + row);
		assert_true(copy_get_timestamptz(&fields[0], &us));
		assert_int_equal(us, EVENT_TIME_US);
		/* a field of another width, or NULL */
		assert_false(copy_get_int4(&fields[7], &partition));
		assert_false(copy_get_int8(&fields[6], &offset));
		assert_false(copy_get_int8(&fields[5], &offset));
	}
	assert_false(copy_next_row(&buffer, &at, fields, 8));
	assert_true(copy_put_trailer(&buffer));
	assert_false(copy_next_row(&buffer, &at, fields, 8));
	assert_int_equal(at, buffer.used - COPY_TRAILER_BYTES);
}

static void
a_cut_buffer_is_not_read_beyond(void **state)
{
	CopyBuffer	buffer = buffer_of(BUFFER_BYTES);
	CopyField	fields[8];

	(void) state;
	assert_true(copy_put_header(&buffer) && put_transaction(&buffer, 1));
	for (size_t used = 0; used < buffer.used; used++)
	{
		CopyBuffer	cut = {malloc(used > 0 ? used : 1), used, used};
		size_t		at = COPY_HEADER_BYTES;

		assert_non_null(cut.data);
		memcpy(cut.data, buffer.data, used);
		assert_false(copy_next_row(&cut, &at, fields, 8));
		free(cut.data);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numerics_are_postgresqls),
		cmocka_unit_test(timestamps_are_postgresqls),
		cmocka_unit_test(timestamps_have_postgresqls_limits),
		cmocka_unit_test(a_table_is_postgresqls),
		cmocka_unit_test(nothing_is_written_beyond_the_end),
		cmocka_unit_test(lengths_that_do_not_fit_are_refused),
		cmocka_unit_test(rows_are_found_again),
		cmocka_unit_test(a_cut_buffer_is_not_read_beyond),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
