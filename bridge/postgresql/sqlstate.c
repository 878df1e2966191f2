/*
 * The table of error classes.  The first line that fits decides; a code that
 * fits none is fatal, unless it came up while rows were copied: then it comes
 * from a trigger, and says nothing about the rows.
 */
#include "sqlstate.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>

/* Bits for the steps a line of the table is about. */
#define AT(step) (1U << (step))
#define AT_CONNECT (AT(SQLSTATE_FIRST_CONNECT) | AT(SQLSTATE_CONNECT))
#define AT_ANY (~0U)

typedef struct SqlstateRule
{
	unsigned	steps;
	const char *prefix;			/* of the SQLSTATE */
	SqlstateClass class;
} SqlstateRule;

static const SqlstateRule rules[] = {
	/* refused at the first attempt: a mistake in the configuration; later a
	 * server that is being moved or a password that is being rotated */
	{AT(SQLSTATE_FIRST_CONNECT), "28", SQLSTATE_FATAL},
	{AT(SQLSTATE_FIRST_CONNECT), "3D000", SQLSTATE_FATAL},
	{AT(SQLSTATE_FIRST_CONNECT), "42", SQLSTATE_FATAL},
	{AT(SQLSTATE_FIRST_CONNECT), "22", SQLSTATE_FATAL},
	{AT_CONNECT, "", SQLSTATE_RETRY},

	{AT_ANY, "57P04", SQLSTATE_FATAL},	/* database dropped */
	{AT_ANY, "08", SQLSTATE_RETRY}, /* connection */
	{AT_ANY, "25", SQLSTATE_RETRY}, /* read-only server, idle timeout */
	{AT_ANY, "40", SQLSTATE_RETRY}, /* deadlock, serialization */
	{AT_ANY, "53", SQLSTATE_RETRY}, /* disk full, too many connections */
	{AT_ANY, "55", SQLSTATE_RETRY}, /* lock timeout, object in use */
	{AT_ANY, "57", SQLSTATE_RETRY}, /* shutdown, cancel */
	{AT_ANY, "58", SQLSTATE_RETRY}, /* the server's own I/O */
	{AT_ANY, "XX", SQLSTATE_RETRY}, /* concurrent update, internal */

	/* the leaf was dropped between its making and this COPY */
	{AT(SQLSTATE_COPY_ROWS), "42P01", SQLSTATE_MEND},
	{AT_ANY, "42", SQLSTATE_FATAL}, /* privileges, names */
	{AT(SQLSTATE_COPY_ROWS), "39", SQLSTATE_RETRY}, /* raised by the trigger */
	{AT_ANY, "3", SQLSTATE_FATAL},	/* catalog or schema names */
	/* what we send is not as the columns' types or COPY itself want it */
	{AT_ANY, "22P03", SQLSTATE_FATAL},
	{AT_ANY, "22P04", SQLSTATE_FATAL},
	{AT(SQLSTATE_COPY_ROWS), "", SQLSTATE_RETRY},
	{AT_ANY, "", SQLSTATE_FATAL},
};

/* Classes that the server itself uses, but for 22 and P0. */
static const char own_classes[] =
"00 01 02 03 08 09 0A 0B 0F 0L 0P 0Z 20 21 23 24 25 26 27 28 2B 2D 2F 34 38"
" 39 3B 3D 3F 40 42 44 53 54 55 57 58 72 F0 HV XX";

/* Names of our own functions begin so. */
#define OWN_FUNCTION "fintrans_"

static bool is_rows_fault(const char *sqlstate, bool has_constraint);
static bool starts_with(const char *text, const char *prefix);
static bool line_row(const char *line, size_t length, const char *relation,
					 int64_t *row);
static const char *find(const char *text, size_t length, const char *word);
static bool is_own_function(const char *line, size_t length);

