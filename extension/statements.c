/*
 * SQL statements of the triggers, planned once per backend.
 */
#include "postgres.h"

#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "statements.h"

static void
prepare(Statement *statement, Oid schema)
{
	const char *quoted = quote_identifier(get_namespace_name(schema));
	char	   *text = psprintf(statement->text, quoted, quoted, quoted);
	SPIPlanPtr	plan = SPI_prepare_cursor(text, statement->nargs,
										  statement->types,
										  statement->generic ?
										  CURSOR_OPT_GENERIC_PLAN : 0);

	if (plan == NULL || SPI_keepplan(plan) != 0)
		elog(ERROR, "could not prepare \"%s\": %s", text,
			 SPI_result_code_string(SPI_result));
	if (statement->plan != NULL)
		SPI_freeplan(statement->plan);
	statement->plan = plan;
	statement->schema = schema;
	pfree(text);
}

void
statement_execute(Statement *statement, Oid schema, Datum *arguments,
				  Snapshot snapshot, int expected)
{
	int			result;

	if (statement->plan == NULL || statement->schema != schema)
		prepare(statement, schema);
	result = SPI_execute_snapshot(statement->plan, arguments, NULL, snapshot,
								  InvalidSnapshot, false, true, 0);
	if (result != expected)
		elog(ERROR, "could not execute \"%s\": %s", statement->text,
			 SPI_result_code_string(result));
}

Datum
statement_array(Oid type, Datum *elements, int n)
{
	Oid			element = get_element_type(type);
	int16		length;
	bool		by_value;
	char		alignment;

	get_typlenbyvalalign(element, &length, &by_value, &alignment);
	return PointerGetDatum(construct_array(elements, n, element, length,
										   by_value, alignment));
}

void
statement_arrays(const Statement *statement, Datum *arguments,
				 Datum **columns, int ncolumns, int n)
{
	int			i;

	for (i = 0; i < ncolumns; i++)
		arguments[i] = statement_array(statement->types[i], columns[i], n);
}
