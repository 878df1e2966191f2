/*
 * Reads messages from a file, one at a time: the lines of a plain file as
 * they are, good or not, or the rows of a CSV, each checked with the bridge's
 * own parser before it becomes a message.
 *
 * libcsv pushes what it parses; here a row is pulled.  So it is fed up to the
 * next line end only, again and again until it reports a row: with quotes, a
 * row may have several lines.
 */
#include "replay.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <csv.h>

#include "text_file.h"
#include "text_format.h"
#include "time_spec.h"

/* Of a line of a plain file; Kafka's own default limit is 1 MB. */
#define LINE_MAX_BYTES (64 * 1024 * 1024)

/* Of a row of a CSV: beyond it, a quote was never closed. */
#define ROW_MAX_BYTES (64 * 1024)
#define ROW_MAX_FIELDS 256

typedef enum Column
{
	COLUMN_SOURCE,
	COLUMN_TARGET,
	COLUMN_AMOUNT,
	COLUMN_TIME,				/* the one that may be missing */
	COLUMNS
} Column;

static const char *const column_names[COLUMNS] = {
	"source", "target", "amount", "time"
};

/* Bytes that grow; always one more than used is allocated. */
typedef struct Buffer
{
	char	   *text;
	size_t		bytes;
	size_t		size;
} Buffer;

/* A row of the CSV while libcsv reports it, field by field. */
typedef struct Row
{
	Buffer		text;			/* the fields, a NUL after each */
	size_t		starts[ROW_MAX_FIELDS];
	size_t		lengths[ROW_MAX_FIELDS];
	size_t		count;			/* may exceed ROW_MAX_FIELDS: then not kept */
	bool		complete;
	bool		no_memory;
} Row;

struct Replay
{
	const ReplaySource *source;
	TextFile   *file;
	const char *line;			/* read last, with its end */
	size_t		line_bytes;
	uint64_t	message_line;	/* where the last message began */
	bool		is_csv;
	struct csv_parser parser;
	Row			row;
	char	   *wanted;			/* columns, cut into their names */
	const char *wanted_names[COLUMNS];
	size_t		positions[COLUMNS]; /* in the header, from 0 on */
	size_t		header_fields;
	Buffer		payload;		/* of a message made from a row */
	char	   *errstr;			/* of the call under way */
	size_t		errstr_size;
};

static bool parse_wanted(Replay *replay);
static bool parse_wanted_column(Replay *replay, char *pair);
static bool read_header(Replay *replay);
static bool find_column(Replay *replay, Column column);

static ReplayOutcome next_line(Replay *replay, ReplayMessage *message);
static ReplayOutcome next_row_message(Replay *replay, ReplayMessage *message);
static ReplayOutcome next_row(Replay *replay);
static ReplayOutcome feed_line(Replay *replay);
static ReplayOutcome feed_end(Replay *replay);
static ReplayOutcome row_read(Replay *replay);
static void on_field(void *text, size_t bytes, void *row);
static void on_row(int terminator, void *row);
static bool make_payload(Replay *replay);
static bool add_field(Replay *replay, Column column);
static bool check_payload(Replay *replay);
static bool make_time(Replay *replay, int64_t *event_time_ms);
static bool count_time(Replay *replay, const char *text, int64_t unit_us,
					   int64_t *ms);
static int64_t unit_in_us(const char *unit);

static ReplayOutcome read_line(Replay *replay, size_t maximum,
							   const char *line_end);
static bool buffer_add(Buffer *buffer, const void *bytes, size_t count);
static bool fail(Replay *replay, const char *format,...)
			__attribute__((format(printf, 2, 3)));
static bool fail_line(Replay *replay, const char *format,...)
			__attribute__((format(printf, 2, 3)));

Replay *
replay_open(const ReplaySource *source, char *errstr, size_t errstr_size)
{
	Replay	   *replay = calloc(1, sizeof(*replay));

	if (replay == NULL)
	{
		snprintf(errstr, errstr_size, "out of memory");
		return NULL;
	}
	replay->source = source;
	replay->errstr = errstr;
	replay->errstr_size = errstr_size;
	replay->is_csv = source->columns != NULL && source->columns[0] != '\0';
	if ((replay->is_csv && !parse_wanted(replay)) ||
		(replay->file = text_file_open(source->file, errstr,
									   errstr_size)) == NULL ||
		(replay->is_csv && !read_header(replay)))
	{
		replay_close(replay);
		return NULL;
	}
	return replay;
}

