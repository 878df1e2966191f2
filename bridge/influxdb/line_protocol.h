/*
 * A transaction as a point in InfluxDB's line protocol, with a time that is
 * the same whenever it is written and that no other point of its series has.
 * Pure: writes into a caller's buffer, never beyond its size.
 *
 * A point is known by measurement, tags and time: one that comes again is
 * stored over itself, and one with the time of another is stored over that.
 * Kafka's timestamps have milliseconds, so six digits are left, and they are
 * taken from the offset, which Kafka gives once in a partition:
 *
 * - With the accounts as tags, a series is of one pair.  A millisecond has 64
 *   places for the partitions of the topic (the number of the partition modulo
 *   64), each with 15625 places for offsets (offset modulo 15625).
 * - Otherwise all of a city would be one series, so the partition is a tag,
 *   and a millisecond has a million places for the offsets of each.
 */
#ifndef FINTRANS_LINE_PROTOCOL_H
#define FINTRANS_LINE_PROTOCOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "record.h"

#define LINE_PARTITION_PLACES 64
#define LINE_OFFSET_PLACES 15625
#define LINE_PLACES (LINE_PARTITION_PLACES * LINE_OFFSET_PLACES)

/* No line is longer: accounts may double by escaping. */
#define LINE_MAX_BYTES (2 * 249 + 4 * FINTRANS_ACCOUNT_MAX_BYTES + 192)

typedef enum LineAccounts
{
	LINE_ACCOUNTS_TAG,
	LINE_ACCOUNTS_FIELD,
	LINE_ACCOUNTS_NONE
} LineAccounts;

typedef struct LineStyle
{
	LineAccounts accounts;
	bool		integer_amounts;	/* as the demo's, instead of floats */
} LineStyle;

/* Where a transaction comes from. */
typedef struct LineOrigin
{
	const char *topic;
	int32_t		partition;
	int64_t		offset;
	int64_t		event_time_ms;	/* since 1970 */
} LineOrigin;

typedef enum LineResult
{
	LINE_WRITTEN,
	LINE_FULL,					/* the buffer has no room left */
	LINE_BAD_TIME,				/* InfluxDB cannot hold it */
	LINE_BAD_AMOUNT				/* has decimals, and integers are asked for */
} LineResult;

/* A buffer of whole lines. */
typedef struct LineBuffer
{
	char	   *text;			/* the caller's */
	size_t		size;			/* bytes there are */
	size_t		used;			/* bytes written */
} LineBuffer;

/* Append the line of a transaction, or nothing. */
extern LineResult line_write(LineBuffer *buffer, const LineStyle *style,
							 const LineOrigin *origin, const Record *record);

/* The point's time in ns since 1970; false when InfluxDB cannot hold it. */
extern bool line_time(const LineStyle *style, const LineOrigin *origin,
					  int64_t *ns);

#endif							/* FINTRANS_LINE_PROTOCOL_H */
