/*
 * Where pairs were last seen: a backend's own short cut past the primary key.
 *
 * Descending the primary key is nearly half the cost of a total, and a loader
 * meets the same pairs again and again.  So each backend remembers, by the
 * hash of the pair, the tuple identifier its index entry had.  Whoever follows
 * it fetches the row through the snapshot and compares the accounts: a row
 * that moved, was vacuumed away, or belongs to another pair is then simply
 * looked up in the index.  Hence nothing here can be wrong, only stale.
 *
 * Direct-mapped: an entry is overwritten by the next pair that falls on it.
 */
#include "postgres.h"

#include "port/pg_bitutils.h"
#include "storage/bufmgr.h"
#include "utils/memutils.h"

#include "compat.h"
#include "tid_cache.h"

#define MIN_ENTRIES (1 << 12)
#define MAX_ENTRIES (1 << 22)

typedef struct TidCacheEntry
{
	uint32		hash;
	ItemPointerData tid;		/* offset 0 in an empty entry */
} TidCacheEntry;

static MemoryContext context = NULL;	/* holds nothing but them */
static TidCacheEntry *entries = NULL;
static uint32 mask;				/* number of entries - 1 */
static CompatFile known;		/* that the entries speak of */
static BlockNumber blocks;		/* of the table, when it was opened */

/* Twice the pairs there can be, at some fifty to a block. */
static uint32
wanted_entries(void)
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
tid_cache_open(Relation table)
{
	uint32		wanted;

	blocks = RelationGetNumberOfBlocks(table);
	wanted = wanted_entries();
	if (entries != NULL && compat_same_file(known, table->compat_rd_file) &&
		wanted <= mask + 1)
		return;
	if (context == NULL)
		context = AllocSetContextCreate(CacheMemoryContext,
										"fintrans pairs last seen",
										ALLOCSET_SMALL_SIZES);
	entries = NULL;
	MemoryContextReset(context);
	entries = MemoryContextAllocExtended(context,
										 wanted * sizeof(TidCacheEntry),
										 MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	mask = wanted - 1;
	known = table->compat_rd_file;
}

bool
tid_cache_get(uint32 hash, ItemPointer tid)
{
	const TidCacheEntry *entry = &entries[hash & mask];

	if (entry->hash != hash || !ItemPointerIsValid(&entry->tid) ||
		ItemPointerGetBlockNumber(&entry->tid) >= blocks)
		return false;
	*tid = entry->tid;
	return true;
}

void
tid_cache_put(uint32 hash, const ItemPointerData *tid)
{
	TidCacheEntry *entry = &entries[hash & mask];

	entry->hash = hash;
	entry->tid = *tid;
}
