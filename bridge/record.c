/*
 * Parses one message.  A single pass over the bytes checks the encoding and
 * finds the blanks and control characters; the fields are judged after it, so
 * that a payload in a wrong encoding is called that, whatever else it is.
 */
#include "record.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* source, target, amount, currency */
#define MAX_FIELDS 4
#define MIN_FIELDS 3

_Static_assert(RECORD_MAX_BYTES >= 2 * FINTRANS_ACCOUNT_MAX_BYTES +
			   FINTRANS_AMOUNT_INTEGER_DIGITS + FINTRANS_AMOUNT_DECIMALS + 8,
			   "a valid record must not be refused for its length");

/* What the pass over the bytes found. */
typedef struct Scan
{
	const uint8_t *bytes;
	size_t		length;
	size_t		blanks[MAX_FIELDS]; /* where the first blanks are */
	size_t		blank_count;	/* of all blanks */
	unsigned	controls;		/* bit n: field n holds a control character */
} Scan;

/* Where a detail text goes. */
typedef struct Detail
{
	char	   *text;
	size_t		size;
} Detail;

static bool is_blank(const uint8_t *bytes, size_t length);
static RecordVerdict scan_bytes(Scan *scan, const Detail *detail);
static size_t utf8_sequence(const uint8_t *bytes, size_t length);
static void note_control(Scan *scan);
static RecordVerdict check_fields(const Scan *scan, const char *currency,
								  const Detail *detail);
static RecordVerdict check_currency(const Scan *scan, const char *currency,
									const Detail *detail);
static RecordVerdict read_account(const Scan *scan, size_t field,
								  const char *name, const char **account,
								  uint32_t *account_bytes,
								  const Detail *detail);
static RecordVerdict read_amount(const char *text, size_t length,
								 RecordAmount *amount, const Detail *detail);
static const char *amount_fault(const char *text, size_t length, size_t at);
static size_t count_digits(const char *text, size_t length);
static size_t field_start(const Scan *scan, size_t field);
static size_t field_end(const Scan *scan, size_t field);
static RecordVerdict refuse(const Detail *detail, RecordVerdict verdict,
							const char *format,...)
			__attribute__((format(printf, 3, 4)));

RecordVerdict
record_parse(const void *payload, size_t length, const char *currency,
			 Record *record, char *detail_text, size_t detail_size)
{
	const Detail detail = {detail_text, detail_size};
	Scan		scan = {.bytes = payload,.length = length};
	RecordVerdict verdict;

	if (payload == NULL)
		return refuse(&detail, FINTRANS_REJECT_EMPTY, "no payload");
	if (length == 0)
		return refuse(&detail, FINTRANS_REJECT_EMPTY, "payload of 0 bytes");
	if (length > RECORD_MAX_BYTES)
		return refuse(&detail, FINTRANS_REJECT_TOO_LONG,
					  "payload of %zu bytes, at most %d are valid",
					  length, RECORD_MAX_BYTES);
	if (is_blank(scan.bytes, length))
		return refuse(&detail, FINTRANS_REJECT_EMPTY, "only blanks");

	if ((verdict = scan_bytes(&scan, &detail)) != FINTRANS_ACCEPTED ||
		(verdict = check_fields(&scan, currency, &detail))
		!= FINTRANS_ACCEPTED ||
		(verdict = read_account(&scan, 0, "source", &record->source_account,
								&record->source_bytes, &detail))
		!= FINTRANS_ACCEPTED ||
		(verdict = read_account(&scan, 1, "target", &record->target_account,
								&record->target_bytes, &detail))
		!= FINTRANS_ACCEPTED)
		return verdict;
	return read_amount((const char *) payload + field_start(&scan, 2),
					   field_end(&scan, 2) - field_start(&scan, 2),
					   &record->amount, &detail);
}

const char *
record_reason(RecordVerdict verdict)
{
	static const char *const codes[FINTRANS_VERDICTS] = {
#define X(enumerator, code, meaning) [enumerator] = code,
		FINTRANS_REJECT_REASONS(X)
#undef X
	};

	return codes[verdict];
}

