/*
 * Upkeep: a thread that has partitions of days that have passed indexed, and
 * those of days long past dropped, at the start and once an hour.  It has a
 * database connection of its own while it is at work; loading goes on beside
 * it.
 */
#ifndef FINTRANS_UPKEEP_H
#define FINTRANS_UPKEEP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Upkeep Upkeep;

/*
 * Start the thread, which keeps the last retain_ms of event time, all if that
 * is 0; conninfo must outlive it.  NULL with errstr when that fails.
 */
extern Upkeep *upkeep_start(const char *conninfo, bool index_partitions,
							int64_t retain_ms, char *errstr,
							size_t errstr_size);

/*
 * End the thread and free it, waiting at most timeout_ms.  False when it is at
 * work in the database: then nothing is freed, and the process should end; the
 * work is done in steps and can be broken off.
 */
extern bool upkeep_stop(Upkeep *upkeep, int64_t timeout_ms);

#endif							/* FINTRANS_UPKEEP_H */
