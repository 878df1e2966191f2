/*
 * What PostgreSQL says of Kafka's offsets, for those who read Kafka a second
 * time: where a partition begins, and which of its messages are no rows.  A
 * connection of its own, held only while it is asked.
 */
#ifndef FINTRANS_INFLUX_LEDGER_H
#define FINTRANS_INFLUX_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "offset_list.h"

typedef struct InfluxLedger InfluxLedger;

/* conninfo must outlive it; NULL when memory is short. */
extern InfluxLedger *influx_ledger_new(const char *conninfo);
extern void influx_ledger_free(InfluxLedger *ledger);

/* Let the connection go. */
extern void influx_ledger_rest(InfluxLedger *ledger);

/* Fill in the first offset of each partition; -1 for one not in the table. */
extern bool influx_ledger_first(InfluxLedger *ledger, OffsetList *partitions);

/*
 * Offsets from `from` on that are dead letters, in their order, at most max of
 * them.
 */
extern bool influx_ledger_refused(InfluxLedger *ledger, const char *topic,
								  int32_t partition, int64_t from,
								  int64_t *offsets, size_t max,
								  size_t *count);

/* Why the latest question was not answered; safe to log. */
extern const char *influx_ledger_error(const InfluxLedger *ledger);

#endif							/* FINTRANS_INFLUX_LEDGER_H */
