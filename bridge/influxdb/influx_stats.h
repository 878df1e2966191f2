/*
 * What the sink for InfluxDB counts: written by its thread, read by whoever
 * watches.
 */
#ifndef FINTRANS_INFLUX_STATS_H
#define FINTRANS_INFLUX_STATS_H

#include <stdatomic.h>

/*
 * What became of a transaction's point: X(enumerator, code, meaning).
 */
#define INFLUX_RESULTS(X) \
	X(INFLUX_RESULT_STORED, "stored", \
	  "InfluxDB has it") \
	X(INFLUX_RESULT_REFUSED, "refused", \
	  "InfluxDB refused it, and always would") \
	X(INFLUX_RESULT_BAD_TIME, "bad_time", \
	  "its event time is one that InfluxDB cannot hold") \
	X(INFLUX_RESULT_BAD_AMOUNT, "bad_amount", \
	  "its amount has decimals, and integers are asked for") \
	X(INFLUX_RESULT_LOST, "lost", \
	  "Kafka had deleted the message before it was sent")

typedef enum InfluxPointResult
{
#define X(enumerator, code, meaning) enumerator,
	INFLUX_RESULTS(X)
#undef X
	INFLUX_RESULT_COUNT
} InfluxPointResult;

typedef struct InfluxStats
{
	atomic_int_fast64_t points[INFLUX_RESULT_COUNT];
	atomic_int_fast64_t queued; /* points read and not yet through */
	atomic_int_fast64_t lag;	/* messages committed and not yet through */
	atomic_int_fast64_t retries;
	atomic_int_fast64_t failing_ms; /* since when requests fail, monotonic; 0
									 * while they do not */
} InfluxStats;

#endif							/* FINTRANS_INFLUX_STATS_H */
