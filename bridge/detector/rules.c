/*
 * A name is a rule's only if the rule is there: one that was mistyped would
 * make a rule of which nobody knows, so it takes a threshold to make one, or
 * that no name was given at all.
 */
#include "rules.h"

#include <stdlib.h>

#include "array_text.h"
#include "log.h"

static ListenerOutcome rule_exists(Listener *listener, const char *name,
								   bool *exists);
static ListenerOutcome make_rule(Listener *listener,
								 const RulesSettings *settings);
static ListenerOutcome log_rules(Listener *listener,
								 const RulesSettings *settings);
static void log_rule(Listener *listener, int row,
					 const RulesSettings *settings);

char *
rules_array(const OptionList *names)
{
	ArrayText	array = {0};

	for (size_t i = 0; i < names->count; i++)
		array_text_add_text(&array, names->values[i]);
	if (array_text_finish(&array) == NULL)
		array_text_free(&array);
	return array.text;
}

ListenerOutcome
rules_check(Listener *listener, const OptionList *names)
{
	char	   *array = rules_array(names);
	const char *const parameters[] = {array};
	ListenerOutcome outcome;

	if (array == NULL)
		return listener_fail(listener, LISTENER_FATAL, "out of memory");
	outcome = listener_run(listener, parameters, 1,
						   "SELECT n.name, coalesce((SELECT string_agg("
						   "format('\"%%s\"', r.name), ', ' ORDER BY r.name)"
						   " FROM %s.fintrans_rules r), 'none')"
						   " FROM unnest($1::text[]) n (name)"
						   " WHERE NOT EXISTS (SELECT FROM %s.fintrans_rules r"
						   " WHERE r.name = n.name)",
						   listener_schema(listener),
						   listener_schema(listener));
	free(array);
	if (outcome == LISTENER_DONE && listener_rows(listener) > 0)
		outcome = listener_fail(listener, LISTENER_FATAL, "there is no rule"
								" \"%.80s\"; there are: %s",
								listener_value(listener, 0, 0),
								listener_value(listener, 0, 1));
	return outcome;
}

/* One that exists keeps its own threshold when the user named none. */
ListenerOutcome
rules_prepare(Listener *listener, const RulesSettings *settings)
{
	bool		exists = false;
	ListenerOutcome outcome = LISTENER_DONE;

	if (settings->names_given && !settings->threshold_given)
		outcome = rules_check(listener, &settings->names);
	else
	{
		if (!settings->threshold_given)
			outcome = rule_exists(listener, settings->names.values[0],
								  &exists);
		if (outcome == LISTENER_DONE && !exists)
			outcome = make_rule(listener, settings);
	}
	if (outcome == LISTENER_DONE)
		outcome = log_rules(listener, settings);
	return outcome;
}

static ListenerOutcome
rule_exists(Listener *listener, const char *name, bool *exists)
{
	ListenerOutcome outcome;

	outcome = listener_run(listener, &name, 1,
						   "SELECT FROM %s.fintrans_rules WHERE name = $1",
						   listener_schema(listener));
	*exists = outcome == LISTENER_DONE && listener_rows(listener) == 1;
	return outcome;
}

static ListenerOutcome
make_rule(Listener *listener, const RulesSettings *settings)
{
	const char *name = settings->names.values[0];
	const char *const parameters[] = {name, settings->threshold};
	bool		exists = false;
	ListenerOutcome outcome;

	outcome = listener_run(listener, parameters, 2,
						   "SELECT %s.fintrans_set_rule($1, $2::numeric)",
						   listener_schema(listener));
	/* the role may not, or a standby cannot: then it is as it is */
	if (outcome == LISTENER_DONE ||
		(!listener_failed_with(listener, "42501") &&
		 !listener_failed_with(listener, "25006")))
		return outcome;
	outcome = rule_exists(listener, name, &exists);
	if (outcome == LISTENER_DONE && !exists)
		outcome = listener_fail(listener, LISTENER_FATAL, "rule \"%s\" does"
								" not exist, and this role may not make it",
								name);
	return outcome;
}

static ListenerOutcome
log_rules(Listener *listener, const RulesSettings *settings)
{
	char	   *array = rules_array(&settings->names);
	const char *const parameters[] = {array, settings->threshold};
	ListenerOutcome outcome;

	if (array == NULL)
		return listener_fail(listener, LISTENER_FATAL, "out of memory");
	outcome = listener_run(listener, parameters, 2,
						   "SELECT name, threshold, enabled,"
						   " threshold = $2::numeric"
						   " FROM %s.fintrans_rules WHERE name = ANY ($1)"
						   " ORDER BY name", listener_schema(listener));
	free(array);
	for (int row = 0; outcome == LISTENER_DONE &&
		 row < listener_rows(listener); row++)
		log_rule(listener, row, settings);
	return outcome;
}

static void
log_rule(Listener *listener, int row, const RulesSettings *settings)
{
	const char *event = "rule in use";
	LogLevel	level = LOG_LEVEL_WARNING;

	if (settings->threshold_given && listener_value(listener, row, 3)[0] != 't')
		event = "rule left as it is, this role may not change it";
	else if (listener_value(listener, row, 2)[0] != 't')
		event = "rule is disabled";
	else
		level = LOG_LEVEL_INFO;
	log_write(level, event, "rule=%s threshold=%s",
			  log_quote(listener_value(listener, row, 0),
						(char[256]) {0}, 256),
			  listener_value(listener, row, 1));
}
