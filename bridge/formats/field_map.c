/*
 * The text is cut in place, from left to right.
 */
#include "field_map.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool parse_pair(FieldMap *map, char *pair, char *errstr,
					   size_t errstr_size);
static bool is_complete(const FieldMap *map, char *errstr,
						size_t errstr_size);
static void list_names(char *text, size_t size);

bool
field_map_parse(FieldMap *map, const char *text, char *errstr,
				size_t errstr_size)
{
	char	   *rest;

	*map = (FieldMap) {.text = strdup(text)};
	if (map->text == NULL)
	{
		snprintf(errstr, errstr_size, "out of memory");
		return false;
	}
	for (char *pair = map->text; pair != NULL; pair = rest)
	{
		rest = field_map_cut(pair, ',');
		if (!parse_pair(map, pair, errstr, errstr_size))
			return false;
	}
	return is_complete(map, errstr, errstr_size);
}

void
field_map_free(FieldMap *map)
{
	free(map->text);
	*map = (FieldMap) {0};
}

char *
field_map_cut(char *text, char separator)
{
	for (char *at = text; *at != '\0'; at++)
	{
		if (*at == '\\' && at[1] != '\0')
			at++;
		else if (*at == separator)
		{
			*at = '\0';
			return at + 1;
		}
	}
	return NULL;
}

void
field_map_unescape(char *text)
{
	char	   *to = text;

	for (const char *from = text; *from != '\0'; from++)
	{
		if (*from == '\\' && from[1] != '\0')
			from++;
		*to++ = *from;
	}
	*to = '\0';
}

static bool
parse_pair(FieldMap *map, char *pair, char *errstr, size_t errstr_size)
{
	char	   *place = field_map_cut(pair, '=');
	char		names[128];

	if (place == NULL || *place == '\0')
	{
		snprintf(errstr, errstr_size,
				 "\"%.64s\" in --fields is not a name, = and a place", pair);
		return false;
	}
	for (int role = 0; role < FIELD_ROLES; role++)
	{
		if (strcmp(pair, field_name(role)) != 0)
			continue;
		if (map->places[role] != NULL)
		{
			snprintf(errstr, errstr_size, "--fields has %s twice", pair);
			return false;
		}
		map->places[role] = place;
		return true;
	}
	list_names(names, sizeof(names));
	snprintf(errstr, errstr_size, "\"%.64s\" in --fields is not one of %s",
			 pair, names);
	return false;
}

static bool
is_complete(const FieldMap *map, char *errstr, size_t errstr_size)
{
	static const FieldRole needed[] = {
		FIELD_SOURCE, FIELD_TARGET, FIELD_AMOUNT
	};

	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
	{
		if (map->places[needed[i]] != NULL)
			continue;
		snprintf(errstr, errstr_size, "--fields lacks the place of %s",
				 field_name(needed[i]));
		return false;
	}
	return true;
}

static void
list_names(char *text, size_t size)
{
	size_t		used = 0;

	for (int role = 0; role < FIELD_ROLES && used < size; role++)
		used += (size_t) snprintf(text + used, size - used, "%s%s",
								  role > 0 ? ", " : "", field_name(role));
}
