/*
 * JSON has its numbers as they are, so that none is rounded on the way out,
 * and null for what is not there.  CSV has every value in quotes, and nothing,
 * not even quotes, for what is not there, as COPY does.
 */
#include "alert_format.h"

#include <string.h>

#include <csv.h>
#include <yajl/yajl_gen.h>

#include "printable.h"

/* What is printed so far apart, the demo printed in one piece. */
#define RED "\033[31;1m"
#define NO_COLOUR "\033[0m"

struct AlertFormat
{
	const char *name;
	void		(*begin) (FILE *out);	/* or NULL */
	bool		(*write) (const Alert *alert, bool coloured, FILE *out);
};

static bool write_text(const Alert *alert, bool coloured, FILE *out);
static bool write_json(const Alert *alert, bool coloured, FILE *out);
static void put_member(yajl_gen json, const AlertColumnSpec *column,
					   const char *value);
static void put_string(yajl_gen json, const char *text);
static void put_bytes(void *out, const char *bytes, size_t count);
static void begin_csv(FILE *out);
static bool write_csv(const Alert *alert, bool coloured, FILE *out);
static void put_field(FILE *out, int column, const char *value);

static const AlertFormat formats[] = {
	{"text", NULL, write_text},
	{"json", NULL, write_json},
	{"csv", begin_csv, write_csv},
};

const AlertFormat *
alert_format_of(const char *name)
{
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		if (strcmp(formats[i].name, name) == 0)
			return &formats[i];
	return NULL;
}

void
alert_format_begin(const AlertFormat *format, FILE *out)
{
	if (format->begin != NULL)
		format->begin(out);
}

bool
alert_format_write(const AlertFormat *format, const Alert *alert,
				   bool coloured, FILE *out)
{
	return format->write(alert, coloured, out);
}

/*
 * The demo's line.  The bridge refuses control characters, but SQL can store
 * them: they could forge a line or command a terminal.
 */
static bool
write_text(const Alert *alert, bool coloured, FILE *out)
{
	const char *const *values = alert->values;

	fprintf(out, "%sPOTENTIAL MONEY LAUNDERING:%s ", coloured ? RED : "",
			coloured ? NO_COLOUR : "");
	if (values[ALERT_ACCOUNT] != NULL)
		printable_write(out, values[ALERT_ACCOUNT], PRINTABLE_ALL);
	else
	{
		printable_write(out, values[ALERT_SOURCE_ACCOUNT], PRINTABLE_ALL);
		fputs(" -> ", out);
		printable_write(out, values[ALERT_TARGET_ACCOUNT], PRINTABLE_ALL);
	}
	fprintf(out, " totalling %s now \n", values[ALERT_TOTAL]);
	return true;
}

static bool
write_json(const Alert *alert, bool coloured, FILE *out)
{
	yajl_gen	json = yajl_gen_alloc(NULL);

	(void) coloured;
	if (json == NULL)
		return false;
	yajl_gen_config(json, yajl_gen_print_callback, put_bytes, out);
	yajl_gen_map_open(json);
	for (int i = 0; i < ALERT_COLUMNS; i++)
		put_member(json, &alert_columns[i], alert->values[i]);
	yajl_gen_map_close(json);
	yajl_gen_free(json);
	fputc('\n', out);
	return true;
}

static void
put_member(yajl_gen json, const AlertColumnSpec *column, const char *value)
{
	put_string(json, column->name);
	if (value == NULL)
		yajl_gen_null(json);
	else if (column->type == ALERT_NUMBER)
		yajl_gen_number(json, value, strlen(value));
	else
		put_string(json, value);
}

static void
put_string(yajl_gen json, const char *text)
{
	yajl_gen_string(json, (const unsigned char *) text, strlen(text));
}

static void
put_bytes(void *out, const char *bytes, size_t count)
{
	fwrite(bytes, 1, count, out);
}

static void
begin_csv(FILE *out)
{
	for (int i = 0; i < ALERT_COLUMNS; i++)
		put_field(out, i, alert_columns[i].name);
	fputc('\n', out);
}

static bool
write_csv(const Alert *alert, bool coloured, FILE *out)
{
	(void) coloured;
	for (int i = 0; i < ALERT_COLUMNS; i++)
		put_field(out, i, alert->values[i]);
	fputc('\n', out);
	return true;
}

static void
put_field(FILE *out, int column, const char *value)
{
	if (column > 0)
		fputc(',', out);
	if (value != NULL)
		csv_fwrite(out, value, strlen(value));
}
