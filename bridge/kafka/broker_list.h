/*
 * A list of Kafka's brokers, as librdkafka takes it.
 */
#ifndef FINTRANS_BROKER_LIST_H
#define FINTRANS_BROKER_LIST_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Are there any in HOST[:PORT],... and is each port one?  False with errstr,
 * which names the one that is wrong.
 */
extern bool broker_list_check(const char *brokers, char *errstr,
							  size_t errstr_size);

#endif							/* FINTRANS_BROKER_LIST_H */
