/*
 * The judgement of fields: one function for each role, in one table.
 */
#include "record.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "utf8.h"

typedef RecordVerdict TakeField(Record *record, const Field *field,
								const FieldRules *rules,
								const RecordDetail *detail);

static TakeField take_time;
static TakeField take_source;
static TakeField take_target;
static TakeField take_amount;
static TakeField take_currency;
static TakeField take_reference;
static RecordVerdict take_account(Record *record, FieldRole role,
								  const Field *field,
								  const RecordDetail *detail);
static bool is_whole(const Field *field);
static bool has_control(const Field *field);
static bool is_blank(const uint8_t *bytes, size_t length);
static const char *amount_fault(const char *text, size_t length, size_t at);
static size_t count_digits(const char *text, size_t length);

static const struct
{
	const char *name;
	bool		optional;		/* may be missing though it is mapped */
	TakeField  *take;
}			roles[FIELD_ROLES] = {
	[FIELD_TIME] = {"time", false, take_time},
	[FIELD_SOURCE] = {"source", false, take_source},
	[FIELD_TARGET] = {"target", false, take_target},
	[FIELD_AMOUNT] = {"amount", false, take_amount},
	[FIELD_CURRENCY] = {"currency", false, take_currency},
	[FIELD_REFERENCE] = {"reference", true, take_reference}
};

