/*
 * What a message says once it has been read, whatever its format, and the
 * judgement of each of its fields, which is the same in all formats.  Pure:
 * fields stay where they lie, nothing is allocated.
 */
#ifndef FINTRANS_RECORD_PARSER_H
#define FINTRANS_RECORD_PARSER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "event_time.h"
#include "fintrans_record.h"

/* FINTRANS_ACCEPTED, or the reason for refusing a message. */
typedef enum RecordVerdict
{
	FINTRANS_ACCEPTED,
#define X(enumerator, code, meaning) enumerator,
	FINTRANS_REJECT_REASONS(X)
#undef X
	FINTRANS_VERDICTS			/* how many there are */
} RecordVerdict;

/* Longer payloads are refused unread, in any format. */
#define RECORD_MAX_BYTES 65536

/* Room for the longest detail text that is written. */
#define RECORD_DETAIL_BYTES 160

/* Room for a currency: a code of ISO 4217. */
#define RECORD_CURRENCY_BYTES 4

/* An unsigned decimal, as digits in the payload. */
typedef struct RecordAmount
{
	const char *integer;		/* without leading zeros */
	const char *decimals;		/* as written, trailing zeros included */
	uint8_t		integer_digits; /* 0 when below 1 */
	uint8_t		decimal_digits;
} RecordAmount;

typedef struct Record
{
	const char *source_account;
	const char *target_account;
	const char *reference;		/* NULL for none */
	uint32_t	source_bytes;
	uint32_t	target_bytes;
	uint32_t	reference_bytes;
	RecordAmount amount;
	EventTime	time;			/* is_set when a field has told it, of a
								 * message that was refused too */
} Record;

/* Where the words go that say what exactly was wrong. */
typedef struct RecordDetail
{
	char	   *text;			/* at least RECORD_DETAIL_BYTES */
	size_t		size;
} RecordDetail;

/* What a field of a message is for. */
typedef enum FieldRole
{
	FIELD_TIME,
	FIELD_SOURCE,
	FIELD_TARGET,
	FIELD_AMOUNT,
	FIELD_CURRENCY,
	FIELD_REFERENCE,
	FIELD_ROLES					/* how many there are */
} FieldRole;

/* How a field was written. */
typedef enum FieldKind
{
	FIELD_MISSING,
	FIELD_NULL,					/* JSON's null */
	FIELD_TEXT,
	FIELD_NUMBER,				/* JSON's number, as it was written */
	FIELD_OTHER					/* JSON's true, false, array and object */
} FieldKind;

/* A field of a message, decoded; text that is too long may be left out. */
typedef struct Field
{
	FieldKind	kind;
	const char *text;			/* FIELD_TEXT and FIELD_NUMBER only */
	size_t		bytes;
} Field;

/* What the fields of a format's messages have to be. */
typedef struct FieldRules
{
	bool		wanted[FIELD_ROLES];	/* by the mapping */
	TimeUnit	time_unit;
	const char *currency;		/* the installation's; NULL for none */
} FieldRules;

/* Name of a role, as options and details have it: "source". */
extern const char *field_name(FieldRole role);

/* No field's text needs to be kept when it is longer than this. */
#define FIELD_MAX_BYTES FINTRANS_ACCOUNT_MAX_BYTES

/*
 * Judge the payload as a whole, before any format is looked at: there is one,
 * no longer than max_bytes, in UTF-8 without byte order mark and NUL, and not
 * in the wire format of a schema registry.
 */
extern RecordVerdict record_check_payload(const void *payload, size_t length,
										  size_t max_bytes,
										  const RecordDetail *detail);

/*
 * The same without a look at the bytes behind the first ones, for a format
 * that looks at them itself.
 */
extern RecordVerdict record_check_start(const void *payload, size_t length,
										size_t max_bytes,
										const RecordDetail *detail);

/* The byte at `at` (from 0 on) is not UTF-8, or a NUL: the words for it. */
extern RecordVerdict record_refuse_byte(const void *payload, size_t at,
										const RecordDetail *detail);

/*
 * Fill the record with the fields of a message, or say why it is refused.
 * Its time is looked at first, so that it is known of a refused one too.
 */
extern RecordVerdict record_take_fields(Record *record, const Field *fields,
										const FieldRules *rules,
										const RecordDetail *detail);

/* One by one, for a format that knows where each of them is. */
extern RecordVerdict record_take_account(Record *record, FieldRole role,
										 const char *text, size_t bytes,
										 bool has_control,
										 const RecordDetail *detail);
extern RecordVerdict record_take_amount(Record *record, const char *text,
										size_t bytes,
										const RecordDetail *detail);

/* Fill the detail; the verdict is returned as it was given. */
extern RecordVerdict record_refuse(const RecordDetail *detail,
								   RecordVerdict verdict,
								   const char *format,...)
			__attribute__((format(printf, 3, 4)));

/* Code of a reason, as fintrans_dead_letters.reason holds it. */
extern const char *record_reason(RecordVerdict verdict);

/* The one that stands for it in a table of fintrans 0.1.0. */
extern const char *record_older_reason(RecordVerdict verdict);

#endif							/* FINTRANS_RECORD_PARSER_H */
