/*
 * A checked database session: the server fits, the extension is there in a
 * version that fits, the currency is ours, and every error has been given a meaning.
 * Blocks; to be used by one thread at a time.
 */
#ifndef FINTRANS_SESSION_H
#define FINTRANS_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "copy_binary.h"
#include "database.h"
#include "sqlstate.h"

/* What came of an attempt to do something in the database. */
typedef enum Outcome
{
	OUTCOME_DONE,
	OUTCOME_CONFLICT,			/* another writer moved a position */
	OUTCOME_REFUSED,			/* one row is at fault: copy_row tells it */
	OUTCOME_MEND,				/* a partition is missing after all */
	OUTCOME_RETRY,				/* try again later on this connection */
	OUTCOME_LOST,				/* no connection; a COMMIT may have worked */
	OUTCOME_FATAL				/* needs a human */
} Outcome;

/* Room for a statement; names in it take at most 130 bytes each. */
#define SESSION_SQL_BYTES 2048

typedef struct Session Session;

/*
 * conninfo must outlive it; currency is NULL for the installation's.  NULL
 * when memory is short.
 */
extern Session *session_new(const char *conninfo, const char *currency);
extern void session_free(Session *session);

/*
 * Connect anew, set the session up, check server and extension, and claim the
 * currency, or take the installation's.
 */
extern Outcome session_connect(Session *session);
extern void session_disconnect(Session *session);
extern bool session_is_connected(const Session *session);

/* The extension's schema, quoted; of the latest connection. */
extern const char *session_schema(const Session *session);

/* The currency; "" when the installation had none at the latest connect. */
extern const char *session_currency(const Session *session);

/* Does its table of dead letters know the reasons of 0.1.0 only? */
extern bool session_has_older_reasons(const Session *session);

/* Does its table of positions have the ids of topics? */
extern bool session_has_topic_ids(const Session *session);

/* Run a statement; its result is read from session_database(). */
extern Outcome session_run(Session *session, const char *sql,
						   const char *const *parameters, int count);

/* Have one parsed, under a name for as long as the connection lasts; run it. */
extern Outcome session_prepare(Session *session, const char *name,
							   const char *sql);
extern Outcome session_run_prepared(Session *session, const char *name,
									const char *const *parameters, int count);

/*
 * COPY `rows` rows into relation, and check that the server took as many.
 * step says what an error means: SQLSTATE_COPY_ROWS or SQLSTATE_OTHER.
 */
extern Outcome session_copy(Session *session, SqlstateStep step,
							const char *sql, const char *relation,
							const CopyBuffer *data, int64_t rows);

/*
 * Would such a COPY take these rows, which have no header?  OUTCOME_REFUSED
 * when one of them is at fault.
 */
extern Outcome session_try_copy(Session *session, const char *sql,
								const char *relation, const CopyBuffer *rows);

extern Database *session_database(Session *session);

/* Fail with a reason of the caller's own; returns outcome. */
extern Outcome session_fail(Session *session, Outcome outcome,
							const char *format,...)
			__attribute__((format(printf, 3, 4)));

/* Why the latest attempt failed; safe to log. */
extern const DatabaseError *session_error(const Session *session);

#endif							/* FINTRANS_SESSION_H */