SqlstateClass
sqlstate_classify(SqlstateStep step, const char *sqlstate,
				  const char *constraint, int64_t row)
{
	bool		has_constraint = constraint != NULL && *constraint != '\0';

	if (sqlstate == NULL || *sqlstate == '\0')
		return SQLSTATE_RETRY;
	if (step == SQLSTATE_COPY_ROWS && strcmp(sqlstate, "23514") == 0 &&
		!has_constraint)
		return SQLSTATE_MEND;	/* the parent has no partition for the row */
	if (step == SQLSTATE_COPY_ROWS && row > 0 &&
		is_rows_fault(sqlstate, has_constraint))
		return SQLSTATE_REJECT;
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if ((rules[i].steps & AT(step)) != 0 &&
			starts_with(sqlstate, rules[i].prefix))
			return rules[i].class;
	return SQLSTATE_FATAL;
}

int64_t
sqlstate_copy_row(const char *context, const char *relation)
{
	int64_t		row;

	if (context == NULL ||
		!line_row(context, strcspn(context, "\n"), relation, &row))
		return 0;
	return row;
}

/*
 * Each function that was running has a line in the context, and PostgreSQL
 * names the language of those that can compose a message, in any language of
 * its own: PL/pgSQL, PL/Perl and so on.  Messages of data errors (class 22)
 * can quote a value.
 */
bool
sqlstate_is_loggable(const char *sqlstate, const char *context)
{
	bool		has_own = false;
	char		class[3] = "";

	while (context != NULL && *context != '\0')
	{
		size_t		length = strcspn(context, "\n");

		if (find(context, length, "PL/") != NULL)
		{
			if (!is_own_function(context, length))
				return false;
			has_own = true;
		}
		context += length + (context[length] == '\n');
	}
	if (sqlstate == NULL || *sqlstate == '\0')
		return true;
	memcpy(class, sqlstate, strnlen(sqlstate, 2));
	return strstr(own_classes, class) != NULL ||
		(has_own && strcmp(class, "P0") == 0);
}

/* A data error that is not our encoder's, or a CHECK. */
static bool
is_rows_fault(const char *sqlstate, bool has_constraint)
{
	if (strcmp(sqlstate, "22P03") == 0 || strcmp(sqlstate, "22P04") == 0)
		return false;
	return starts_with(sqlstate, "22") ||
		(strcmp(sqlstate, "23514") == 0 && has_constraint);
}

static bool
starts_with(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

/*
 * "COPY <relation>, line <row>, column <name>", or a translation of it: the
 * word COPY and the relation stand in it in some order, and the row's number
 * is the first one outside the relation's name.
 */
static bool
line_row(const char *line, size_t length, const char *relation, int64_t *row)
{
	const char *name = find(line, length, relation);
	const char *cursor = line;
	int64_t		number = 0;

	if (name == NULL || find(line, length, "COPY") == NULL)
		return false;
	while (cursor < line + length)
	{
		if (cursor == name)
			cursor += strlen(relation);
		else if (*cursor >= '0' && *cursor <= '9')
			break;
		else
			cursor++;
	}
	for (; cursor < line + length && *cursor >= '0' && *cursor <= '9';
		 cursor++)
		if (__builtin_mul_overflow(number, 10, &number) ||
			__builtin_add_overflow(number, *cursor - '0', &number))
			return false;
	*row = number;
	return number > 0;
}

static const char *
find(const char *text, size_t length, const char *word)
{
	return memmem(text, length, word, strlen(word));
}

/* The signature's name is what stands before its parenthesis. */
static bool
is_own_function(const char *line, size_t length)
{
	const char *end = memchr(line, '(', length);
	const char *name = end;

	if (end == NULL)
		return false;
	while (name > line && (isalnum((unsigned char) name[-1]) ||
						   name[-1] == '_'))
		name--;
	return (size_t) (end - name) > strlen(OWN_FUNCTION) &&
		starts_with(name, OWN_FUNCTION);
}
