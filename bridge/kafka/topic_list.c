/*
 * Kafka's own rule for names, so that a list that could never be read is
 * refused at the start: a client would wait for its topics for ever.
 */
#include "topic_list.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool add(TopicList *list, const char *name);

const char	topic_name_rule[] =
	"1 to 249 letters, digits, dots, underscores and hyphens";

bool
topic_name_is_valid(const char *name)
{
	size_t		bytes = strlen(name);

	return bytes > 0 && bytes <= TOPIC_MAX_BYTES &&
		strcmp(name, ".") != 0 && strcmp(name, "..") != 0 &&
		name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789._-"
					"ABCDEFGHIJKLMNOPQRSTUVWXYZ")] == '\0';
}

bool
topic_list_read(TopicList *list, const char *text, char *errstr,
				size_t errstr_size)
{
	char	   *copy = strdup(text);
	char	   *rest = copy;
	bool		ok = copy != NULL;

	memset(list, 0, sizeof(*list));
	snprintf(errstr, errstr_size, "out of memory");
	while (ok && rest != NULL)
	{
		const char *name = strsep(&rest, ",");

		ok = topic_name_is_valid(name);
		if (!ok)
			snprintf(errstr, errstr_size,
					 "topics \"%.100s\": \"%.100s\" is not a name of %s",
					 text, name, topic_name_rule);
		else
			ok = add(list, name);
	}
	free(copy);
	if (!ok)
		topic_list_free(list);
	return ok;
}

void
topic_list_free(TopicList *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->names[i]);
	free(list->names);
	memset(list, 0, sizeof(*list));
}

/* Unless it is there; false when memory is short. */
static bool
add(TopicList *list, const char *name)
{
	char	  **larger;

	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->names[i], name) == 0)
			return true;
	larger = realloc(list->names, (list->count + 1) * sizeof(*larger));
	if (larger == NULL)
		return false;
	list->names = larger;
	list->names[list->count] = strdup(name);
	return list->names[list->count] != NULL && ++list->count > 0;
}
