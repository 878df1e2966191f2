/*
 * The state of the main loop, and what its files need of each other.  Private
 * to them: ingest.c (loop, messages, end), ingest_writer.c (all that passes
 * between the loop and the writer) and ingest_monitor.c (how it stands, for
 * those who watch it).
 */
#ifndef FINTRANS_INGEST_STATE_H
#define FINTRANS_INGEST_STATE_H

#include "assignment.h"
#include "batch.h"
#include "ingest.h"
#include "intake.h"
#include "status.h"
#include "trouble.h"

/* Why no more messages are taken. */
typedef enum Closing
{
	CLOSING_NOT,
	CLOSING_SIGNAL,				/* drain, within a time */
	CLOSING_AT_END,				/* --exit-at-end, --max-messages */
} Closing;

typedef struct Ingest
{
	const IngestSettings *settings;
	Consumer   *consumer;
	Writer	   *writer;
	Monitor    *monitor;
	Metrics    *metrics;		/* the monitor's */
	Assignment	assignment;
	Batch		batches[2];
	Batch	   *filling;
	Batch	   *storing;		/* the writer's, NULL for none */
	bool		storing_is_ours;	/* its partitions are still assigned */
	ConsumerMessage message;
	bool		message_waits;	/* it did not fit the batch */
	bool		tripped;		/* the breaker halted a partition: what was
								 * read before is stored, then positions are
								 * looked up */
	bool		stuck;			/* the writer was, positions are to be looked
								 * up when it is through */
	Intake		intake;
	bool		checking;		/* the writer looks whether the database is
								 * there */
	int64_t		check_ms;		/* when it shall, unless it has something else
								 * to do before; monotonic */
	Status		status;
	ConsumerView view;			/* what a watch has seen of Kafka */
	LagList		partitions;		/* when observed last */
	Readiness	readiness;		/* likewise */
	int64_t		observe_ms;		/* when next, monotonic */
	int64_t		idle_ms;		/* when there was no message last, monotonic */
	OffsetList	published;		/* positions stored, for Kafka's copy */
	int64_t		publish_ms;		/* when to do so next, monotonic */
	int64_t		topics_ms;		/* --exit-at-end: when to look next whether
								 * there are any, monotonic */
	Trouble		conflicts;		/* told lately */
	Closing		closing;
	int64_t		closing_ms;		/* since when, monotonic */
	bool		ended;
	bool		failed;
	char	   *errstr;			/* the caller's */
	size_t		errstr_size;
} Ingest;

/* End the loop for this reason. */
extern void ingest_fail(Ingest *ingest, const char *event,
						const char *reason);

/* Add the message at hand to the batch, or let it wait when that is full. */
extern void ingest_take_message(Ingest *ingest);

/* Take the writer's report, if there is one, and draw the consequences. */
extern void ingest_take_report(Ingest *ingest);

/* Give the batch to the idle writer, when it is due. */
extern void ingest_hand_over(Ingest *ingest, int64_t now_ms);

/* While the writer is stuck nothing is fetched, but polling goes on. */
extern void ingest_watch_writer(Ingest *ingest);

/* Have the settings read again, if that was asked for. */
extern void ingest_take_settings(Ingest *ingest);

/* What was read before the breaker tripped has been stored: go on. */
extern void ingest_leave_tripped(Ingest *ingest);

/* Begin again from the table of positions, after at least delay_ms. */
extern void ingest_renew(Ingest *ingest, int64_t delay_ms);

/* Forget what has been read but not handed over. */
extern void ingest_drop(Ingest *ingest);

/* Let the writer look whether the database is there, when that is due. */
extern void ingest_check_database(Ingest *ingest, int64_t now_ms);

/* Publish how the bridge stands; before the main loop, and in it. */
extern void ingest_observe_start(Monitor *monitor, Writer *writer);
extern void ingest_observe(Ingest *ingest, int64_t now_ms);

#endif							/* FINTRANS_INGEST_STATE_H */
