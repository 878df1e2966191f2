/*
 * The thread and its mailbox.
 *
 * Locking: `lock` guards the mail (positions, what is new about them,
 * credentials, stop, through) and is held only to copy it; status_seconds is
 * atomic, all else is the thread's.
 */
#include "influx_sink.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "clock.h"
#include "influx_run.h"
#include "log.h"
#include "secret_file.h"

/* Whoever stores is served first, where processors are few. */
#define NICENESS 5

/* What is left at the end may be sent for so long. */
#define STOP_MS 2000

/* The thread then ends by itself, unless Kafka or PostgreSQL holds it. */
#define STOP_LATEST_MS 5000

/* While nothing gets through, a drain is not waited for any longer. */
#define DRAIN_FAILING_MS 10000

/*
 * Nor when nothing goes on at all, such as when Kafka is away, for this longer
 * than a request may take.
 */
#define DRAIN_STILL_MS 60000
#define DRAIN_LOOK_MS 20

#define IDLE_MS 1000

typedef struct Mail
{
	OffsetList	positions;		/* committed, of the partitions that are ours */
	bool	   *may_have_letters;	/* by place in the list */
	bool		is_new;			/* since the thread looked */
	char	   *user;			/* new ones; NULL for none */
	char	   *password;
	bool		stop;
	int64_t		stop_ms;		/* monotonic: until then */
} Mail;

struct InfluxSink
{
	const InfluxSettings *settings;
	ConsumerSettings kafka;
	InfluxRunSettings run_settings;
	char		currency[RECORD_CURRENCY_BYTES];
	InfluxClient *client;
	InfluxLedger *ledger;
	InfluxRun  *run;			/* NULL while no partition is ours */
	OffsetList	positions;		/* of the latest mail */
	bool	   *may_have_letters;
	InfluxStats stats;
	Metrics    *metrics;
	atomic_int_fast64_t status_seconds;	/* 0 for no status line */
	int64_t		status_ms;		/* of the latest status line, monotonic */
	pthread_t	thread;
	pthread_mutex_t lock;
	Mail		mail;
	bool		through;		/* all that was committed, when the mail had
								 * been read */
};

static int64_t count_done(InfluxStats *stats);
static bool open_sink(InfluxSink *sink, char *errstr, size_t errstr_size);
static void free_sink(InfluxSink *sink);
static void *sink_main(void *argument);
static bool read_mail(InfluxSink *sink);
static bool copy_mail(InfluxSink *sink);
static void take_credentials(InfluxSink *sink);
static void take_positions(InfluxSink *sink);
static void note_through(InfluxSink *sink);
static void publish(InfluxSink *sink);
static void report_due(InfluxSink *sink);
static void report_status(InfluxSink *sink, const char *state);

bool
influx_sink_start(InfluxSink **out, InfluxSettings *settings,
				  const ConsumerSettings *consumer, const char *currency,
				  Metrics *metrics, char *errstr, size_t errstr_size)
{
	InfluxSink *sink;

	*out = NULL;
	if (settings == NULL)
		return true;
	sink = calloc(1, sizeof(*sink));
	if (sink == NULL)
	{
		snprintf(errstr, errstr_size, "out of memory");
		return false;
	}
	sink->settings = settings;
	sink->metrics = metrics;
	atomic_init(&sink->status_seconds, settings->status_seconds);
	sink->kafka = *consumer;
	sink->kafka.group = settings->group;
	sink->kafka.properties = &settings->properties;
	snprintf(sink->currency, sizeof(sink->currency), "%s", currency);
	sink->run_settings = (InfluxRunSettings)
	{
		.kafka = &sink->kafka,
		.style = settings->style,
		.batch_points = settings->batch_points
	};
	pthread_mutex_init(&sink->lock, NULL);
	if (!open_sink(sink, errstr, errstr_size))
	{
		free_sink(sink);
		return false;
	}
	*out = sink;
	return true;
}

