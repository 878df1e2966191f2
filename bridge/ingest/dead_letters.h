/*
 * --dead-letters: reads the dead letters of the table again, with the options
 * as they are now, and has those that can be read replayed, each exactly once.
 * Needs no Kafka, and goes on beside bridges that load.
 */
#ifndef FINTRANS_DEAD_LETTERS_H
#define FINTRANS_DEAD_LETTERS_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

#include "codec.h"
#include "time_spec.h"
#include "topic_list.h"

#define DEAD_LETTERS_ACTIONS "test|replay"

typedef struct DeadLettersSettings
{
	const char *database;
	const char *topics;			/* NAME,.. whose dead letters are read */
	const char *currency;		/* NULL for the installation's */
	Codec	   *codec;
	TimeRange	time_range;
	bool		replay;			/* or only say what would be replayed */
	const volatile sig_atomic_t *stop;	/* end soon when it is set */
} DeadLettersSettings;

/*
 * Read them all, once, and print what has come of them on standard output.
 * False with errstr when that failed, and nothing is printed unless something
 * was replayed before, which stays so; the next run goes on.
 */
extern bool dead_letters_run(const DeadLettersSettings *settings,
							 char *errstr, size_t errstr_size);

#endif							/* FINTRANS_DEAD_LETTERS_H */
