/*
 * The terminal that a person sits at: how large it is, and lines typed there.
 * The kernel's own line editing is used, which every terminal has.  Standard
 * input and output, for one thread.
 */
#ifndef FINTRANS_TERMINAL_H
#define FINTRANS_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>

/* The kernel takes no longer line, with its end. */
#define TERMINAL_LINE_BYTES 4096

typedef enum TerminalEvent
{
	TERMINAL_LINE,				/* a line was typed */
	TERMINAL_UNFIT,				/* one that would be cut: it has a NUL, or is
								 * longer than the kernel keeps */
	TERMINAL_END,				/* Ctrl-D, or the terminal is gone */
	TERMINAL_INPUT,				/* the other descriptor has input */
	TERMINAL_STOPPED			/* a signal asks for the end */
} TerminalEvent;

/* Is there one? */
extern bool terminal_is_there(void);

/* Its size in characters; 80 by 24 where that is not known. */
extern void terminal_size(size_t *columns, size_t *rows);

/* Forget what was typed before a question that it cannot have answered. */
extern void terminal_forget(void);

/*
 * Wait for a line, or for input on descriptor (-1: none).  line gets what was
 * typed, without its end; it must have TERMINAL_LINE_BYTES.
 */
extern TerminalEvent terminal_wait(char *line, int descriptor);

#endif							/* FINTRANS_TERMINAL_H */
