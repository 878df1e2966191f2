/*
 * yajl reports what it parses, event by event, with numbers as they are
 * written; here the events are followed along the paths of the mapping.  The
 * paths make a tree, whose leaves are the fields.  A walk is within it as long
 * as each object that is open is a node of it (depth equals nodes_open), and
 * looks at names only then; what lies beside the tree is checked for syntax
 * only.  A node is met once at most, or the message has a member twice.
 *
 * yajl's memory is an arena: no message allocates, unless it has an escaped
 * text of some kilobytes.
 *
 * What yajl takes too easily is looked at before: it knows only roughly what
 * UTF-8 is, and makes a question mark of half a surrogate pair.
 */
#include "json_format.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <yajl/yajl_parse.h>

#include "arena.h"

/* Of names in a path. */
#define PATH_MAX_NAMES 16

/* The root, and each name of each path. */
#define NODES_MAX (1 + FIELD_ROLES * PATH_MAX_NAMES)

#define NO_NODE (-1)
#define ROOT 0

typedef struct Node
{
	char	   *name;			/* owned; NULL for the root */
	size_t		bytes;
	int			parent;
	int			first_child;	/* NO_NODE for none */
	int			next;			/* sibling */
	int			role;			/* of a leaf; FIELD_ROLES for others */
} Node;

/* Why the walk ended the parsing. */
typedef enum WalkFault
{
	WALK_GOES_ON,
	WALK_NOT_OBJECT,
	WALK_TOO_DEEP,
	WALK_TWICE
} WalkFault;

typedef struct JsonState
{
	Node		nodes[NODES_MAX];
	int			node_count;

	/* of the message at hand */
	const char *payload;
	size_t		length;
	Field		fields[FIELD_ROLES];
	char		copies[FIELD_ROLES][FIELD_MAX_BYTES];	/* of texts with
														 * escapes */
	bool		met[NODES_MAX];
	int			at;				/* the innermost node that is open */
	int			expected;		/* node of the name read last, or NO_NODE */
	unsigned	depth;			/* objects and arrays open */
	unsigned	nodes_open;		/* those that are nodes */
	WalkFault	fault;
	int			fault_node;		/* WALK_TWICE */

	yajl_alloc_funcs memory;
	Arena		arena;			/* a message takes 2.5 kB of it, but for texts
								 * with escapes */
} JsonState;

static bool add_path(JsonState *json, FieldRole role, char *path,
					 char *errstr, size_t errstr_size);
static int	add_node(JsonState *json, int parent, char *name);
static int	find_child(const JsonState *json, int parent, const char *name,
					   size_t bytes);

static RecordVerdict check_escapes(const char *payload, size_t length,
								   const RecordDetail *detail);
static int	escaped_unit(const char *text, const char *end);
static void begin_message(JsonState *json, const void *payload,
						  size_t length);
static RecordVerdict parse(JsonState *json, const RecordDetail *detail);
static RecordVerdict refuse_syntax(const JsonState *json, yajl_handle parser,
								   bool ended, const RecordDetail *detail);

static int	on_null(void *state);
static int	on_boolean(void *state, int value);
static int	on_number(void *state, const char *text, size_t bytes);
static int	on_string(void *state, const unsigned char *text, size_t bytes);
static int	on_start_map(void *state);
static int	on_map_key(void *state, const unsigned char *name, size_t bytes);
static int	on_end_map(void *state);
static int	on_start_array(void *state);
static int	on_end_array(void *state);
static int	take_value(JsonState *json, FieldKind kind, const char *text,
					   size_t bytes);
static const char *keep_text(JsonState *json, int role, const char *text,
							 size_t bytes);
static int	open_container(JsonState *json);
static int	stop(JsonState *json, WalkFault fault);

static const yajl_callbacks callbacks = {
	.yajl_null = on_null,
	.yajl_boolean = on_boolean,
	.yajl_number = on_number,
	.yajl_string = on_string,
	.yajl_start_map = on_start_map,
	.yajl_map_key = on_map_key,
	.yajl_end_map = on_end_map,
	.yajl_start_array = on_start_array,
	.yajl_end_array = on_end_array
};

