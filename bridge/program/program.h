/*
 * What the main() of every program is made of: options, the log, and the exit
 * status.
 */
#ifndef FINTRANS_PROGRAM_H
#define FINTRANS_PROGRAM_H

#include <stddef.h>

#include "options.h"

/* Beside stdlib.h's two: wrong use or configuration. */
#define EXIT_USAGE 2

/*
 * Does the program's work; the exit status.  With EXIT_USAGE errstr says what
 * is wrong; of anything else the log has told.
 */
typedef int (*ProgramRun) (const void *settings, const OptionSource *sources,
						   char *errstr, size_t errstr_size);

/*
 * Answer --help and its like, or open the log and run; the exit status.  The
 * table must have an option "log-level" of LOG_LEVELS.  For settings and
 * sources see options_parse().
 */
extern int	program_main(const OptionsProgram *program, int argc, char **argv,
						 void *settings, OptionSource *sources,
						 ProgramRun run);

/*
 * Read what program_main() has read once more: the configuration file may have
 * been changed since.  False with errstr when it is wrong now; then there is
 * nothing to free.  For settings, sources and file see options_parse().
 */
extern bool program_reread(void *settings, OptionSource *sources,
						   PairList *file, char *errstr, size_t errstr_size);

#endif							/* FINTRANS_PROGRAM_H */
