/*
 * What libpq accepts in a connection string though it cannot be meant.  Pure.
 */
#ifndef FINTRANS_CONNINFO_H
#define FINTRANS_CONNINFO_H

#include <stdbool.h>

/*
 * Is this a URI with an "@" or "/" that may belong to the password?  libpq
 * would look for a host that the password's rest names, and tell the log.
 */
extern bool conninfo_is_ambiguous(const char *conninfo);

/*
 * Can this be the value of such a keyword?  Looks at ports and other whole
 * numbers, which libpq reads only when it connects, and at replication, which
 * makes a connection that is not for us.
 */
extern bool conninfo_is_value(const char *keyword, const char *value);

/*
 * Are the ports and the host addresses as many as the hosts?  libpq counts
 * them only when it connects.  An empty list is none.
 */
extern bool conninfo_is_matched(const char *hosts, const char *addresses,
								const char *ports);

/*
 * Can this be a database's name?  One with an "@", or with ":" and "/", is
 * rather a URI whose scheme is missing or mistyped, and may hold a password.
 */
extern bool conninfo_is_database(const char *name);

#endif							/* FINTRANS_CONNINFO_H */