/*
 * Partitions that are assigned again may have been loaded on by another bridge
 * meanwhile.
 */
void
influx_sink_assign(InfluxSink *sink, const OffsetList *positions)
{
	bool	   *may_have_letters;

	if (sink == NULL)
		return;
	may_have_letters = malloc(positions->count + 1);
	if (may_have_letters == NULL)
		return;
	memset(may_have_letters, true, positions->count);
	pthread_mutex_lock(&sink->lock);
	free(sink->mail.may_have_letters);
	sink->mail.may_have_letters = may_have_letters;
	if (!offset_list_copy(&sink->mail.positions, positions))
		offset_list_clear(&sink->mail.positions);
	sink->mail.is_new = true;
	sink->through = false;
	pthread_mutex_unlock(&sink->lock);
	influx_client_wake(sink->client);
}

bool
influx_sink_set_credentials(InfluxSink *sink, const char *user,
							const char *password)
{
	char	   *new_user;
	char	   *new_password;

	if (sink == NULL)
		return true;
	new_user = strdup(user);
	new_password = strdup(password);
	if (new_user == NULL || new_password == NULL)
	{
		free(new_user);
		secret_file_free(new_password);
		return false;
	}
	pthread_mutex_lock(&sink->lock);
	free(sink->mail.user);
	secret_file_free(sink->mail.password);
	sink->mail.user = new_user;
	sink->mail.password = new_password;
	pthread_mutex_unlock(&sink->lock);
	influx_client_wake(sink->client);
	return true;
}

void
influx_sink_set_status(InfluxSink *sink, int64_t seconds)
{
	if (sink != NULL)
		atomic_store(&sink->status_seconds, seconds);
}

/* The slots of the batch are the places of the list assigned last. */
void
influx_sink_advance(InfluxSink *sink, const Batch *batch)
{
	OffsetList *positions;

	if (sink == NULL)
		return;
	positions = &sink->mail.positions;
	pthread_mutex_lock(&sink->lock);
	for (size_t slot = 0; slot < batch->slots && slot < positions->count;
		 slot++)
	{
		const BatchProgress *progress = &batch->progress[slot];

		if (progress->topic != positions->items[slot].topic ||
			progress->partition != positions->items[slot].partition)
			continue;
		if (progress->dead_lettered > 0)
			sink->mail.may_have_letters[slot] = true;
		positions->items[slot].offset = progress->next_offset;
	}
	sink->mail.is_new = true;
	sink->through = false;
	pthread_mutex_unlock(&sink->lock);
	influx_client_wake(sink->client);
}

bool
influx_sink_drain(InfluxSink *sink, const volatile sig_atomic_t *stop)
{
	const struct timespec look = {0, DRAIN_LOOK_MS * 1000000L};
	int64_t		moved_ms = clock_monotonic_ms();
	int64_t		before = INT64_MIN;

	while (sink != NULL)
	{
		int64_t		failing_ms = atomic_load(&sink->stats.failing_ms);
		int64_t		now_ms = clock_monotonic_ms();
		int64_t		done = count_done(&sink->stats);
		bool		through;

		pthread_mutex_lock(&sink->lock);
		through = sink->through;
		pthread_mutex_unlock(&sink->lock);
		if (through)
			break;
		if (done != before)
			moved_ms = now_ms;
		before = done;
		if (*stop ||
			(failing_ms != 0 && now_ms > failing_ms + DRAIN_FAILING_MS) ||
			now_ms > moved_ms + sink->settings->target.timeout_ms +
			DRAIN_STILL_MS)
			return false;
		nanosleep(&look, NULL);
	}
	return true;
}

