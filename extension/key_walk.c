/*
 * An ordered walk of a primary key of one or two texts.
 *
 * Keys come in the order of the index, so the next one often lies on the leaf
 * page of the last one, or not far from it.  The walk remembers that page
 * and looks there first; it descends from the root only when the page's high
 * key says that the key lies beyond.  Comparing bytes directly also spares
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
	int			ncolumns;
	BTScanInsert key;			/* for descents */
	BlockNumber leaf;			/* where the last key was, if anywhere */
};

KeyWalk *
key_walk_begin(Relation table, Relation index, int ncolumns)
{
	KeyWalk    *walk = palloc(sizeof(KeyWalk));
	int			i;

	walk->table = table;
	walk->index = index;
	walk->ncolumns = ncolumns;
	walk->leaf = InvalidBlockNumber;
	walk->key = _bt_mkscankey(index, NULL);
	walk->key->keysz = ncolumns;
	walk->key->anynullkeys = false;
	for (i = 0; i < ncolumns; i++)
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
descend(KeyWalk *walk, const Datum *values)
{
	Buffer		leaf;
	BTStack		stack;
	int			i;

	for (i = 0; i < walk->ncolumns; i++)
		walk->key->scankeys[i].sk_argument = values[i];
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
 * How the key wanted compares with the first natts columns of an index entry;
 * columns cut off a pivot count as lower than any.  Neither is ever NULL.
 * *plain becomes false for a value that is not stored as it is.
 */
static int
compare_entry(const KeyWalk *walk, const TextSpan *wanted, IndexTuple entry,
			  int natts, bool *plain)
{
	const char *start =
		(const char *) entry + IndexInfoFindDataOffset(entry->t_info);
	const char *value = start;
	int			i;

	for (i = 0; i < walk->ncolumns; i++)
	{
		int			order;

		if (i >= natts)
			return 1;
		if (i > 0)
		{
			value += VARSIZE_ANY(value);
			value = start + att_align_pointer(value - start, TYPALIGN_INT, -1,
											  value);
		}
		if (VARATT_IS_COMPRESSED(value) || VARATT_IS_EXTERNAL(value))
		{
			*plain = false;
			return 0;
		}
		order = compare_span(&wanted[i], value);
		if (order != 0)
			return order;
	}
	return 0;
}

static inline IndexTuple
entry_at(Page page, OffsetNumber offset)
{
	return (IndexTuple) PageGetItem(page, PageGetItemId(page, offset));
}

/*
 * Whether all entries of the key are on this page.  Lower ones cannot be the
 * question: an earlier key belonged here, or a descent ended here.
 */
static bool
leaf_covers(KeyWalk *walk, Page page, BTPageOpaque opaque,
			const TextSpan *wanted, bool *plain)
{
	IndexTuple	high_key;

	if (P_IGNORE(opaque) || !P_ISLEAF(opaque))
		return false;
	if (P_RIGHTMOST(opaque))
		return true;
	high_key = entry_at(page, P_HIKEY);
	return compare_entry(walk, wanted, high_key,
						 BTreeTupleGetNAtts(high_key, walk->index),
						 plain) < 0;
}

/* The first entry of the page that is not below the key. */
static OffsetNumber
lower_bound(const KeyWalk *walk, Page page, BTPageOpaque opaque,
			const TextSpan *wanted, bool *plain)
{
	OffsetNumber low = P_FIRSTDATAKEY(opaque);
	OffsetNumber high = OffsetNumberNext(PageGetMaxOffsetNumber(page));

	while (low < high)
	{
		OffsetNumber middle = low + (high - low) / 2;

		if (compare_entry(walk, wanted, entry_at(page, middle),
						  walk->ncolumns, plain) > 0)
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
search_leaf(const KeyWalk *walk, Page page, BTPageOpaque opaque,
			const TextSpan *wanted, ItemPointerData *tids, int *count)
{
	bool		plain = true;
	OffsetNumber offset = lower_bound(walk, page, opaque, wanted, &plain);

	for (; offset <= PageGetMaxOffsetNumber(page);
		 offset = OffsetNumberNext(offset))
	{
		IndexTuple	entry = entry_at(page, offset);

		if (compare_entry(walk, wanted, entry, walk->ncolumns, &plain) != 0)
			break;
		if (!ItemIdIsDead(PageGetItemId(page, offset)) &&
			!collect_tids(entry, tids, count))
			return KEY_WALK_UNSURE;
	}
	return plain ? KEY_WALK_DONE : KEY_WALK_UNSURE;
}

/* Look on a locked leaf and unlock it; *covered tells if that was the place. */
static KeyWalkResult
look_on_leaf(KeyWalk *walk, Buffer leaf, const TextSpan *wanted,
			 ItemPointerData *tids, int *count, bool *covered)
{
	Page		page = BufferGetPage(leaf);
	BTPageOpaque opaque = BTPageGetOpaque(page);
	KeyWalkResult result = KEY_WALK_UNSURE;
	bool		plain = true;

	*covered = leaf_covers(walk, page, opaque, wanted, &plain) && plain;
	if (*covered)
		result = search_leaf(walk, page, opaque, wanted, tids, count);
	walk->leaf = *covered ? BufferGetBlockNumber(leaf) : InvalidBlockNumber;
	UnlockReleaseBuffer(leaf);
	return result;
}

KeyWalkResult
key_walk_find(KeyWalk *walk, const TextSpan *wanted, const Datum *values,
			  ItemPointerData *tids, int *count)
{
	Buffer		leaf;
	bool		covered;

	*count = 0;
	if (BlockNumberIsValid(walk->leaf))
	{
		KeyWalkResult result;

		leaf = ReadBuffer(walk->index, walk->leaf);
		LockBuffer(leaf, BT_READ);
		result = look_on_leaf(walk, leaf, wanted, tids, count, &covered);
		if (covered)
			return result;
	}
	leaf = descend(walk, values);
	if (!BufferIsValid(leaf))
		return KEY_WALK_DONE;
	return look_on_leaf(walk, leaf, wanted, tids, count, &covered);
}
