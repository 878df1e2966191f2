/*
 * A metric is an array of numbers: one for each value of its label, or for
 * each pair of values of its two labels.  A histogram has one for each bound,
 * one for what is above, and the sum.
 */
#include "metrics.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "influx_stats.h"
#include "readiness.h"
#include "record.h"
#include "text_buffer.h"
#include "topic_list.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

typedef enum MetricKind
{
	KIND_COUNTER,
	KIND_GAUGE,
	KIND_MOMENT,				/* a gauge: ms since 1970, written as s */
	KIND_CHOICE,				/* a gauge: 1 for the label value whose number
								 * is its only number, 0 for the others */
	KIND_HISTOGRAM				/* of durations */
} MetricKind;

typedef enum MetricLabel
{
	LABEL_NONE,
	LABEL_TOPIC,
	LABEL_PARTITION,
	LABEL_REASON,
	LABEL_RESULT,
	LABEL_POINT_RESULT,
	LABEL_KIND,
	LABEL_SQLSTATE_CLASS,
	LABEL_STATE,
	LABEL_CAUSE,
	LABEL_TASK,
	LABEL_VERSION
} MetricLabel;

typedef struct MetricSpec
{
	const char *name;
	MetricKind	kind;
	MetricLabel label;
	MetricLabel second_label;
	const char *help;
} MetricSpec;

typedef struct LabelSpec
{
	const char *name;
	const char *const *words;	/* NULL when they are not fixed */
	const char *const *meanings;	/* NULL when the words say it */
	size_t		count;
} LabelSpec;

struct Metrics
{
	TopicList	topics;
	atomic_int_fast64_t *numbers[METRIC_COUNT];
};

/* The text on its way. */
typedef struct Writing
{
	const Metrics *metrics;
	const MetricSpec *spec;
	const atomic_int_fast64_t *numbers;
	const MetricsPartition *partitions;
	size_t		partition_count;
	TextBuffer	buffer;
} Writing;

static const MetricSpec specs[METRIC_COUNT] = {
#define X(enumerator, name, kind, label, second_label, help) \
	{METRICS_PREFIX name, KIND_##kind, LABEL_##label, LABEL_##second_label, \
	help},
	METRICS(X)
#undef X
};

#define WORD(enumerator, word) word,
static const char *const results[] = {METRICS_RESULTS(WORD)};
static const char *const rebalances[] = {METRICS_REBALANCES(WORD)};
#undef WORD

#define WORD(enumerator, word, meaning) word,
#define MEANING(enumerator, word, meaning) meaning,
static const char *const reasons[] = {FINTRANS_REJECT_REASONS(WORD)};
static const char *const reason_meanings[] = {
	FINTRANS_REJECT_REASONS(MEANING)
};
const char *const metrics_task_words[] = {METRICS_TASKS(WORD)};
static const char *const task_meanings[] = {METRICS_TASKS(MEANING)};
static const char *const point_results[] = {INFLUX_RESULTS(WORD)};
static const char *const point_result_meanings[] = {INFLUX_RESULTS(MEANING)};
static const char *const state_meanings[] = {BRIDGE_STATES(MEANING)};
static const char *const cause_meanings[] = {READINESS_CAUSES(MEANING)};
#undef WORD
#undef MEANING

/* Those that are retried, as sqlstate.c has it; the last is any other one. */
static const char *const sqlstate_classes[] = {
	"none", "08", "21", "22", "23", "25", "28", "34", "38", "39", "40", "42",
	"44", "53", "54", "55", "57", "58", "P0", "XX", "other"
};

static const char *const versions[] = {FINTRANS_VERSION};

/* Topics and partitions have no fixed words. */
static const LabelSpec labels[] = {
	[LABEL_NONE] = {NULL, NULL, NULL, 1},
	[LABEL_TOPIC] = {"topic", NULL, NULL, 0},
	[LABEL_PARTITION] = {"partition", NULL, NULL, 0},
	[LABEL_REASON] = {"reason", reasons, reason_meanings, COUNT(reasons)},
	[LABEL_RESULT] = {"result", results, NULL, COUNT(results)},
	[LABEL_POINT_RESULT] = {"result", point_results, point_result_meanings,
	COUNT(point_results)},
	[LABEL_KIND] = {"kind", rebalances, NULL, COUNT(rebalances)},
	[LABEL_SQLSTATE_CLASS] = {"sqlstate_class", sqlstate_classes, NULL,
	COUNT(sqlstate_classes)},
	[LABEL_STATE] = {"state", bridge_state_words, state_meanings,
	BRIDGE_STATE_COUNT},
	[LABEL_CAUSE] = {"cause", readiness_cause_words, cause_meanings,
	READINESS_CAUSE_COUNT},
	[LABEL_TASK] = {"task", metrics_task_words, task_meanings, TASK_COUNT},
	[LABEL_VERSION] = {"version", versions, NULL, COUNT(versions)},
};

