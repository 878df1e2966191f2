/*
 * Reads Kafka for InfluxDB: each partition for itself, from where it is told
 * to, and no further than it is asked.  A client of its own beside the
 * consumer's, which joins no group: it only keeps its positions under the name
 * of one.  To be used by one thread at a time.
 */
#ifndef FINTRANS_INFLUX_READER_H
#define FINTRANS_INFLUX_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "batch.h"
#include "consumer.h"
#include "offset_list.h"

typedef struct InfluxReader InfluxReader;

typedef enum InfluxEvent
{
	INFLUX_NOTHING,				/* so far */
	INFLUX_MESSAGE,
	INFLUX_END,					/* no message below message->offset is left */
	INFLUX_GONE					/* Kafka does not have the position */
} InfluxEvent;

/*
 * A reader of these partitions, whose slots are their places in the list.
 * settings->group is the one that its positions are kept under.  NULL with
 * errstr when that fails.
 */
extern InfluxReader *influx_reader_open(const ConsumerSettings *settings,
										const OffsetList *partitions,
										char *errstr, size_t errstr_size);
extern void influx_reader_close(InfluxReader *reader);

/*
 * Fill in the positions kept in Kafka, -1 for a partition without; blocks up
 * to CONSUMER_TIMEOUT_MS.
 */
extern bool influx_reader_positions(InfluxReader *reader, OffsetList *positions,
									char *errstr, size_t errstr_size);

/* Begin to fetch, or again from another offset. */
extern bool influx_reader_start(InfluxReader *reader, size_t slot,
								int64_t offset);

/* What comes next; it stays that until influx_reader_pass(). */
extern InfluxEvent influx_reader_peek(InfluxReader *reader, size_t slot,
									  BatchMessage *message);
extern void influx_reader_pass(InfluxReader *reader, size_t slot);

/* The lowest offset there is; blocks up to CONSUMER_TIMEOUT_MS. */
extern bool influx_reader_lowest(InfluxReader *reader, size_t slot,
								 int64_t *offset);

/*
 * Have Kafka keep these positions.  False, and nothing done, while it has not
 * answered the last time yet.
 */
extern bool influx_reader_keep(InfluxReader *reader,
							   const OffsetList *positions);

/* Let the client tell what it has to. */
extern void influx_reader_serve(InfluxReader *reader);

/* Log in with these from the next connection on. */
extern void influx_reader_set_credentials(InfluxReader *reader,
										  const char *user,
										  const char *password);

/* Has Kafka answered?  kept says whether it has kept the positions. */
extern bool influx_reader_answered(const InfluxReader *reader, bool *kept);

#endif							/* FINTRANS_INFLUX_READER_H */
