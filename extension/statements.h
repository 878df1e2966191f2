/*
 * SQL statements of the triggers, planned once per backend.
 */
#ifndef FINTRANS_STATEMENTS_H
#define FINTRANS_STATEMENTS_H

#include "executor/spi.h"

#define STATEMENT_MAX_ARGUMENTS 10

/* Initialise text and types only; the rest is filled at the first use. */
typedef struct Statement
{
	const char *text;			/* %s stands for the quoted schema, 1 to 3
								 * times */
	int			nargs;
	Oid			types[STATEMENT_MAX_ARGUMENTS];
	bool		generic;		/* one plan for all arguments */
	Oid			schema;			/* that plan was made for */
	SPIPlanPtr	plan;
} Statement;

/*
 * Run it in the current SPI connection; snapshot is InvalidSnapshot for what
 * the isolation level says, expected the SPI_OK_... code.  Raises an error on
 * any other outcome.
 */
extern void statement_execute(Statement *statement, Oid schema,
							  Datum *arguments, Snapshot snapshot,
							  int expected);

/* An array of that type of n datums. */
extern Datum statement_array(Oid type, Datum *elements, int n);

/* The first ncolumns arguments: an array of n datums each, of their types. */
extern void statement_arrays(const Statement *statement, Datum *arguments,
							 Datum **columns, int ncolumns, int n);

#endif							/* FINTRANS_STATEMENTS_H */
