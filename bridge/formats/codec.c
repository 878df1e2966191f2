/*
 * One table of formats; what the options say is checked against it.
 */
#include "codec.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "csv_format.h"
#include "json_format.h"
#include "text_format.h"

/* Fields that are called what they are. */
#define NAMED_FIELDS "source=source,target=target,amount=amount"

struct Codec
{
	const CodecFormat *format;
	void	   *state;			/* the format's own */
	FieldRules	rules;
};

static RecordVerdict decode_text(void *state, const void *payload,
								 size_t length, const FieldRules *rules,
								 Record *record, const RecordDetail *detail);
static bool open_codec(Codec *codec, const CodecSettings *settings,
					   char *errstr, size_t errstr_size);
static bool check_settings(const CodecFormat *format,
						   const CodecSettings *settings,
						   char *errstr, size_t errstr_size);
static bool check_time_unit(const Codec *codec, char *errstr,
							size_t errstr_size);

static const CodecFormat formats[] = {
	{"text", NULL, NULL, NULL, decode_text},
	{"json", NAMED_FIELDS, json_format_open, json_format_close, json_decode},
	{"csv", "source=1,target=2,amount=3", csv_format_open, csv_format_close,
	csv_decode}
};

Codec *
codec_open(const CodecSettings *settings, char *errstr, size_t errstr_size)
{
	Codec	   *codec = calloc(1, sizeof(*codec));

	if (codec == NULL)
	{
		snprintf(errstr, errstr_size, "out of memory");
		return NULL;
	}
	if (open_codec(codec, settings, errstr, errstr_size))
		return codec;
	codec_close(codec);
	return NULL;
}

void
codec_close(Codec *codec)
{
	if (codec == NULL)
		return;
	if (codec->state != NULL)
		codec->format->close(codec->state);
	free(codec);
}

bool
codec_set_currency(Codec *codec, const char *currency, char *errstr,
				   size_t errstr_size)
{
	codec->rules.currency = currency;
	if (currency != NULL || !codec->rules.wanted[FIELD_CURRENCY])
		return true;
	snprintf(errstr, errstr_size, "--fields has the place of a currency, but "
			 "the installation has none: give --currency");
	return false;
}

bool
codec_tells_time(const Codec *codec)
{
	return codec->rules.wanted[FIELD_TIME];
}

RecordVerdict
codec_decode(Codec *codec, const void *payload, size_t length,
			 Record *record, const RecordDetail *detail)
{
	record->time = (EventTime) {0};
	return codec->format->decode(codec->state, payload, length,
								 &codec->rules, record, detail);
}

static RecordVerdict
decode_text(void *state, const void *payload, size_t length,
			const FieldRules *rules, Record *record,
			const RecordDetail *detail)
{
	(void) state;
	return text_decode(payload, length, rules->currency, record, detail);
}

static bool
open_codec(Codec *codec, const CodecSettings *settings, char *errstr,
		   size_t errstr_size)
{
	size_t		i = 0;
	const char *fields = settings->fields;
	FieldMap	map = {0};

	while (strcmp(formats[i].name, settings->format) != 0)
	{
		i++;
		assert(i < sizeof(formats) / sizeof(formats[0]));
	}
	codec->format = &formats[i];
	codec->rules.time_unit = settings->time_unit == NULL ? TIME_UNIT_ISO :
		time_unit_of(settings->time_unit);
	if (!check_settings(codec->format, settings, errstr, errstr_size))
		return false;
	if (codec->format->open == NULL)
		return check_time_unit(codec, errstr, errstr_size);
	if (fields == NULL)
		fields = settings->csv_header != NULL ? NAMED_FIELDS :
			codec->format->fields;
	if (field_map_parse(&map, fields, errstr, errstr_size))
		codec->state = codec->format->open(settings, &map, errstr,
										   errstr_size);
	for (int role = 0; role < FIELD_ROLES; role++)
		codec->rules.wanted[role] = map.places[role] != NULL;
	field_map_free(&map);
	return codec->state != NULL &&
		check_time_unit(codec, errstr, errstr_size);
}

/* Options of another format would change nothing. */
static bool
check_settings(const CodecFormat *format, const CodecSettings *settings,
			   char *errstr, size_t errstr_size)
{
	const char *surplus = NULL;

	if (format->open == NULL && settings->fields != NULL)
		surplus = "fields";
	else if (format->open != csv_format_open && settings->csv_header != NULL)
		surplus = "csv-header";
	if (surplus == NULL)
		return true;
	snprintf(errstr, errstr_size, "--%s is of no use with --format %s",
			 surplus, format->name);
	return false;
}

static bool
check_time_unit(const Codec *codec, char *errstr, size_t errstr_size)
{
	if (codec->rules.time_unit == TIME_UNIT_ISO ||
		codec->rules.wanted[FIELD_TIME])
		return true;
	snprintf(errstr, errstr_size,
			 "--event-time-unit needs the place of a time in --fields");
	return false;
}
