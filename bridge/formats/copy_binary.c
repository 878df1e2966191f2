/*
 * COPY BINARY: header, rows, trailer, all integers big-endian.  The layout is
 * that of the COPY reference page ("Binary Format"); the fields' contents are
 * what each type's receive function reads (numeric_recv, timestamptz_recv).
 */
#include "copy_binary.h"

#include <endian.h>
#include <string.h>

/* A numeric is written in base 10000. */
#define DIGITS_PER_GROUP 4
#define MAX_GROUPS \
	((FINTRANS_AMOUNT_INTEGER_DIGITS + DIGITS_PER_GROUP - 1) / \
	 DIGITS_PER_GROUP + \
	 (FINTRANS_AMOUNT_DECIMALS + DIGITS_PER_GROUP - 1) / DIGITS_PER_GROUP)

#define NUMERIC_POSITIVE 0

/* From 1970-01-01 to 2000-01-01, PostgreSQL's epoch. */
#define EPOCH_SHIFT_US INT64_C(946684800000000)

/* timestamp.h's MIN_TIMESTAMP, microseconds since 2000, included */
#define TIMESTAMP_FIRST_US (-INT64_C(211813488000000000))

/* Length word of a NULL, and the field count that ends the data. */
#define NULL_LENGTH (-1)
#define TRAILER (-1)

static const uint8_t header[COPY_HEADER_BYTES] = {
	'P', 'G', 'C', 'O', 'P', 'Y', '\n', 0xFF, '\r', '\n', 0,
	0, 0, 0, 0,					/* flags: no OIDs */
	0, 0, 0, 0					/* no header extension */
};

static bool has_room(const CopyBuffer *buffer, size_t bytes);
static void append(CopyBuffer *buffer, const void *bytes, size_t length);
static void append_int16(CopyBuffer *buffer, int16_t value);
static void append_int32(CopyBuffer *buffer, int32_t value);
static void append_int64(CopyBuffer *buffer, int64_t value);
static int16_t group_value(const char *digits, size_t count);
static bool read_int16(const CopyBuffer *buffer, size_t *at, int16_t *value);
static bool read_int32(const CopyBuffer *buffer, size_t *at, int32_t *value);

bool
copy_put_header(CopyBuffer *buffer)
{
	if (!has_room(buffer, sizeof(header)))
		return false;
	append(buffer, header, sizeof(header));
	return true;
}

bool
copy_put_trailer(CopyBuffer *buffer)
{
	return copy_put_row(buffer, TRAILER);
}

bool
copy_put_row(CopyBuffer *buffer, int16_t fields)
{
	if (!has_room(buffer, sizeof(int16_t)))
		return false;
	append_int16(buffer, fields);
	return true;
}

bool
copy_put_null(CopyBuffer *buffer)
{
	if (!has_room(buffer, sizeof(int32_t)))
		return false;
	append_int32(buffer, NULL_LENGTH);
	return true;
}

bool
copy_put_int4(CopyBuffer *buffer, int32_t value)
{
	if (!has_room(buffer, 2 * sizeof(int32_t)))
		return false;
	append_int32(buffer, sizeof(value));
	append_int32(buffer, value);
	return true;
}

bool
copy_put_int8(CopyBuffer *buffer, int64_t value)
{
	if (!has_room(buffer, sizeof(int32_t) + sizeof(value)))
		return false;
	append_int32(buffer, sizeof(value));
	append_int64(buffer, value);
	return true;
}

bool
copy_put_bytes(CopyBuffer *buffer, const void *bytes, size_t length)
{
	/* a field's length is a positive int32 */
	if (length > INT32_MAX ||
		!has_room(buffer, sizeof(int32_t)) ||
		!has_room(buffer, sizeof(int32_t) + length))
		return false;
	append_int32(buffer, (int32_t) length);
	append(buffer, bytes, length);
	return true;
}

bool
copy_put_timestamptz(CopyBuffer *buffer, int64_t us)
{
	return copy_put_int8(buffer, us - EPOCH_SHIFT_US);
}

/*
 * The groups of four digits lie on both sides of the decimal point: the first
 * integer group may be short, the last decimal group is filled up with zeros.
 * Groups of zero at either end are left out, as numeric_send does; a zero has
 * no group at all.
 */
