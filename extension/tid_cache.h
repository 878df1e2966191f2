/*
 * Where pairs were last seen: a backend's own short cut past the primary key.
 */
#ifndef FINTRANS_TID_CACHE_H
#define FINTRANS_TID_CACHE_H

#include "storage/itemptr.h"
#include "utils/rel.h"

/* Start using the cache for table; forgets what it knew of another one. */
extern void tid_cache_open(Relation table);

/*
 * The tuple identifier put under the hash, if any.  It is a hint: a block
 * inside the table, but maybe not the pair's row any more.
 */
extern bool tid_cache_get(uint32 hash, ItemPointer tid);

/* tid is the one that index entries have: the start of a HOT chain. */
extern void tid_cache_put(uint32 hash, const ItemPointerData *tid);

#endif							/* FINTRANS_TID_CACHE_H */
