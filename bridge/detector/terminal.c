/*
 * read() gives what has been typed when Enter or Ctrl-D was pressed, of one
 * line at most: nothing is kept here that a later question would find.
 */
#include "terminal.h"

#include <errno.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "stop.h"

#define USUAL_COLUMNS 80
#define USUAL_ROWS 24

static bool take_typed(char *line, size_t *used, TerminalEvent *event);

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
	size_t		used = 0;

	for (;;)
	{
		struct pollfd inputs[] = {
			{.fd = STDIN_FILENO,.events = POLLIN},
			{.fd = descriptor,.events = POLLIN}
		};
		TerminalEvent event;

		stop_wait(inputs, 2, -1);
		if (stop_signal() != 0)
			return TERMINAL_STOPPED;
		if (inputs[0].revents != 0 && take_typed(line, &used, &event))
			return event;
		/* not within a line: what there is of it would be lost */
		if (inputs[1].revents != 0 && used == 0)
			return TERMINAL_INPUT;
	}
}

/* True when the event is known; a line that Ctrl-D has broken goes on. */
static bool
take_typed(char *line, size_t *used, TerminalEvent *event)
{
	ssize_t		bytes = read(STDIN_FILENO, line + *used,
							 TERMINAL_LINE_BYTES - *used);

	if (bytes < 0 && (errno == EINTR || errno == EAGAIN))
		return false;
	/* a line too long for the buffer cannot be told from its end either */
	if (bytes <= 0)
	{
		*event = TERMINAL_END;
		return true;
	}
	*used += (size_t) bytes;
	if (line[*used - 1] != '\n')
		return false;
	line[*used - 1] = '\0';
	*event = TERMINAL_LINE;
	return true;
}
