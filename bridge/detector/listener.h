/*
 * The detector's database connection: runs statements in the extension's
 * schema, listens for new alerts, and says of each failure whether trying
 * again may help.  Knows no rule and reads no alert.
 *
 * Blocks, within connect_timeout and tcp_user_timeout; not safe for several
 * threads.
 */
#ifndef FINTRANS_LISTENER_H
#define FINTRANS_LISTENER_H

#include <stdbool.h>
#include <stddef.h>

/* A time as jsonb has it, which is ISO 8601, in UTC on our connections. */
#define LISTENER_TIME(value) "replace(" value ", '+00:00', 'Z')"

typedef enum ListenerOutcome
{
	LISTENER_DONE,
	LISTENER_LOST,				/* no connection any more: connect again */
	LISTENER_FATAL,				/* needs a human */
	LISTENER_STOPPED			/* the caller's own function wanted no more */
} ListenerOutcome;

typedef struct Listener Listener;

/* conninfo must outlive it; "" for PG*. */
extern Listener *listener_new(const char *conninfo);

/* Connect anew, find the extension, and listen if that is to be had. */
extern ListenerOutcome listener_connect(Listener *listener);
extern void listener_disconnect(Listener *listener);

/* Is there a connection, as far as the latest call has found out? */
extern bool listener_is_connected(const Listener *listener);

/* The extension's schema, quoted; of the latest connection. */
extern const char *listener_schema(const Listener *listener);

/*
 * Identifies the data and its history: transaction ids can be compared only
 * while it stays the same.
 */
extern const char *listener_history(const Listener *listener);

/*
 * Run one statement; the texts in parameters are its $1, $2 ..  Its result can
 * be read until the next call.
 */
extern ListenerOutcome listener_run(Listener *listener,
									const char *const *parameters, int count,
									const char *sql,...)
			__attribute__((format(printf, 4, 5)));

extern int	listener_rows(const Listener *listener);

/* NULL for a null value. */
extern const char *listener_value(const Listener *listener, int row,
								  int column);

/* Did the latest statement fail with this SQLSTATE? */
extern bool listener_failed_with(const Listener *listener,
								 const char *sqlstate);

/* What to wait on for input; -1 without a connection. */
extern int	listener_socket(const Listener *listener);

/* Take input; notified becomes true when there may be new alerts. */
extern ListenerOutcome listener_consume(Listener *listener, bool *notified);

/* Fail for a reason of the caller's own; returns outcome. */
extern ListenerOutcome listener_fail(Listener *listener,
									 ListenerOutcome outcome,
									 const char *format,...)
			__attribute__((format(printf, 3, 4)));

/* Why the latest call failed; safe to log. */
extern const char *listener_error(const Listener *listener);

/* listener may be NULL. */
extern void listener_free(Listener *listener);

#endif							/* FINTRANS_LISTENER_H */
