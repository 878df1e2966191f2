/*
 * One connection to PostgreSQL: connect, run a statement, COPY a buffer, take
 * notifications, and say exactly what went wrong.  The only user of libpq;
 * knows no fintrans table.  To be used by one thread at a time.
 */
#ifndef FINTRANS_DATABASE_H
#define FINTRANS_DATABASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "copy_binary.h"

typedef struct Database Database;

/*
 * Why the latest call failed.  Only what is safe to log: the primary message,
 * never the detail or a row's values.
 */
typedef struct DatabaseError
{
	char		sqlstate[6];	/* "" when the server sent none */
	char		constraint[64]; /* "" when none is named */
	int64_t		copy_row;		/* row that COPY was reading, 0 for none */
	char		text[400];
} DatabaseError;

/*
 * Can a connection be tried with this string and the environment?  errstr says
 * why not, without a password.  Cannot tell whether hosts exist and answer, or
 * a role may connect; nor what a service file holds.
 */
extern bool database_check_conninfo(const char *conninfo,
									char *errstr, size_t errstr_size);

/*
 * The same for a string given on the command line, where a password does not
 * belong: the list of processes would show it.
 */
extern bool database_check_exposed(const char *conninfo,
								   char *errstr, size_t errstr_size);

/*
 * Take the role's password from this file, anew for each connection; NULL or
 * "" for none.  For all connections, so to be called before there are any.
 * False with errstr when the file cannot be read.
 */
extern bool database_use_password_file(const char *path,
									   char *errstr, size_t errstr_size);

/*
 * conninfo and the program's name must outlive it; NULL when memory is short.
 */
extern Database *database_new(const char *conninfo, const char *program);
extern void database_free(Database *database);

/*
 * Connect anew, closing an older connection; blocks up to the connection
 * string's connect_timeout for each host.
 */
extern bool database_connect(Database *database);
extern void database_disconnect(Database *database);
extern bool database_is_connected(const Database *database);

/*
 * Run one statement; the texts in parameters are its $1, $2 ..  Its result
 * can be read until the next call.
 */
extern bool database_run(Database *database, const char *sql,
						 const char *const *parameters, int count);

/*
 * Have a statement parsed under this name, for as long as the connection
 * lasts; and run it.
 */
extern bool database_prepare(Database *database, const char *name,
							 const char *sql);
extern bool database_run_prepared(Database *database, const char *name,
								  const char *const *parameters, int count);

extern int	database_rows(const Database *database);

/* NULL for a null value. */
extern const char *database_value(const Database *database, int row,
								  int column);

/* Rows that the latest statement inserted, updated or copied. */
extern int64_t database_affected(const Database *database);

/* The command that the server says it has completed, such as "COMMIT". */
extern const char *database_command(const Database *database);

/*
 * COPY .. FROM STDIN: send data and COPY BINARY's trailer.  relation is the
 * name that the server's messages give the target.
 */
extern bool database_copy(Database *database, const char *sql,
						  const char *relation, const CopyBuffer *data);

/*
 * Have the server read and check these rows (they have no header) as in such a
 * COPY, and then give it up: nothing is stored, and no statement trigger
 * fires.  False when it refuses one, or failed otherwise.
 */
extern bool database_try_copy(Database *database, const char *sql,
							  const char *relation, const CopyBuffer *rows);

/* A setting that the server reports, such as server_encoding; or NULL. */
extern const char *database_parameter(const Database *database,
									  const char *name);

/* Write name quoted as an identifier; false when it does not fit. */
extern bool database_quote_identifier(Database *database, const char *name,
									  char *quoted, size_t quoted_size);

/* What to wait on for input; -1 without a connection. */
extern int	database_socket(const Database *database);

/* Take input; notified becomes true when there were notifications. */
extern bool database_consume(Database *database, bool *notified);

extern const DatabaseError *database_error(const Database *database);

#endif							/* FINTRANS_DATABASE_H */
