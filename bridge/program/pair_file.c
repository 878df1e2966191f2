/*
 * Reads a file of pairs.  What is no pair may be a password in the wrong
 * place: errors show no more than names.
 */
#include "pair_file.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "text_file.h"

/* Room for certificates, which are written in one line. */
#define LINE_MAX_BYTES 65535

static bool add_line(PairList *pairs, TextFile *file, const char *repeatable,
					 char *errstr, size_t errstr_size);
static bool append(PairList *pairs, const char *name, const char *value,
				   uint64_t line, char *errstr, size_t errstr_size);
static bool is_repeated(const PairList *pairs, const char *repeatable);

bool
pair_file_read(PairList *pairs, const char *path, const char *repeatable,
			   char *errstr, size_t errstr_size)
{
	TextFile   *file = text_file_open(path, errstr, errstr_size);
	TextOutcome outcome = TEXT_FAILED;
	struct stat status;
	char		reason[160];

	*pairs = (PairList) {0};
	while (file != NULL &&
		   (outcome = text_file_read(file, LINE_MAX_BYTES, "\n",
									 errstr, errstr_size)) == TEXT_LINE)
	{
		if (add_line(pairs, file, repeatable, reason, sizeof(reason)))
			continue;
		snprintf(errstr, errstr_size, "file \"%s\", line %" PRIu64 ": %s",
				 path, text_file_lines(file), reason);
		outcome = TEXT_FAILED;
		break;
	}
	text_file_close(file);
	if (outcome != TEXT_END)
	{
		pair_list_free(pairs);
		return false;
	}
	pairs->is_pipe = text_file_is_pipe(path);
	pairs->is_open = stat(path, &status) == 0 && S_ISREG(status.st_mode) &&
		(status.st_mode & S_IRWXO) != 0;
	return true;
}

bool
pair_list_add(PairList *pairs, const char *text, uint64_t line,
			  char *errstr, size_t errstr_size)
{
	char	   *copy = strdup(text);
	char	   *name;
	char	   *value;
	bool		added;

	if (copy == NULL)
	{
		snprintf(errstr, errstr_size, "out of memory");
		return false;
	}
	added = pair_split(copy, &name, &value, errstr, errstr_size) &&
		append(pairs, name, value, line, errstr, errstr_size);
	free(copy);
	return added;
}

void
pair_list_free(PairList *pairs)
{
	for (size_t i = 0; i < pairs->count; i++)
	{
		free(pairs->items[i].name);
		free(pairs->items[i].value);
	}
	free(pairs->items);
	*pairs = (PairList) {0};
}

/*
 * Add the pair of a line, if it has one.  A name twice in a file is a mistake
 * that would otherwise show only in what the program does.
 */
static bool
add_line(PairList *pairs, TextFile *file, const char *repeatable,
		 char *errstr, size_t errstr_size)
{
	size_t		bytes;
	char	   *text = text_file_line(file, &bytes);

	if (strlen(text) < bytes)
	{
		snprintf(errstr, errstr_size, "holds a NUL byte");
		return false;
	}
	if (text_file_lines(file) == 1 && strncmp(text, "\xef\xbb\xbf", 3) == 0)
		text += 3;
	text = pair_trim(text);
	if (*text == '\0' || *text == '#')
		return true;
	if (!pair_list_add(pairs, text, text_file_lines(file), errstr,
					   errstr_size))
		return false;
	if (!is_repeated(pairs, repeatable))
		return true;
	snprintf(errstr, errstr_size, "\"%.64s\" was given before",
			 pairs->items[pairs->count - 1].name);
	return false;
}

bool
pair_split(char *pair, char **name, char **value,
		   char *errstr, size_t errstr_size)
{
	char	   *equals = strchr(pair, '=');

	if (equals == NULL)
	{
		snprintf(errstr, errstr_size,
				 "expected name=value, found no \"=\"");
		return false;
	}
	*equals = '\0';
	*name = pair_trim(pair);
	*value = pair_trim(equals + 1);
	if (**name == '\0')
	{
		snprintf(errstr, errstr_size,
				 "expected name=value, found no name before \"=\"");
		return false;
	}
	return true;
}

static bool
append(PairList *pairs, const char *name, const char *value, uint64_t line,
	   char *errstr, size_t errstr_size)
{
	Pair	   *items = realloc(pairs->items,
								(pairs->count + 1) * sizeof(*items));
	Pair		item = {NULL, NULL, line};

	if (items != NULL)
	{
		pairs->items = items;
		item.name = strdup(name);
		item.value = strdup(value);
	}
	if (item.name == NULL || item.value == NULL)
	{
		free(item.name);
		free(item.value);
		snprintf(errstr, errstr_size, "out of memory");
		return false;
	}
	pairs->items[pairs->count++] = item;
	return true;
}

/* Does the latest pair have the name of one before? */
static bool
is_repeated(const PairList *pairs, const char *repeatable)
{
	const char *name = pairs->items[pairs->count - 1].name;

	if (repeatable != NULL && strcmp(name, repeatable) == 0)
		return false;
	for (size_t i = 0; i + 1 < pairs->count; i++)
		if (strcmp(pairs->items[i].name, name) == 0)
			return true;
	return false;
}

/* text without blanks at its ends; cuts it in place. */
char *
pair_trim(char *text)
{
	const char *const blanks = " \t\r\n\v\f";
	size_t		bytes;

	text += strspn(text, blanks);
	bytes = strlen(text);
	while (bytes > 0 && strchr(blanks, text[bytes - 1]) != NULL)
		bytes--;
	text[bytes] = '\0';
	return text;
}
