/*
 * How alerts are written: as the demo's line, or for programs as an object of
 * JSON or a record of CSV, one a line.
 */
#ifndef FINTRANS_ALERT_FORMAT_H
#define FINTRANS_ALERT_FORMAT_H

#include <stdbool.h>
#include <stdio.h>

#include "alert.h"

#define ALERT_FORMATS "text|json|csv"

typedef struct AlertFormat AlertFormat;

/* NULL when there is none of this name. */
extern const AlertFormat *alert_format_of(const char *name);

/* What comes before the first alert: CSV has a header. */
extern void alert_format_begin(const AlertFormat *format, FILE *out);

/*
 * Write an alert with its line end, words of the text in red if coloured.
 * False when memory is short; whether out took it, ferror() tells.
 */
extern bool alert_format_write(const AlertFormat *format, const Alert *alert,
							   bool coloured, FILE *out);

#endif							/* FINTRANS_ALERT_FORMAT_H */