ReplayOutcome
replay_next(Replay *replay, ReplayMessage *message,
			char *errstr, size_t errstr_size)
{
	ReplayOutcome outcome;

	replay->errstr = errstr;
	replay->errstr_size = errstr_size;
	outcome = replay->is_csv ? next_row_message(replay, message) :
		next_line(replay, message);
	if (outcome == REPLAY_MESSAGE)
	{
		const char *blank = memchr(message->payload, ' ', message->bytes);

		message->key_bytes = blank == NULL ? message->bytes :
			(size_t) (blank - message->payload);
	}
	return outcome;
}

uint64_t
replay_line(const Replay *replay)
{
	return replay->message_line;
}

void
replay_close(Replay *replay)
{
	if (replay == NULL)
		return;
	text_file_close(replay->file);
	if (replay->is_csv)
		csv_free(&replay->parser);
	free(replay->row.text.text);
	free(replay->payload.text);
	free(replay->wanted);
	free(replay);
}

/* ---------------------------------------------------------------- opening */

/* source=..,target=..,amount=..[,time=..] */
static bool
parse_wanted(Replay *replay)
{
	char	   *rest = NULL;

	if (csv_init(&replay->parser, CSV_STRICT | CSV_STRICT_FINI) != 0)
		return fail(replay, "could not start the CSV parser");
	replay->wanted = strdup(replay->source->columns);
	if (replay->wanted == NULL)
		return fail(replay, "out of memory");
	for (char *pair = strtok_r(replay->wanted, ",", &rest); pair != NULL;
		 pair = strtok_r(NULL, ",", &rest))
	{
		if (!parse_wanted_column(replay, pair))
			return false;
	}
	for (int i = 0; i < COLUMN_TIME; i++)
	{
		if (replay->wanted_names[i] == NULL)
			return fail(replay, "option --columns names no %s: expected source=..,"
						"target=..,amount=..[,time=..]", column_names[i]);
	}
	return true;
}

static bool
parse_wanted_column(Replay *replay, char *pair)
{
	char	   *equals = strchr(pair, '=');

	if (equals == NULL || equals[1] == '\0')
		return fail(replay, "option --columns: \"%.64s\" is not role=column", pair);
	*equals = '\0';
	for (int i = 0; i < COLUMNS; i++)
	{
		if (strcmp(pair, column_names[i]) != 0)
			continue;
		if (replay->wanted_names[i] != NULL)
			return fail(replay, "option --columns names %s twice", pair);
		replay->wanted_names[i] = equals + 1;
		return true;
	}
	return fail(replay, "option --columns: \"%.64s\" is not one of source, target, "
				"amount, time", pair);
}

static bool
read_header(Replay *replay)
{
	ReplayOutcome outcome = next_row(replay);

	if (outcome == REPLAY_END)
		return fail(replay, "file \"%s\" is empty: expected a header",
					replay->source->file);
	if (outcome != REPLAY_MESSAGE)
		return false;
	replay->header_fields = replay->row.count;
	for (int i = 0; i < COLUMNS; i++)
	{
		if (replay->wanted_names[i] != NULL && !find_column(replay, i))
			return false;
	}
	return true;
}

static bool
find_column(Replay *replay, Column column)
{
	const Row  *row = &replay->row;
	const char *wanted = replay->wanted_names[column];
	size_t		found = row->count;

	for (size_t i = 0; i < row->count; i++)
	{
		const char *name = row->text.text + row->starts[i];

		if (i == 0 && strncmp(name, "\xef\xbb\xbf", 3) == 0)
			name += 3;
		if (strcmp(name, wanted) != 0)
			continue;
		if (found < row->count)
			return fail_line(replay, "the header names column \"%s\" twice",
							 wanted);
		found = i;
	}
	if (found == row->count)
		return fail_line(replay, "the header has no column \"%s\"", wanted);
	replay->positions[column] = found;
	return true;
}

/* --------------------------------------------------------------- messages */

static ReplayOutcome
next_line(Replay *replay, ReplayMessage *message)
{
	ReplayOutcome outcome;

	replay->message_line = text_file_lines(replay->file) + 1;
	outcome = read_line(replay, LINE_MAX_BYTES, "\n");
	if (outcome != REPLAY_MESSAGE)
		return outcome;
	message->payload = replay->line;
	message->bytes = replay->line_bytes;
	if (message->bytes > 0 && message->payload[message->bytes - 1] == '\n')
		message->bytes--;
	message->event_time_ms = REPLAY_NO_TIME;
	return REPLAY_MESSAGE;
}

