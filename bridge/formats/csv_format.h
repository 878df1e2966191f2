/*
 * Messages of CSV (RFC 4180): each is one record, whose columns are the
 * fields.  A place is the number of a column, from 1 on, or its name in the
 * header that the user has given.
 */
#ifndef FINTRANS_CSV_FORMAT_H
#define FINTRANS_CSV_FORMAT_H

#include "codec.h"

/* Columns that can be mapped; a record may have more. */
#define CSV_MAX_COLUMNS 256

/* As in CodecFormat. */
extern void *csv_format_open(const CodecSettings *settings, FieldMap *map,
							 char *errstr, size_t errstr_size);
extern void csv_format_close(void *state);
extern RecordVerdict csv_decode(void *state, const void *payload,
								size_t length, const FieldRules *rules,
								Record *record, const RecordDetail *detail);

#endif							/* FINTRANS_CSV_FORMAT_H */
