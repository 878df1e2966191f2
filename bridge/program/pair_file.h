/*
 * A text file of lines name=value, such as librdkafka's properties and our own
 * options: # comments, blanks around name and value trimmed, CRLF, a byte
 * order mark and a missing last newline accepted.
 */
#ifndef FINTRANS_PAIR_FILE_H
#define FINTRANS_PAIR_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Pair
{
	char	   *name;
	char	   *value;
	uint64_t	line;			/* of the file, from 1; 0 for none */
} Pair;

/* Begin with {0}. */
typedef struct PairList
{
	Pair	   *items;
	size_t		count;
	bool		is_open;		/* a file that everybody may read or write */
	bool		is_pipe;		/* a file that cannot be read again */
} PairList;

/*
 * Read the pairs in their order.  False, with nothing to free and errstr naming
 * file and line but no value, when that fails or a name comes twice, unless it
 * is `repeatable` (NULL for none).
 */
extern bool pair_file_read(PairList *pairs, const char *path,
						   const char *repeatable,
						   char *errstr, size_t errstr_size);

/* Add name=value, split as in a file; what is no pair is not repeated. */
extern bool pair_list_add(PairList *pairs, const char *text, uint64_t line,
						  char *errstr, size_t errstr_size);

/*
 * Split name=value in place, without the blanks around both.  What is no pair
 * is not repeated in errstr: it may be a password in the wrong place.
 */
extern bool pair_split(char *pair, char **name, char **value,
					   char *errstr, size_t errstr_size);

/* The text without the blanks around it, which is cut in place. */
extern char *pair_trim(char *text);

extern void pair_list_free(PairList *pairs);

#endif							/* FINTRANS_PAIR_FILE_H */
