/*
 * Reads lines into a buffer that grows up to a limit: a device without line
 * ends must not take all memory.
 */
#include "text_file.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct TextFile
{
	char	   *path;
	FILE	   *file;
	char	   *line;
	size_t		bytes;			/* of the line, without the NUL after it */
	size_t		size;
	uint64_t	lines;
};

static bool add_byte(TextFile *file, char byte);

TextFile *
text_file_open(const char *path, char *errstr, size_t errstr_size)
{
	TextFile   *file = calloc(1, sizeof(*file));

	if (file == NULL || (file->path = strdup(path)) == NULL)
	{
		snprintf(errstr, errstr_size, "out of memory");
		text_file_close(file);
		return NULL;
	}
	file->file = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
	if (file->file == NULL)
	{
		snprintf(errstr, errstr_size, "could not open file \"%s\": %s", path,
				 strerror(errno));
		text_file_close(file);
		return NULL;
	}
	return file;
}

TextOutcome
text_file_read(TextFile *file, size_t maximum, const char *line_end,
			   char *errstr, size_t errstr_size)
{
	bool		end_at_return = line_end[0] == '\r';
	int			c;

	file->bytes = 0;
	while ((c = getc_unlocked(file->file)) != EOF)
	{
		if (file->bytes == maximum && c != '\n' &&
			!(c == '\r' && end_at_return))
		{
			snprintf(errstr, errstr_size,
					 "file \"%s\", line %" PRIu64 ": longer than %zu bytes",
					 file->path, file->lines + 1, maximum);
			return TEXT_FAILED;
		}
		if (!add_byte(file, (char) c))
		{
			snprintf(errstr, errstr_size, "out of memory");
			return TEXT_FAILED;
		}
		if (c == '\n')
			file->lines++;
		if (c == '\n' || (c == '\r' && end_at_return))
			return TEXT_LINE;
	}
	if (ferror(file->file))
	{
		snprintf(errstr, errstr_size, "could not read file \"%s\": %s",
				 file->path, strerror(errno));
		return TEXT_FAILED;
	}
	if (file->bytes == 0)
		return TEXT_END;
	file->lines++;
	return TEXT_LINE;
}

char *
text_file_line(const TextFile *file, size_t *bytes)
{
	*bytes = file->bytes;
	return file->line;
}

uint64_t
text_file_lines(const TextFile *file)
{
	return file->lines;
}

bool
text_file_is_pipe(const char *path)
{
	struct stat status;

	return strcmp(path, "-") == 0 ||
		(stat(path, &status) == 0 &&
		 (S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode)));
}

void
text_file_close(TextFile *file)
{
	if (file == NULL)
		return;
	if (file->file != NULL && file->file != stdin)
		fclose(file->file);
	free(file->path);
	free(file->line);
	free(file);
}

/* Keep a NUL after the last byte. */
static bool
add_byte(TextFile *file, char byte)
{
	if (file->bytes + 1 >= file->size)
	{
		size_t		size = 2 * file->size + 256;
		char	   *line = realloc(file->line, size);

		if (line == NULL)
			return false;
		file->line = line;
		file->size = size;
	}
	file->line[file->bytes++] = byte;
	file->line[file->bytes] = '\0';
	return true;
}
