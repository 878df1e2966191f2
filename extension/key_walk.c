/*
 * An ordered walk of fintrans_laundering's primary key.
 *
 * Pairs come in the order of the index, so the next one often lies on the leaf
 * page of the last one, or not far from it.  The walk remembers that page
 * and looks there first; it descends from the root only when the page's high
 * key says that the pair lies beyond.  Comparing bytes directly also spares
 * the function calls of a descent, which is most of its cost.
 *
 * The page is locked while it is looked at only.  Meanwhile it may be split:
 * what moved right is beyond the new high key.  It may be deleted: then it
 * says so, and it is not put to another use while the caller's snapshot is
 * registered.  It is not kept pinned: the caller may wait for another writer,
 * and VACUUM must not wait for that.  Should VACUUM recycle a tuple identifier
 * just read, the snapshot does not see the row that has it now.  Whatever is
 * not plainly decided on one page (entries of a key on two pages, compressed
 * keys, many versions) is left to an ordinary index scan.
 */
#include "postgres.h"

#include "access/nbtree.h"
#include "access/itup.h"
#include "access/tupmacs.h"
#include "storage/bufmgr.h"

#include "compat.h"
#include "key_walk.h"

struct KeyWalk
{
	Relation	table;
	Relation	index;
	BTScanInsert key;			/* for descents */
	BlockNumber leaf;			/* where the last pair was, if anywhere */
};

KeyWalk *
key_walk_begin(Relation table, Relation index)
{
	KeyWalk    *walk = palloc(sizeof(KeyWalk));
	int			i;

	walk->table = table;
	walk->index = index;
	walk->leaf = InvalidBlockNumber;
	walk->key = _bt_mkscankey(index, NULL);
	walk->key->keysz = 2;
	walk->key->anynullkeys = false;
	for (i = 0; i < 2; i++)
		walk->key->scankeys[i].sk_flags &= ~SK_ISNULL;
	return walk;
}

void
key_walk_leave(KeyWalk *walk)
{
	walk->leaf = InvalidBlockNumber;
}

void
key_walk_end(KeyWalk *walk)
{
	pfree(walk->key);
	pfree(walk);
}

/* Pin and share-lock the leaf where the key belongs; none in an empty index. */
static Buffer
descend(KeyWalk *walk, Datum source_account, Datum target_account)
{
	Buffer		leaf;
	BTStack		stack;

	walk->key->scankeys[0].sk_argument = source_account;
	walk->key->scankeys[1].sk_argument = target_account;
	stack = compat_bt_search(walk->index, walk->table, walk->key, &leaf);
	_bt_freestack(stack);
	return leaf;
}

static inline int
compare_span(const TextSpan *span, const char *value)
{
	int			length = VARSIZE_ANY_EXHDR(value);
	int			order = memcmp(span->data, VARDATA_ANY(value),
							   Min(span->length, length));

	return order != 0 ? order : span->length - length;
}

/*
 * How the pair compares with the first natts accounts of an index entry;
 * accounts cut off a pivot count as lower than any.  Neither is ever NULL.
 * *plain becomes false for a value that is not stored as it is.
 */
static int
compare_entry(const PairDelta *pair, IndexTuple entry, int natts, bool *plain)
{
	const char *start =
		(const char *) entry + IndexInfoFindDataOffset(entry->t_info);
	const char *value = start;
	int			order;

	if (natts < 1)
		return 1;
	if (VARATT_IS_COMPRESSED(value) || VARATT_IS_EXTERNAL(value))
	{
		*plain = false;
		return 0;
	}
	order = compare_span(&pair->source_account, value);
	if (order != 0)
		return order;
	if (natts < 2)
		return 1;
	value += VARSIZE_ANY(value);
	value = start + att_align_pointer(value - start, TYPALIGN_INT, -1, value);
	if (VARATT_IS_COMPRESSED(value) || VARATT_IS_EXTERNAL(value))
	{
		*plain = false;
		return 0;
	}
	return compare_span(&pair->target_account, value);
}

static inline IndexTuple
entry_at(Page page, OffsetNumber offset)
{
	return (IndexTuple) PageGetItem(page, PageGetItemId(page, offset));
}