static ReplayOutcome
next_row_message(Replay *replay, ReplayMessage *message)
{
	ReplayOutcome outcome = next_row(replay);

	if (outcome != REPLAY_MESSAGE)
		return outcome;
	if (replay->row.count != replay->header_fields)
	{
		fail_line(replay, "%zu fields where the header has %zu",
				  replay->row.count, replay->header_fields);
		return REPLAY_FAILED;
	}
	message->event_time_ms = REPLAY_NO_TIME;
	if (!make_payload(replay) || !check_payload(replay) ||
		(replay->wanted_names[COLUMN_TIME] != NULL &&
		 !make_time(replay, &message->event_time_ms)))
		return REPLAY_FAILED;
	message->payload = replay->payload.text;
	message->bytes = replay->payload.bytes;
	return REPLAY_MESSAGE;
}

/* Read the next row into replay->row; empty lines are none. */
static ReplayOutcome
next_row(Replay *replay)
{
	Row		   *row = &replay->row;
	size_t		fed = 0;

	row->text.bytes = 0;
	row->count = 0;
	row->complete = false;
	while (!row->complete)
	{
		ReplayOutcome outcome;

		if (fed == 0)
			replay->message_line = text_file_lines(replay->file) + 1;
		outcome = feed_line(replay);
		if (outcome == REPLAY_END)
			return feed_end(replay);
		if (outcome == REPLAY_FAILED)
			return REPLAY_FAILED;
		/* a line end alone begins no row */
		if (fed > 0 || strchr("\r\n", replay->line[0]) == NULL)
			fed += replay->line_bytes;
		if (fed > ROW_MAX_BYTES)
		{
			fail_line(replay, "a row of more than %d bytes: a quote may not "
					  "be closed", ROW_MAX_BYTES);
			return REPLAY_FAILED;
		}
	}
	return row_read(replay);
}

/* Feed libcsv with the next line or part of one. */
static ReplayOutcome
feed_line(Replay *replay)
{
	ReplayOutcome outcome = read_line(replay, ROW_MAX_BYTES, "\r\n");

	if (outcome != REPLAY_MESSAGE)
		return outcome;
	if (csv_parse(&replay->parser, replay->line, replay->line_bytes,
				  on_field, on_row, &replay->row) == replay->line_bytes)
		return REPLAY_MESSAGE;
	fail_line(replay, "%s", csv_strerror(csv_error(&replay->parser)));
	return REPLAY_FAILED;
}

/* The last row may lack its line end. */
static ReplayOutcome
feed_end(Replay *replay)
{
	if (csv_fini(&replay->parser, on_field, on_row, &replay->row) != 0)
	{
		fail_line(replay, "the file ends within quotes");
		return REPLAY_FAILED;
	}
	return replay->row.complete ? row_read(replay) : REPLAY_END;
}

static ReplayOutcome
row_read(Replay *replay)
{
	if (replay->row.no_memory)
		fail(replay, "out of memory");
	else if (replay->row.count > ROW_MAX_FIELDS)
		fail_line(replay, "a row of %zu fields, at most %d can be read",
				  replay->row.count, ROW_MAX_FIELDS);
	else
		return REPLAY_MESSAGE;
	return REPLAY_FAILED;
}

static void
on_field(void *text, size_t bytes, void *data)
{
	Row		   *row = data;

	if (row->count < ROW_MAX_FIELDS)
	{
		row->starts[row->count] = row->text.bytes;
		row->lengths[row->count] = bytes;
		if (!buffer_add(&row->text, text, bytes) ||
			!buffer_add(&row->text, "", 1))
			row->no_memory = true;
	}
	row->count++;
}

static void
on_row(int terminator, void *row)
{
	(void) terminator;
	((Row *) row)->complete = true;
}

/* ------------------------------------------------------- a row's contents */

/* `source target amount` */
static bool
make_payload(Replay *replay)
{
	replay->payload.bytes = 0;
	return add_field(replay, COLUMN_SOURCE) &&
		add_field(replay, COLUMN_TARGET) && add_field(replay, COLUMN_AMOUNT);
}

/* A blank within a field would make it two. */
static bool
add_field(Replay *replay, Column column)
{
	const Row  *row = &replay->row;
	const char *text = row->text.text + row->starts[replay->positions[column]];
	size_t		bytes = row->lengths[replay->positions[column]];

	if (bytes == 0)
		return fail_line(replay, "the %s is empty", column_names[column]);
	for (size_t i = 0; i < bytes; i++)
	{
		if (text[i] == ' ' || (text[i] >= '\t' && text[i] <= '\r'))
			return fail_line(replay, "the %s holds a blank or a line end",
							 column_names[column]);
	}
	if ((column != COLUMN_SOURCE && !buffer_add(&replay->payload, " ", 1)) ||
		!buffer_add(&replay->payload, text, bytes))
		return fail(replay, "out of memory");
	return true;
}