static const int64_t bounds[METRICS_BOUND_COUNT] = {METRICS_BOUNDS};

static bool allocate(Metrics *metrics);
static size_t count_values(const Metrics *metrics, MetricLabel label);
static size_t count_numbers(const Metrics *metrics, const MetricSpec *spec);
static const char *value_of(const Metrics *metrics, MetricLabel label,
							size_t value);
static const char *type_of(const MetricSpec *spec);
static void write_metric(Writing *writing);
static void write_values(Writing *writing);
static void write_sample(Writing *writing, size_t label, size_t second,
						 int64_t number);
static void write_partitions(Writing *writing);
static int64_t partition_number(const MetricSpec *spec,
								const MetricsPartition *partition);
static void write_histogram(Writing *writing);
static void write_labels(Writing *writing, size_t label, size_t second);
static void write_label(Writing *writing, const char *before,
						MetricLabel label, size_t value);
static void write_seconds(TextBuffer *buffer, int64_t ms);
static void describe_labels(const MetricSpec *spec, FILE *out);
static void describe_words(MetricLabel label, FILE *out);

Metrics *
metrics_new(const char *topics)
{
	Metrics    *metrics = calloc(1, sizeof(*metrics));
	char		errstr[256];

	if (metrics == NULL)
		return NULL;
	if (!topic_list_read(&metrics->topics, topics, errstr, sizeof(errstr)) ||
		!allocate(metrics))
	{
		metrics_free(metrics);
		return NULL;
	}
	metrics_set(metrics, METRIC_BUILD_INFO, 0, 1);
	return metrics;
}

void
metrics_free(Metrics *metrics)
{
	if (metrics == NULL)
		return;
	for (size_t id = 0; id < METRIC_COUNT; id++)
		free(metrics->numbers[id]);
	topic_list_free(&metrics->topics);
	free(metrics);
}

size_t
metrics_topic(const Metrics *metrics, const char *topic)
{
	for (size_t i = 0; i < metrics->topics.count; i++)
		if (strcmp(metrics->topics.names[i], topic) == 0)
			return i;
	return SIZE_MAX;
}

const char *
metrics_topic_name(const Metrics *metrics, size_t topic)
{
	return metrics->topics.names[topic];
}

size_t
metrics_sqlstate_class(const char *sqlstate)
{
	const size_t other = COUNT(sqlstate_classes) - 1;

	if (sqlstate[0] == '\0')
		return 0;
	for (size_t i = 1; i < other; i++)
		if (strncmp(sqlstate, sqlstate_classes[i], 2) == 0)
			return i;
	return other;
}

void
metrics_add(Metrics *metrics, MetricId id, size_t label, size_t second,
			int64_t number)
{
	size_t		seconds = count_values(metrics, specs[id].second_label);

	if (label < count_values(metrics, specs[id].label) && second < seconds)
		atomic_fetch_add_explicit(&metrics->numbers[id][label * seconds +
														second],
								  number, memory_order_relaxed);
}

void
metrics_set(Metrics *metrics, MetricId id, size_t label, int64_t number)
{
	if (label < count_numbers(metrics, &specs[id]))
		atomic_store_explicit(&metrics->numbers[id][label], number,
							  memory_order_relaxed);
}

/* A clock that was set back makes none negative. */
void
metrics_take_duration(MetricsDurations *durations, int64_t ms)
{
	size_t		i = 0;

	if (ms < 0)
		ms = 0;
	while (i < METRICS_BOUND_COUNT && ms > bounds[i])
		i++;
	durations->counts[i]++;
	durations->sum_ms += ms;
}

void
metrics_add_durations(Metrics *metrics, MetricId id,
					  const MetricsDurations *durations)
{
	atomic_int_fast64_t *numbers = metrics->numbers[id];

	for (size_t i = 0; i <= METRICS_BOUND_COUNT; i++)
		atomic_fetch_add_explicit(&numbers[i], durations->counts[i],
								  memory_order_relaxed);
	atomic_fetch_add_explicit(&numbers[METRICS_BOUND_COUNT + 1],
							  durations->sum_ms, memory_order_relaxed);
}

