/*
 * Writes what librdkafka logs, from a queue of its own and a bounded number of
 * lines at a time.  Among the messages, lines are served inside
 * rd_kafka_consumer_poll(), which does not return, nor look at its timeout,
 * while there are more: with debug=all they can come faster than they are
 * written, and then nothing else is ever done.
 */
#include "consumer_state.h"

#include <string.h>

#include "log.h"

/* Looked for after so many polls that gave a message, and after each other. */
#define POLLS 100

/* Written in succession; when more than these are left, they are dropped. */
#define LINES 5000

static bool take_line(Consumer *consumer, bool write);
static void write_line(Consumer *consumer, const char *facility,
					   const char *text);

void
consumer_log_open(Consumer *consumer)
{
	consumer->log_queue = rd_kafka_queue_new(consumer->client);
	rd_kafka_set_log_queue(consumer->client, consumer->log_queue);
}

void
consumer_log_serve(Consumer *consumer)
{
	size_t		lines = 0;
	size_t		left;

	if (consumer->message != NULL && ++consumer->polls < POLLS)
		return;
	consumer->polls = 0;
	while (lines < LINES && take_line(consumer, true))
		lines++;
	left = lines < LINES ? 0 : rd_kafka_queue_length(consumer->log_queue);
	if (left <= LINES)
		return;
	for (lines = 0; lines < left && take_line(consumer, false);)
		lines++;
	log_write(LOG_LEVEL_DEBUG, "lines of librdkafka's dropped", "lines=%zu",
			  lines);
}

void
consumer_log_close(Consumer *consumer)
{
	for (size_t lines = 0; lines < LINES && take_line(consumer, true);)
		lines++;
	rd_kafka_queue_destroy(consumer->log_queue);
}

/* False when there is none. */
static bool
take_line(Consumer *consumer, bool write)
{
	rd_kafka_event_t *event = rd_kafka_queue_poll(consumer->log_queue, 0);
	const char *facility;
	const char *text;
	int			level;

	if (event == NULL)
		return false;
	if (write && rd_kafka_event_log(event, &facility, &text, &level) == 0)
		write_line(consumer, facility, text);
	rd_kafka_event_destroy(event);
	return true;
}

/* Connections that come and go are told as errors already. */
static void
write_line(Consumer *consumer, const char *facility, const char *text)
{
	if (strcmp(facility, "FAIL") == 0)
	{
		pthread_mutex_lock(&consumer->lock);
		kafka_client_note_failure(&consumer->trouble, consumer->properties,
								  text);
		pthread_mutex_unlock(&consumer->lock);
	}
	kafka_client_log(consumer->properties, LOG_LEVEL_DEBUG, facility, text);
}
