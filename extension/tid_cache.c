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
 * The entries of one line of the processor's cache are a set: the keys that fall
 * on it push each other out, the one put longest ago first.
 */
#include "postgres.h"

#include "port/pg_bitutils.h"
#include "storage/bufmgr.h"
#include "utils/memutils.h"

#include "tid_cache.h"

/* PG_CACHE_LINE_SIZE is twice that, for padding */
#define LINE_BYTES 64
#define SET_ENTRIES ((int) (LINE_BYTES / sizeof(TidCacheEntry)))
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

static inline TidCacheEntry *
entry_set(const TidCache *cache, uint32 hash)
{
	return &cache->entries[(hash & cache->mask) & ~(SET_ENTRIES - 1)];
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
	cache->entries = (TidCacheEntry *)
		TYPEALIGN(LINE_BYTES,
				  MemoryContextAllocExtended(cache->context,
											 wanted * sizeof(TidCacheEntry) +
											 LINE_BYTES,
											 MCXT_ALLOC_HUGE |
											 MCXT_ALLOC_ZERO));
	cache->mask = wanted - 1;
	cache->file = table->compat_rd_file;
}

const TidCacheEntry *
tid_cache_get(const TidCache *cache, uint32 hash)
{
	const TidCacheEntry *set = entry_set(cache, hash);
	int			i;

	for (i = 0; i < SET_ENTRIES; i++)
	{
		if (set[i].hash == hash && ItemPointerIsValid(&set[i].tid))
			return ItemPointerGetBlockNumber(&set[i].tid) < cache->blocks ?
				&set[i] : NULL;
	}
	return NULL;
}

void
tid_cache_put(TidCache *cache, uint32 hash, const ItemPointerData *tid,
			  Buffer buffer)
{
	TidCacheEntry *set = entry_set(cache, hash);
	int			i = 0;

	/* in the place of what it had, or else of the last */
	while (i < SET_ENTRIES - 1 && set[i].hash != hash)
		i++;
	memmove(&set[1], &set[0], i * sizeof(TidCacheEntry));
	set[0].hash = hash;
	set[0].tid = *tid;
	set[0].buffer = buffer;
}

void
tid_cache_prefetch(const TidCache *cache, uint32 hash)
{
	compat_prefetch(entry_set(cache, hash));
}
