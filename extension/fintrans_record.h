/*
 * The record that the extension and the programs in bridge/ agree on: its
 * columns, their limits, the reasons for refusing a message, and the names
 * both sides must spell alike.
 *
 * This is the only header of extension/ that bridge/ may include, so it needs
 * nothing but the preprocessor: no types, no other header.  What SQL repeats
 * of it (columns, CHECK constraints) is compared with it by t/002_record.pl.
 */
#ifndef FINTRANS_RECORD_H
#define FINTRANS_RECORD_H

/*
 * Columns of fintrans_transactions in their frozen order, which is the order
 * of the fields in COPY BINARY: X(column, SQL type).
 */
#define FINTRANS_TRANSACTION_COLUMNS(X) \
	X(event_time, timestamptz) \
	X(city, text) \
	X(source_account, text) \
	X(target_account, text) \
	X(amount, numeric) \
	X(reference, text) \
	X(kafka_partition, int4) \
	X(kafka_offset, int8)

/* Columns of fintrans_dead_letters that a loader writes, in COPY order. */
#define FINTRANS_DEAD_LETTER_COLUMNS(X) \
	X(topic, text) \
	X(kafka_partition, int4) \
	X(kafka_offset, int8) \
	X(payload, bytea) \
	X(reason, text) \
	X(detail, text) \
	X(event_time, timestamptz)

/* An account is 1 to this many bytes of UTF-8 without control characters. */
#define FINTRANS_ACCOUNT_MAX_BYTES 256

/* A reference, as the programs accept it: at most this, and no controls. */
#define FINTRANS_REFERENCE_MAX_BYTES 256

/* An amount is an unsigned decimal below 10^15 with at most 18 decimals. */
#define FINTRANS_AMOUNT_INTEGER_DIGITS 15
#define FINTRANS_AMOUNT_DECIMALS 18

/*
 * Why a message was refused: X(enumerator, code, meaning).  The code is what
 * fintrans_dead_letters.reason holds; the list is closed, and codes are never
 * renamed.
 */
#define FINTRANS_REJECT_REASONS(X) \
	X(FINTRANS_REJECT_EMPTY, "empty", \
	  "the message has no payload, or only blanks") \
	X(FINTRANS_REJECT_TOO_LONG, "too_long", \
	  "the payload is longer than any valid record") \
	X(FINTRANS_REJECT_BAD_ENCODING, "bad_encoding", \
	  "the payload is not valid UTF-8, or holds a NUL byte") \
	X(FINTRANS_REJECT_FIELD_COUNT, "field_count", \
	  "the payload does not have the expected number of fields") \
	X(FINTRANS_REJECT_BAD_ACCOUNT, "bad_account", \
	  "an account is empty, too long, or holds a control character") \
	X(FINTRANS_REJECT_BAD_AMOUNT, "bad_amount", \
	  "the amount is not an unsigned decimal within the limits") \
	X(FINTRANS_REJECT_BAD_TIME, "bad_time", \
	  "the event time is missing or outside the accepted range") \
	X(FINTRANS_REJECT_WRONG_CURRENCY, "wrong_currency", \
	  "the message names a currency other than the installation's") \
	X(FINTRANS_REJECT_WIRE_FORMAT, "wire_format", \
	  "the payload is in the wire format of a schema registry") \
	X(FINTRANS_REJECT_BAD_SYNTAX, "bad_syntax", \
	  "the payload is not what the standard of its format allows") \
	X(FINTRANS_REJECT_MISSING_FIELD, "missing_field", \
	  "a field that is expected is missing or null") \
	X(FINTRANS_REJECT_BAD_REFERENCE, "bad_reference", \
	  "the reference is too long, or holds a control character") \
	X(FINTRANS_REJECT_REFUSED, "refused", \
	  "the database refused the row: a CHECK constraint or a data error")

/*
 * Those that are not in fintrans_dead_letters as 0.1.0 made it, and the code
 * that stands for them there: X(enumerator, older code).
 */
#define FINTRANS_NEWER_REASONS(X) \
	X(FINTRANS_REJECT_WIRE_FORMAT, "bad_encoding") \
	X(FINTRANS_REJECT_BAD_SYNTAX, "field_count") \
	X(FINTRANS_REJECT_MISSING_FIELD, "field_count") \
	X(FINTRANS_REJECT_BAD_REFERENCE, "field_count")

/* The first version whose fintrans_dead_letters has all reasons. */
#define FINTRANS_REASONS_VERSION "0.2.0"

/*
 * A partition of fintrans_transactions holds one UTC day and is named by it;
 * printf arguments: year, month, day.
 */
#define FINTRANS_LEAF_NAME_FORMAT "fintrans_transactions_%04d%02d%02d"

/* NOTIFY channel of new alerts; the payload is always empty. */
#define FINTRANS_ALERTS_CHANNEL "fintrans_alerts"

#endif							/* FINTRANS_RECORD_H */
