/*
 * The end by a signal: SIGTERM or SIGINT ask for it, and interrupt waiting;
 * a call to the database, or to the reader of our output, may go on for a
 * second then, and a second signal leaves no time at all: either way the exit
 * status is 130.  For a program whose other threads take no signals.
 */
#ifndef FINTRANS_STOP_H
#define FINTRANS_STOP_H

#include <poll.h>
#include <stdint.h>

/* Begin to take them; a reader of our output that goes away is no signal. */
extern void stop_take_signals(void);

/* The signal that has asked for the end, 0 for none yet. */
extern int	stop_signal(void);

/* Wait for input, or a signal, for so long at most; -1: however long. */
extern void stop_wait(struct pollfd *inputs, nfds_t count,
					  int64_t timeout_ms);

#endif							/* FINTRANS_STOP_H */