bool
copy_put_numeric(CopyBuffer *buffer, const RecordAmount *amount)
{
	int16_t		groups[MAX_GROUPS];
	int16_t		weight = 0;
	size_t		count = 0;
	size_t		first = 0;
	size_t		in_group = amount->integer_digits % DIGITS_PER_GROUP;

	if (in_group == 0)
		in_group = DIGITS_PER_GROUP;
	for (size_t at = 0; at < amount->integer_digits;)
	{
		groups[count++] = group_value(amount->integer + at, in_group);
		at += in_group;
		in_group = DIGITS_PER_GROUP;
	}
	weight = (int16_t) ((int16_t) count - 1);
	for (size_t at = 0; at < amount->decimal_digits; at += DIGITS_PER_GROUP)
	{
		size_t		left = (size_t) amount->decimal_digits - at;
		int16_t		group;

		in_group = left < DIGITS_PER_GROUP ? left : DIGITS_PER_GROUP;
		group = group_value(amount->decimals + at, in_group);
		for (size_t i = in_group; i < DIGITS_PER_GROUP; i++)
			group = (int16_t) (group * 10);
		groups[count++] = group;
	}
	while (count > first && groups[count - 1] == 0)
		count--;
	while (first < count && groups[first] == 0)
	{
		first++;
		weight--;
	}
	if (first == count)
		weight = 0;

	if (!has_room(buffer, sizeof(int32_t) + (4 + count - first) *
				  sizeof(int16_t)))
		return false;
	append_int32(buffer, (int32_t) ((4 + count - first) * sizeof(int16_t)));
	append_int16(buffer, (int16_t) (count - first));
	append_int16(buffer, weight);
	append_int16(buffer, NUMERIC_POSITIVE);
	append_int16(buffer, amount->decimal_digits);
	for (size_t i = first; i < count; i++)
		append_int16(buffer, groups[i]);
	return true;
}

bool
copy_is_timestamp(int64_t us)
{
	return us >= TIMESTAMP_FIRST_US + EPOCH_SHIFT_US && us < INT64_MAX;
}

bool
copy_next_row(const CopyBuffer *buffer, size_t *at, CopyField *fields,
			  int16_t count)
{
	size_t		cursor = *at;
	int16_t		written;

	if (cursor > buffer->used || !read_int16(buffer, &cursor, &written) ||
		written != count)
		return false;
	for (int16_t i = 0; i < count; i++)
	{
		int32_t		length;

		if (!read_int32(buffer, &cursor, &length))
			return false;
		fields[i] = (CopyField) {NULL, 0};
		if (length == NULL_LENGTH)
			continue;
		if (length < 0 || buffer->used - cursor < (size_t) length)
			return false;
		fields[i].data = buffer->data + cursor;
		fields[i].length = (uint32_t) length;
		cursor += (size_t) length;
	}
	*at = cursor;
	return true;
}

bool
copy_get_int4(const CopyField *field, int32_t *value)
{
	uint32_t	big_endian;

	if (field->data == NULL || field->length != sizeof(big_endian))
		return false;
	memcpy(&big_endian, field->data, sizeof(big_endian));
	*value = (int32_t) be32toh(big_endian);
	return true;
}

bool
copy_get_int8(const CopyField *field, int64_t *value)
{
	uint64_t	big_endian;

	if (field->data == NULL || field->length != sizeof(big_endian))
		return false;
	memcpy(&big_endian, field->data, sizeof(big_endian));
	*value = (int64_t) be64toh(big_endian);
	return true;
}

bool
copy_get_timestamptz(const CopyField *field, int64_t *us)
{
	int64_t		shifted;

	if (!copy_get_int8(field, &shifted))
		return false;
	*us = shifted + EPOCH_SHIFT_US;
	return true;
}

static bool
has_room(const CopyBuffer *buffer, size_t bytes)
{
	return buffer->size - buffer->used >= bytes;
}

static void
append(CopyBuffer *buffer, const void *bytes, size_t length)
{
	/* memcpy from NULL is undefined even for nothing */
	if (length > 0)
		memcpy(buffer->data + buffer->used, bytes, length);
	buffer->used += length;
}

static void
append_int16(CopyBuffer *buffer, int16_t value)
{
	uint16_t	big_endian = htobe16((uint16_t) value);

	append(buffer, &big_endian, sizeof(big_endian));
}

static void
append_int32(CopyBuffer *buffer, int32_t value)
{
	uint32_t	big_endian = htobe32((uint32_t) value);

	append(buffer, &big_endian, sizeof(big_endian));
}

static void
append_int64(CopyBuffer *buffer, int64_t value)
{
	uint64_t	big_endian = htobe64((uint64_t) value);

	append(buffer, &big_endian, sizeof(big_endian));
}

static int16_t
group_value(const char *digits, size_t count)
{
	int			value = 0;

	for (size_t i = 0; i < count; i++)
		value = value * 10 + (digits[i] - '0');
	return (int16_t) value;
}

static bool
read_int16(const CopyBuffer *buffer, size_t *at, int16_t *value)
{
	uint16_t	big_endian;

	if (buffer->used - *at < sizeof(big_endian))
		return false;
	memcpy(&big_endian, buffer->data + *at, sizeof(big_endian));
	*value = (int16_t) be16toh(big_endian);
	*at += sizeof(big_endian);
	return true;
}

static bool
read_int32(const CopyBuffer *buffer, size_t *at, int32_t *value)
{
	uint32_t	big_endian;

	if (buffer->used - *at < sizeof(big_endian))
		return false;
	memcpy(&big_endian, buffer->data + *at, sizeof(big_endian));
	*value = (int32_t) be32toh(big_endian);
	*at += sizeof(big_endian);
	return true;
}