/* ------------------------------------------------------------- the mapping */

void *
json_format_open(const CodecSettings *settings, FieldMap *map, char *errstr,
				 size_t errstr_size)
{
	JsonState  *json = calloc(1, sizeof(*json));

	(void) settings;
	if (json == NULL)
	{
		snprintf(errstr, errstr_size, "out of memory");
		return NULL;
	}
	json->memory = (yajl_alloc_funcs) {
		arena_malloc, arena_realloc, arena_free, &json->arena
	};
	add_node(json, NO_NODE, NULL);
	for (int role = 0; role < FIELD_ROLES; role++)
	{
		if (map->places[role] == NULL ||
			add_path(json, (FieldRole) role, map->places[role], errstr,
					 errstr_size))
			continue;
		json_format_close(json);
		return NULL;
	}
	return json;
}

void
json_format_close(void *state)
{
	JsonState  *json = state;

	for (int i = 0; i < json->node_count; i++)
		free(json->nodes[i].name);
	free(json);
}

static bool
add_path(JsonState *json, FieldRole role, char *path, char *errstr,
		 size_t errstr_size)
{
	int			node = ROOT;
	int			names = 0;
	char	   *rest;

	for (char *name = path; name != NULL; name = rest)
	{
		int			parent = node;

		rest = field_map_cut(name, '.');
		field_map_unescape(name);
		if (*name == '\0' || ++names > PATH_MAX_NAMES)
		{
			snprintf(errstr, errstr_size,
					 "the path of %s in --fields has an empty name, or more than %d names",
					 field_name(role), PATH_MAX_NAMES);
			return false;
		}
		node = find_child(json, parent, name, strlen(name));
		if (node == NO_NODE)
			node = add_node(json, parent, name);
		if (node == NO_NODE)
		{
			snprintf(errstr, errstr_size, "out of memory");
			return false;
		}
		/* a leaf has no members, and is one field only */
		if (json->nodes[node].role != FIELD_ROLES ||
			(rest == NULL && json->nodes[node].first_child != NO_NODE))
		{
			snprintf(errstr, errstr_size,
					 "the path of %s in --fields ends in that of another field, or within it",
					 field_name(role));
			return false;
		}
	}
	json->nodes[node].role = role;
	return true;
}

static int
add_node(JsonState *json, int parent, char *name)
{
	int			number = json->node_count;
	Node	   *node = &json->nodes[number];

	*node = (Node) {
		.parent = parent,.first_child = NO_NODE,.next = NO_NODE,
		.role = FIELD_ROLES
	};
	if (name != NULL && (node->name = strdup(name)) == NULL)
		return NO_NODE;
	node->bytes = name != NULL ? strlen(name) : 0;
	if (parent != NO_NODE)
	{
		node->next = json->nodes[parent].first_child;
		json->nodes[parent].first_child = number;
	}
	json->node_count++;
	return number;
}

static int
find_child(const JsonState *json, int parent, const char *name, size_t bytes)
{
	int			child = json->nodes[parent].first_child;

	/* names of one length differ in their first byte as a rule */
	while (child != NO_NODE &&
		   (json->nodes[child].bytes != bytes || bytes == 0 ||
			json->nodes[child].name[0] != name[0] ||
			memcmp(json->nodes[child].name, name, bytes) != 0))
		child = json->nodes[child].next;
	return child;
}

/* -------------------------------------------------------------- a message */

RecordVerdict
json_decode(void *state, const void *payload, size_t length,
			const FieldRules *rules, Record *record,
			const RecordDetail *detail)
{
	JsonState  *json = state;
	RecordVerdict verdict;

	if ((verdict = record_check_payload(payload, length, RECORD_MAX_BYTES,
										detail)) != FINTRANS_ACCEPTED ||
		(verdict = check_escapes(payload, length, detail))
		!= FINTRANS_ACCEPTED)
		return verdict;
	begin_message(json, payload, length);
	if ((verdict = parse(json, detail)) != FINTRANS_ACCEPTED)
		return verdict;
	return record_take_fields(record, json->fields, rules, detail);
}