int64_t
metrics_total(const Metrics *metrics, MetricId id)
{
	size_t		count = count_numbers(metrics, &specs[id]);
	int64_t		total = 0;

	for (size_t i = 0; i < count; i++)
		total += atomic_load_explicit(&metrics->numbers[id][i],
									  memory_order_relaxed);
	return total;
}

int64_t
metrics_number(const Metrics *metrics, MetricId id, size_t label)
{
	return atomic_load_explicit(&metrics->numbers[id][label],
								memory_order_relaxed);
}

int64_t
metrics_total_ms(const Metrics *metrics, MetricId id)
{
	return metrics_number(metrics, id, METRICS_BOUND_COUNT + 1);
}

size_t
metrics_write(const Metrics *metrics, const MetricsPartition *partitions,
			  size_t count, char *text, size_t size)
{
	Writing		writing = {
		.metrics = metrics,
		.partitions = partitions,
		.partition_count = count,
		.buffer = text_buffer_of(text, size)
	};

	for (size_t id = 0; id < METRIC_COUNT; id++)
	{
		writing.spec = &specs[id];
		writing.numbers = metrics->numbers[id];
		write_metric(&writing);
	}
	return writing.buffer.used;
}

void
metrics_describe(FILE *out)
{
	fprintf(out, "| metric | type | labels | meaning |\n|---|---|---|---|\n");
	for (size_t id = 0; id < METRIC_COUNT; id++)
	{
		const MetricSpec *spec = &specs[id];

		fprintf(out, "| `%s` | %s | ", spec->name, type_of(spec));
		describe_labels(spec, out);
		fprintf(out, "| %s |\n", spec->help);
	}
	for (size_t i = 0; i < COUNT(labels); i++)
	{
		if (labels[i].meanings == NULL)
			continue;
		fprintf(out, "\n| `%s` | meaning |\n|---|---|\n", labels[i].name);
		for (size_t j = 0; j < labels[i].count; j++)
			fprintf(out, "| `%s` | %s |\n", labels[i].words[j],
					labels[i].meanings[j]);
	}
	describe_words(LABEL_RESULT, out);
	describe_words(LABEL_KIND, out);
	describe_words(LABEL_SQLSTATE_CLASS, out);
}

static bool
allocate(Metrics *metrics)
{
	for (size_t id = 0; id < METRIC_COUNT; id++)
	{
		/* those of partitions have none, which need not be NULL */
		metrics->numbers[id] = calloc(count_numbers(metrics, &specs[id]) + 1,
									  sizeof(*metrics->numbers[id]));
		if (metrics->numbers[id] == NULL)
			return false;
	}
	return true;
}

static size_t
count_values(const Metrics *metrics, MetricLabel label)
{
	return label == LABEL_TOPIC ? metrics->topics.count : labels[label].count;
}

static size_t
count_numbers(const Metrics *metrics, const MetricSpec *spec)
{
	if (spec->kind == KIND_HISTOGRAM)
		return METRICS_BOUND_COUNT + 2;
	if (spec->kind == KIND_CHOICE)
		return 1;
	return count_values(metrics, spec->label) *
		count_values(metrics, spec->second_label);
}

static const char *
value_of(const Metrics *metrics, MetricLabel label, size_t value)
{
	return label == LABEL_TOPIC ? metrics->topics.names[value] :
		labels[label].words[value];
}

static const char *
type_of(const MetricSpec *spec)
{
	return spec->kind == KIND_COUNTER ? "counter" :
		spec->kind == KIND_HISTOGRAM ? "histogram" : "gauge";
}

static void
write_metric(Writing *writing)
{
	const MetricSpec *spec = writing->spec;

	text_buffer_add(&writing->buffer, "# HELP %s %s\n# TYPE %s %s\n",
					spec->name, spec->help, spec->name, type_of(spec));
	if (spec->kind == KIND_HISTOGRAM)
		write_histogram(writing);
	else if (spec->second_label == LABEL_PARTITION)
		write_partitions(writing);
	else
		write_values(writing);
}

static void
write_values(Writing *writing)
{
	const MetricSpec *spec = writing->spec;
	size_t		values = count_values(writing->metrics, spec->label);
	size_t		seconds = count_values(writing->metrics, spec->second_label);

	for (size_t i = 0; i < values; i++)
		for (size_t j = 0; j < seconds; j++)
		{
			bool		is_choice = spec->kind == KIND_CHOICE;
			int64_t		number =
				atomic_load_explicit(&writing->numbers[is_choice ? 0 :
													   i * seconds + j],
									 memory_order_relaxed);

			write_sample(writing, i, j,
						 is_choice ? number == (int64_t) i : number);
		}
}

