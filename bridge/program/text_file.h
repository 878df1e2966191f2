/*
 * A text file read line by line, each of bounded length, with errors that name
 * file and line.
 */
#ifndef FINTRANS_TEXT_FILE_H
#define FINTRANS_TEXT_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum TextOutcome
{
	TEXT_LINE,
	TEXT_END,
	TEXT_FAILED					/* errstr says what and where */
} TextOutcome;

typedef struct TextFile TextFile;

/* Open for reading, "-" is standard input; NULL with errstr on failure. */
extern TextFile *text_file_open(const char *path,
								char *errstr, size_t errstr_size);

/*
 * Read the next line of at most maximum bytes.  With line_end "\n" a line ends
 * there, with "\r\n" at either of the two.
 */
extern TextOutcome text_file_read(TextFile *file, size_t maximum,
								  const char *line_end,
								  char *errstr, size_t errstr_size);

/*
 * The line read last with its end, if it had one, and a NUL after it; valid
 * until the next call.  It may hold NULs of its own.
 */
extern char *text_file_line(const TextFile *file, size_t *bytes);

/* How many lines have been read, "\n" being what ends one. */
extern uint64_t text_file_lines(const TextFile *file);

/* Can it be read only once, as standard input or a shell's <(command)? */
extern bool text_file_is_pipe(const char *path);

/* file may be NULL. */
extern void text_file_close(TextFile *file);

#endif							/* FINTRANS_TEXT_FILE_H */
