/*
 * Makes the generator's messages; see message_source.h.
 */
#include "message_source.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "clock.h"
#include "log.h"
#include "message_format.h"
#include "plant.h"
#include "replay.h"
#include "synthetic.h"
#include "text_format.h"
#include "time_spec.h"

#define MS_PER_DAY INT64_C(86400000)

struct MessageSource
{
	const SourceSettings *settings;
	ReplaySource replayed;
	Replay	   *replay;			/* NULL without a file */
	Synthetic	synthetic;
	SyntheticMessage text;		/* the last random message */
	Plant	   *plant;			/* NULL without patterns to plant */
	const MessageFormat *format;	/* NULL: messages are text */
	char		formatted[MESSAGE_FORMAT_BYTES];	/* the last message */
	int64_t		seed;
	int64_t		start_ms;		/* time of the first message, with days */
};

static bool choose_format(MessageSource *source, char *errstr,
						  size_t errstr_size);
static bool open_replay(MessageSource *source, char *errstr,
						size_t errstr_size);
static bool open_synthetic(MessageSource *source, bool seed_given,
						   char *errstr, size_t errstr_size);
static bool open_plant(MessageSource *source, char *errstr,
					   size_t errstr_size);
static MessageOutcome next_replayed(MessageSource *source, Message *message,
									char *errstr, size_t errstr_size);
static void make_random(MessageSource *source, uint64_t made,
						Message *message);
static void format_message(MessageSource *source, Message *message);
static int64_t random_time_ms(const MessageSource *source, uint64_t made);

MessageSource *
message_source_open(const SourceSettings *settings, bool seed_given,
					char *errstr, size_t errstr_size)
{
	MessageSource *source = calloc(1, sizeof(*source));

	if (source == NULL)
	{
		snprintf(errstr, errstr_size, "out of memory");
		return NULL;
	}
	source->settings = settings;
	if (choose_format(source, errstr, errstr_size) &&
		open_replay(source, errstr, errstr_size) &&
		open_synthetic(source, seed_given, errstr, errstr_size) &&
		open_plant(source, errstr, errstr_size))
	{
		if (!seed_given)
			log_write(LOG_LEVEL_INFO, "seed chosen", "seed=%" PRId64,
					  source->seed);
		return source;
	}
	message_source_close(source, NULL, 0);
	return NULL;
}

/* The lines of a plain file are what they are. */
static bool
choose_format(MessageSource *source, char *errstr, size_t errstr_size)
{
	const SourceSettings *settings = source->settings;

	source->format = message_format_of(settings->format);
	if (source->format == NULL || settings->file == NULL ||
		(settings->columns != NULL && *settings->columns != '\0'))
		return true;
	snprintf(errstr, errstr_size, "--format needs --columns with --file: the "
			 "lines of other files are sent as they are");
	return false;
}

/* The file, if one is given. */
static bool
open_replay(MessageSource *source, char *errstr, size_t errstr_size)
{
	const SourceSettings *settings = source->settings;
	TimeSpec	origin = {false, 0};
	char		reason[160];

	if (settings->file == NULL)
		return true;
	if (strcmp(settings->time_origin, "epoch") != 0 &&
		!time_spec_parse(settings->time_origin, &origin, reason,
						 sizeof(reason)))
	{
		snprintf(errstr, errstr_size, "option --time-origin: %s", reason);
		return false;
	}
	source->replayed = (ReplaySource) {
		.file = settings->file,
		.columns = settings->columns,
		.time_unit = settings->time_unit,
		.time_origin_ms = time_spec_resolve(&origin, clock_real_ms())
	};
	source->replay = replay_open(&source->replayed, errstr, errstr_size);
	return source->replay != NULL;
}

/* The random numbers, which choose a file's topics too. */
static bool
open_synthetic(MessageSource *source, bool seed_given, char *errstr,
			   size_t errstr_size)
{
	const SourceSettings *settings = source->settings;
	source->seed = settings->seed;
	if (!seed_given && getrandom(&source->seed, sizeof(source->seed), 0) !=
		sizeof(source->seed))
	{
		snprintf(errstr, errstr_size, "could not choose a seed: %s; give one "
				 "with --seed", strerror(errno));
		return false;
	}
	synthetic_init(&source->synthetic, source->seed, settings->accounts,
				   settings->max_amount);
	return true;
}