static void
write_sample(Writing *writing, size_t label, size_t second, int64_t number)
{
	text_buffer_add(&writing->buffer, "%s", writing->spec->name);
	write_labels(writing, label, second);
	if (writing->spec->kind == KIND_MOMENT)
		write_seconds(&writing->buffer, number);
	else
		text_buffer_add(&writing->buffer, "%" PRId64, number);
	text_buffer_add(&writing->buffer, "\n");
}

static void
write_partitions(Writing *writing)
{
	for (size_t i = 0; i < writing->partition_count; i++)
		write_sample(writing, writing->partitions[i].topic, i,
					 partition_number(writing->spec,
									  &writing->partitions[i]));
}

static int64_t
partition_number(const MetricSpec *spec, const MetricsPartition *partition)
{
	switch ((MetricId) (spec - specs))
	{
		case METRIC_CONSUMER_LAG:
			return partition->lag;
		case METRIC_PARTITION_HALTED:
			return partition->halted[0] != '\0';
		case METRIC_PARTITION_UNANSWERED:
			return partition->is_unanswered;
		default:
			return 0;
	}
}

/* Buckets are cumulative, and their count is of the same moment as they. */
static void
write_histogram(Writing *writing)
{
	const char *name = writing->spec->name;
	TextBuffer *buffer = &writing->buffer;
	int64_t		count = 0;

	for (size_t i = 0; i <= METRICS_BOUND_COUNT; i++)
	{
		count += atomic_load_explicit(&writing->numbers[i],
									  memory_order_relaxed);
		text_buffer_add(buffer, "%s_bucket{le=\"", name);
		if (i < METRICS_BOUND_COUNT)
			write_seconds(buffer, bounds[i]);
		else
			text_buffer_add(buffer, "+Inf");
		text_buffer_add(buffer, "\"} %" PRId64 "\n", count);
	}
	text_buffer_add(buffer, "%s_sum ", name);
	write_seconds(buffer,
				  metrics_total_ms(writing->metrics,
								   (MetricId) (writing->spec - specs)));
	text_buffer_add(buffer, "\n%s_count %" PRId64 "\n", name, count);
}

/* With the blank before the number. */
static void
write_labels(Writing *writing, size_t label, size_t second)
{
	const MetricSpec *spec = writing->spec;

	if (spec->label != LABEL_NONE)
		write_label(writing, "{", spec->label, label);
	if (spec->second_label == LABEL_PARTITION)
		text_buffer_add(&writing->buffer, ",partition=\"%" PRId32 "\"",
						writing->partitions[second].partition);
	else if (spec->second_label != LABEL_NONE)
		write_label(writing, ",", spec->second_label, second);
	text_buffer_add(&writing->buffer,
					spec->label != LABEL_NONE ? "} " : " ");
}

static void
write_label(Writing *writing, const char *before, MetricLabel label,
			size_t value)
{
	text_buffer_add(&writing->buffer, "%s%s=", before, labels[label].name);
	text_buffer_add_quoted(&writing->buffer,
						   value_of(writing->metrics, label, value));
}

/* Exactly, and without zeros at the end. */
static void
write_seconds(TextBuffer *buffer, int64_t ms)
{
	int			digits = 3;
	int			decimals = (int) (ms % 1000);

	text_buffer_add(buffer, "%" PRId64, ms / 1000);
	if (decimals == 0)
		return;
	for (; decimals % 10 == 0; decimals /= 10)
		digits--;
	text_buffer_add(buffer, ".%0*d", digits, decimals);
}

static void
describe_labels(const MetricSpec *spec, FILE *out)
{
	const MetricLabel both[] = {spec->label, spec->second_label};

	for (size_t i = 0; i < COUNT(both); i++)
		if (both[i] != LABEL_NONE)
			fprintf(out, "%s`%s`", i > 0 ? ", " : "", labels[both[i]].name);
	if (spec->label != LABEL_NONE)
		fprintf(out, " ");
}

static void
describe_words(MetricLabel label, FILE *out)
{
	fprintf(out, "\n`%s` is one of", labels[label].name);
	for (size_t i = 0; i < labels[label].count; i++)
		fprintf(out, "%s `%s`", i > 0 ? "," : "", labels[label].words[i]);
	fprintf(out, ".\n");
}
