/*
 * libcsv reports a record column by column from a buffer of its own, so the
 * fields that are wanted are copied.  It is told to keep blanks around a
 * field, as RFC 4180 asks, and to refuse quotes within one without.
 */
#include "csv_format.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <csv.h>

/* Is wide enough for any field, so that the buffer never grows. */
#define BUFFER_BYTES (RECORD_MAX_BYTES + 1)

typedef struct CsvState
{
	struct csv_parser parser;
	unsigned char role_at[CSV_MAX_COLUMNS]; /* FIELD_ROLES for none */
	size_t		header_columns; /* 0 without a header */
	size_t		columns_needed;

	/* of the message at hand */
	Field		fields[FIELD_ROLES];
	char		copies[FIELD_ROLES][FIELD_MAX_BYTES];
	size_t		columns;
	size_t		records;
} CsvState;

/* The header while libcsv reports it. */
typedef struct Header
{
	CsvState   *csv;
	FieldMap   *map;
	bool		found_twice[FIELD_ROLES];
	size_t		found_at[FIELD_ROLES];	/* from 1 on; 0: not yet */
	size_t		records;
} Header;

static bool start_parser(CsvState *csv);
static int	no_space(unsigned char byte);
static bool map_columns(CsvState *csv, const CodecSettings *settings,
						FieldMap *map, char *errstr, size_t errstr_size);
static bool read_header(CsvState *csv, const char *text, Header *header);
static void on_header_name(void *text, size_t bytes, void *header);
static void on_header_end(int terminator, void *header);
static size_t column_of(const Header *header, int role, const char *place);
static bool map_column(CsvState *csv, int role, size_t column, char *errstr,
					   size_t errstr_size);
static RecordVerdict parse(CsvState *csv, const char *payload, size_t length,
						   const RecordDetail *detail);
static RecordVerdict check_columns(const CsvState *csv,
								   const RecordDetail *detail);
static void on_column(void *text, size_t bytes, void *state);
static void on_record(int terminator, void *state);

void *
csv_format_open(const CodecSettings *settings, FieldMap *map, char *errstr,
				size_t errstr_size)
{
	CsvState   *csv = calloc(1, sizeof(*csv));

	if (csv == NULL || !start_parser(csv))
	{
		snprintf(errstr, errstr_size, "out of memory");
		free(csv);
		return NULL;
	}
	memset(csv->role_at, FIELD_ROLES, sizeof(csv->role_at));
	if (map_columns(csv, settings, map, errstr, errstr_size))
		return csv;
	csv_format_close(csv);
	return NULL;
}

void
csv_format_close(void *state)
{
	CsvState   *csv = state;

	csv_free(&csv->parser);
	free(csv);
}

RecordVerdict
csv_decode(void *state, const void *payload, size_t length,
		   const FieldRules *rules, Record *record,
		   const RecordDetail *detail)
{
	CsvState   *csv = state;
	RecordVerdict verdict;

	if ((verdict = record_check_payload(payload, length, RECORD_MAX_BYTES,
										detail)) != FINTRANS_ACCEPTED ||
		(verdict = parse(csv, payload, length, detail))
		!= FINTRANS_ACCEPTED ||
		(verdict = check_columns(csv, detail)) != FINTRANS_ACCEPTED)
		return verdict;
	return record_take_fields(record, csv->fields, rules, detail);
}

static bool
start_parser(CsvState *csv)
{
	if (csv_init(&csv->parser, CSV_STRICT | CSV_STRICT_FINI) != 0)
		return false;
	csv_set_space_func(&csv->parser, no_space);
	csv_set_blk_size(&csv->parser, BUFFER_BYTES);
	return true;
}

static int
no_space(unsigned char byte)
{
	(void) byte;
	return 0;
}

/* ------------------------------------------------------------- the mapping */

static bool
map_columns(CsvState *csv, const CodecSettings *settings, FieldMap *map,
			char *errstr, size_t errstr_size)
{
	Header		header = {.csv = csv,.map = map};

	for (int role = 0; role < FIELD_ROLES; role++)
		if (map->places[role] != NULL)
			field_map_unescape(map->places[role]);
	if (settings->csv_header != NULL &&
		!read_header(csv, settings->csv_header, &header))
	{
		snprintf(errstr, errstr_size,
				 "--csv-header is not one record of CSV");
		return false;
	}
	for (int role = 0; role < FIELD_ROLES; role++)
	{
		const char *place = map->places[role];

		if (place == NULL)
			continue;
		if (header.found_twice[role])
		{
			snprintf(errstr, errstr_size,
					 "--csv-header names column \"%.64s\" twice", place);
			return false;
		}
		if (!map_column(csv, role, column_of(&header, role, place), errstr,
						errstr_size))
			return false;
	}
	return true;
}

