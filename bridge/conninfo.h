/*
 * Connection strings of PostgreSQL: what is wrong with one, as far as that can
 * be told without a server, and what we add to one.
 */
#ifndef FINTRANS_CONNINFO_H
#define FINTRANS_CONNINFO_H

#include <stdbool.h>
#include <stddef.h>

/* Room for what conninfo_list() writes. */
#define CONNINFO_KEYWORDS 9

/*
 * Can a connection be tried with this string and the environment?  errstr says
 * why not, without a password.  Cannot tell whether hosts exist, are as many
 * as their ports, and answer, whether files of TLS can be read, or a role may
 * connect; nor what numbers a service file holds.
 */
extern bool conninfo_check(const char *conninfo, char *errstr,
						   size_t errstr_size);

/*
 * Keywords and values for libpq, which end with NULL: the string, and what
 * bounds the time in which a dead server is noticed.
 */
extern void conninfo_list(const char *conninfo, const char *program,
						  const char **keywords, const char **values);

#endif							/* FINTRANS_CONNINFO_H */
