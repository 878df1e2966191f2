/*
 * Which versions of the extension the programs work with.  Within one first
 * number the extension takes nothing away that a program uses, so an older
 * program works with a newer extension, and the two can be updated one after
 * the other while all goes on.  Pure.
 */
#ifndef FINTRANS_EXTENSION_VERSION_H
#define FINTRANS_EXTENSION_VERSION_H

#include <stdbool.h>
#include <stddef.h>

/* The first version that has all that the programs use: raise it with that. */
#define EXTENSION_VERSION_OLDEST "0.1.0"

/* Finds the extension: its schema and its version, in one row or none. */
#define EXTENSION_VERSION_QUERY \
	"SELECT n.nspname, e.extversion FROM pg_catalog.pg_extension e" \
	" JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace" \
	" WHERE e.extname = 'fintrans'"

/* Does a program of this version work with it?  If not, errstr tells why. */
extern bool extension_version_fits(const char *version, char *errstr,
								   size_t errstr_bytes);

/* Is it a version from before another one, such as "0.2.0"? */
extern bool extension_version_is_before(const char *version,
										const char *other);

#endif							/* FINTRANS_EXTENSION_VERSION_H */
