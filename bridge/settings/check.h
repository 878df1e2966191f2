/*
 * --check: tests all that a bridge needs before it needs it, a line for each
 * on standard output, and says what to do.  Changes nothing, neither in Kafka
 * nor in the database, and takes no partition from another bridge.
 */
#ifndef FINTRANS_CHECK_H
#define FINTRANS_CHECK_H

#include <stdbool.h>

#include "consumer.h"

typedef struct CheckSettings
{
	const char *database;
	const char *currency;		/* NULL for the installation's */
	bool		needs_keeper;	/* beside the writer's privileges */
	const ConsumerSettings *consumer;
} CheckSettings;

/* True when all is well. */
extern bool check_run(const CheckSettings *settings);

#endif							/* FINTRANS_CHECK_H */
