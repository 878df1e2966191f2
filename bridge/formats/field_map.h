/*
 * Where the fields of a message are: source=PLACE,target=PLACE and so on, as a
 * user writes it.  What a place is, is the format's business.  Pure.
 */
#ifndef FINTRANS_FIELD_MAP_H
#define FINTRANS_FIELD_MAP_H

#include <stdbool.h>
#include <stddef.h>

#include "record.h"

/* For --help */
#define FIELD_MAP_ARGUMENT \
	"source=PLACE,target=PLACE,amount=PLACE[,reference=PLACE]" \
	"[,currency=PLACE][,time=PLACE]"

typedef struct FieldMap
{
	char	   *text;			/* cut into the places */
	char	   *places[FIELD_ROLES];	/* NULL when there is none; with the
										 * backslashes of the text */
} FieldMap;

/*
 * Read a mapping: source, target and amount have to be there.  A backslash
 * takes the meaning from a comma or another character behind it.  False with
 * errstr when it cannot be used; to be freed in either case.
 */
extern bool field_map_parse(FieldMap *map, const char *text,
							char *errstr, size_t errstr_size);

extern void field_map_free(FieldMap *map);

/*
 * Cut the text at the first such character without a backslash before it, and
 * return what is behind it; NULL when there is none.
 */
extern char *field_map_cut(char *text, char separator);

/* Take the backslashes out of a piece of a place, in place. */
extern void field_map_unescape(char *text);

#endif							/* FINTRANS_FIELD_MAP_H */
