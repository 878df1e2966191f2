/*
 * What must hold of a codec whatever bytes it is given; for the fuzz targets
 * of the formats.  A broken promise ends the process.
 */
#ifndef FINTRANS_FUZZ_CHECK_CODEC_H
#define FINTRANS_FUZZ_CHECK_CODEC_H

#include <string.h>

#include "codec.h"
#include "copy_binary.h"
#include "must.h"
#include "utf8.h"

/* Room for one field. */
#define FIELD_ROOM 512

static Codec *
open_codec(const CodecSettings *settings, const char *currency)
{
	char		errstr[256];
	Codec	   *codec = codec_open(settings, errstr, sizeof(errstr));

	MUST(codec != NULL);
	MUST(codec_set_currency(codec, currency, errstr, sizeof(errstr)));
	return codec;
}

/* A text that a column of the database takes. */
static void
check_text(const char *text, size_t bytes, size_t most)
{
	MUST(bytes > 0 && bytes <= most);
	MUST(utf8_valid_bytes((const uint8_t *) text, bytes) == bytes);
	MUST(!utf8_has_control((const uint8_t *) text, bytes));
}

static void
check_digits(const char *text, size_t count, size_t most)
{
	MUST(count <= most);
	for (size_t i = 0; i < count; i++)
		MUST(text[i] >= '0' && text[i] <= '9');
}

static void
check_record(const Record *record)
{
	const RecordAmount *amount = &record->amount;
	uint8_t		room[FIELD_ROOM];
	CopyBuffer	buffer = {room, sizeof(room), 0};

	check_text(record->source_account, record->source_bytes,
			   FINTRANS_ACCOUNT_MAX_BYTES);
	check_text(record->target_account, record->target_bytes,
			   FINTRANS_ACCOUNT_MAX_BYTES);
	if (record->reference != NULL)
		check_text(record->reference, record->reference_bytes,
				   FINTRANS_REFERENCE_MAX_BYTES);
	check_digits(amount->integer, amount->integer_digits,
				 FINTRANS_AMOUNT_INTEGER_DIGITS);
	check_digits(amount->decimals, amount->decimal_digits,
				 FINTRANS_AMOUNT_DECIMALS);
	MUST(amount->integer_digits == 0 || amount->integer[0] != '0');
	MUST(copy_put_numeric(&buffer, amount));
}

/* Decode it twice: a message must not depend on the one before it. */
static void
check_codec(Codec *codec, const uint8_t *payload, size_t length)
{
	char		text[RECORD_DETAIL_BYTES] = "";
	char		again[RECORD_DETAIL_BYTES] = "";
	const RecordDetail detail = {text, sizeof(text)};
	const RecordDetail detail_again = {again, sizeof(again)};
	Record		record;
	RecordVerdict verdict = codec_decode(codec, payload, length, &record,
										 &detail);

	if (verdict == FINTRANS_ACCEPTED)
		check_record(&record);
	else
	{
		MUST(record_reason(verdict) != NULL);
		MUST(memchr(text, '\0', sizeof(text)) != NULL && *text != '\0');
		MUST(utf8_valid_bytes((const uint8_t *) text, strlen(text)) ==
			 strlen(text));
	}
	MUST(codec_decode(codec, payload, length, &record, &detail_again) ==
		 verdict);
	MUST(verdict == FINTRANS_ACCEPTED || strcmp(text, again) == 0);
}

#endif							/* FINTRANS_FUZZ_CHECK_CODEC_H */
