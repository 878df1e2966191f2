/*
 * The bridge's numbers.  One table, METRICS, makes them, the text in which
 * Prometheus reads them (format 0.0.4), and the table in docs/metrics.md; the
 * log's line of status takes its numbers from here as well.
 *
 * Each number is an atomic of its own: any thread may count, and any may read.
 */
#ifndef FINTRANS_METRICS_H
#define FINTRANS_METRICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/*
 * X(enumerator, name without prefix, kind, label, second label, help).  Times
 * are counted in milliseconds and written in seconds.  Those of PARTITION are
 * not counted here: whoever writes the text hands them in.
 */
#define METRICS(X) \
	X(MESSAGES_CONSUMED, "messages_consumed_total", COUNTER, TOPIC, NONE, \
	  "Messages read from Kafka and put into a batch. What is dropped, and " \
	  "read again, counts again.") \
	X(ROWS_COMMITTED, "rows_committed_total", COUNTER, TOPIC, NONE, \
	  "Transactions stored.") \
	X(DEAD_LETTERS, "dead_letters_total", COUNTER, TOPIC, REASON, \
	  "Messages stored as dead letters.") \
	X(OFFSETS_SKIPPED, "offsets_skipped_total", COUNTER, TOPIC, NONE, \
	  "Offsets passed that hold no message: of aborted or ended Kafka " \
	  "transactions, compacted away, or lost with --on-gap earliest.") \
	X(MESSAGES_REPEATED, "messages_repeated_total", COUNTER, NONE, NONE, \
	  "Messages that Kafka delivered though they were in a batch already.") \
	X(BATCHES, "batches_total", COUNTER, RESULT, NONE, \
	  "Batches by what became of them.") \
	X(BATCH_DURATION, "batch_duration_seconds", HISTOGRAM, NONE, NONE, \
	  "How long it took to store a batch, attempts that failed included.") \
	X(LATENCY, "latency_seconds", HISTOGRAM, NONE, NONE, \
	  "From the timestamp of a message to the end of the COMMIT that stored " \
	  "it, as row or dead letter.") \
	X(LAST_COMMIT, "last_commit_timestamp_seconds", MOMENT, NONE, NONE, \
	  "When a batch was stored last, since 1970; 0 before the first.") \
	X(CONSUMER_LAG, "consumer_lag", GAUGE, TOPIC, PARTITION, \
	  "Messages that Kafka has and the database has not, by partition " \
	  "assigned to this bridge.") \
	X(PARTITION_HALTED, "partition_halted", GAUGE, TOPIC, PARTITION, \
	  "1 when the partition waits for a human, else 0.") \
	X(PARTITION_UNANSWERED, "partition_unanswered", GAUGE, TOPIC, PARTITION, \
	  "1 when Kafka does not answer for the partition, else 0.") \
	X(PARTITIONS_ASSIGNED, "partitions_assigned", GAUGE, NONE, NONE, \
	  "Partitions that the group has given to this bridge.") \
	X(REBALANCES, "rebalances_total", COUNTER, KIND, NONE, \
	  "Partitions given by the group, revoked, or lost with the membership.") \
	X(DB_RECONNECTS, "db_reconnects_total", COUNTER, NONE, NONE, \
	  "Connections to the database made after the first one.") \
	X(RETRIES, "retries_total", COUNTER, SQLSTATE_CLASS, NONE, \
	  "Attempts in the database that failed and were made again, by the " \
	  "first two characters of the SQLSTATE; none when there was no answer.") \
	X(INFLUX_POINTS, "influx_points_total", COUNTER, POINT_RESULT, NONE, \
	  "Points for InfluxDB by what became of them.") \
	X(INFLUX_QUEUE, "influx_queue_points", GAUGE, NONE, NONE, \
	  "Points in requests that InfluxDB has not answered for yet.") \
	X(INFLUX_LAG, "influx_lag_messages", GAUGE, NONE, NONE, \
	  "Messages that the database has, as rows or dead letters, and that " \
	  "InfluxDB has not been sent yet; 0 before Kafka has told where it was " \
	  "left, which influx_failing tells of.") \
	X(INFLUX_RETRIES, "influx_retries_total", COUNTER, NONE, NONE, \
	  "Requests to InfluxDB that failed and were made again.") \
	X(INFLUX_FAILING, "influx_failing", GAUGE, NONE, NONE, \
	  "1 while InfluxDB takes no points, else 0.") \
	X(UPKEEP_FAILING, "upkeep_failing", GAUGE, TASK, NONE, \
	  "1 while a task of upkeep fails, else 0; /ready names it, and may say " \
	  "yes all the same.") \
	X(READY, "ready", GAUGE, NONE, NONE, \
	  "1 when /ready says so, else 0.") \
	X(NOT_READY, "not_ready", GAUGE, CAUSE, NONE, \
	  "1 for each cause for which /ready says no.") \
	X(STATE, "state", CHOICE, STATE, NONE, \
	  "1 for the state that the bridge is in, 0 for the others.") \
	X(START, "start_timestamp_seconds", MOMENT, NONE, NONE, \
	  "When the program was started, since 1970.") \
	X(BUILD_INFO, "build_info", GAUGE, VERSION, NONE, \
	  "Always 1; the version is in the label.")

