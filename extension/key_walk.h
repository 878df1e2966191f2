/*
 * An ordered walk of a primary key of one or two texts.
 */
#ifndef FINTRANS_KEY_WALK_H
#define FINTRANS_KEY_WALK_H

#include "storage/itemptr.h"
#include "utils/rel.h"

#include "deltas.h"

#define KEY_WALK_MAX_COLUMNS 2

/* More row versions of one key than that are left to an index scan. */
#define KEY_WALK_MAX_TIDS 16

typedef enum KeyWalkResult
{
	KEY_WALK_DONE,				/* tids holds all entries of the key, if any */
	KEY_WALK_UNSURE				/* ask the index itself */
} KeyWalkResult;

typedef struct KeyWalk KeyWalk;

/* In the current memory context, which must outlive the walk. */
extern KeyWalk *key_walk_begin(Relation table, Relation index, int ncolumns);

/*
 * The tuple identifiers that the index has for the key, whose columns are
 * given as text datums too.  Keys must come in ascending order.
 */
extern KeyWalkResult key_walk_find(KeyWalk *walk, const TextSpan *wanted,
								   const Datum *values,
								   ItemPointerData *tids, int *count);

/*
 * Forget the page at hand.  Must be called before the snapshot that was valid
 * while it was found is given up: afterwards the page may be deleted and put
 * to another use.
 */
extern void key_walk_leave(KeyWalk *walk);

extern void key_walk_end(KeyWalk *walk);

#endif							/* FINTRANS_KEY_WALK_H */
