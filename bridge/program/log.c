/*
 * Log lines on standard error, each written by one write(2) so that lines of
 * several threads, and of several programs on one pipe, do not mix.
 */
#include "log.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* A write of up to PIPE_BUF bytes to a pipe is atomic. */
#define LOG_LINE_BYTES 4096

static const char *const level_names[] = {
	[LOG_LEVEL_ERROR] = "error",
	[LOG_LEVEL_WARNING] = "warning",
	[LOG_LEVEL_INFO] = "info",
	[LOG_LEVEL_DEBUG] = "debug"
};

#define LEVEL_COUNT (sizeof(level_names) / sizeof(level_names[0]))

/* Set once by log_open(), before any thread is started. */
static const char *log_program = "fintrans";

static atomic_int log_level = LOG_LEVEL_INFO;

/* By log_call_before(). */
static void (*before_line) (void *context) = NULL;
static void *before_line_context = NULL;

/* A line being made; once full it stays full. */
typedef struct Line
{
	char		text[LOG_LINE_BYTES];
	size_t		bytes;			/* used, without a terminating NUL */
} Line;

static void occupy_standard_descriptors(void);
static void line_add(Line *line, const char *format,...)
			__attribute__((format(printf, 2, 3)));
static void line_add_list(Line *line, const char *format, va_list arguments);
static void line_add_time(Line *line);
static void line_finish(Line *line);
static void line_write(const Line *line);
static bool is_plain(const char *text);
static int	quote_next(const char **text, char *out);
static int	utf8_bytes(const unsigned char *c);

void
log_open(const char *program, const char *level)
{
	occupy_standard_descriptors();
	log_program = program;
	log_set_level(level);
}

void
log_set_level(const char *level)
{
	for (size_t i = 0; i < LEVEL_COUNT; i++)
	{
		if (strcmp(level, level_names[i]) == 0)
		{
			atomic_store(&log_level, (int) i);
			return;
		}
	}
	assert(!"level is one of LOG_LEVELS");
}

void
log_call_before(void (*call) (void *context), void *context)
{
	before_line = call;
	before_line_context = context;
}

bool
log_enabled(LogLevel level)
{
	return (int) level <= atomic_load(&log_level);
}

void
log_write(LogLevel level, const char *event, const char *format,...)
{
	Line		line = {.bytes = 0};
	char		quoted[256];
	int			errno_before = errno;

	if (!log_enabled(level))
		return;
	line_add_time(&line);
	line_add(&line, " level=%s program=%s event=%s", level_names[level],
			 log_program, log_quote(event, quoted, sizeof(quoted)));
	if (format != NULL)
	{
		va_list		arguments;

		line_add(&line, " ");
		va_start(arguments, format);
		line_add_list(&line, format, arguments);
		va_end(arguments);
	}
	line_finish(&line);
	if (before_line != NULL)
		before_line(before_line_context);
	line_write(&line);
	errno = errno_before;
}

/*
 * Closed ones become /dev/null: standard output for reading only, so that
 * writing to it fails as it should.
 */
static void
occupy_standard_descriptors(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
	{
		/* open() takes the lowest number free, which is this one */
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF &&
			open("/dev/null", fd == STDERR_FILENO ? O_WRONLY : O_RDONLY) < 0)
			abort();
	}
}

static void
line_add(Line *line, const char *format,...)
{
	va_list		arguments;

	va_start(arguments, format);
	line_add_list(line, format, arguments);
	va_end(arguments);
}

static void
line_add_list(Line *line, const char *format, va_list arguments)
{
	size_t		room = sizeof(line->text) - line->bytes;
	int			needed = vsnprintf(line->text + line->bytes, room, format,
								   arguments);

	if (needed < 0)
		return;
	line->bytes += (size_t) needed < room ? (size_t) needed : room - 1;
}

static void
line_add_time(Line *line)
{
	struct timespec now;
	struct tm	utc;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &utc);
	line_add(line, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ",
			 utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday, utc.tm_hour,
			 utc.tm_min, utc.tm_sec, (int) (now.tv_nsec / 1000000));
}

/* Whatever the details held, the event stays one line that ends as one. */
static void
line_finish(Line *line)
{
	if (line->bytes == sizeof(line->text) - 1)
		memcpy(line->text + line->bytes - 3, "...", 3);
	for (size_t i = 0; i < line->bytes; i++)
	{
		if ((unsigned char) line->text[i] < ' ' || line->text[i] == 0x7f)
			line->text[i] = ' ';
	}
	line->text[line->bytes++] = '\n';
}

/* There is nowhere to report that standard error cannot be written. */
static void
line_write(const Line *line)
{
	size_t		done = 0;

	while (done < line->bytes)
	{
		ssize_t		written = write(STDERR_FILENO, line->text + done,
									line->bytes - done);

		if (written < 0 && errno != EINTR)
			return;
		if (written > 0)
			done += (size_t) written;
	}
}

const char *
log_quote(const char *text, char *buffer, int size)
{
	/* what the end of a cut value takes: three dots, quote, NUL */
	const int	reserve = 5;
	int			bytes = 0;

	assert(size >= 8);
	if (text == NULL)
		text = "";
	if (is_plain(text) && strlen(text) < (size_t) size)
		return memcpy(buffer, text, strlen(text) + 1);

	buffer[bytes++] = '"';
	while (*text != '\0')
	{
		char		piece[8];
		int			piece_bytes = quote_next(&text, piece);

		if (bytes + piece_bytes > size - reserve)
		{
			memcpy(buffer + bytes, "...", 3);
			bytes += 3;
			break;
		}
		memcpy(buffer + bytes, piece, (size_t) piece_bytes);
		bytes += piece_bytes;
	}
	buffer[bytes++] = '"';
	buffer[bytes] = '\0';
	return buffer;
}

/* Whether text can stand in a logfmt line without quotes. */
static bool
is_plain(const char *text)
{
	const char *c = text;

	while (*c > ' ' && *c < 0x7f && strchr("\"\\=", *c) == NULL)
		c++;
	return c > text && *c == '\0';
}

/*
 * Write the next character of *text to out (up to 4 bytes), escaped where it
 * could end the value or command a terminal, and step *text past it.
 */
static int
quote_next(const char **text, char *out)
{
	const unsigned char *c = (const unsigned char *) *text;
	int			bytes = utf8_bytes(c);

	if (bytes > 0)
	{
		*text += bytes;
		memcpy(out, c, (size_t) bytes);
		return bytes;
	}
	*text += 1;
	out[0] = '\\';
	if (*c == '"' || *c == '\\')
		out[1] = (char) *c;
	else if (*c == '\n')
		out[1] = 'n';
	else
	{
		out[1] = 'x';
		out[2] = "0123456789abcdef"[*c >> 4];
		out[3] = "0123456789abcdef"[*c & 15];
		return 4;
	}
	return 2;
}

/*
 * Bytes of the character at c, 0 if it has to be escaped: controls (C1 ones
 * too), quotes, backslashes, and bytes that begin no complete sequence.
 */
static int
utf8_bytes(const unsigned char *c)
{
	int			bytes = *c < 0xc2 ? 1 : *c < 0xe0 ? 2 : *c < 0xf0 ? 3 : 4;

	if (*c < 0x80)
		return *c >= ' ' && *c != 0x7f && *c != '"' && *c != '\\';
	if (bytes == 1 || *c > 0xf4 || (c[0] == 0xc2 && c[1] < 0xa0))
		return 0;
	for (int i = 1; i < bytes; i++)
	{
		if ((c[i] & 0xc0) != 0x80)
			return 0;
	}
	return bytes;
}
