/*
 * Whoever holds the positions that this bridge has to move.
 */
#ifndef FINTRANS_HOLDER_H
#define FINTRANS_HOLDER_H

#include "session.h"

#define HOLDER_SEEN_BYTES 1024

/* What was found last; begin with {0}. */
typedef struct Holder
{
	char		seen[HOLDER_SEEN_BYTES];	/* COPYs, and how far each was,
											 * with blanks between them */
} Holder;

/*
 * After a lock timeout: end the sessions of bridges that are in the middle of
 * a COPY, hold one of these positions, and have sent nothing since the call
 * before.  topics and partitions are arrays as PostgreSQL writes them.  Call
 * it outside of a database transaction; session_error() stays as it is.
 */
extern void holder_end_frozen(Holder *holder, Session *session,
							  const char *topics, const char *partitions);

#endif							/* FINTRANS_HOLDER_H */
