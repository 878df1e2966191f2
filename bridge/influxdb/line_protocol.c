/*
 * Writes points.  In a tag a comma, an equals sign and a blank are escaped by
 * a backslash, and a backslash stands for itself, but it cannot be the last
 * byte of a tag: there a blank is put behind it.  Texts in fields have no such
 * gap.
 */
#include "line_protocol.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* What InfluxDB keeps at either end for itself. */
#define TIME_FIRST_NS (INT64_MIN + 2)
#define TIME_LAST_NS (INT64_MAX - 1)

static void put(LineBuffer *buffer, const char *bytes, size_t length);
static void put_text(LineBuffer *buffer, const char *text);
static void put_integer(LineBuffer *buffer, int64_t value);
static void put_tag(LineBuffer *buffer, const char *bytes, size_t length);
static void put_string(LineBuffer *buffer, const char *bytes, size_t length);
static void put_amount(LineBuffer *buffer, const RecordAmount *amount);
static bool is_whole(const RecordAmount *amount);
static bool is_special(char byte);

LineResult
line_write(LineBuffer *buffer, const LineStyle *style,
		   const LineOrigin *origin, const Record *record)
{
	int64_t		ns;

	if (!line_time(style, origin, &ns))
		return LINE_BAD_TIME;
	if (style->integer_amounts && !is_whole(&record->amount))
		return LINE_BAD_AMOUNT;
	if (buffer->size - buffer->used < LINE_MAX_BYTES)
		return LINE_FULL;
	/* a topic's name needs no escaping: see topic_name_is_valid() */
	put_text(buffer, origin->topic);
	if (style->accounts == LINE_ACCOUNTS_TAG)
	{
		put_text(buffer, ",source=");
		put_tag(buffer, record->source_account, record->source_bytes);
		put_text(buffer, ",target=");
		put_tag(buffer, record->target_account, record->target_bytes);
	}
	else
	{
		put_text(buffer, ",partition=");
		put_integer(buffer, origin->partition);
	}
	put_text(buffer, " amount=");
	put_amount(buffer, &record->amount);
	if (style->integer_amounts)
		put_text(buffer, "i");
	if (style->accounts == LINE_ACCOUNTS_FIELD)
	{
		put_text(buffer, ",source=");
		put_string(buffer, record->source_account, record->source_bytes);
		put_text(buffer, ",target=");
		put_string(buffer, record->target_account, record->target_bytes);
	}
	put_text(buffer, " ");
	put_integer(buffer, ns);
	put_text(buffer, "\n");
	return LINE_WRITTEN;
}

bool
line_time(const LineStyle *style, const LineOrigin *origin, int64_t *ns)
{
	int64_t		place = origin->offset % LINE_PLACES;

	if (style->accounts == LINE_ACCOUNTS_TAG)
		place = origin->partition % LINE_PARTITION_PLACES *
			INT64_C(15625) + origin->offset % LINE_OFFSET_PLACES;
	return !__builtin_mul_overflow(origin->event_time_ms,
								   (int64_t) LINE_PLACES, ns) &&
		!__builtin_add_overflow(*ns, place, ns) &&
		*ns >= TIME_FIRST_NS && *ns <= TIME_LAST_NS;
}

/* There is room: LINE_MAX_BYTES. */
static void
put(LineBuffer *buffer, const char *bytes, size_t length)
{
	memcpy(buffer->text + buffer->used, bytes, length);
	buffer->used += length;
}

static void
put_text(LineBuffer *buffer, const char *text)
{
	put(buffer, text, strlen(text));
}

static void
put_integer(LineBuffer *buffer, int64_t value)
{
	char		digits[24];
	char	   *at = digits + sizeof(digits);
	uint64_t	rest = value < 0 ? -(uint64_t) value : (uint64_t) value;

	do
		*--at = (char) ('0' + rest % 10);
	while ((rest /= 10) > 0);
	if (value < 0)
		*--at = '-';
	put(buffer, at, (size_t) (digits + sizeof(digits) - at));
}

static void
put_tag(LineBuffer *buffer, const char *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++)
	{
		if (is_special(bytes[i]))
			put(buffer, "\\", 1);
		put(buffer, bytes + i, 1);
	}
	if (length > 0 && bytes[length - 1] == '\\')
		put(buffer, "\\ ", 2);
}

static void
put_string(LineBuffer *buffer, const char *bytes, size_t length)
{
	put(buffer, "\"", 1);
	for (size_t i = 0; i < length; i++)
	{
		if (bytes[i] == '"' || bytes[i] == '\\')
			put(buffer, "\\", 1);
		put(buffer, bytes + i, 1);
	}
	put(buffer, "\"", 1);
}

static void
put_amount(LineBuffer *buffer, const RecordAmount *amount)
{
	if (amount->integer_digits > 0)
		put(buffer, amount->integer, amount->integer_digits);
	else
		put(buffer, "0", 1);
	if (amount->decimal_digits > 0 && !is_whole(amount))
	{
		put(buffer, ".", 1);
		put(buffer, amount->decimals, amount->decimal_digits);
	}
}

static bool
is_whole(const RecordAmount *amount)
{
	for (size_t i = 0; i < amount->decimal_digits; i++)
		if (amount->decimals[i] != '0')
			return false;
	return true;
}

static bool
is_special(char byte)
{
	return byte == ',' || byte == '=' || byte == ' ';
}
