/*
 * The bridge at work: the main loop that carries messages from the consumer
 * into batches and batches to the writer, until it is told to stop or has
 * reached what it was asked for.
 */
#ifndef FINTRANS_INGEST_H
#define FINTRANS_INGEST_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codec.h"
#include "consumer.h"
#include "influx_sink.h"
#include "monitor.h"
#include "time_spec.h"
#include "writer.h"

typedef struct IngestSettings
{
	int64_t		batch_rows;
	int64_t		batch_bytes;
	int64_t		linger_ms;
	StartPoint	start;
	bool		skip_lost;		/* --on-gap earliest */
	TimeRange	time_range;		/* accepted event times */
	Codec	   *codec;			/* of the messages; the caller's */
	char		currency[RECORD_CURRENCY_BYTES];	/* "" for none */
	bool		older_reasons;	/* dead letters take those of 0.1.0 only */
	bool		exit_at_end;
	int64_t		max_messages;	/* 0 for no limit */
	int64_t		status_seconds; /* 0 for no status line */
	const char *group;
	/* somebody may ask how things stand, also while there is nothing to do */
	bool		watches_kafka;
	bool		watches_database;
	int64_t		reject_window;	/* the breaker's */
	int64_t		reject_percent;
	/* changes what can change of these; false when all stays as it is */
	bool		(*reread) (void *context, Consumer *consumer);
	void	   *reread_context;
	InfluxSettings *influx;	/* NULL for no sink */
	InfluxSink *sink;			/* to be told of commits; NULL for none */
} IngestSettings;

/* Set by a signal handler: drain and come back. */
extern volatile sig_atomic_t ingest_stop;

/* Set by a signal handler: have the settings read again. */
extern volatile sig_atomic_t ingest_reread;

/*
 * Wait until the writer has connected and checked the installation, and fill
 * in what it has.  False with errstr when that needs a human; true as well
 * when ingest_stop came.
 */
extern bool ingest_prepare(IngestSettings *settings, Writer *writer,
						   Monitor *monitor,
						   char *errstr, size_t errstr_size);

/*
 * Run until drained, at the end, or failed.  True when all went as asked;
 * false with errstr otherwise.
 */
extern bool ingest_run(const IngestSettings *settings, Consumer *consumer,
					   Writer *writer, Monitor *monitor,
					   char *errstr, size_t errstr_size);

#endif							/* FINTRANS_INGEST_H */
