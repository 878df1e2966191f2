/*
 * Where rows were last seen: a backend's own short cut past a primary key.
 *
 * Descending the primary key is nearly half the cost of a total, and a loader
 * meets the same pairs again and again.  So each backend remembers, by the
 * hash of the key, the tuple identifier its index entry had.  Whoever follows
 * it fetches the row through the snapshot and compares the key: a row that
 * moved, was vacuumed away, or belongs to another key is then simply looked up
 * in the index.  Hence nothing here can be wrong, only stale.
 *
 * Direct-mapped: an entry is overwritten by the next key that falls on it.
 */
#include "postgres.h"

#include "port/pg_bitutils.h"
#include "storage/bufmgr.h"
#include "utils/memutils.h"

#include "tid_cache.h"

#define MIN_ENTRIES (1 << 12)
#define MAX_ENTRIES (1 << 22)

/* Twice the rows there can be, at some fifty to a block. */
static uint32
wanted_entries(BlockNumber blocks)
{
	if (blocks >= MAX_ENTRIES / 128)
		return MAX_ENTRIES;
	return Max(MIN_ENTRIES, pg_nextpower2_32(blocks * 128 + 1));
}

/*
 * A table that was rewritten has another file, and all its rows have moved.
 * Blocks beyond the end cannot be read; the caller's lock keeps VACUUM from
 * cutting off any until its database transaction ends.
 */
void
tid_cache_open(TidCache *cache, Relation table)
{
	uint32		wanted;

	cache->blocks = RelationGetNumberOfBlocks(table);
	wanted = wanted_entries(cache->blocks);
	if (cache->entries != NULL &&
		compat_same_file(cache->file, table->compat_rd_file) &&
		wanted <= cache->mask + 1)
		return;
	/* a context's name has to be a constant, and its identifier goes by reset */
	if (cache->context == NULL)
		cache->context = AllocSetContextCreate(CacheMemoryContext,
											   "fintrans rows last seen",
											   ALLOCSET_SMALL_SIZES);
	cache->entries = NULL;
	MemoryContextReset(cache->context);
	MemoryContextSetIdentifier(cache->context, cache->name);
	cache->entries = MemoryContextAllocExtended(cache->context,
												wanted * sizeof(TidCacheEntry),
												MCXT_ALLOC_HUGE |
												MCXT_ALLOC_ZERO);
	cache->mask = wanted - 1;
	cache->file = table->compat_rd_file;
}

const TidCacheEntry *
tid_cache_get(const TidCache *cache, uint32 hash)
{
	const TidCacheEntry *entry = &cache->entries[hash & cache->mask];

	if (entry->hash != hash || !ItemPointerIsValid(&entry->tid) ||
		ItemPointerGetBlockNumber(&entry->tid) >= cache->blocks)
		return NULL;
	return entry;
}

void
tid_cache_put(TidCache *cache, uint32 hash, const ItemPointerData *tid,
			  Buffer buffer)
{
	TidCacheEntry *entry = &cache->entries[hash & cache->mask];

	entry->hash = hash;
	entry->tid = *tid;
	entry->buffer = buffer;
}

void
tid_cache_prefetch(const TidCache *cache, uint32 hash)
{
	compat_prefetch(&cache->entries[hash & cache->mask]);
}
