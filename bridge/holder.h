/*
 * Whoever holds the positions that this bridge has to move.
 */
#ifndef FINTRANS_HOLDER_H
#define FINTRANS_HOLDER_H

#include "session.h"

/*
 * After a lock timeout: end the sessions of bridges that are frozen in the
 * middle of a COPY and hold one of these positions.  topics and partitions
 * are arrays as PostgreSQL writes them.  Call it outside of a database
 * transaction; session_error() stays as it is.
 */
extern void holder_end_frozen(Session *session, const char *topics,
							  const char *partitions);

#endif							/* FINTRANS_HOLDER_H */
