/*
 * A batch of points on its way to InfluxDB: whole lines, of which any stretch
 * can be sent alone, and how far it goes in each Kafka partition.  Decides
 * which stretch is sent next, when the server takes less than is offered.
 * Pure but for its memory.
 */
#ifndef FINTRANS_INFLUX_BATCH_H
#define FINTRANS_INFLUX_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "line_protocol.h"

/*
 * Of the points of a batch this many stretches may be refused before the rest
 * is given up: finding each bad point takes one for each halving.
 */
#define INFLUX_BATCH_REFUSALS 64

typedef struct InfluxBatch
{
	LineBuffer	lines;
	size_t	   *ends;			/* of each line, in lines */
	size_t		count;			/* points */
	size_t		max_points;
	int64_t    *next_offsets;	/* where each slot's partition goes on, once
								 * all is stored */
	size_t		slots;
	int64_t		opened_ms;		/* for the caller: since when it has content,
								 * monotonic; 0 while it has none */
	size_t		from;			/* the stretch being sent: points from this */
	size_t		to;				/* to before this */
	int			refusals;		/* so far */
} InfluxBatch;

/* False when memory is short. */
extern bool influx_batch_init(InfluxBatch *batch, size_t max_points,
							  size_t slots);
extern void influx_batch_free(InfluxBatch *batch);

/* Empty it. */
extern void influx_batch_start(InfluxBatch *batch);

extern bool influx_batch_is_full(const InfluxBatch *batch);

/* Append a point; LINE_FULL when there is no room. */
extern LineResult influx_batch_add(InfluxBatch *batch, const LineStyle *style,
								   const LineOrigin *origin,
								   const Record *record);

/* Begin to send: at most `limit` points at a time. */
extern void influx_batch_begin(InfluxBatch *batch, size_t limit);

/* The stretch to be sent; false when all are through. */
extern bool influx_batch_stretch(const InfluxBatch *batch, const char **text,
								 size_t *bytes);

/* Its number of points. */
extern size_t influx_batch_stretch_points(const InfluxBatch *batch);

/* It is through: on to the next one. */
extern void influx_batch_pass(InfluxBatch *batch, size_t limit);

/* It is too large: halve it.  False, and nothing done, for a single point. */
extern bool influx_batch_halve(InfluxBatch *batch);

/*
 * The server refuses it for what is in it: look for the point at fault.  False
 * when it has been found, or is not worth while any more: the stretch, which
 * then is the rest of the batch, is to be given up.
 */
extern bool influx_batch_refuse(InfluxBatch *batch);

#endif							/* FINTRANS_INFLUX_BATCH_H */