/* Blanks and line ends only? */
static bool
is_blank(const uint8_t *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (bytes[i] != ' ' && (bytes[i] < '\t' || bytes[i] > '\r'))
			return false;
	return true;
}

static RecordVerdict
scan_bytes(Scan *scan, const Detail *detail)
{
	const uint8_t *bytes = scan->bytes;
	size_t		at = 0;

	if (bytes[0] == 0)
		return refuse(detail, FINTRANS_REJECT_BAD_ENCODING,
					  "begins with byte 0x00, as schema registry (Confluent wire) formats do; plain text is expected");
	if (scan->length >= 3 && memcmp(bytes, "\xEF\xBB\xBF", 3) == 0)
		return refuse(detail, FINTRANS_REJECT_BAD_ENCODING,
					  "begins with a byte order mark");

	while (at < scan->length)
	{
		size_t		width = 1;

		if (bytes[at] == ' ')
		{
			if (scan->blank_count < MAX_FIELDS)
				scan->blanks[scan->blank_count] = at;
			scan->blank_count++;
		}
		else if (bytes[at] < 0x20 || bytes[at] == 0x7F)
		{
			if (bytes[at] == 0)
				return refuse(detail, FINTRANS_REJECT_BAD_ENCODING,
							  "NUL at byte %zu", at + 1);
			note_control(scan);
		}
		else if (bytes[at] >= 0x80)
		{
			width = utf8_sequence(bytes + at, scan->length - at);
			if (width == 0)
				return refuse(detail, FINTRANS_REJECT_BAD_ENCODING,
							  "not UTF-8 at byte %zu", at + 1);
			if (bytes[at] == 0xC2 && bytes[at + 1] < 0xA0)
				note_control(scan);
		}
		at += width;
	}
	return FINTRANS_ACCEPTED;
}

/*
 * Bytes of the multi-byte sequence that begins here, 0 when it is not one of
 * the well-formed ones of the Unicode Standard's table 3-7: no overlong form,
 * no surrogate, nothing above U+10FFFF.
 */
static size_t
utf8_sequence(const uint8_t *bytes, size_t length)
{
	uint8_t		lead = bytes[0];
	uint8_t		lowest = 0x80;
	uint8_t		highest = 0xBF;
	size_t		width;

	if (lead >= 0xC2 && lead <= 0xDF)
		width = 2;
	else if (lead >= 0xE0 && lead <= 0xEF)
		width = 3;
	else if (lead >= 0xF0 && lead <= 0xF4)
		width = 4;
	else
		return 0;
	if (lead == 0xE0)
		lowest = 0xA0;
	else if (lead == 0xED)
		highest = 0x9F;
	else if (lead == 0xF0)
		lowest = 0x90;
	else if (lead == 0xF4)
		highest = 0x8F;

	if (length < width || bytes[1] < lowest || bytes[1] > highest)
		return 0;
	for (size_t i = 2; i < width; i++)
		if ((bytes[i] & 0xC0) != 0x80)
			return 0;
	return width;
}

static void
note_control(Scan *scan)
{
	if (scan->blank_count < MAX_FIELDS)
		scan->controls |= 1U << scan->blank_count;
}

static RecordVerdict
check_fields(const Scan *scan, const char *currency, const Detail *detail)
{
	size_t		fields = scan->blank_count + 1;
	size_t		most = currency != NULL ? MAX_FIELDS : MIN_FIELDS;

	if (fields < MIN_FIELDS || fields > most)
		return refuse(detail, FINTRANS_REJECT_FIELD_COUNT,
					  currency != NULL ?
					  "%zu fields, 3 or 4 are expected with single blanks between them" :
					  "%zu fields, 3 are expected with single blanks between them",
					  fields);
	if (fields == MAX_FIELDS)
		return check_currency(scan, currency, detail);
	return FINTRANS_ACCEPTED;
}

static RecordVerdict
check_currency(const Scan *scan, const char *currency, const Detail *detail)
{
	size_t		start = field_start(scan, MAX_FIELDS - 1);
	size_t		length = scan->length - start;

	if (length == strlen(currency) &&
		memcmp(scan->bytes + start, currency, length) == 0)
		return FINTRANS_ACCEPTED;
	return refuse(detail, FINTRANS_REJECT_WRONG_CURRENCY,
				  "the fourth field is not the currency of this installation, %s",
				  currency);
}

