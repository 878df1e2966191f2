/*
 * What Kafka holds of each partition of a list: both watermarks, where it
 * tells them.
 */
#ifndef FINTRANS_BOUNDS_H
#define FINTRANS_BOUNDS_H

#include <stdbool.h>
#include <stddef.h>

#include "consumer.h"
#include "offset_list.h"
#include "position.h"

/* By the index of the list; begin with {0}. */
typedef struct Bounds
{
	OffsetList	low;
	OffsetList	high;
} Bounds;

/* Ask the brokers; false with errstr when none of them could be asked. */
extern bool bounds_ask(Bounds *bounds, Consumer *consumer,
					   const OffsetList *partitions,
					   char *errstr, size_t errstr_size);

extern PositionBounds bounds_at(const Bounds *bounds, size_t i);

extern void bounds_free(Bounds *bounds);

#endif							/* FINTRANS_BOUNDS_H */
