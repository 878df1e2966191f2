/*
 * Keeps a trouble that comes again and again from filling the log: of each
 * kind one report in a while.  Pure: the caller passes the present moment in.
 */
#ifndef FINTRANS_TROUBLE_H
#define FINTRANS_TROUBLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Kinds kept apart; more share the last place. */
#define TROUBLE_KINDS 32

/* The same kind is reported once in this time. */
#define TROUBLE_REPORT_MS 30000

typedef struct TroubleKind
{
	int			code;
	int64_t		next_ms;		/* when it may be reported again, monotonic */
	int64_t		suppressed;		/* since its latest report */
} TroubleKind;

/* Begin with {0}. */
typedef struct Trouble
{
	TroubleKind kinds[TROUBLE_KINDS];
	size_t		count;
} Trouble;

/*
 * Is trouble of this kind to be reported now?  suppressed gets how often it
 * was not, since the last time.
 */
extern bool trouble_is_due(Trouble *trouble, int code, int64_t now_ms,
						   int64_t *suppressed);

/* It is over: the next of this kind is news. */
extern void trouble_forget(Trouble *trouble, int code);

/* A code for a trouble that has none but its text. */
extern int	trouble_code(const char *text);

#endif							/* FINTRANS_TROUBLE_H */
