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
 * numbers, which libpq reads only when it connects.
 */
extern bool conninfo_is_value(const char *keyword, const char *value);

#endif							/* FINTRANS_CONNINFO_H */
