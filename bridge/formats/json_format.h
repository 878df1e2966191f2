/*
 * Messages of JSON (RFC 8259): an object whose members, at any depth, are the
 * fields.  A place is a path of member names with points between them.
 */
#ifndef FINTRANS_JSON_FORMAT_H
#define FINTRANS_JSON_FORMAT_H

#include "codec.h"

/* Objects and arrays may be nested so deep. */
#define JSON_MAX_DEPTH 32

/* As in CodecFormat. */
extern void *json_format_open(const CodecSettings *settings, FieldMap *map,
							  char *errstr, size_t errstr_size);
extern void json_format_close(void *state);
extern RecordVerdict json_decode(void *state, const void *payload,
								 size_t length, const FieldRules *rules,
								 Record *record, const RecordDetail *detail);

#endif							/* FINTRANS_JSON_FORMAT_H */
