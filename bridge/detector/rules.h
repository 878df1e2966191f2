/*
 * The rules whose alerts are wanted: they are there, or one is made, or given
 * the threshold that the user asked for.
 */
#ifndef FINTRANS_RULES_H
#define FINTRANS_RULES_H

#include <stdbool.h>

#include "listener.h"
#include "options.h"

typedef struct RulesSettings
{
	OptionList	names;			/* one at least */
	bool		names_given;	/* by the user: they must be there */
	const char *threshold;		/* of the one rule, an unsigned decimal */
	bool		threshold_given;	/* by the user: the rule takes it */
} RulesSettings;

/* The names as an array of SQL, to be freed; NULL when memory is short. */
extern char *rules_array(const OptionList *names);

/* Are all of these there?  The error names those that are. */
extern ListenerOutcome rules_check(Listener *listener,
								   const OptionList *names);

/*
 * Make or adjust the one rule where the user wants that, as far as the role
 * may, and log what the rules are then.
 */
extern ListenerOutcome rules_prepare(Listener *listener,
									 const RulesSettings *settings);

#endif							/* FINTRANS_RULES_H */
