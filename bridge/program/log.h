/*
 * Log lines on standard error: one event per line, logfmt, by level.
 *
 * 2026-11-24T08:15:00.123Z level=info program=fintrans-bridge event=connected
 *
 * and then key=value pairs.
 *
 * Never pass a payload, an account or a secret.
 */
#ifndef FINTRANS_LOG_H
#define FINTRANS_LOG_H

#include <stdbool.h>

typedef enum LogLevel
{
	LOG_LEVEL_ERROR,			/* needs a human */
	LOG_LEVEL_WARNING,			/* went wrong, being mended */
	LOG_LEVEL_INFO,				/* change of state, periodic status */
	LOG_LEVEL_DEBUG
} LogLevel;

/* level is one of LOG_LEVELS; anything else is a caller's mistake. */
#define LOG_LEVELS "error|warning|info|debug"

/*
 * To be called first, before any thread and any other file is opened: it also
 * occupies standard descriptors that the caller has closed, lest a socket gets
 * one of their numbers and our lines go to a server.
 */
extern void log_open(const char *program, const char *level);

/* Change the level, which is one of LOG_LEVELS, at any time. */
extern void log_set_level(const char *level);

extern bool log_enabled(LogLevel level);

/*
 * From now on call this before each line, in the thread that writes it: where
 * standard error is a terminal, something else may stand in the cursor's line.
 * NULL for nothing; not to be changed while other threads log.
 */
extern void log_call_before(void (*call) (void *context), void *context);

/*
 * Log an event with its details: event is a short fixed phrase, format makes
 * `key=value` pairs (may be NULL).  Values that may hold blanks are written
 * through log_quote().  Safe to call from any thread.
 */
extern void log_write(LogLevel level, const char *event,
					  const char *format,...)
			__attribute__((format(printf, 3, 4)));

/*
 * text as a logfmt value, quoted and cut where needed, in the caller's buffer
 * (returned): log_quote(text, (char[256]) {0}, 256).
 */
extern const char *log_quote(const char *text, char *buffer, int size);

#endif							/* FINTRANS_LOG_H */
