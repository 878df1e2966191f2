/*
 * Parses a message of plain text.  A single pass over the bytes checks the
 * encoding and finds the blanks and control characters; the fields are judged
 * after it, so that a payload in a wrong encoding is called that, whatever
 * else it is.
 */
#include "text_format.h"

#include <string.h>

#include "utf8.h"

/* source, target, amount, currency */
#define MAX_FIELDS 4
#define MIN_FIELDS 3

_Static_assert(TEXT_MAX_BYTES >= 2 * FINTRANS_ACCOUNT_MAX_BYTES +
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

static RecordVerdict scan_bytes(Scan *scan, const RecordDetail *detail);
static void note_control(Scan *scan);
static RecordVerdict check_fields(const Scan *scan, const char *currency,
								  const RecordDetail *detail);
static RecordVerdict check_currency(const Scan *scan, const char *currency,
									const RecordDetail *detail);
static RecordVerdict read_account(const Scan *scan, size_t field,
								  FieldRole role, Record *record,
								  const RecordDetail *detail);
static size_t field_start(const Scan *scan, size_t field);
static size_t field_end(const Scan *scan, size_t field);

RecordVerdict
text_decode(const void *payload, size_t length, const char *currency,
			Record *record, const RecordDetail *detail)
{
	Scan		scan = {.bytes = payload,.length = length};
	RecordVerdict verdict;

	record->time.is_set = false;
	record->reference = NULL;
	record->reference_bytes = 0;
	if ((verdict = record_check_start(payload, length, TEXT_MAX_BYTES, detail))
		!= FINTRANS_ACCEPTED ||
		(verdict = scan_bytes(&scan, detail)) != FINTRANS_ACCEPTED ||
		(verdict = check_fields(&scan, currency, detail))
		!= FINTRANS_ACCEPTED ||
		(verdict = read_account(&scan, 0, FIELD_SOURCE, record, detail))
		!= FINTRANS_ACCEPTED ||
		(verdict = read_account(&scan, 1, FIELD_TARGET, record, detail))
		!= FINTRANS_ACCEPTED)
		return verdict;
	return record_take_amount(record,
							  (const char *) payload + field_start(&scan, 2),
							  field_end(&scan, 2) - field_start(&scan, 2),
							  detail);
}

static RecordVerdict
scan_bytes(Scan *scan, const RecordDetail *detail)
{
	const uint8_t *bytes = scan->bytes;
	size_t		at = 0;

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
				return record_refuse_byte(bytes, at, detail);
			note_control(scan);
		}
		else if (bytes[at] >= 0x80)
		{
			width = utf8_sequence(bytes + at, scan->length - at);
			if (width == 0)
				return record_refuse_byte(bytes, at, detail);
			if (bytes[at] == 0xC2 && bytes[at + 1] < 0xA0)
				note_control(scan);
		}
		at += width;
	}
	return FINTRANS_ACCEPTED;
}

static void
note_control(Scan *scan)
{
	if (scan->blank_count < MAX_FIELDS)
		scan->controls |= 1U << scan->blank_count;
}

static RecordVerdict
check_fields(const Scan *scan, const char *currency,
			 const RecordDetail *detail)
{
	size_t		fields = scan->blank_count + 1;
	size_t		most = currency != NULL ? MAX_FIELDS : MIN_FIELDS;

	if (fields < MIN_FIELDS || fields > most)
		return record_refuse(detail, FINTRANS_REJECT_FIELD_COUNT,
							 currency != NULL ?
							 "%zu fields, 3 or 4 are expected with single blanks between them" :
							 "%zu fields, 3 are expected with single blanks between them",
							 fields);
	if (fields == MAX_FIELDS)
		return check_currency(scan, currency, detail);
	return FINTRANS_ACCEPTED;
}

static RecordVerdict
check_currency(const Scan *scan, const char *currency,
			   const RecordDetail *detail)
{
	size_t		start = field_start(scan, MAX_FIELDS - 1);
	size_t		length = scan->length - start;

	if (length == strlen(currency) &&
		memcmp(scan->bytes + start, currency, length) == 0)
		return FINTRANS_ACCEPTED;
	return record_refuse(detail, FINTRANS_REJECT_WRONG_CURRENCY,
						 "the fourth field is not the currency of this installation, %s",
						 currency);
}

static RecordVerdict
read_account(const Scan *scan, size_t field, FieldRole role, Record *record,
			 const RecordDetail *detail)
{
	size_t		start = field_start(scan, field);

	return record_take_account(record, role,
							   (const char *) scan->bytes + start,
							   field_end(scan, field) - start,
							   (scan->controls & (1U << field)) != 0, detail);
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