static RecordVerdict
read_account(const Scan *scan, size_t field, const char *name,
			 const char **account, uint32_t *account_bytes,
			 const Detail *detail)
{
	size_t		start = field_start(scan, field);
	size_t		length = field_end(scan, field) - start;

	if (length == 0)
		return refuse(detail, FINTRANS_REJECT_BAD_ACCOUNT,
					  "the %s account is empty", name);
	if (length > FINTRANS_ACCOUNT_MAX_BYTES)
		return refuse(detail, FINTRANS_REJECT_BAD_ACCOUNT,
					  "the %s account has %zu bytes, at most %d are valid",
					  name, length, FINTRANS_ACCOUNT_MAX_BYTES);
	if (scan->controls & (1U << field))
		return refuse(detail, FINTRANS_REJECT_BAD_ACCOUNT,
					  "the %s account holds a control character", name);
	*account = (const char *) scan->bytes + start;
	*account_bytes = (uint32_t) length;
	return FINTRANS_ACCEPTED;
}

/* Digits, and with a point more digits; leading zeros count for nothing. */
static RecordVerdict
read_amount(const char *text, size_t length, RecordAmount *amount,
			const Detail *detail)
{
	size_t		integer = count_digits(text, length);
	size_t		decimals = 0;
	size_t		end = integer;
	size_t		zeros = 0;

	if (integer > 0 && end < length && text[end] == '.')
	{
		decimals = count_digits(text + end + 1, length - end - 1);
		end += decimals > 0 ? decimals + 1 : 0;
	}
	if (integer == 0 || end < length)
		return refuse(detail, FINTRANS_REJECT_BAD_AMOUNT, "%s",
					  amount_fault(text, length, end));
	while (zeros < integer && text[zeros] == '0')
		zeros++;
	if (integer - zeros > FINTRANS_AMOUNT_INTEGER_DIGITS)
		return refuse(detail, FINTRANS_REJECT_BAD_AMOUNT,
					  "%zu digits before the point, at most %d are valid",
					  integer - zeros, FINTRANS_AMOUNT_INTEGER_DIGITS);
	if (decimals > FINTRANS_AMOUNT_DECIMALS)
		return refuse(detail, FINTRANS_REJECT_BAD_AMOUNT,
					  "%zu decimals, at most %d are valid",
					  decimals, FINTRANS_AMOUNT_DECIMALS);
	amount->integer = text + zeros;
	amount->integer_digits = (uint8_t) (integer - zeros);
	amount->decimals = text + length - decimals;
	amount->decimal_digits = (uint8_t) decimals;
	return FINTRANS_ACCEPTED;
}

/* In words, why no valid amount goes on at text[at]. */
static const char *
amount_fault(const char *text, size_t length, size_t at)
{
	if (length == 0)
		return "the amount is empty";
	if (text[at] == '\r' || text[at] == '\n')
		return "the amount is followed by a line end";
	if (text[at] == '-' || text[at] == '+')
		return "the amount has a sign";
	if (text[at] == '.')
		return "the amount lacks digits before or after its point";
	if (text[at] == ',' || text[at] == '_')
		return "the amount has a separator other than the decimal point";
	if ((text[at] == 'e' || text[at] == 'E') && at > 0)
		return "the amount has an exponent";
	return "the amount is not made of the digits 0 to 9 and a point";
}

static size_t
count_digits(const char *text, size_t length)
{
	size_t		count = 0;

	while (count < length && text[count] >= '0' && text[count] <= '9')
		count++;
	return count;
}

static size_t
field_start(const Scan *scan, size_t field)
{
	return field == 0 ? 0 : scan->blanks[field - 1] + 1;
}

static size_t
field_end(const Scan *scan, size_t field)
{
	return field < scan->blank_count ? scan->blanks[field] : scan->length;
}

static RecordVerdict
refuse(const Detail *detail, RecordVerdict verdict, const char *format,...)
{
	va_list		arguments;

	va_start(arguments, format);
	vsnprintf(detail->text, detail->size, format, arguments);
	va_end(arguments);
	return verdict;
}
