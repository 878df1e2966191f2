/*
 * Plain lines, for any terminal.  A table's cells are cut where the row would
 * be too wide, the widest first; nothing else is cut.
 */
#include "review_page.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "printable.h"

/* Between two columns of a table. */
#define GAP "  "

/* No column gets narrower than a few letters and three dots. */
#define NARROWEST 6

/* What a kind of rule compares with its threshold. */
static const struct
{
	const char *kind;
	const char *value;
}			kinds[] = {
	{"pair_total", "total from the one account to the other"},
	{"outgoing_total", "total that left the account"},
	{"incoming_total", "total that arrived at the account"},
	{"velocity", "transactions that left the account"},
	{"structuring", "transactions that left the account, by their amounts"},
	{"fan_out", "different accounts that were paid"},
	{"fan_in", "different accounts that paid"},
	{"pass_through", "what left, as a share of what arrived"},
};

/* A line "  name      value" being written; a value may have several parts. */
static void begin_field(FILE *out, const char *name);
static void put_text(FILE *out, const char *before, const char *text);
static void put_subject(const Docket *docket, FILE *out);
static void put_value(const Docket *docket, FILE *out);
static void put_counted(const Docket *docket, FILE *out);
static void put_window(const Docket *docket, FILE *out);
static void put_raised(const Docket *docket, FILE *out);
static void put_state(const Docket *docket, FILE *out);
static const char *value_of_kind(const char *kind);
static void put_decision(const Docket *docket, int row, FILE *out);
static void put_heading(int64_t count, FILE *out);
static void measure(const Docket *docket, size_t width, size_t *widths);
static void put_row(const Docket *docket, int row, const size_t *widths,
					FILE *out);
static void put_rest(const Docket *docket, int64_t count, int64_t shown,
					 FILE *out);

size_t
review_page_case(const Docket *docket, FILE *out)
{
	static const struct
	{
		const char *name;
		void		(*put) (const Docket *docket, FILE *out);
	}			fields[] = {
		{"subject", put_subject},
		{"value", put_value},
		{"is", put_counted},
		{"window", put_window},
		{"raised", put_raised},
		{"state", put_state},
	};
	const size_t count = sizeof(fields) / sizeof(fields[0]);

	fprintf(out, "\nAlert %" PRId64 " of rule \"", docket_alert_id(docket));
	put_text(out, "", docket_value(docket, CASE_RULE));
	fprintf(out, "\" (%" PRId64 " more after it)\n", docket_left(docket));
	for (size_t i = 0; i < count; i++)
	{
		begin_field(out, fields[i].name);
		fields[i].put(docket, out);
		fputc('\n', out);
	}
	return count + 2;
}

static void
begin_field(FILE *out, const char *name)
{
	fprintf(out, "  %-9s", name);
}

/* Nothing for NULL. */
static void
put_text(FILE *out, const char *before, const char *text)
{
	if (text == NULL)
		return;
	fputs(before, out);
	printable_write(out, text, PRINTABLE_ALL);
}

static void
put_subject(const Docket *docket, FILE *out)
{
	put_text(out, "account ", docket_value(docket, CASE_ACCOUNT));
	put_text(out, "pair ", docket_value(docket, CASE_SOURCE_ACCOUNT));
	put_text(out, " -> ", docket_value(docket, CASE_TARGET_ACCOUNT));
}

static void
put_value(const Docket *docket, FILE *out)
{
	fprintf(out, "%s now, %s when raised or escalated; alerts above %s,"
			" level %s", docket_value(docket, CASE_TOTAL),
			docket_value(docket, CASE_RAISED_TOTAL),
			docket_value(docket, CASE_THRESHOLD),
			docket_value(docket, CASE_LEVEL));
}

static void
put_counted(const Docket *docket, FILE *out)
{
	fputs(value_of_kind(docket_value(docket, CASE_KIND)), out);
	put_text(out, ", from ", docket_value(docket, CASE_AMOUNT_FROM));
	put_text(out, " to below ", docket_value(docket, CASE_AMOUNT_BELOW));
	put_text(out, ", within ", docket_value(docket, CASE_WINDOW));
}

static const char *
value_of_kind(const char *kind)
{
	for (size_t i = 0; kind != NULL && i < sizeof(kinds) / sizeof(kinds[0]);
		 i++)
		if (strcmp(kinds[i].kind, kind) == 0)
			return kinds[i].value;
	return kind != NULL ? kind : "of a rule that is gone";
}

static void
put_window(const Docket *docket, FILE *out)
{
	if (docket_value(docket, CASE_WINDOW_START) == NULL)
		fputs("none, all transactions held", out);
	put_text(out, "", docket_value(docket, CASE_WINDOW_START));
	put_text(out, " to ", docket_value(docket, CASE_WINDOW_END));
}

static void
put_raised(const Docket *docket, FILE *out)
{
	put_text(out, "", docket_value(docket, CASE_RAISED_AT));
	put_text(out, ", escalated ", docket_value(docket, CASE_ESCALATED_AT));
}

