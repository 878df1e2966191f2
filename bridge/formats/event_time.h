/*
 * The time that a field of a message tells: a count since 1970, or ISO 8601.
 * Pure, and exact: no time passes through a floating point number.
 */
#ifndef FINTRANS_EVENT_TIME_H
#define FINTRANS_EVENT_TIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct EventTime
{
	bool		is_set;
	int64_t		us;				/* microseconds since 1970 */
} EventTime;

typedef enum TimeUnit
{
	TIME_UNIT_ISO,
	TIME_UNIT_SECONDS,
	TIME_UNIT_MS,
	TIME_UNIT_US,
	TIME_UNITS					/* how many there are */
} TimeUnit;

/* The names of the units, in their order. */
#define TIME_UNIT_NAMES "iso|s|ms|us"

/* The unit of a name that is one of them. */
extern TimeUnit time_unit_of(const char *name);

/*
 * Read a field.  Finer decimals than microseconds are cut off.  False, and
 * *fault says in words what is wrong, when it is no such time.
 */
extern bool event_time_read(TimeUnit unit, const char *text, size_t length,
							int64_t *us, const char **fault);

/* Milliseconds since 1970, rounded down. */
extern int64_t event_time_ms(const EventTime *time);

#endif							/* FINTRANS_EVENT_TIME_H */
