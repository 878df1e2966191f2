/*
 * Points of the partitions of one assignment, from Kafka to InfluxDB: what
 * PostgreSQL has committed is read again, made into batches and sent, each
 * until it is through, and how far all is through is kept in Kafka.  For the
 * sink's thread.
 */
#ifndef FINTRANS_INFLUX_RUN_H
#define FINTRANS_INFLUX_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codec.h"
#include "consumer.h"
#include "influx_client.h"
#include "influx_ledger.h"
#include "influx_stats.h"
#include "line_protocol.h"
#include "offset_list.h"

typedef struct InfluxRunSettings
{
	const ConsumerSettings *kafka;	/* with the group positions are kept under */
	Codec	   *codec;			/* of the messages; no other thread's */
	LineStyle	style;
	size_t		batch_points;
} InfluxRunSettings;

typedef struct InfluxRun InfluxRun;

/*
 * partitions with the offsets up to which PostgreSQL has committed; the list's
 * topics are copied.  NULL when memory is short.
 */
extern InfluxRun *influx_run_new(const InfluxRunSettings *settings,
								 InfluxClient *client, InfluxLedger *ledger,
								 InfluxStats *stats,
								 const OffsetList *partitions);

/* Has Kafka keep what is through, which takes a moment, and ends. */
extern void influx_run_close(InfluxRun *run);

/* Is it about just these partitions, in this order? */
extern bool influx_run_is_of(const InfluxRun *run,
							 const OffsetList *partitions);

/*
 * PostgreSQL has committed a partition up to an offset; with dead letters, or
 * it is not known whether there are any.
 */
extern void influx_run_advance(InfluxRun *run, size_t lane, int64_t committed,
							   bool may_have_letters);

/* Log in to Kafka with these from the next connection on. */
extern void influx_run_set_credentials(InfluxRun *run, const char *user,
									   const char *password);

/* Do what is due, and wait a moment for more. */
extern void influx_run_step(InfluxRun *run);

/* Is all through that is committed? */
extern bool influx_run_is_through(const InfluxRun *run);

#endif							/* FINTRANS_INFLUX_RUN_H */
