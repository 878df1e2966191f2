/*
 * The consumer's librdkafka configuration: its own choices, the user's
 * properties over them, and the few that may not be changed.  Private to the
 * consumer: the only other file that knows librdkafka's types.
 */
#ifndef FINTRANS_CONSUMER_CONF_H
#define FINTRANS_CONSUMER_CONF_H

#include <librdkafka/rdkafka.h>
#include <stddef.h>

#include "consumer.h"

/* The caller's to destroy; NULL with errstr when a property is refused. */
extern rd_kafka_conf_t *consumer_conf_make(const ConsumerSettings *settings,
										   char *errstr, size_t errstr_size);

/* Its max.poll.interval.ms. */
extern int64_t consumer_conf_poll_limit_ms(const rd_kafka_conf_t *conf);

#endif							/* FINTRANS_CONSUMER_CONF_H */
