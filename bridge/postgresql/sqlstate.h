/*
 * What a database error means for the batch in hand.  Pure: a table over
 * SQLSTATE, constraint and context.  The classes are narrow on purpose: an
 * outage must never turn a good row into a dead letter.
 */
#ifndef FINTRANS_SQLSTATE_H
#define FINTRANS_SQLSTATE_H

#include <stdbool.h>
#include <stdint.h>

typedef enum SqlstateClass
{
	SQLSTATE_RETRY,				/* send the whole batch again, later */
	SQLSTATE_MEND,				/* make the missing partition, send again */
	SQLSTATE_REJECT,			/* one row is at fault: a dead letter */
	SQLSTATE_FATAL				/* needs a human */
} SqlstateClass;

/* In which step of the work the error came up. */
typedef enum SqlstateStep
{
	SQLSTATE_FIRST_CONNECT,		/* never connected since the program began */
	SQLSTATE_CONNECT,
	SQLSTATE_COPY_ROWS,			/* COPY of transactions, its triggers too */
	SQLSTATE_OTHER
} SqlstateStep;

/*
 * sqlstate is NULL or "" when the server sent none (the connection broke);
 * constraint is NULL or "" when the error names none; row is the number of
 * the row that the error's context names, 0 when it names none.
 */
extern SqlstateClass sqlstate_classify(SqlstateStep step,
									   const char *sqlstate,
									   const char *constraint, int64_t row);

/*
 * Number of the row that a COPY into `relation` was reading, from an error's
 * context; 0 when its first line is not about that COPY: then the error comes
 * from a trigger or a function, which PostgreSQL names above it.  Works in any
 * language of the server's messages.
 */
extern int64_t sqlstate_copy_row(const char *context, const char *relation);

/*
 * Is an error's or notice's primary message free of data, as far as its code
 * and context tell?  Not when a function that is not fintrans' own may have
 * written it, and not when it quotes a value.  Either may be NULL.
 */
extern bool sqlstate_is_loggable(const char *sqlstate, const char *context);

#endif							/* FINTRANS_SQLSTATE_H */
