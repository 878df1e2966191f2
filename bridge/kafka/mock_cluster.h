/*
 * librdkafka's mock cluster: brokers in this process that any Kafka client
 * can use, with faults on command.
 */
#ifndef FINTRANS_MOCK_CLUSTER_H
#define FINTRANS_MOCK_CLUSTER_H

#include <stdbool.h>
#include <stdint.h>

typedef struct MockCluster MockCluster;

/* NULL when memory is short. */
extern MockCluster *mock_cluster_new(void);

/* Start the brokers, each on a loopback port of its own. */
extern bool mock_cluster_open(MockCluster *mock, int broker_count);

/* HOST:PORT of each broker, with commas between. */
extern const char *mock_cluster_bootstrap(const MockCluster *mock);

extern bool mock_cluster_create_topic(MockCluster *mock, const char *name,
									  int64_t partitions);

/* Obey a command, as --help of the broker lists them; text is cut up. */
extern bool mock_cluster_run(MockCluster *mock, char *text);

/* Why the latest call failed. */
extern const char *mock_cluster_error(const MockCluster *mock);

/* Stops the brokers; mock may be NULL. */
extern void mock_cluster_free(MockCluster *mock);

#endif							/* FINTRANS_MOCK_CLUSTER_H */