#define METRICS_PREFIX "fintrans_bridge_"

typedef enum MetricId
{
#define X(enumerator, name, kind, label, second_label, help) \
	METRIC_##enumerator,
	METRICS(X)
#undef X
	METRIC_COUNT
} MetricId;

/* Values of labels that are not topics: X(enumerator, word). */
#define METRICS_RESULTS(X) \
	X(COMMITTED, "committed") \
	X(CONFLICT, "conflict") \
	X(ABANDONED, "abandoned") \
	X(FATAL, "fatal")

#define METRICS_REBALANCES(X) \
	X(ASSIGNED, "assigned") \
	X(REVOKED, "revoked") \
	X(LOST, "lost")

/* What upkeep does: X(enumerator, word, meaning). */
#define METRICS_TASKS(X) \
	X(RETENTION, "retention", "--retain: old partitions are dropped") \
	X(DEAD_LETTERS, "dead_letters", \
	  "--retain-dead-letters: old dead letters are purged") \
	X(INDEXES, "indexes", \
	  "partitions of days that have passed are indexed, unless --no-index")

typedef enum MetricsTask
{
#define X(enumerator, word, meaning) TASK_##enumerator,
	METRICS_TASKS(X)
#undef X
	TASK_COUNT
} MetricsTask;

extern const char *const metrics_task_words[TASK_COUNT];

typedef enum MetricsResult
{
#define X(enumerator, word) RESULT_##enumerator,
	METRICS_RESULTS(X)
#undef X
} MetricsResult;

typedef enum MetricsRebalance
{
#define X(enumerator, word) REBALANCE_##enumerator,
	METRICS_REBALANCES(X)
#undef X
} MetricsRebalance;

typedef struct Metrics Metrics;

/* The upper bounds of histograms are these, in milliseconds. */
#define METRICS_BOUNDS \
	5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 30000, 60000, 300000
#define METRICS_BOUND_COUNT 14

/* Durations of one thread, before they are added to a histogram. */
typedef struct MetricsDurations
{
	int64_t		counts[METRICS_BOUND_COUNT + 1];	/* by bound, and above */
	int64_t		sum_ms;
} MetricsDurations;

#define METRICS_REASON_BYTES 200

/* How a partition stands. */
typedef struct MetricsPartition
{
	size_t		topic;			/* metrics_topic()'s */
	int32_t		partition;
	int64_t		lag;
	int64_t		high_watermark; /* negative when not known */
	char		halted[METRICS_REASON_BYTES];	/* why; "" for not */
	bool		is_unanswered;
} MetricsPartition;

/*
 * All numbers at 0; topics is a list that topic_list_read() takes.  NULL when
 * memory is short.
 */
extern Metrics *metrics_new(const char *topics);
extern void metrics_free(Metrics *metrics);

/* Number of a topic as a label; of one that is not in the list, SIZE_MAX. */
extern size_t metrics_topic(const Metrics *metrics, const char *topic);
extern const char *metrics_topic_name(const Metrics *metrics, size_t topic);

/* Number of an SQLSTATE's class as a label; "" is none. */
extern size_t metrics_sqlstate_class(const char *sqlstate);

/*
 * Count, or set; label and second are numbers of label values, 0 for a metric
 * that has no such label.  What is not in the table is not counted.
 */
extern void metrics_add(Metrics *metrics, MetricId id, size_t label,
						size_t second, int64_t number);
extern void metrics_set(Metrics *metrics, MetricId id, size_t label,
						int64_t number);

extern void metrics_take_duration(MetricsDurations *durations, int64_t ms);
extern void metrics_add_durations(Metrics *metrics, MetricId id,
								  const MetricsDurations *durations);

/* Sum over all labels. */
extern int64_t metrics_total(const Metrics *metrics, MetricId id);

/* Of a metric that has one label. */
extern int64_t metrics_number(const Metrics *metrics, MetricId id,
							  size_t label);

/* Sum of a histogram's durations. */
extern int64_t metrics_total_ms(const Metrics *metrics, MetricId id);

/*
 * Write the text; returns the bytes that it takes without its NUL, which are
 * size or more when it did not fit.
 */
extern size_t metrics_write(const Metrics *metrics,
							const MetricsPartition *partitions,
							size_t count, char *text, size_t size);

/* The tables of metrics and of their labels' words, in Markdown. */
extern void metrics_describe(FILE *out);

#endif							/* FINTRANS_METRICS_H */