/*
 * Whether all entries of the pair are on this page.  Lower ones cannot be the
 * question: an earlier pair belonged here, or a descent ended here.
 */
static bool
leaf_covers(KeyWalk *walk, Page page, BTPageOpaque opaque,
			const PairDelta *pair, bool *plain)
{
	IndexTuple	high_key;

	if (P_IGNORE(opaque) || !P_ISLEAF(opaque))
		return false;
	if (P_RIGHTMOST(opaque))
		return true;
	high_key = entry_at(page, P_HIKEY);
	return compare_entry(pair, high_key,
						 BTreeTupleGetNAtts(high_key, walk->index),
						 plain) < 0;
}

/* The first entry of the page that is not below the pair. */
static OffsetNumber
lower_bound(Page page, BTPageOpaque opaque, const PairDelta *pair, bool *plain)
{
	OffsetNumber low = P_FIRSTDATAKEY(opaque);
	OffsetNumber high = OffsetNumberNext(PageGetMaxOffsetNumber(page));

	while (low < high)
	{
		OffsetNumber middle = low + (high - low) / 2;

		if (compare_entry(pair, entry_at(page, middle), 2, plain) > 0)
			low = OffsetNumberNext(middle);
		else
			high = middle;
	}
	return low;
}

/* Collect the identifiers of an entry; false if there are too many. */
static bool
collect_tids(IndexTuple entry, ItemPointerData *tids, int *count)
{
	int			n = BTreeTupleIsPosting(entry) ?
	BTreeTupleGetNPosting(entry) : 1;
	int			i;

	if (*count + n > KEY_WALK_MAX_TIDS)
		return false;
	for (i = 0; i < n; i++)
		tids[(*count)++] = BTreeTupleIsPosting(entry) ?
			*BTreeTupleGetPostingN(entry, i) : entry->t_tid;
	return true;
}

static KeyWalkResult
search_leaf(Page page, BTPageOpaque opaque, const PairDelta *pair,
			ItemPointerData *tids, int *count)
{
	bool		plain = true;
	OffsetNumber offset = lower_bound(page, opaque, pair, &plain);

	for (; offset <= PageGetMaxOffsetNumber(page);
		 offset = OffsetNumberNext(offset))
	{
		IndexTuple	entry = entry_at(page, offset);

		if (compare_entry(pair, entry, 2, &plain) != 0)
			break;
		if (!ItemIdIsDead(PageGetItemId(page, offset)) &&
			!collect_tids(entry, tids, count))
			return KEY_WALK_UNSURE;
	}
	return plain ? KEY_WALK_DONE : KEY_WALK_UNSURE;
}

/* Look on a locked leaf and unlock it; *covered tells if that was the place. */
static KeyWalkResult
look_on_leaf(KeyWalk *walk, Buffer leaf, const PairDelta *pair,
			 ItemPointerData *tids, int *count, bool *covered)
{
	Page		page = BufferGetPage(leaf);
	BTPageOpaque opaque = BTPageGetOpaque(page);
	KeyWalkResult result = KEY_WALK_UNSURE;
	bool		plain = true;

	*covered = leaf_covers(walk, page, opaque, pair, &plain) && plain;
	if (*covered)
		result = search_leaf(page, opaque, pair, tids, count);
	walk->leaf = *covered ? BufferGetBlockNumber(leaf) : InvalidBlockNumber;
	UnlockReleaseBuffer(leaf);
	return result;
}

KeyWalkResult
key_walk_find(KeyWalk *walk, const PairDelta *pair, Datum source_account,
			  Datum target_account, ItemPointerData *tids, int *count)
{
	Buffer		leaf;
	bool		covered;

	*count = 0;
	if (BlockNumberIsValid(walk->leaf))
	{
		KeyWalkResult result;

		leaf = ReadBuffer(walk->index, walk->leaf);
		LockBuffer(leaf, BT_READ);
		result = look_on_leaf(walk, leaf, pair, tids, count, &covered);
		if (covered)
			return result;
	}
	leaf = descend(walk, source_account, target_account);
	if (!BufferIsValid(leaf))
		return KEY_WALK_DONE;
	return look_on_leaf(walk, leaf, pair, tids, count, &covered);
}
