/*
 * Messages from a file: lines sent as they are, or the rows of a CSV.  Knows
 * no Kafka.
 */
#ifndef FINTRANS_REPLAY_H
#define FINTRANS_REPLAY_H

#include <stddef.h>
#include <stdint.h>

/* Units of a CSV's time column; "iso" reads times as they are written. */
#define REPLAY_TIME_UNITS "us|ms|s|hour|day|iso"

/* A message without a time of its own. */
#define REPLAY_NO_TIME INT64_C(-1)

typedef struct ReplaySource
{
	const char *file;			/* "-" is standard input */
	const char *columns;		/* source=..,target=..,amount=..[,time=..] of a
								 * CSV; NULL or "" for plain lines */
	const char *time_unit;		/* one of REPLAY_TIME_UNITS */
	int64_t		time_origin_ms; /* moment of time 0, since 1970 */
} ReplaySource;

typedef struct ReplayMessage
{
	const char *payload;		/* valid until the next call; may hold NULs */
	size_t		bytes;
	size_t		key_bytes;		/* the payload up to its first blank */
	int64_t		event_time_ms;	/* above 0, or REPLAY_NO_TIME */
} ReplayMessage;

typedef enum ReplayOutcome
{
	REPLAY_MESSAGE,
	REPLAY_END,
	REPLAY_FAILED				/* errstr names file, line and reason */
} ReplayOutcome;

typedef struct Replay Replay;

/*
 * Open the file, and read the header of a CSV.  NULL with errstr on failure;
 * to be closed with replay_close().  The texts of source must outlive it.
 */
extern Replay *replay_open(const ReplaySource *source,
						   char *errstr, size_t errstr_size);

/* After REPLAY_END or REPLAY_FAILED there is nothing more to read. */
extern ReplayOutcome replay_next(Replay *replay, ReplayMessage *message,
								 char *errstr, size_t errstr_size);

/* Line of the file, from 1 on, where the last message began. */
extern uint64_t replay_line(const Replay *replay);

/* replay may be NULL. */
extern void replay_close(Replay *replay);

#endif							/* FINTRANS_REPLAY_H */
