/*
 * Upkeep: a thread that has partitions of days that have passed indexed, those
 * of days long past dropped, and old dead letters purged, at the start and once
 * an hour.  It has a database connection of its own while it is at work;
 * loading goes on beside it.
 */
#ifndef FINTRANS_UPKEEP_H
#define FINTRANS_UPKEEP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "monitor.h"

typedef struct Upkeep Upkeep;

typedef struct UpkeepSettings
{
	bool		index_partitions;
	int64_t		retain_ms;		/* of event time, 0 keeps all */
	int64_t		retain_dead_letters_ms; /* since they were rejected, 0 keeps
										 * all */
} UpkeepSettings;

/*
 * Start the thread; conninfo and monitor must outlive it.  NULL with errstr on
 * failure.
 */
extern Upkeep *upkeep_start(const char *conninfo,
							const UpkeepSettings *settings,
							Monitor *monitor, char *errstr,
							size_t errstr_size);

/* Other settings from now on; what is new in them is looked after at once. */
extern void upkeep_set(Upkeep *upkeep, const UpkeepSettings *settings);

/*
 * End the thread and free it, waiting at most timeout_ms.  False when it is at
 * work in the database: then nothing is freed, and the process should end; the
 * work is done in steps and can be broken off.
 */
extern bool upkeep_stop(Upkeep *upkeep, int64_t timeout_ms);

#endif							/* FINTRANS_UPKEEP_H */
