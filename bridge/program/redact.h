/*
 * Database connection strings without their passwords, for people to read.
 */
#ifndef FINTRANS_REDACT_H
#define FINTRANS_REDACT_H

#include <stddef.h>

/*
 * Write text, a libpq connection string in either form (keyword=value pairs
 * or a URI), to out with its passwords replaced.  Whatever is not surely
 * understood becomes "(hidden)" as a whole: better to show too little.
 */
extern void redact_conninfo(const char *text, char *out, size_t size);

#endif							/* FINTRANS_REDACT_H */