bool
influx_sink_stop(InfluxSink *sink)
{
	int64_t		now_ms = clock_monotonic_ms();
	struct timespec deadline = clock_deadline(now_ms + STOP_LATEST_MS);

	if (sink == NULL)
		return true;
	pthread_mutex_lock(&sink->lock);
	sink->mail.stop = true;
	sink->mail.stop_ms = now_ms + STOP_MS;
	pthread_mutex_unlock(&sink->lock);
	influx_client_wake(sink->client);
	if (pthread_clockjoin_np(sink->thread, NULL, CLOCK_MONOTONIC,
							 &deadline) != 0)
		return false;
	free_sink(sink);
	return true;
}

/* Grows with all that is sent or passed. */
static int64_t
count_done(InfluxStats *stats)
{
	int64_t		done = -atomic_load(&stats->lag);

	for (int i = 0; i < INFLUX_RESULT_COUNT; i++)
		done += atomic_load(&stats->points[i]);
	return done;
}

static bool
open_sink(InfluxSink *sink, char *errstr, size_t errstr_size)
{
	Codec	   *codec = codec_open(&sink->settings->codec, errstr,
								   errstr_size);

	sink->run_settings.codec = codec;
	if (codec == NULL ||
		!codec_set_currency(codec, *sink->currency != '\0' ? sink->currency :
							NULL, errstr, errstr_size))
		return false;
	sink->ledger = influx_ledger_new(sink->settings->conninfo);
	sink->client = influx_client_new(&sink->settings->target, errstr,
									 errstr_size);
	if (sink->client == NULL)
		return false;
	if (sink->ledger == NULL)
	{
		snprintf(errstr, errstr_size, "out of memory");
		return false;
	}
	if (pthread_create(&sink->thread, NULL, sink_main, sink) == 0)
		return true;
	snprintf(errstr, errstr_size, "could not start the thread for InfluxDB");
	return false;
}

static void
free_sink(InfluxSink *sink)
{
	influx_client_free(sink->client);
	influx_ledger_free(sink->ledger);
	codec_close(sink->run_settings.codec);
	offset_list_free(&sink->positions);
	free(sink->may_have_letters);
	offset_list_free(&sink->mail.positions);
	free(sink->mail.may_have_letters);
	free(sink->mail.user);
	secret_file_free(sink->mail.password);
	pthread_mutex_destroy(&sink->lock);
	free(sink);
}

static void *
sink_main(void *argument)
{
	InfluxSink *sink = argument;

	/* of this thread, and of those that it starts for Kafka; of Linux only */
	(void) setpriority(PRIO_PROCESS, (id_t) gettid(), NICENESS);
	while (read_mail(sink))
	{
		if (sink->run != NULL)
			influx_run_step(sink->run);
		else
			(void) influx_client_wait(sink->client, IDLE_MS,
									  &(InfluxResult) {0});
		note_through(sink);
		publish(sink);
		report_due(sink);
	}
	influx_run_close(sink->run);
	publish(sink);
	if (atomic_load(&sink->status_seconds) > 0)
		report_status(sink, "stopped");
	return NULL;
}

/* False when it is time to end. */
static bool
read_mail(InfluxSink *sink)
{
	Mail	   *mail = &sink->mail;
	bool		is_new;
	bool		go_on;

	pthread_mutex_lock(&sink->lock);
	is_new = mail->is_new && copy_mail(sink);
	go_on = !mail->stop ||
		(!sink->through && clock_monotonic_ms() < mail->stop_ms &&
		 atomic_load(&sink->stats.failing_ms) == 0);
	pthread_mutex_unlock(&sink->lock);
	take_credentials(sink);
	if (is_new)
		take_positions(sink);
	return go_on;
}

/* Of a reader that is open, and of those to come. */
static void
take_credentials(InfluxSink *sink)
{
	KafkaProperties *properties = sink->kafka.properties;
	char	   *user;
	char	   *password;

	pthread_mutex_lock(&sink->lock);
	user = sink->mail.user;
	password = sink->mail.password;
	sink->mail.user = NULL;
	sink->mail.password = NULL;
	pthread_mutex_unlock(&sink->lock);
	if (password == NULL)
		return;
	kafka_properties_set(properties, "sasl.username", user);
	kafka_properties_set(properties, "sasl.password", password);
	if (sink->run != NULL)
		influx_run_set_credentials(sink->run, user, password);
	free(user);
	secret_file_free(password);
}