static void
put_state(const Docket *docket, FILE *out)
{
	put_text(out, "", docket_value(docket, CASE_STATE));
	put_text(out, " by ", docket_value(docket, CASE_REVIEWED_BY));
	put_text(out, " since ", docket_value(docket, CASE_REVIEWED_AT));
	put_text(out, ", assigned to ", docket_value(docket, CASE_ASSIGNED_TO));
	put_text(out, ", quiet until ", docket_value(docket, CASE_QUIET_UNTIL));
}

/* --------------------------------------------------------------- decisions */

size_t
review_page_decisions(const Docket *docket, FILE *out)
{
	int			rows = docket_rows(docket);

	if (rows == 0)
	{
		fputs("Nothing was decided about this subject before.\n", out);
		return 1;
	}
	fprintf(out, "Decisions about this subject, %d of %s, the latest first:\n",
			rows, docket_row_value(docket, 0, DECISION_COUNT));
	for (int row = 0; row < rows; row++)
		put_decision(docket, row, out);
	return (size_t) rows + 1;
}

static void
put_decision(const Docket *docket, int row, FILE *out)
{
	put_text(out, "  ", docket_row_value(docket, row, DECISION_AT));
	put_text(out, " alert ", docket_row_value(docket, row, DECISION_ALERT));
	put_text(out, " (", docket_row_value(docket, row, DECISION_RULE));
	put_text(out, ") ", docket_row_value(docket, row, DECISION_WHAT));
	put_text(out, " until ", docket_row_value(docket, row, DECISION_UNTIL));
	put_text(out, " to ",
			 docket_row_value(docket, row, DECISION_ASSIGNED_TO));
	put_text(out, " by ", docket_row_value(docket, row, DECISION_BY));
	put_text(out, ": ", docket_row_value(docket, row, DECISION_NOTE));
	fputc('\n', out);
}

/* ---------------------------------------------------------------- evidence */

int64_t
review_page_evidence(const Docket *docket, int64_t shown, size_t width,
					 FILE *out)
{
	int			rows = docket_rows(docket);
	size_t		widths[EVIDENCE_COLUMNS];
	int64_t		count;

	if (rows == 0)
	{
		fputs(shown == 0 ? "No transaction of it is held.\n" :
			  shown == EVIDENCE_MOST ? "No more of it is shown here.\n" :
			  "That was all.\n", out);
		return shown;
	}
	count = strtoll(docket_row_value(docket, 0, EVIDENCE_COUNT), NULL, 10);
	if (shown == 0)
		put_heading(count, out);
	measure(docket, width, widths);
	for (int row = 0; row < rows; row++)
		put_row(docket, row, widths, out);
	put_rest(docket, count, shown + rows, out);
	return shown + rows;
}

static void
put_heading(int64_t count, FILE *out)
{
	if (count > EVIDENCE_MOST)
		fprintf(out, "Evidence, more than %d transactions:\n", EVIDENCE_MOST);
	else
		fprintf(out, "Evidence, %" PRId64 " transaction%s:\n", count,
				count == 1 ? "" : "s");
}

/* Of each column its widest cell, then less of the widest until it fits. */
static void
measure(const Docket *docket, size_t width, size_t *widths)
{
	size_t		all = 0;

	for (int column = EVIDENCE_TIME; column < EVIDENCE_COLUMNS; column++)
	{
		widths[column] = 0;
		for (int row = 0; row < docket_rows(docket); row++)
		{
			const char *cell = docket_row_value(docket, row, column);
			size_t		columns = printable_columns(cell != NULL ? cell : "");

			if (columns > widths[column])
				widths[column] = columns;
		}
		all += strlen(GAP) + widths[column];
	}
	while (all > width)
	{
		int			widest = EVIDENCE_CITY;

		for (int column = EVIDENCE_CITY; column < EVIDENCE_AMOUNT; column++)
			if (widths[column] > widths[widest])
				widest = column;
		if (widths[widest] <= NARROWEST)
			break;
		widths[widest]--;
		all--;
	}
}

static void
put_row(const Docket *docket, int row, const size_t *widths, FILE *out)
{
	for (int column = EVIDENCE_TIME; column < EVIDENCE_COLUMNS; column++)
	{
		const char *cell = docket_row_value(docket, row, column);
		const char *text = cell != NULL ? cell : "";
		size_t		columns = printable_columns(text);
		int			padding = columns < widths[column] ?
			(int) (widths[column] - columns) : 0;

		/* amounts are numbers, and line up at their ends */
		fprintf(out, GAP "%*s", column == EVIDENCE_AMOUNT ? padding : 0, "");
		columns = printable_write(out, text, widths[column]);
		if (column != EVIDENCE_AMOUNT && columns < widths[column])
			fprintf(out, "%*s", (int) (widths[column] - columns), "");
	}
	fputc('\n', out);
}

static void
put_rest(const Docket *docket, int64_t count, int64_t shown, FILE *out)
{
	if (shown == EVIDENCE_MOST && count > EVIDENCE_MOST)
		fprintf(out, GAP "and more: fintrans_evidence(%" PRId64 ") has all\n",
				docket_alert_id(docket));
	else if (count > EVIDENCE_MOST)
		fputs(GAP "and more: e shows the next ones\n", out);
	else if (shown < count)
		fprintf(out, GAP "and %" PRId64 " more: e shows them\n",
				count - shown);
}
