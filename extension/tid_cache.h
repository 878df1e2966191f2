/*
 * Where rows were last seen: a backend's own short cut past a primary key.
 */
#ifndef FINTRANS_TID_CACHE_H
#define FINTRANS_TID_CACHE_H

#include "storage/block.h"
#include "storage/buf.h"
#include "storage/itemptr.h"
#include "utils/rel.h"

#include "compat.h"

typedef struct TidCacheEntry
{
	uint32		hash;
	ItemPointerData tid;		/* offset 0 in an empty entry */
	Buffer		buffer;			/* that held the block, if known */
} TidCacheEntry;

/* Zeroes, but for the name, until it is opened. */
typedef struct TidCache
{
	const char *name;			/* of the memory context */
	MemoryContext context;		/* holds nothing but the entries */
	TidCacheEntry *entries;
	uint32		mask;			/* number of entries - 1 */
	CompatFile	file;			/* that the entries speak of */
	BlockNumber blocks;			/* of the table, when it was opened */
} TidCache;

/* Start using the cache for table; forgets what it knew of another one. */
extern void tid_cache_open(TidCache *cache, Relation table);

/*
 * What was put under the hash, or NULL.  It is a hint: a block inside the
 * table, but maybe not the key's row any more.
 */
extern const TidCacheEntry *tid_cache_get(const TidCache *cache, uint32 hash);

/*
 * tid is the one that index entries have: the start of a HOT chain.  buffer
 * holds its block, or is none.
 */
extern void tid_cache_put(TidCache *cache, uint32 hash,
						  const ItemPointerData *tid, Buffer buffer);

/* Have the memory fetched that will be needed for the hash. */
extern void tid_cache_prefetch(const TidCache *cache, uint32 hash);

#endif							/* FINTRANS_TID_CACHE_H */