static bool
check_payload(Replay *replay)
{
	Record		record;
	char		text[RECORD_DETAIL_BYTES];
	const RecordDetail detail = {text, sizeof(text)};
	RecordVerdict verdict = text_decode(replay->payload.text,
										replay->payload.bytes, NULL, &record,
										&detail);

	if (verdict != FINTRANS_ACCEPTED)
		return fail_line(replay, "%s: %s", record_reason(verdict), text);
	return true;
}

static bool
make_time(Replay *replay, int64_t *event_time_ms)
{
	const Row  *row = &replay->row;
	size_t		position = replay->positions[COLUMN_TIME];
	const char *text = row->text.text + row->starts[position];
	const char *unit = replay->source->time_unit;

	if (strcmp(unit, "iso") == 0)
	{
		TimeSpec	time;
		char		reason[160];

		if (!time_spec_parse(text, &time, reason, sizeof(reason)))
			return fail_line(replay, "%s", reason);
		if (time.relative)
			return fail_line(replay, "the time is relative to now");
		*event_time_ms = time.ms;
	}
	else if (!count_time(replay, text, unit_in_us(unit), event_time_ms))
		return false;
	/* librdkafka takes 0 for "now" and has no times before 1970 */
	if (*event_time_ms <= 0)
		return fail_line(replay, "a Kafka message cannot carry the time "
						 "1970-01-01 00:00 UTC or an earlier one");
	return true;
}

/* Units, with decimals or without, since the origin. */
static bool
count_time(Replay *replay, const char *text, int64_t unit_us, int64_t *ms)
{
	const char *digits = text[0] == '-' ? text + 1 : text;
	size_t		whole = strspn(digits, "0123456789");
	size_t		decimals = digits[whole] != '.' ? 0 :
		1 + strspn(digits + whole + 1, "0123456789");
	long long	units;
	int64_t		us;
	double		fraction;

	errno = 0;
	units = strtoll(text, NULL, 10);
	if (whole == 0 || digits[whole + decimals] != '\0' || decimals == 1 ||
		errno != 0 || __builtin_mul_overflow(units, unit_us, &us))
		return fail_line(replay, "the time is not a number of time units");
	fraction = decimals == 0 ? 0 : strtod(digits + whole, NULL);
	fraction *= text[0] == '-' ? (double) -unit_us : (double) unit_us;
	if (__builtin_add_overflow(us, (int64_t) fraction, &us) ||
		__builtin_add_overflow(us / 1000 - (us % 1000 < 0),
							   replay->source->time_origin_ms, ms))
		return fail_line(replay, "the time is too far from its origin");
	return true;
}

static int64_t
unit_in_us(const char *unit)
{
	static const struct
	{
		const char *name;
		int64_t		us;
	}			units[] = {
		{"us", 1},
		{"ms", INT64_C(1000)},
		{"s", INT64_C(1000000)},
		{"hour", INT64_C(3600000000)},
		{"day", INT64_C(86400000000)}
	};
	size_t		i = 0;

	while (strcmp(units[i].name, unit) != 0)
		i++;
	return units[i].us;
}

/* ------------------------------------------------------------------ lines */

static ReplayOutcome
read_line(Replay *replay, size_t maximum, const char *line_end)
{
	switch (text_file_read(replay->file, maximum, line_end, replay->errstr,
						   replay->errstr_size))
	{
		case TEXT_LINE:
			replay->line = text_file_line(replay->file, &replay->line_bytes);
			return REPLAY_MESSAGE;
		case TEXT_END:
			return REPLAY_END;
		case TEXT_FAILED:
			break;
	}
	return REPLAY_FAILED;
}

static bool
buffer_add(Buffer *buffer, const void *bytes, size_t count)
{
	if (count >= buffer->size - buffer->bytes)
	{
		size_t		size = 2 * buffer->size + count + 256;
		char	   *text = realloc(buffer->text, size);

		if (text == NULL)
			return false;
		buffer->text = text;
		buffer->size = size;
	}
	if (count > 0)
		memcpy(buffer->text + buffer->bytes, bytes, count);
	buffer->bytes += count;
	return true;
}

/* Always false. */
static bool
fail(Replay *replay, const char *format,...)
{
	va_list		arguments;

	va_start(arguments, format);
	vsnprintf(replay->errstr, replay->errstr_size, format, arguments);
	va_end(arguments);
	return false;
}

/* Always false: the reason after the names of file and line. */
static bool
fail_line(Replay *replay, const char *format,...)
{
	char		reason[256];
	va_list		arguments;

	va_start(arguments, format);
	vsnprintf(reason, sizeof(reason), format, arguments);
	va_end(arguments);
	return fail(replay, "file \"%s\", line %" PRIu64 ": %s",
				replay->source->file, replay->message_line, reason);
}
