/*
 * Batches of points on their way to InfluxDB: each is sent until it is
 * through, whatever the server answers, and they come off in the order in
 * which they were given.  Knows no Kafka.
 */
#ifndef FINTRANS_INFLUX_SENDER_H
#define FINTRANS_INFLUX_SENDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "influx_batch.h"
#include "influx_client.h"
#include "influx_stats.h"

typedef struct InfluxSender InfluxSender;

/* For batches of so many points and partitions; NULL when memory is short. */
extern InfluxSender *influx_sender_new(InfluxClient *client,
									   InfluxStats *stats,
									   size_t batch_points, size_t slots);

/* What is under way is given up. */
extern void influx_sender_free(InfluxSender *sender);

/* The batch to be filled; NULL while all are under way. */
extern InfluxBatch *influx_sender_filling(InfluxSender *sender);

/* Send it. */
extern void influx_sender_send(InfluxSender *sender);

/*
 * The oldest batch, if it is through, and NULL otherwise; it is the caller's
 * until influx_sender_retire().
 */
extern const InfluxBatch *influx_sender_through(const InfluxSender *sender);
extern void influx_sender_retire(InfluxSender *sender);

/*
 * Try again what is due, and wait for answers until until_ms (monotonic), or
 * until influx_client_wake().
 */
extern void influx_sender_step(InfluxSender *sender, int64_t until_ms);

/* Points in all batches. */
extern int64_t influx_sender_points(const InfluxSender *sender);

/* A point came to nothing, or is stored. */
extern void influx_stats_count(InfluxStats *stats, InfluxPointResult result,
							   int64_t points);

#endif							/* FINTRANS_INFLUX_SENDER_H */
