/*
 * Reads messages in the format that the user has named.  No I/O: a payload
 * goes in, a record comes out, or the reason why it is none.
 *
 * To add a format, write a file pair and give it a line in codec.c's table.
 */
#ifndef FINTRANS_CODEC_H
#define FINTRANS_CODEC_H

#include <stdbool.h>
#include <stddef.h>

#include "field_map.h"
#include "record.h"

/* The formats, the first one is that of the demo. */
#define CODEC_FORMATS "text|json|csv"

/* As the options of fintrans-bridge say; see there. */
typedef struct CodecSettings
{
	const char *format;			/* one of CODEC_FORMATS */
	const char *fields;			/* NULL: those of the format */
	const char *csv_header;		/* NULL: columns have numbers only */
	const char *time_unit;		/* one of TIME_UNIT_NAMES; NULL: iso */
} CodecSettings;

typedef struct Codec Codec;

/* NULL with errstr when the settings cannot be used. */
extern Codec *codec_open(const CodecSettings *settings,
						 char *errstr, size_t errstr_size);

/* codec may be NULL. */
extern void codec_close(Codec *codec);

/*
 * The installation's currency, which must outlive the codec; NULL for none.
 * False with errstr when messages are to name one and there is none.
 */
extern bool codec_set_currency(Codec *codec, const char *currency,
							   char *errstr, size_t errstr_size);

/* Is the event time a field of the message, not Kafka's timestamp? */
extern bool codec_tells_time(const Codec *codec);

/*
 * Read length bytes of payload (NULL when the message has none).  When it is
 * accepted, the record points into the payload and the codec, until the next
 * call.  When not, detail says what exactly was wrong, without any of the
 * payload's text; the record's time is valid all the same.
 */
extern RecordVerdict codec_decode(Codec *codec, const void *payload,
								  size_t length, Record *record,
								  const RecordDetail *detail);

/*
 * What a format has to offer.  `open` takes the places of the mapping, which
 * it may change but not keep, and returns NULL with errstr when it cannot use
 * them; it is NULL for a format that has no places.
 */
typedef struct CodecFormat
{
	const char *name;
	const char *fields;			/* the mapping when none is given */
	void	   *(*open) (const CodecSettings *settings, FieldMap *map,
						 char *errstr, size_t errstr_size);
	void		(*close) (void *state);
	RecordVerdict (*decode) (void *state, const void *payload, size_t length,
							 const FieldRules *rules, Record *record,
							 const RecordDetail *detail);
} CodecFormat;

#endif							/* FINTRANS_CODEC_H */