static bool
read_header(CsvState *csv, const char *text, Header *header)
{
	return csv_parse(&csv->parser, text, strlen(text), on_header_name,
					 on_header_end, header) == strlen(text) &&
		csv_fini(&csv->parser, on_header_name, on_header_end, header) == 0 &&
		header->records == 1;
}

static void
on_header_name(void *text, size_t bytes, void *state)
{
	Header	   *header = state;
	size_t		column = ++header->csv->header_columns;

	for (int role = 0; role < FIELD_ROLES; role++)
	{
		const char *place = header->map->places[role];

		if (place == NULL || strlen(place) != bytes ||
			memcmp(place, text, bytes) != 0)
			continue;
		header->found_twice[role] = header->found_at[role] > 0;
		header->found_at[role] = column;
	}
}

static void
on_header_end(int terminator, void *header)
{
	(void) terminator;
	((Header *) header)->records++;
}

/* By its name, or else its number; 0 when there is none such. */
static size_t
column_of(const Header *header, int role, const char *place)
{
	size_t		digits = strspn(place, "0123456789");
	size_t		columns = header->csv->header_columns;
	size_t		number;

	if (header->found_at[role] > 0)
		return header->found_at[role];
	if (place[digits] != '\0' || digits > 3)
		return 0;
	number = (size_t) strtoul(place, NULL, 10);
	return columns > 0 && number > columns ? 0 : number;
}

static bool
map_column(CsvState *csv, int role, size_t column, char *errstr,
		   size_t errstr_size)
{
	if (column == 0 || column > CSV_MAX_COLUMNS)
	{
		snprintf(errstr, errstr_size,
				 "the place of %s in --fields is neither a column's number from 1 to %d nor a name in --csv-header",
				 field_name((FieldRole) role), CSV_MAX_COLUMNS);
		return false;
	}
	if (csv->role_at[column - 1] != FIELD_ROLES)
	{
		snprintf(errstr, errstr_size,
				 "%s and %s have the same place in --fields",
				 field_name((FieldRole) csv->role_at[column - 1]),
				 field_name((FieldRole) role));
		return false;
	}
	csv->role_at[column - 1] = (unsigned char) role;
	if (column > csv->columns_needed)
		csv->columns_needed = column;
	return true;
}

/* -------------------------------------------------------------- a message */

static RecordVerdict
parse(CsvState *csv, const char *payload, size_t length,
	  const RecordDetail *detail)
{
	size_t		parsed;

	memset(csv->fields, 0, sizeof(csv->fields));
	csv->columns = 0;
	csv->records = 0;
	parsed = csv_parse(&csv->parser, payload, length, on_column, on_record,
					   csv);
	if (parsed == length &&
		csv_fini(&csv->parser, on_column, on_record, csv) == 0)
	{
		if (csv->records == 1)
			return FINTRANS_ACCEPTED;
		return record_refuse(detail, FINTRANS_REJECT_BAD_SYNTAX,
							 "%zu records of CSV, one is expected",
							 csv->records);
	}
	/* it would go on where it stopped */
	csv_free(&csv->parser);
	if (!start_parser(csv))
		abort();
	if (parsed == length)
		return record_refuse(detail, FINTRANS_REJECT_BAD_SYNTAX,
							 "not CSV: the last quote is not closed");
	return record_refuse(detail, FINTRANS_REJECT_BAD_SYNTAX,
						 "not CSV at byte %zu: a quote within a field without quotes, or something behind a closing one",
						 parsed + 1);
}

static RecordVerdict
check_columns(const CsvState *csv, const RecordDetail *detail)
{
	if (csv->header_columns > 0 && csv->columns != csv->header_columns)
		return record_refuse(detail, FINTRANS_REJECT_FIELD_COUNT,
							 "%zu fields, %zu are expected as in the header",
							 csv->columns, csv->header_columns);
	if (csv->columns < csv->columns_needed)
		return record_refuse(detail, FINTRANS_REJECT_FIELD_COUNT,
							 "%zu fields, at least %zu are expected",
							 csv->columns, csv->columns_needed);
	return FINTRANS_ACCEPTED;
}

static void
on_column(void *text, size_t bytes, void *state)
{
	CsvState   *csv = state;
	size_t		column = csv->columns++;
	int			role;

	if (csv->records > 0 || column >= CSV_MAX_COLUMNS)
		return;
	role = csv->role_at[column];
	if (role == FIELD_ROLES)
		return;
	csv->fields[role] = (Field) {FIELD_TEXT, csv->copies[role], bytes};
	if (bytes > FIELD_MAX_BYTES)
		csv->fields[role].text = NULL;
	else if (bytes > 0)
		memcpy(csv->copies[role], text, bytes);
}

static void
on_record(int terminator, void *state)
{
	(void) terminator;
	((CsvState *) state)->records++;
}