/*
 * Escapes that stand for what no text may hold: a NUL, or half of a surrogate
 * pair.  In JSON a backslash is nowhere but in texts; one that is wrong in
 * other ways is left to the parser.
 */
static RecordVerdict
check_escapes(const char *payload, size_t length, const RecordDetail *detail)
{
	const char *end = payload + length;
	const char *at = payload;

	while ((at = memchr(at, '\\', (size_t) (end - at))) != NULL)
	{
		int			unit = escaped_unit(at, end);

		if (unit == 0)
			return record_refuse(detail, FINTRANS_REJECT_BAD_ENCODING,
								 "an escaped NUL at byte %zu",
								 (size_t) (at - payload) + 1);
		if (unit >= 0xD800 && unit <= 0xDFFF)
		{
			int			second = escaped_unit(at + 6, end);

			if (unit >= 0xDC00 || second < 0xDC00 || second > 0xDFFF)
				return record_refuse(detail, FINTRANS_REJECT_BAD_ENCODING,
									 "half of an escaped surrogate pair at byte %zu",
									 (size_t) (at - payload) + 1);
			at += 12;
		}
		else
			at += end - at < 2 ? 1 : 2;
	}
	return FINTRANS_ACCEPTED;
}

/* The unit of UTF-16 that a \uXXXX stands for; -1 when it is none. */
static int
escaped_unit(const char *text, const char *end)
{
	int			unit = 0;

	if (end - text < 6 || text[0] != '\\' || text[1] != 'u')
		return -1;
	for (int i = 2; i < 6; i++)
	{
		char		digit = text[i];

		unit *= 16;
		if (digit >= '0' && digit <= '9')
			unit += digit - '0';
		else if (digit >= 'a' && digit <= 'f')
			unit += digit - 'a' + 10;
		else if (digit >= 'A' && digit <= 'F')
			unit += digit - 'A' + 10;
		else
			return -1;
	}
	return unit;
}

static void
begin_message(JsonState *json, const void *payload, size_t length)
{
	json->payload = payload;
	json->length = length;
	memset(json->fields, 0, sizeof(json->fields));
	memset(json->met, 0, (size_t) json->node_count * sizeof(json->met[0]));
	json->at = ROOT;
	json->expected = ROOT;
	json->depth = 0;
	json->nodes_open = 0;
	json->fault = WALK_GOES_ON;
	arena_reset(&json->arena);
}

static RecordVerdict
parse(JsonState *json, const RecordDetail *detail)
{
	yajl_handle parser = yajl_alloc(&callbacks, &json->memory, json);
	const unsigned char *text = (const unsigned char *) json->payload;
	RecordVerdict verdict = FINTRANS_ACCEPTED;

	if (parser == NULL)
		abort();
	/* it has been validated, and better */
	yajl_config(parser, yajl_dont_validate_strings, 1);
	if (yajl_parse(parser, text, json->length) != yajl_status_ok)
		verdict = refuse_syntax(json, parser, false, detail);
	else if (yajl_complete_parse(parser) != yajl_status_ok)
		verdict = refuse_syntax(json, parser, true, detail);
	yajl_free(parser);
	return verdict;
}

/* ended: not before there was nothing more to parse. */
static RecordVerdict
refuse_syntax(const JsonState *json, yajl_handle parser, bool ended,
			  const RecordDetail *detail)
{
	size_t		at = yajl_get_bytes_consumed(parser);
	unsigned char *error;
	RecordVerdict verdict;

	switch (json->fault)
	{
		case WALK_NOT_OBJECT:
			return record_refuse(detail, FINTRANS_REJECT_BAD_SYNTAX,
								 "not an object of JSON");
		case WALK_TOO_DEEP:
			return record_refuse(detail, FINTRANS_REJECT_BAD_SYNTAX,
								 "objects and arrays nested more than %d deep at byte %zu",
								 JSON_MAX_DEPTH, at);
		case WALK_TWICE:
			return record_refuse(detail, FINTRANS_REJECT_BAD_SYNTAX,
								 "member \"%.64s\" is there twice",
								 json->nodes[json->fault_node].name);
		case WALK_GOES_ON:
			break;
	}
	if (ended)
		return record_refuse(detail, FINTRANS_REJECT_BAD_SYNTAX,
							 "not JSON: it ends too early");
	/* not verbose: then it is one of yajl's own sentences */
	error = yajl_get_error(parser, 0, NULL, 0);
	verdict = record_refuse(detail, FINTRANS_REJECT_BAD_SYNTAX,
							"not JSON at byte %zu: %.*s", at,
							(int) strcspn((const char *) error, "\n"),
							(const char *) error);
	yajl_free_error(parser, error);
	return verdict;
}