/* What needs the number of random messages, known beforehand. */
static bool
open_plant(MessageSource *source, char *errstr, size_t errstr_size)
{
	const SourceSettings *settings = source->settings;
	PlantSettings plant = {
		.file = settings->plant,
		.each = settings->plant_each,
		.count = settings->count,
		.accounts = settings->accounts,
		.max_amount = settings->max_amount,
		.days = settings->days
	};

	if ((settings->plant != NULL || settings->days > 0) &&
		(settings->count == 0 || settings->file != NULL))
	{
		snprintf(errstr, errstr_size, "--%s needs --count, and no --file",
				 settings->plant != NULL ? "plant" : "days");
		return false;
	}
	source->start_ms = clock_real_ms() - settings->days * MS_PER_DAY;
	if (settings->plant == NULL)
		return true;
	source->plant = plant_open(&plant, &source->synthetic, errstr,
							   errstr_size);
	return source->plant != NULL;
}

MessageOutcome
message_source_next(MessageSource *source, uint64_t made, uint32_t topics,
					Message *message, char *errstr, size_t errstr_size)
{
	MessageOutcome outcome = MESSAGE_MADE;

	*message = (Message) {.event_time_ms = MESSAGE_NO_TIME};
	if (topics > 1)
		message->topic = synthetic_pick(&source->synthetic, topics);
	if (source->replay == NULL)
		make_random(source, made, message);
	else
		outcome = next_replayed(source, message, errstr, errstr_size);
	message->key = message->payload;
	if (outcome == MESSAGE_MADE && source->format != NULL)
		format_message(source, message);
	return outcome;
}

/* It is valid text, since random, planted and checked messages are. */
static void
format_message(MessageSource *source, Message *message)
{
	char		text[RECORD_DETAIL_BYTES];
	const RecordDetail detail = {text, sizeof(text)};
	Record		record;
	RecordVerdict verdict = text_decode(message->payload, message->bytes,
										NULL, &record, &detail);

	assert(verdict == FINTRANS_ACCEPTED);
	(void) verdict;
	message->bytes = message_format_write(source->format, &record,
										  source->formatted);
	message->payload = source->formatted;
}

static MessageOutcome
next_replayed(MessageSource *source, Message *message, char *errstr,
			  size_t errstr_size)
{
	ReplayMessage replayed;

	switch (replay_next(source->replay, &replayed, errstr, errstr_size))
	{
		case REPLAY_MESSAGE:
			break;
		case REPLAY_END:
			return MESSAGE_END;
		case REPLAY_FAILED:
			return MESSAGE_FAILED;
	}
	message->payload = replayed.payload;
	message->bytes = replayed.bytes;
	message->key_bytes = replayed.key_bytes;
	if (replayed.event_time_ms != REPLAY_NO_TIME)
		message->event_time_ms = replayed.event_time_ms;
	return MESSAGE_MADE;
}

/* A random message, or the planted one whose turn it is. */
static void
make_random(MessageSource *source, uint64_t made, Message *message)
{
	SyntheticMessage *text = &source->text;

	if (source->plant != NULL)
		message->planted = plant_next(source->plant, made, text);
	if (!message->planted)
	{
		do
			synthetic_next(&source->synthetic, text);
		while (source->plant != NULL &&
			   plant_disturbed_by(source->plant, text));
	}
	message->event_time_ms = random_time_ms(source, made);
	message->payload = text->text;
	message->bytes = text->bytes;
	message->key_bytes = text->key_bytes;
}

static int64_t
random_time_ms(const MessageSource *source, uint64_t made)
{
	const SourceSettings *settings = source->settings;

	if (settings->days > 0)
		return source->start_ms +
			(int64_t) ((double) made / (double) settings->count *
					   (double) (settings->days * MS_PER_DAY));
	/* of what is planted the time has to be known */
	return source->plant != NULL ? clock_real_ms() : MESSAGE_NO_TIME;
}

bool
message_source_sent(MessageSource *source, const Message *message,
					char *errstr, size_t errstr_size)
{
	return !message->planted ||
		plant_sent(source->plant, message->event_time_ms, errstr,
				   errstr_size);
}

uint64_t
message_source_line(const MessageSource *source)
{
	return source->replay == NULL ? 0 : replay_line(source->replay);
}

bool
message_source_close(MessageSource *source, char *errstr, size_t errstr_size)
{
	bool		written;

	if (source == NULL)
		return true;
	replay_close(source->replay);
	written = plant_close(source->plant, errstr, errstr_size);
	free(source);
	return written;
}
