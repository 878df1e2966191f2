/*
 * The message parser: `source target amount`, strictly.  Pure: reads the
 * payload where it lies, allocates nothing, knows neither Kafka nor SQL.
 */
#ifndef FINTRANS_RECORD_PARSER_H
#define FINTRANS_RECORD_PARSER_H

#include <stddef.h>
#include <stdint.h>

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

/* Longer payloads are refused unread; no valid record comes near it. */
#define RECORD_MAX_BYTES 1024

/* Room for the longest detail text that record_parse writes. */
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
	uint32_t	source_bytes;
	uint32_t	target_bytes;
	RecordAmount amount;
} Record;

/*
 * Parse length bytes of payload (NULL when the message has none).  currency
 * is the installation's, and then a fourth field must equal it; NULL accepts
 * three fields only.  When accepted, record points into the payload.  When
 * refused, detail (at least RECORD_DETAIL_BYTES) says what exactly was wrong,
 * without any of the payload's text.
 */
extern RecordVerdict record_parse(const void *payload, size_t length,
								  const char *currency, Record *record,
								  char *detail, size_t detail_size);

/* Code of a reason, as fintrans_dead_letters.reason holds it. */
extern const char *record_reason(RecordVerdict verdict);

#endif							/* FINTRANS_RECORD_PARSER_H */
