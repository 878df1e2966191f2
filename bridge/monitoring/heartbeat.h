/*
 * A main loop's sign of life, and /health, which tells of it.
 */
#ifndef FINTRANS_HEARTBEAT_H
#define FINTRANS_HEARTBEAT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "http_server.h"

/* Begun by a tick; may be read by any thread. */
typedef struct Heartbeat
{
	atomic_int_fast64_t ticked_ms;	/* monotonic */
} Heartbeat;

/* The main loop is alive. */
extern void heartbeat_tick(Heartbeat *heartbeat);

/* Milliseconds since it was said so. */
extern int64_t heartbeat_still_ms(const Heartbeat *heartbeat);

/* The answer to /health; false when memory is short. */
extern bool heartbeat_say_health(const Heartbeat *heartbeat,
								 HttpAnswer *answer);

/*
 * HttpAnswerFunction of a program that has nothing to tell but that; context
 * is the heartbeat.
 */
extern bool heartbeat_answer(void *context, const char *path,
							 HttpAnswer *answer);

/* An answer of plain text; false when memory is short. */
extern bool heartbeat_say(HttpAnswer *answer, unsigned status,
						  const char *format,...)
			__attribute__((format(printf, 3, 4)));

#endif							/* FINTRANS_HEARTBEAT_H */
