/*
 * What the bridge does in the database, in SQL: one database transaction per
 * batch (positions by compare-and-set, rows, dead letters), the table of
 * positions, and the daily partitions.  Blocks; to be used by one thread at a
 * time.  It makes one attempt at a time: when to try again is the writer's
 * business.
 */
#ifndef FINTRANS_LOADER_H
#define FINTRANS_LOADER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "batch.h"
#include "offset_list.h"
#include "session.h"

typedef struct Loader Loader;

/* How a batch stands against the table of positions. */
typedef enum LoaderStanding
{
	LOADER_NOT_COMMITTED,		/* every position is where the batch begins */
	LOADER_COMMITTED,			/* every position is where the batch ends */
	LOADER_OVERTAKEN			/* anything else */
} LoaderStanding;

/*
 * conninfo must outlive it; currency is NULL for the installation's.  NULL
 * when memory is short.
 */
extern Loader *loader_new(const char *conninfo, const char *currency);
extern void loader_free(Loader *loader);

/*
 * Connect anew, check server and extension, claim the currency, and make the
 * partitions of the next days.
 */
extern Outcome loader_connect(Loader *loader);
extern void loader_disconnect(Loader *loader);
extern bool loader_is_connected(const Loader *loader);

/* The currency; "" when the installation had none at the latest connect. */
extern const char *loader_currency(const Loader *loader);

/* Does the table of dead letters know the reasons of 0.1.0 only? */
extern bool loader_has_older_reasons(const Loader *loader);

/*
 * Store a batch, in one database transaction of its own.  Rows that the
 * database refuses become dead letters of the batch; finding them is given up
 * once abandon is true.
 */
extern Outcome loader_commit(Loader *loader, Batch *batch,
							 const atomic_bool *abandon);

/* Does the database still answer on this connection, and take writes? */
extern Outcome loader_ping(Loader *loader);

/* After a lost connection: has the batch been committed? */
extern Outcome loader_check(Loader *loader, const Batch *batch,
								  LoaderStanding *standing);

/*
 * Positions of all partitions that the table has of these topics; the topics
 * of the result are those given.
 */
extern Outcome loader_read_positions(Loader *loader,
										   const char *const *topics,
										   size_t topic_count,
										   OffsetList *positions);

/*
 * The latest dead letters of each partition of these topics that the parser
 * made: at most `allowed` of the `window` offsets before its position.  Sorted;
 * the topics of the result are those given.
 */
extern Outcome loader_read_dead_letters(Loader *loader,
										const char *const *topics,
										size_t topic_count, int64_t window,
										int64_t allowed,
										OffsetList *dead_letters);

/*
 * Add partitions to the table, in one database transaction; those it has
 * already keep their position.  The list must be sorted.
 */
extern Outcome loader_add_positions(Loader *loader,
										  const OffsetList *positions);

/* Do not trust what was known of partitions. */
extern void loader_forget_days(Loader *loader);

/* Why the latest attempt failed; safe to log. */
extern const DatabaseError *loader_error(const Loader *loader);

#endif							/* FINTRANS_LOADER_H */
