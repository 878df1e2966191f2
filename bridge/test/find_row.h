/*
 * Looks a row up in an encoded buffer: what several unit tests want.
 */
#ifndef FINTRANS_TEST_FIND_ROW_H
#define FINTRANS_TEST_FIND_ROW_H

#include "copy_binary.h"

/* Row number `row` (from 1) of a buffer with a header; false if there is none. */
static bool
find_row(const CopyBuffer *buffer, int64_t row, CopyField *fields,
		 int16_t count)
{
	size_t		at = COPY_HEADER_BYTES;

	for (int64_t i = 1; i < row; i++)
		if (!copy_next_row(buffer, &at, fields, count))
			return false;
	return copy_next_row(buffer, &at, fields, count);
}

#endif							/* FINTRANS_TEST_FIND_ROW_H */
