/*
 * Accounts hold no control characters, so quotes, and in JSON backslashes, are
 * all that needs care in them.
 */
#include "message_format.h"

#include <string.h>

struct MessageFormat
{
	const char *name;
	const char *pieces[4];		/* before, between and behind the fields */
	const char *quoted;			/* bytes of an account that need an escape */
	char		escape;			/* 0: twice the byte itself */
};

/* Where a message is being written. */
typedef struct Output
{
	const MessageFormat *format;
	char	   *text;
	size_t		bytes;
} Output;

static void put(Output *output, const char *bytes, size_t count);
static void put_piece(Output *output, int number);
static void put_account(Output *output, const char *account, size_t bytes);
static void put_amount(Output *output, const RecordAmount *amount);

static const MessageFormat formats[] = {
	{"json", {"{\"source\":\"", "\",\"target\":\"", "\",\"amount\":", "}"},
	"\"\\", '\\'},
	{"csv", {"\"", "\",\"", "\",", ""}, "\"", 0}
};

const MessageFormat *
message_format_of(const char *name)
{
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		if (strcmp(formats[i].name, name) == 0)
			return &formats[i];
	return NULL;
}

size_t
message_format_write(const MessageFormat *format, const Record *record,
					 char *text)
{
	Output		output = {format, text, 0};

	put_piece(&output, 0);
	put_account(&output, record->source_account, record->source_bytes);
	put_piece(&output, 1);
	put_account(&output, record->target_account, record->target_bytes);
	put_piece(&output, 2);
	put_amount(&output, &record->amount);
	put_piece(&output, 3);
	return output.bytes;
}

static void
put(Output *output, const char *bytes, size_t count)
{
	memcpy(output->text + output->bytes, bytes, count);
	output->bytes += count;
}

static void
put_piece(Output *output, int number)
{
	const char *piece = output->format->pieces[number];

	put(output, piece, strlen(piece));
}

static void
put_account(Output *output, const char *account, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
	{
		/* an account has no NUL, which would be found too */
		if (strchr(output->format->quoted, account[i]) != NULL)
			put(output, output->format->escape != 0 ?
				&output->format->escape : &account[i], 1);
		put(output, &account[i], 1);
	}
}

/* JSON has no number without a digit before its point. */
static void
put_amount(Output *output, const RecordAmount *amount)
{
	if (amount->integer_digits > 0)
		put(output, amount->integer, amount->integer_digits);
	else
		put(output, "0", 1);
	if (amount->decimal_digits > 0)
	{
		put(output, ".", 1);
		put(output, amount->decimals, amount->decimal_digits);
	}
}