/* Without memory it is tried again. */
static bool
copy_mail(InfluxSink *sink)
{
	Mail	   *mail = &sink->mail;
	bool	   *letters = malloc(mail->positions.count + 1);

	if (letters == NULL ||
		!offset_list_copy(&sink->positions, &mail->positions))
	{
		free(letters);
		return false;
	}
	free(sink->may_have_letters);
	sink->may_have_letters = mail->may_have_letters;
	mail->may_have_letters = letters;
	memset(letters, false, mail->positions.count);
	mail->is_new = false;
	return true;
}

static void
take_positions(InfluxSink *sink)
{
	const OffsetList *positions = &sink->positions;

	if (sink->run == NULL || !influx_run_is_of(sink->run, positions))
	{
		influx_run_close(sink->run);
		sink->run = NULL;
		atomic_store(&sink->stats.lag, 0);
		if (positions->count > 0)
			sink->run = influx_run_new(&sink->run_settings, sink->client,
									   sink->ledger, &sink->stats, positions);
		if (positions->count > 0 && sink->run == NULL)
			log_write(LOG_LEVEL_ERROR, "no memory for InfluxDB", NULL);
	}
	for (size_t i = 0; sink->run != NULL && i < positions->count; i++)
		influx_run_advance(sink->run, i, positions->items[i].offset,
						   sink->may_have_letters[i]);
}

static void
note_through(InfluxSink *sink)
{
	bool		through = sink->run == NULL ||
		influx_run_is_through(sink->run);

	pthread_mutex_lock(&sink->lock);
	sink->through = through && !sink->mail.is_new;
	pthread_mutex_unlock(&sink->lock);
}

static void
publish(InfluxSink *sink)
{
	Metrics    *metrics = sink->metrics;
	InfluxStats *stats = &sink->stats;

	for (int i = 0; i < INFLUX_RESULT_COUNT; i++)
		metrics_set(metrics, METRIC_INFLUX_POINTS, (size_t) i,
					atomic_load(&stats->points[i]));
	metrics_set(metrics, METRIC_INFLUX_QUEUE, 0, atomic_load(&stats->queued));
	metrics_set(metrics, METRIC_INFLUX_LAG, 0, atomic_load(&stats->lag));
	metrics_set(metrics, METRIC_INFLUX_RETRIES, 0,
				atomic_load(&stats->retries));
	metrics_set(metrics, METRIC_INFLUX_FAILING, 0,
				atomic_load(&stats->failing_ms) != 0);
}

/* So long after the line before, by what is wanted now. */
static void
report_due(InfluxSink *sink)
{
	int64_t		period_ms = atomic_load(&sink->status_seconds) * 1000;

	if (period_ms > 0 && clock_monotonic_ms() >= sink->status_ms + period_ms)
		report_status(sink, "running");
}

static void
report_status(InfluxSink *sink, const char *state)
{
	InfluxStats *stats = &sink->stats;
	int64_t		dropped = 0;

	sink->status_ms = clock_monotonic_ms();
	for (int i = INFLUX_RESULT_STORED + 1; i < INFLUX_RESULT_COUNT; i++)
		dropped += atomic_load(&stats->points[i]);
	log_write(LOG_LEVEL_INFO, "InfluxDB",
			  "state=%s stored=%" PRIdFAST64 " dropped=%" PRId64
			  " queued=%" PRIdFAST64 " lag=%" PRIdFAST64
			  " retries=%" PRIdFAST64,
			  atomic_load(&stats->failing_ms) != 0 ? "retrying" : state,
			  atomic_load(&stats->points[INFLUX_RESULT_STORED]), dropped,
			  atomic_load(&stats->queued), atomic_load(&stats->lag),
			  atomic_load(&stats->retries));
}
