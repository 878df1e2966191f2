/*
 * Encoder for COPY .. (FORMAT binary), and a reader for what it wrote.  Pure:
 * fills a caller's buffer, never beyond its size, and allocates nothing.
 *
 * Every put returns false when the buffer has no room left; the buffer then
 * holds part of a field, and the caller sets `used` back to the last row.
 */
#ifndef FINTRANS_COPY_BINARY_H
#define FINTRANS_COPY_BINARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "record.h"

typedef struct CopyBuffer
{
	uint8_t    *data;			/* the caller's */
	size_t		size;			/* bytes there are */
	size_t		used;			/* bytes written */
} CopyBuffer;

/* A field of an encoded row, in place. */
typedef struct CopyField
{
	const uint8_t *data;		/* NULL for SQL's NULL */
	uint32_t	length;			/* bytes */
} CopyField;

/* Bytes of the header and of the trailer. */
#define COPY_HEADER_BYTES 19
#define COPY_TRAILER_BYTES 2

extern bool copy_put_header(CopyBuffer *buffer);
extern bool copy_put_trailer(CopyBuffer *buffer);

/* Begins a row; its fields follow. */
extern bool copy_put_row(CopyBuffer *buffer, int16_t fields);

extern bool copy_put_null(CopyBuffer *buffer);
extern bool copy_put_int4(CopyBuffer *buffer, int32_t value);
extern bool copy_put_int8(CopyBuffer *buffer, int64_t value);

/* For text and bytea alike; text must be valid UTF-8. */
extern bool copy_put_bytes(CopyBuffer *buffer, const void *bytes,
						   size_t length);

/* Microseconds since 1970; copy_is_timestamp() must hold. */
extern bool copy_put_timestamptz(CopyBuffer *buffer, int64_t us);

extern bool copy_put_numeric(CopyBuffer *buffer, const RecordAmount *amount);

/*
 * Can a timestamptz hold this many microseconds since 1970?  The largest and
 * the smallest number stand for what none holds.
 */
extern bool copy_is_timestamp(int64_t us);

/*
 * Fields of the row that begins at *at, which then is where the next one does.
 * False, and *at as it was, when there is none or its bytes are damaged.
 */
extern bool copy_next_row(const CopyBuffer *buffer, size_t *at,
						  CopyField *fields, int16_t count);

/* Values of fields; false when the field is NULL or of another width. */
extern bool copy_get_int4(const CopyField *field, int32_t *value);
extern bool copy_get_int8(const CopyField *field, int64_t *value);
extern bool copy_get_timestamptz(const CopyField *field, int64_t *us);

#endif							/* FINTRANS_COPY_BINARY_H */
