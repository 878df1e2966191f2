/*
 * Differences between PostgreSQL 15, 16, 17 and 18, so that no other file
 * asks for the server's version.
 */
#ifndef FINTRANS_COMPAT_H
#define FINTRANS_COMPAT_H

#include "access/genam.h"
#include "access/tableam.h"
#include "executor/executor.h"
#include "utils/rel.h"

#if PG_VERSION_NUM < 150000
#error "fintrans needs PostgreSQL 15 or later"
#endif

/* 16 has the macros of varlena in a header of their own */
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

/* 16 tells summarizing indexes (BRIN) apart in what an update must maintain */
#if PG_VERSION_NUM >= 160000
typedef TU_UpdateIndexes CompatUpdateIndexes;
#define compat_update_needs_indexes(u) ((u) != TU_None)
#define compat_insert_indexes(rri, slot, estate, update, nodup, conflict, \
							  arbiters, indexes) \
	ExecInsertIndexTuples(rri, slot, estate, update, nodup, conflict, \
						  arbiters, (update) && (indexes) == TU_Summarizing)
#define COMPAT_UPDATE_INDEXES_INSERT TU_All
#else
typedef bool CompatUpdateIndexes;
#define compat_update_needs_indexes(u) (u)
#define compat_insert_indexes(rri, slot, estate, update, nodup, conflict, \
							  arbiters, indexes) \
	ExecInsertIndexTuples(rri, slot, estate, update, nodup, conflict, \
						  arbiters)
#define COMPAT_UPDATE_INDEXES_INSERT true
#endif

/* 16 renamed what identifies a relation's file */
#if PG_VERSION_NUM >= 160000
typedef RelFileLocator CompatFile;
#define compat_rd_file rd_locator
#define compat_same_file(a, b) RelFileLocatorEquals(a, b)
#else
typedef RelFileNode CompatFile;
#define compat_rd_file rd_node
#define compat_same_file(a, b) RelFileNodeEquals(a, b)
#endif

/* 17 asks for the open table */
#if PG_VERSION_NUM >= 170000
#define compat_identity_sequence(table, column) \
	getIdentitySequence(table, column, false)
#else
#define compat_identity_sequence(table, column) \
	getIdentitySequence(RelationGetRelid(table), column, false)
#endif

/* 18 counts index searches */
#if PG_VERSION_NUM >= 180000
#define compat_index_beginscan(heap, index, snapshot, nkeys) \
	index_beginscan(heap, index, snapshot, NULL, nkeys, 0)
#else
#define compat_index_beginscan(heap, index, snapshot, nkeys) \
	index_beginscan(heap, index, snapshot, nkeys, 0)
#endif

/* 18 takes the tuple identifier out of the slot for conflict checks */
#if PG_VERSION_NUM >= 180000
#define compat_check_constraints(rri, slot, estate, tid, arbiters) \
	ExecCheckIndexConstraints(rri, slot, estate, tid, NULL, arbiters)
#else
#define compat_check_constraints(rri, slot, estate, tid, arbiters) \
	ExecCheckIndexConstraints(rri, slot, estate, tid, arbiters)
#endif

/* 16 asks for the table too, 17 for no snapshot any more */
#if PG_VERSION_NUM >= 170000
#define compat_bt_search(index, table, key, buffer) \
	_bt_search(index, table, key, buffer, BT_READ)
#elif PG_VERSION_NUM >= 160000
#define compat_bt_search(index, table, key, buffer) \
	_bt_search(index, table, key, buffer, BT_READ, NULL)
#else
#define compat_bt_search(index, table, key, buffer) \
	_bt_search(index, key, buffer, BT_READ, NULL)
#endif

/* a hint only */
#if defined(__GNUC__)
#define compat_prefetch(address) __builtin_prefetch(address)
#else
#define compat_prefetch(address) ((void) (address))
#endif

#endif							/* FINTRANS_COMPAT_H */
