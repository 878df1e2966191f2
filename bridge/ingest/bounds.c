/*
 * Low first: a high watermark only grows meanwhile, so the later answer never
 * makes a position look as if it were ahead.
 */
#include "bounds.h"

bool
bounds_ask(Bounds *bounds, Consumer *consumer, const OffsetList *partitions,
		   char *errstr, size_t errstr_size)
{
	/* who has not told the one is not waited for again to tell the other */
	return consumer_low_watermarks(consumer, partitions, &bounds->low,
								   errstr, errstr_size) &&
		consumer_high_watermarks(consumer, &bounds->low, &bounds->high,
								 errstr, errstr_size);
}

PositionBounds
bounds_at(const Bounds *bounds, size_t i)
{
	return (PositionBounds)
	{
		bounds->low.items[i].offset, bounds->high.items[i].offset
	};
}

void
bounds_free(Bounds *bounds)
{
	offset_list_free(&bounds->low);
	offset_list_free(&bounds->high);
}
