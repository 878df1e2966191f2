/*
 * Connection strings of PostgreSQL, and what we add to one.
 */
#ifndef FINTRANS_CONNINFO_H
#define FINTRANS_CONNINFO_H

#include <stdbool.h>
#include <stddef.h>

/* Room for what conninfo_list() writes. */
#define CONNINFO_KEYWORDS 9

/* Is this a connection string?  Its text is kept out of errstr. */
extern bool conninfo_check(const char *conninfo, char *errstr,
						   size_t errstr_size);

/*
 * Keywords and values for libpq, which end with NULL: the string, and what
 * bounds the time in which a dead server is noticed.
 */
extern void conninfo_list(const char *conninfo, const char *program,
						  const char **keywords, const char **values);

#endif							/* FINTRANS_CONNINFO_H */
