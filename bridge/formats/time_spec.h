/*
 * Times, durations and ranges as a user writes them on the command line.
 * Pure: the caller passes the present moment in.
 *
 * TIME	   2026-11-24, 2026-11-24T08:15, 2026-11-24T08:15:30.250Z, with an
 *		   offset (+01:00), UTC without one; `now`; or relative to it: -7d
 * RANGE   TIME..TIME, both ends included; an end left out is open
 * START   earliest, latest, or a TIME
 */
#ifndef FINTRANS_TIME_SPEC_H
#define FINTRANS_TIME_SPEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A moment, fixed or relative to the present one. */
typedef struct TimeSpec
{
	bool		relative;		/* ms counts from now, not from 1970 */
	int64_t		ms;				/* milliseconds */
} TimeSpec;

typedef struct TimeRange
{
	TimeSpec	from;			/* included */
	TimeSpec	to;				/* included */
} TimeRange;

typedef enum StartKind
{
	START_EARLIEST,				/* at the low watermark */
	START_LATEST,				/* at the high watermark */
	START_AT_TIME				/* at the first message not older than time */
} StartKind;

typedef struct StartPoint
{
	StartKind	kind;
	TimeSpec	time;			/* START_AT_TIME only */
} StartPoint;

/*
 * All parsers return false and say why in errstr (which names the text given)
 * and leave their result untouched then.
 */

/* "90s", "15m", "1h", "7d", "2w", "250ms": whole and positive, in ms. */
extern bool time_spec_parse_duration(const char *text, int64_t *ms,
									 char *errstr, size_t errstr_size);

extern bool time_spec_parse(const char *text, TimeSpec *spec,
							char *errstr, size_t errstr_size);

extern bool time_spec_parse_range(const char *text, TimeRange *range,
								  char *errstr, size_t errstr_size);

extern bool time_spec_parse_start(const char *text, StartPoint *start,
								  char *errstr, size_t errstr_size);

/*
 * A date of ISO 8601, with or without time of day and zone, in microseconds
 * since 1970; the text needs no NUL.  Up to nine decimals of a second, what
 * is finer than microseconds is cut off.
 */
extern bool time_spec_parse_moment(const char *text, size_t length,
								   int64_t *us);

/* The moment in milliseconds since 1970, UTC; saturates. */
extern int64_t time_spec_resolve(const TimeSpec *spec, int64_t now_ms);

/* The UTC day of a moment, counted from 1970-01-01, rounded down. */
extern int32_t time_spec_day(int64_t ms);

/* Year, month and day of month of a day counted from 1970-01-01. */
extern void time_spec_civil(int32_t day, int *year, int *month,
							int *day_of_month);

#endif							/* FINTRANS_TIME_SPEC_H */
