/*
 * Points are sent from the front to the back.  A stretch that was refused is
 * halved until its first point stands alone, and so on from the next one: with
 * one point at fault that takes two requests for each halving.
 */
#include "influx_batch.h"

#include <stdlib.h>
#include <string.h>

/* A line takes 60 to 120 bytes as a rule; a batch ends when its text does. */
#define LINE_USUAL_BYTES 128

static size_t start_of(const InfluxBatch *batch, size_t point);

bool
influx_batch_init(InfluxBatch *batch, size_t max_points, size_t slots)
{
	size_t		size = max_points * LINE_USUAL_BYTES + LINE_MAX_BYTES;

	memset(batch, 0, sizeof(*batch));
	batch->max_points = max_points;
	batch->slots = slots;
	batch->lines.text = malloc(size);
	batch->lines.size = size;
	batch->ends = malloc(max_points * sizeof(*batch->ends));
	batch->next_offsets = calloc(slots + 1, sizeof(*batch->next_offsets));
	if (batch->lines.text != NULL && batch->ends != NULL &&
		batch->next_offsets != NULL)
		return true;
	influx_batch_free(batch);
	return false;
}

void
influx_batch_free(InfluxBatch *batch)
{
	free(batch->lines.text);
	free(batch->ends);
	free(batch->next_offsets);
	memset(batch, 0, sizeof(*batch));
}

void
influx_batch_start(InfluxBatch *batch)
{
	batch->lines.used = 0;
	batch->count = 0;
	batch->opened_ms = 0;
}

bool
influx_batch_is_full(const InfluxBatch *batch)
{
	return batch->count == batch->max_points ||
		batch->lines.size - batch->lines.used < LINE_MAX_BYTES;
}

LineResult
influx_batch_add(InfluxBatch *batch, const LineStyle *style,
				 const LineOrigin *origin, const Record *record)
{
	LineResult	result;

	if (influx_batch_is_full(batch))
		return LINE_FULL;
	result = line_write(&batch->lines, style, origin, record);
	if (result == LINE_WRITTEN)
		batch->ends[batch->count++] = batch->lines.used;
	return result;
}

void
influx_batch_begin(InfluxBatch *batch, size_t limit)
{
	batch->from = 0;
	batch->to = 0;
	batch->refusals = 0;
	influx_batch_pass(batch, limit);
}

bool
influx_batch_stretch(const InfluxBatch *batch, const char **text,
					 size_t *bytes)
{
	size_t		start = start_of(batch, batch->from);

	if (batch->from == batch->to)
		return false;
	*text = batch->lines.text + start;
	*bytes = batch->ends[batch->to - 1] - start;
	return true;
}

size_t
influx_batch_stretch_points(const InfluxBatch *batch)
{
	return batch->to - batch->from;
}

void
influx_batch_pass(InfluxBatch *batch, size_t limit)
{
	batch->from = batch->to;
	batch->to = batch->count - batch->from > limit ? batch->from + limit :
		batch->count;
}

bool
influx_batch_halve(InfluxBatch *batch)
{
	if (batch->to - batch->from < 2)
		return false;
	batch->to = batch->from + (batch->to - batch->from) / 2;
	return true;
}

bool
influx_batch_refuse(InfluxBatch *batch)
{
	if (++batch->refusals <= INFLUX_BATCH_REFUSALS)
		return influx_batch_halve(batch);
	batch->to = batch->count;
	return false;
}

static size_t
start_of(const InfluxBatch *batch, size_t point)
{
	return point == 0 ? 0 : batch->ends[point - 1];
}
