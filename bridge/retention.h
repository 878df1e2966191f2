/*
 * Retention: a thread that has transactions of days long past dropped, at the
 * start and once a day.  It has a database connection of its own while it is
 * at work; loading goes on beside it.
 */
#ifndef FINTRANS_RETENTION_H
#define FINTRANS_RETENTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Retention Retention;

/*
 * Start the thread, which keeps the last retain_ms of event time; conninfo
 * must outlive it.  NULL with errstr when that fails.
 */
extern Retention *retention_start(const char *conninfo, int64_t retain_ms,
								  char *errstr, size_t errstr_size);

/*
 * End the thread and free it, waiting at most timeout_ms.  False when it is at
 * work in the database: then nothing is freed, and the process should end; the
 * work is done in steps and can be broken off.
 */
extern bool retention_stop(Retention *retention, int64_t timeout_ms);

#endif							/* FINTRANS_RETENTION_H */
