/*
 * read() gives what has been typed when Enter or Ctrl-D was pressed, of one
 * line at most: nothing is kept here that a later question would find.
 */
#include "terminal.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "stop.h"

#define USUAL_COLUMNS 80
#define USUAL_ROWS 24

/* A line being typed. */
typedef struct Typed
{
	char	   *line;			/* TERMINAL_LINE_BYTES */
	size_t		used;
	bool		is_unfit;		/* some of it was dropped */
} Typed;

static bool take_typed(Typed *typed, TerminalEvent *event);
static TerminalEvent end_line(Typed *typed);

bool
terminal_is_there(void)
{
	return isatty(STDIN_FILENO) == 1;
}

void
terminal_size(size_t *columns, size_t *rows)
{
	struct winsize size = {0};

	/* output may be recorded on its way to the terminal */
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0)
		ioctl(STDIN_FILENO, TIOCGWINSZ, &size);
	*columns = size.ws_col > 0 ? size.ws_col : USUAL_COLUMNS;
	*rows = size.ws_row > 0 ? size.ws_row : USUAL_ROWS;
}

void
terminal_forget(void)
{
	tcflush(STDIN_FILENO, TCIFLUSH);
}

TerminalEvent
terminal_wait(char *line, int descriptor)
{
	Typed		typed = {.line = line};

	for (;;)
	{
		/* not within a line: what there is of it would be lost */
		struct pollfd inputs[] = {
			{.fd = STDIN_FILENO,.events = POLLIN},
			{.fd = typed.used > 0 ? -1 : descriptor,.events = POLLIN}
		};
		TerminalEvent event;

		stop_wait(inputs, 2, -1);
		if (stop_signal() != 0)
			return TERMINAL_STOPPED;
		if (inputs[0].revents != 0 && take_typed(&typed, &event))
			return event;
		if (inputs[1].revents != 0 && typed.used == 0)
			return TERMINAL_INPUT;
	}
}

/* True when the event is known; a line that Ctrl-D has broken goes on. */
static bool
take_typed(Typed *typed, TerminalEvent *event)
{
	ssize_t		bytes = read(STDIN_FILENO, typed->line + typed->used,
							 TERMINAL_LINE_BYTES - typed->used);

	if (bytes < 0 && (errno == EINTR || errno == EAGAIN))
		return false;
	if (bytes <= 0)
	{
		*event = TERMINAL_END;
		return true;
	}
	typed->used += (size_t) bytes;
	if (typed->line[typed->used - 1] == '\n')
	{
		*event = end_line(typed);
		return true;
	}
	/* its end is looked for all the same */
	if (typed->used == TERMINAL_LINE_BYTES)
	{
		typed->used = 1;
		typed->is_unfit = true;
	}
	return false;
}

/* The kernel drops what is typed beyond a full line, and says nothing. */
static TerminalEvent
end_line(Typed *typed)
{
	size_t		length = typed->used - 1;

	typed->line[length] = '\0';
	return typed->is_unfit || typed->used == TERMINAL_LINE_BYTES ||
		memchr(typed->line, '\0', length) != NULL ?
		TERMINAL_UNFIT : TERMINAL_LINE;
}
