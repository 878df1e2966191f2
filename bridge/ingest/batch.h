/*
 * A batch: what one database transaction will hold.  Rows and dead letters
 * stand encoded for COPY BINARY; beside them, per Kafka partition, from which
 * offset to which the batch goes and what became of each offset between.
 * Pure: knows neither Kafka nor SQL.
 *
 * Partitions are named by a slot, the number they have in the assignment that
 * the batch was started for.
 */
#ifndef FINTRANS_BATCH_H
#define FINTRANS_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "copy_binary.h"
#include "message_mark.h"
#include "record.h"
#include "topic_list.h"

/* A batch closes when its rows would lie in more UTC days. */
#define BATCH_MAX_DAYS 400

/* In place of a message's timestamp. */
#define BATCH_NO_TIME INT64_MIN

/*
 * How far a batch goes in one partition.  Each offset from expected_offset up
 * to next_offset is counted in exactly one of the three.
 */
typedef struct BatchProgress
{
	const char *topic;			/* the caller's; outlives the batch */
	char		topic_id[TOPIC_ID_BYTES];	/* "" when not known */
	int32_t		partition;
	int64_t		expected_offset;	/* where the batch begins */
	int64_t		next_offset;	/* the last offset handled + 1 */
	int64_t		stored;			/* rows */
	int64_t		dead_lettered;
	int64_t		refused[FINTRANS_VERDICTS]; /* by verdict */
	int64_t		skipped;		/* offsets without a message */
	MessageMark last;			/* the last message handled, in this batch or
								 * before; whole once the batch is sealed */
	size_t		unsealed_bytes; /* of that message's payload, 0 when it is */
	size_t		unsealed_at;	/* where in payloads it lies */
} BatchProgress;

/* Why a message is refused. */
typedef struct DeadLetter
{
	RecordVerdict verdict;
	const char *reason;			/* its code in the table that there is */
	const char *detail;			/* or NULL */
	EventTime	time;			/* if it has one that can be read */
} DeadLetter;

/* A message as Kafka has it. */
struct BatchMessage
{
	int64_t		offset;
	const void *payload;		/* NULL when it has none */
	size_t		payload_bytes;
	bool		has_event_time;	/* a timestamp */
	int64_t		event_time_ms;	/* since 1970 */
};

typedef struct Batch
{
	int64_t		max_messages;	/* rows and dead letters together */
	size_t		max_bytes;		/* of rows and their payloads, and again of
								 * dead letters */
	CopyBuffer	rows;			/* header and rows, without trailer */
	CopyBuffer	payloads;		/* of the rows, each as a row of one field */
	int64_t		row_count;
	CopyBuffer	dead_letters;	/* header and rows, without trailer */
	int64_t		dead_letter_count;
	int64_t		messages;		/* rows and dead letters together */
	int64_t    *times;			/* their timestamps, as they were added:
								 * BATCH_NO_TIME without one */
	int64_t		refused_run;	/* rows refused in succession at its end, by the
								 * latest sieve */
	BatchProgress *progress;	/* one per slot */
	size_t		slots;
	size_t		slots_allocated;
	int32_t		days[BATCH_MAX_DAYS];	/* of its rows, distinct, unordered */
	size_t		day_count;
	size_t		last_day;		/* index in days of the latest row's */
	int64_t		opened_ms;		/* for the caller: when it got its first
								 * content, monotonic */
} Batch;

typedef enum BatchResult
{
	BATCH_ADDED,
	BATCH_STALE,				/* offset handled already: nothing done */
	BATCH_FULL,					/* nothing done: close the batch first */
	BATCH_NO_MEMORY,			/* nothing done: a huge payload did not fit */
	BATCH_TRIPPED				/* nothing done: one dead letter too many; not
								 * a batch's, but intake.h's */
} BatchResult;

/* Allocate the buffers; false when memory is short. */
extern bool batch_init(Batch *batch, int64_t max_messages, size_t max_bytes);

extern void batch_free(Batch *batch);

/*
 * Empty the batch and make it one of `slots` partitions, all unnamed.  False
 * when memory is short.
 */
extern bool batch_start(Batch *batch, size_t slots);

/*
 * Name the partition of a slot, the offset expected in it, the message handled
 * last and the topic's id, "" when that is not known.
 */
extern void batch_set_position(Batch *batch, size_t slot, const char *topic,
							   int32_t partition, int64_t next_offset,
							   const MessageMark *last,
							   const char *topic_id);

/* Empty the batch and make it go on where `previous`, which is sealed, ends. */
extern bool batch_continue(Batch *batch, Batch *previous);

/*
 * Make the marks of the last messages whole: one checksum a partition instead
 * of one a message.  To be done when no more comes; more may come all the same.
 */
extern void batch_seal(Batch *batch);

/*
 * Add a message as a row, with the record's time, or as a dead letter.  Offsets
 * between the expected one and the message's count as skipped.
 */
extern BatchResult batch_add_row(Batch *batch, size_t slot,
								 const BatchMessage *message,
								 const Record *record);
extern BatchResult batch_add_dead_letter(Batch *batch, size_t slot,
										 const BatchMessage *message,
										 const DeadLetter *letter);

/* There is no message below offset: count what is missing as skipped. */
extern BatchResult batch_skip_to(Batch *batch, size_t slot, int64_t offset);

/* Nothing to commit, not even skipped offsets? */
extern bool batch_is_empty(const Batch *batch);

/* Rows and dead letters; stays the same when rows are refused. */
extern int64_t batch_messages(const Batch *batch);

/* Close it now, or the next message might not fit? */
extern bool batch_is_full(const Batch *batch);

/*
 * A walk over the rows of a batch that takes out those the database refuses.
 * The batch is whole again when it has been ended, wherever that was.
 */
typedef struct BatchSieve
{
	Batch	   *batch;
	int64_t		kept;			/* rows */
	int64_t		left;			/* rows not yet kept or refused */
	int64_t		refused_run;	/* rows refused in succession, up to the last
								 * one that has been tried */
	size_t		row_at;			/* where the next one begins */
	size_t		payload_at;
	size_t		rows_kept;		/* where the bytes of those kept end */
	size_t		payloads_kept;
} BatchSieve;

/* The batch is sealed. */
extern void batch_sieve_begin(BatchSieve *sieve, Batch *batch);

/* The next rows, at most max of them, without header; returns their number. */
extern int64_t batch_sieve_peek(const BatchSieve *sieve, int64_t max,
								CopyBuffer *rows);

/* Let the next rows stay. */
extern void batch_sieve_keep(BatchSieve *sieve, int64_t rows);

/*
 * Make the next row a dead letter; false, and nothing done, when memory is
 * short.
 */
extern bool batch_sieve_refuse(BatchSieve *sieve, const char *detail);

/* Let all rows that are left stay. */
extern void batch_sieve_end(BatchSieve *sieve);

#endif							/* FINTRANS_BATCH_H */
