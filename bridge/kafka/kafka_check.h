/*
 * What --check asks Kafka.  Does not join the group: no partition changes
 * hands.
 */
#ifndef FINTRANS_KAFKA_CHECK_H
#define FINTRANS_KAFKA_CHECK_H

#include <stdbool.h>
#include <stddef.h>

#include "consumer.h"

typedef struct KafkaCheck KafkaCheck;

/* NULL with errstr when the client cannot be made. */
extern KafkaCheck *kafka_check_open(const ConsumerSettings *settings,
									char *errstr, size_t errstr_size);
extern void kafka_check_close(KafkaCheck *kafka);

/*
 * Each is false when there is something to be mended; text says what was
 * found, and what to do.
 */
extern bool kafka_check_brokers(KafkaCheck *kafka, char *text, size_t size);

/* It exists, and its partitions can be read. */
extern bool kafka_check_topic(KafkaCheck *kafka, const char *topic,
							  char *text, size_t size);

/* Its coordinator answers. */
extern bool kafka_check_group(KafkaCheck *kafka, char *text, size_t size);

#endif							/* FINTRANS_KAFKA_CHECK_H */
