/*
 * The sink for InfluxDB: a thread of its own that sends a point for each
 * transaction PostgreSQL has committed, and that nobody waits for.
 *
 * It is told only how far partitions have been committed, and reads what lies
 * before that from Kafka itself: nothing is handed over, so nothing has to be
 * thrown away when InfluxDB is slow or away.  A sink may be NULL, for none.
 */
#ifndef FINTRANS_INFLUX_SINK_H
#define FINTRANS_INFLUX_SINK_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "batch.h"
#include "codec.h"
#include "consumer.h"
#include "influx_client.h"
#include "line_protocol.h"
#include "metrics.h"
#include "offset_list.h"

typedef struct InfluxSink InfluxSink;

/* All texts outlive the sink. */
typedef struct InfluxSettings
{
	InfluxTarget target;
	LineStyle	style;
	size_t		batch_points;
	CodecSettings codec;		/* of the messages */
	KafkaProperties properties; /* the user's; of no other thread */
	char		group[512];		/* that positions are kept under */
	const char *conninfo;		/* PostgreSQL's */
	int64_t		status_seconds; /* 0 for no status line, at the start */
} InfluxSettings;

/*
 * Start it, or none when there are no settings.  consumer says how Kafka is
 * reached, and currency is the installation's, "" for none; metrics gets its
 * numbers.  False with errstr when that fails.
 */
extern bool influx_sink_start(InfluxSink **sink,
							  InfluxSettings *settings,
							  const ConsumerSettings *consumer,
							  const char *currency, Metrics *metrics,
							  char *errstr, size_t errstr_size);

/*
 * These partitions are ours, committed up to these offsets; no others.  The
 * list is copied.  Costs the caller a lock that is never held for long.
 */
extern void influx_sink_assign(InfluxSink *sink, const OffsetList *positions);

/*
 * SIGHUP: log in to Kafka with these from the next connection on; sink may be
 * NULL.  False, and nothing changed, when memory is short.
 */
extern bool influx_sink_set_credentials(InfluxSink *sink, const char *user,
										const char *password);

/* SIGHUP: a status line so often, 0 for none; sink may be NULL. */
extern void influx_sink_set_status(InfluxSink *sink, int64_t seconds);

/* The batch has been committed. */
extern void influx_sink_advance(InfluxSink *sink, const Batch *batch);

/*
 * Wait until all that has been committed is through.  False when *stop came
 * before, or InfluxDB has been taking nothing for some seconds, or nothing has
 * gone on for longer than a request may take.
 */
extern bool influx_sink_drain(InfluxSink *sink,
							  const volatile sig_atomic_t *stop);

/*
 * End the thread, which gets a moment to send what it has, and free it.  False
 * when it is blocked all the same: then nothing is freed, and the process
 * should end.
 */
extern bool influx_sink_stop(InfluxSink *sink);

#endif							/* FINTRANS_INFLUX_SINK_H */
