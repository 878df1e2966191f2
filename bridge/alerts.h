/*
 * The alerts of one rule, each handed over once: those still open first, then
 * the new ones, whatever the order in which database transactions commit and
 * however often the connection breaks.
 *
 * Blocks, within connect_timeout and tcp_user_timeout; not safe for several
 * threads.
 */
#ifndef FINTRANS_ALERTS_H
#define FINTRANS_ALERTS_H

#include <stdbool.h>

#include "listener.h"

typedef struct AlertsSettings
{
	const char *database;		/* libpq connection string; "" for PG* */
	const char *rule;
	const char *threshold;		/* an unsigned decimal */
	bool		threshold_given;	/* by the user: the rule takes it */
	bool		as_json;		/* fill the alerts' json */
} AlertsSettings;

/* Texts are UTF-8 and valid during the call they are handed to. */
typedef struct Alert
{
	const char *source_account; /* NULL when it is about one account */
	const char *target_account; /* likewise */
	const char *account;		/* NULL when it is about a pair */
	const char *total;			/* when raised, as PostgreSQL prints it */
	const char *json;			/* the alert as an object, one line; or NULL */
} Alert;

typedef struct Alerts Alerts;

/* Deal with an alert; false to stop. */
typedef bool (*AlertsTake) (void *context, const Alert *alert);

/* settings must outlive it; NULL when memory is short. */
extern Alerts *alerts_new(const AlertsSettings *settings);

/*
 * Connect, find the extension, listen for new alerts, and the first time make
 * or adjust the rule as far as the role may.
 */
extern ListenerOutcome alerts_connect(Alerts *alerts);

/*
 * Hand over all that became visible since the last complete call, oldest
 * first.  After anything but LISTENER_DONE the next call goes on where this
 * one ended, on a new connection too.
 */
extern ListenerOutcome alerts_read(Alerts *alerts, AlertsTake take,
								   void *context);

/* What to wait on for input; -1 without a connection. */
extern int	alerts_socket(const Alerts *alerts);

/* Take input; notified becomes true when there may be new alerts. */
extern ListenerOutcome alerts_consume(Alerts *alerts, bool *notified);

/* Why the latest call failed; safe to log. */
extern const char *alerts_error(const Alerts *alerts);

extern void alerts_disconnect(Alerts *alerts);

/* alerts may be NULL. */
extern void alerts_free(Alerts *alerts);

#endif							/* FINTRANS_ALERTS_H */
