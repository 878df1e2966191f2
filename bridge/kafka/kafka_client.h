/*
 * What our Kafka clients have in common: how the user's properties are
 * applied, how brokers' certificates are judged, and how trouble is told: in
 * plain words, at a bounded rate and without secrets.
 */
#ifndef FINTRANS_KAFKA_CLIENT_H
#define FINTRANS_KAFKA_CLIENT_H

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stddef.h>

#include "kafka_properties.h"
#include "log.h"
#include "trouble.h"

/*
 * Set the user's properties, and have the reason kept for which a broker's
 * certificate is refused.  False with errstr when librdkafka does not take
 * one.
 */
extern bool kafka_client_configure(rd_kafka_conf_t *conf,
								   const KafkaProperties *properties,
								   char *errstr, size_t errstr_size);

/* Does it name brokers to ask, by ports that can be?  False with errstr. */
extern bool kafka_client_check_brokers(const rd_kafka_conf_t *conf,
									   char *errstr, size_t errstr_size);

/* rd_kafka_new(), without secrets in errstr; conf is used up in any case. */
extern rd_kafka_t *kafka_client_new(rd_kafka_type_t type,
									rd_kafka_conf_t *conf,
									const KafkaProperties *properties,
									char *errstr, size_t errstr_size);

/*
 * Log the error and librdkafka's text about it, unless that has just been
 * done.  topic is NULL when it is about none, and event for errors that explain
 * themselves.
 */
extern void kafka_client_note(Trouble *trouble,
							  const KafkaProperties *properties, int code,
							  const char *topic, const char *event,
							  const char *text);

/* The cause, or else the text, without secrets. */
extern void kafka_client_describe(const KafkaProperties *properties,
								  int code, const char *text, char *out,
								  size_t size);

/* The error and its cause in one text, for one that ends the program. */
extern void kafka_client_explain(int code, char *out, size_t size);

/*
 * The group gave us this topic: librdkafka tells only once when that is over.
 */
extern void kafka_client_note_topic(Trouble *trouble, const char *topic);

/*
 * As kafka_client_note() a line of librdkafka's log about a connection that
 * failed, if it tells a cause: later versions make no error of all of them.
 */
extern void kafka_client_note_failure(Trouble *trouble,
									  const KafkaProperties *properties,
									  const char *text);

/* A line of librdkafka's log. */
extern void kafka_client_log(const KafkaProperties *properties,
							 LogLevel level, const char *facility,
							 const char *text);

/*
 * The broker refused the password: read the files of secrets again, and take
 * what is new for the next attempt.  True when something was.
 */
extern bool kafka_client_renew(rd_kafka_t *client, Trouble *trouble,
							   KafkaProperties *properties);

#endif							/* FINTRANS_KAFKA_CLIENT_H */