/* --------------------------------------------------------- yajl's events */

/* Each returns 1 to go on, 0 to stop. */
static int
on_null(void *state)
{
	return take_value(state, FIELD_NULL, NULL, 0);
}

static int
on_boolean(void *state, int value)
{
	(void) value;
	return take_value(state, FIELD_OTHER, NULL, 0);
}

static int
on_number(void *state, const char *text, size_t bytes)
{
	return take_value(state, FIELD_NUMBER, text, bytes);
}

static int
on_string(void *state, const unsigned char *text, size_t bytes)
{
	return take_value(state, FIELD_TEXT, (const char *) text, bytes);
}

static int
on_start_map(void *state)
{
	JsonState  *json = state;
	int			node = json->expected;

	if (!open_container(json))
		return 0;
	json->expected = NO_NODE;
	if (node == NO_NODE)
		return 1;
	if (json->nodes[node].role != FIELD_ROLES)
	{
		json->fields[json->nodes[node].role].kind = FIELD_OTHER;
		return 1;
	}
	json->at = node;
	json->nodes_open++;
	return 1;
}

static int
on_map_key(void *state, const unsigned char *name, size_t bytes)
{
	JsonState  *json = state;

	if (json->depth != json->nodes_open)
		return 1;
	json->expected = find_child(json, json->at, (const char *) name, bytes);
	if (json->expected == NO_NODE)
		return 1;
	if (json->met[json->expected])
	{
		json->fault_node = json->expected;
		return stop(json, WALK_TWICE);
	}
	json->met[json->expected] = true;
	return 1;
}

static int
on_end_map(void *state)
{
	JsonState  *json = state;

	if (json->depth == json->nodes_open)
	{
		json->at = json->nodes[json->at].parent;
		json->nodes_open--;
	}
	json->depth--;
	return 1;
}

static int
on_start_array(void *state)
{
	JsonState  *json = state;

	return take_value(json, FIELD_OTHER, NULL, 0) && open_container(json);
}

static int
on_end_array(void *state)
{
	((JsonState *) state)->depth--;
	return 1;
}

/* A value that is no object; of an array only that it begins. */
static int
take_value(JsonState *json, FieldKind kind, const char *text, size_t bytes)
{
	int			node = json->expected;
	int			role;

	if (json->depth == 0)
		return stop(json, WALK_NOT_OBJECT);
	json->expected = NO_NODE;
	if (node == NO_NODE)
		return 1;
	role = json->nodes[node].role;
	if (role != FIELD_ROLES)
		json->fields[role] = (Field) {
			kind, keep_text(json, role, text, bytes), bytes
		};
	return 1;
}

/* Where a text stays as long as the payload does. */
static const char *
keep_text(JsonState *json, int role, const char *text, size_t bytes)
{
	if (text == NULL ||
		(text >= json->payload && text <= json->payload + json->length))
		return text;
	if (bytes > FIELD_MAX_BYTES)
		return NULL;
	if (bytes > 0)
		memcpy(json->copies[role], text, bytes);
	return json->copies[role];
}

static int
open_container(JsonState *json)
{
	if (json->depth == JSON_MAX_DEPTH)
		return stop(json, WALK_TOO_DEEP);
	json->depth++;
	return 1;
}

static int
stop(JsonState *json, WalkFault fault)
{
	json->fault = fault;
	return 0;
}
