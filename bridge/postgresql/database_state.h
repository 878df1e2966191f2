/*
 * The inside of a Database, and what its files need of each other.  Private
 * to them: database.c (statements and errors), database_connect.c (how a
 * connection is made, and why not) and database_conninfo.c (connection
 * strings).
 */
#ifndef FINTRANS_DATABASE_STATE_H
#define FINTRANS_DATABASE_STATE_H

#include <libpq-fe.h>

#include "database.h"
#include "trouble.h"

struct Database
{
	const char *conninfo;		/* the caller's */
	const char *program;		/* the caller's */
	PGconn	   *conn;			/* NULL when never tried */
	PGresult   *result;			/* of the latest statement, or NULL */
	DatabaseError error;
	Trouble		notices;		/* warnings told lately */
};

/* Keep what libpq itself says. */
extern void database_note_broken(Database *database);

/* Log a notice of the server. */
extern void database_on_notice(void *argument, const PGresult *notice);

/* The string's or the environment's value of a keyword; empty for none. */
extern const char *database_option(const PQconninfoOption *options,
								   const char *keyword);

#endif							/* FINTRANS_DATABASE_STATE_H */