const char *
field_name(FieldRole role)
{
	return roles[role].name;
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

const char *
record_older_reason(RecordVerdict verdict)
{
	static const char *const codes[FINTRANS_VERDICTS] = {
#define X(enumerator, older_code) [enumerator] = older_code,
		FINTRANS_NEWER_REASONS(X)
#undef X
	};

	return codes[verdict] != NULL ? codes[verdict] : record_reason(verdict);
}

RecordVerdict
record_refuse(const RecordDetail *detail, RecordVerdict verdict,
			  const char *format,...)
{
	va_list		arguments;

	va_start(arguments, format);
	vsnprintf(detail->text, detail->size, format, arguments);
	va_end(arguments);
	return verdict;
}

/* ------------------------------------------------------------ the payload */

RecordVerdict
record_check_payload(const void *payload, size_t length, size_t max_bytes,
					 const RecordDetail *detail)
{
	RecordVerdict verdict = record_check_start(payload, length, max_bytes,
											   detail);
	size_t		valid;

	if (verdict != FINTRANS_ACCEPTED)
		return verdict;
	valid = utf8_valid_bytes(payload, length);
	return valid == length ? FINTRANS_ACCEPTED :
		record_refuse_byte(payload, valid, detail);
}

RecordVerdict
record_check_start(const void *payload, size_t length, size_t max_bytes,
				   const RecordDetail *detail)
{
	const uint8_t *bytes = payload;

	if (payload == NULL)
		return record_refuse(detail, FINTRANS_REJECT_EMPTY, "no payload");
	if (length == 0)
		return record_refuse(detail, FINTRANS_REJECT_EMPTY,
							 "payload of 0 bytes");
	if (bytes[0] == 0)
		return record_refuse(detail, FINTRANS_REJECT_WIRE_FORMAT,
							 "begins with byte 0x00, as what is written by way of a schema registry (Confluent wire format) does");
	if (length > max_bytes)
		return record_refuse(detail, FINTRANS_REJECT_TOO_LONG,
							 "payload of %zu bytes, at most %zu are valid",
							 length, max_bytes);
	if (is_blank(bytes, length))
		return record_refuse(detail, FINTRANS_REJECT_EMPTY, "only blanks");
	if (length >= 3 && memcmp(bytes, "\xEF\xBB\xBF", 3) == 0)
		return record_refuse(detail, FINTRANS_REJECT_BAD_ENCODING,
							 "begins with a byte order mark");
	return FINTRANS_ACCEPTED;
}

RecordVerdict
record_refuse_byte(const void *payload, size_t at, const RecordDetail *detail)
{
	return record_refuse(detail, FINTRANS_REJECT_BAD_ENCODING,
						 ((const char *) payload)[at] == '\0' ?
						 "NUL at byte %zu" : "not UTF-8 at byte %zu", at + 1);
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

/* ------------------------------------------------------------- the fields */

RecordVerdict
record_take_fields(Record *record, const Field *fields,
				   const FieldRules *rules, const RecordDetail *detail)
{
	record->time.is_set = false;
	record->reference = NULL;
	record->reference_bytes = 0;
	for (int role = 0; role < FIELD_ROLES; role++)
	{
		RecordVerdict verdict = FINTRANS_ACCEPTED;

		if (!rules->wanted[role])
			continue;
		if (fields[role].kind != FIELD_MISSING &&
			fields[role].kind != FIELD_NULL)
			verdict = roles[role].take(record, &fields[role], rules, detail);
		else if (!roles[role].optional)
			verdict = record_refuse(detail, FINTRANS_REJECT_MISSING_FIELD,
									fields[role].kind == FIELD_NULL ?
									"the %s is null" :
									"the %s is missing: there is no such field",
									roles[role].name);
		if (verdict != FINTRANS_ACCEPTED)
			return verdict;
	}
	return FINTRANS_ACCEPTED;
}

static RecordVerdict
take_time(Record *record, const Field *field, const FieldRules *rules,
		  const RecordDetail *detail)
{
	const char *fault = "the time is neither a text nor a number";

	if (field->bytes > FIELD_MAX_BYTES)
		fault = "the time is too long for one";
	record->time.is_set = field->kind != FIELD_OTHER &&
		field->bytes <= FIELD_MAX_BYTES &&
		event_time_read(rules->time_unit, field->text, field->bytes,
						&record->time.us, &fault);
	if (record->time.is_set)
		return FINTRANS_ACCEPTED;
	return record_refuse(detail, FINTRANS_REJECT_BAD_TIME, "%s", fault);
}

static RecordVerdict
take_source(Record *record, const Field *field, const FieldRules *rules,
			const RecordDetail *detail)
{
	(void) rules;
	return take_account(record, FIELD_SOURCE, field, detail);
}

static RecordVerdict
take_target(Record *record, const Field *field, const FieldRules *rules,
			const RecordDetail *detail)
{
	(void) rules;
	return take_account(record, FIELD_TARGET, field, detail);
}

static RecordVerdict
take_account(Record *record, FieldRole role, const Field *field,
			 const RecordDetail *detail)
{
	if (!is_whole(field))
		return record_refuse(detail, FINTRANS_REJECT_BAD_ACCOUNT,
							 "the %s account is neither a text nor a whole number",
							 roles[role].name);
	return record_take_account(record, role, field->text, field->bytes,
							   field->bytes <= FIELD_MAX_BYTES &&
							   has_control(field), detail);
}

/*
 * A text, or a number whose digits are all there is to it: 1.0 and 1 would be
 * the same number, but not the same account.
 */
static bool
is_whole(const Field *field)
{
	if (field->kind == FIELD_TEXT)
		return true;
	return field->kind == FIELD_NUMBER &&
		(field->bytes > FIELD_MAX_BYTES ||
		 count_digits(field->text, field->bytes) == field->bytes);
}

static bool
has_control(const Field *field)
{
	return utf8_has_control((const uint8_t *) field->text, field->bytes);
}

RecordVerdict
record_take_account(Record *record, FieldRole role, const char *text,
					size_t bytes, bool control_found,
					const RecordDetail *detail)
{
	const char *name = roles[role].name;

	if (bytes == 0)
		return record_refuse(detail, FINTRANS_REJECT_BAD_ACCOUNT,
							 "the %s account is empty", name);
	if (bytes > FINTRANS_ACCOUNT_MAX_BYTES)
		return record_refuse(detail, FINTRANS_REJECT_BAD_ACCOUNT,
							 "the %s account has %zu bytes, at most %d are valid",
							 name, bytes, FINTRANS_ACCOUNT_MAX_BYTES);
	if (control_found)
		return record_refuse(detail, FINTRANS_REJECT_BAD_ACCOUNT,
							 "the %s account holds a control character", name);
	if (is_blank((const uint8_t *) text, bytes))
		return record_refuse(detail, FINTRANS_REJECT_BAD_ACCOUNT,
							 "the %s account is made of blanks", name);
	if (role == FIELD_SOURCE)
	{
		record->source_account = text;
		record->source_bytes = (uint32_t) bytes;
	}
	else
	{
		record->target_account = text;
		record->target_bytes = (uint32_t) bytes;
	}
	return FINTRANS_ACCEPTED;
}

static RecordVerdict
take_amount(Record *record, const Field *field, const FieldRules *rules,
			const RecordDetail *detail)
{
	(void) rules;
	if (field->kind == FIELD_OTHER)
		return record_refuse(detail, FINTRANS_REJECT_BAD_AMOUNT,
							 "the amount is neither a number nor a text");
	if (field->bytes > FIELD_MAX_BYTES)
		return record_refuse(detail, FINTRANS_REJECT_BAD_AMOUNT,
							 "the amount is written with %zu bytes, at most %d are valid",
							 field->bytes, FIELD_MAX_BYTES);
	return record_take_amount(record, field->text, field->bytes, detail);
}

/* Digits, and with a point more digits; leading zeros count for nothing. */
RecordVerdict
record_take_amount(Record *record, const char *text, size_t length,
				   const RecordDetail *detail)
{
	RecordAmount *amount = &record->amount;
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
		return record_refuse(detail, FINTRANS_REJECT_BAD_AMOUNT, "%s",
							 amount_fault(text, length, end));
	while (zeros < integer && text[zeros] == '0')
		zeros++;
	if (integer - zeros > FINTRANS_AMOUNT_INTEGER_DIGITS)
		return record_refuse(detail, FINTRANS_REJECT_BAD_AMOUNT,
							 "%zu digits before the point, at most %d are valid",
							 integer - zeros, FINTRANS_AMOUNT_INTEGER_DIGITS);
	if (decimals > FINTRANS_AMOUNT_DECIMALS)
		return record_refuse(detail, FINTRANS_REJECT_BAD_AMOUNT,
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

static RecordVerdict
take_currency(Record *record, const Field *field, const FieldRules *rules,
			  const RecordDetail *detail)
{
	const char *currency = rules->currency;

	(void) record;
	if (currency != NULL && field->kind == FIELD_TEXT &&
		field->bytes == strlen(currency) &&
		memcmp(field->text, currency, field->bytes) == 0)
		return FINTRANS_ACCEPTED;
	return record_refuse(detail, FINTRANS_REJECT_WRONG_CURRENCY,
						 "the currency is not that of this installation, %s",
						 currency != NULL ? currency : "which has none");
}

/* One that is empty is none: that is how CSV writes it. */
static RecordVerdict
take_reference(Record *record, const Field *field, const FieldRules *rules,
			   const RecordDetail *detail)
{
	(void) rules;
	if (!is_whole(field))
		return record_refuse(detail, FINTRANS_REJECT_BAD_REFERENCE,
							 "the reference is neither a text nor a whole number");
	if (field->bytes > FINTRANS_REFERENCE_MAX_BYTES)
		return record_refuse(detail, FINTRANS_REJECT_BAD_REFERENCE,
							 "the reference has %zu bytes, at most %d are valid",
							 field->bytes, FINTRANS_REFERENCE_MAX_BYTES);
	if (has_control(field))
		return record_refuse(detail, FINTRANS_REJECT_BAD_REFERENCE,
							 "the reference holds a control character");
	if (field->bytes > 0)
	{
		record->reference = field->text;
		record->reference_bytes = (uint32_t) field->bytes;
	}
	return FINTRANS_ACCEPTED;
}
