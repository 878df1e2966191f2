/*
 * The reporter: a thread that writes into the database, every few seconds, how
 * the bridge's partitions stand and what the bridge has done since, for
 * dashboards that know only SQL.  It has a database connection of its own, so
 * no batch waits for it, and it waits for no batch.
 */
#ifndef FINTRANS_REPORTER_H
#define FINTRANS_REPORTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "monitor.h"

typedef struct Reporter Reporter;

/*
 * Start the thread; conninfo and monitor must outlive it.  NULL with errstr
 * when that fails.
 */
extern Reporter *reporter_start(const char *conninfo, Monitor *monitor,
								int64_t seconds, char *errstr,
								size_t errstr_size);

/* As upkeep_stop(); what was done last is reported before. */
extern bool reporter_stop(Reporter *reporter, int64_t timeout_ms);

#endif							/* FINTRANS_REPORTER_H */
