/*
 * Writes troff with the macros of man(7).  All text that comes from the table
 * goes through print_text(), which leaves nothing for troff to take as its own.
 */
#include "man_page.h"

#include <ctype.h>
#include <string.h>

#include "options_table.h"

/* All that are installed together. */
static const char *const programs[] = {
	"fintrans-bridge", "fintrans-broker", "fintrans-detector",
	"fintrans-generator", NULL
};

static void print_title(const OptionsProgram *program, FILE *out);
static void print_options(const OptionsProgram *program, FILE *out);
static void print_option(const OptionSpec *spec, FILE *out);
static void print_built_in(FILE *out);
static void print_variables(const OptionsProgram *program, FILE *out);
static void print_others(const OptionsProgram *program, FILE *out);
static void print_text(const char *text, FILE *out);
static void print_lines(const char *text, FILE *out);

void
man_page_print(const OptionsProgram *program, FILE *out)
{
	char		text[OPTIONS_RELOADED_BYTES];

	print_title(program, out);
	fprintf(out, ".SH DESCRIPTION\n");
	print_lines(program->purpose, out);
	fprintf(out, ".SH OPTIONS\n");
	print_options(program, out);
	print_built_in(out);
	fprintf(out, ".SH CONFIGURATION\n");
	print_lines(OPTIONS_PRECEDENCE, out);
	options_describe_reloaded(program, text, sizeof(text));
	if (text[0] != '\0')
	{
		fprintf(out, ".PP\n");
		print_lines(text, out);
	}
	print_variables(program, out);
	fprintf(out, ".SH EXIT STATUS\n.TP\n.B 0\n");
	print_lines(program->success, out);
	fprintf(out, ".TP\n.B 1\nfailed, for the reason logged\n"
			".TP\n.B 2\nwrong use or configuration\n");
	print_others(program, out);
}

/* The purpose's first sentence is what whatis(1) shows. */
static void
print_title(const OptionsProgram *program, FILE *out)
{
	char		first[200];

	snprintf(first, sizeof(first), "%.*s",
			 (int) strcspn(program->purpose, ".:"), program->purpose);
	first[0] = (char) tolower((unsigned char) first[0]);
	fprintf(out, ".TH \"");
	for (const char *c = program->name; *c != '\0'; c++)
		fputc(toupper((unsigned char) *c), out);
	fprintf(out, "\" \"1\" \"\" \"fintrans " FINTRANS_VERSION
			"\" \"fintrans\"\n.SH NAME\n");
	print_text(program->name, out);
	fprintf(out, " \\- ");
	print_lines(first, out);
	fprintf(out, ".SH SYNOPSIS\n.B ");
	print_lines(program->name, out);
	fprintf(out, "[\\fIOPTION\\fR]...\n");
}

static void
print_options(const OptionsProgram *program, FILE *out)
{
	for (const OptionSpec *spec = program->specs; spec->name != NULL; spec++)
	{
		if (!option_is_heading(spec))
		{
			print_option(spec, out);
			continue;
		}
		fprintf(out, ".SS ");
		print_lines(spec->help, out);
	}
}

static void
print_option(const OptionSpec *spec, FILE *out)
{
	bool		is_short = option_is_short(spec);
	char		text[2048];
	char		values[256];

	fprintf(out, ".TP\n\\fB%s", is_short ? "\\-" : "\\-\\-");
	print_text(spec->name, out);
	fprintf(out, "\\fR");
	if (spec->argument != NULL)
	{
		fprintf(out, "%s\\fI", is_short ? " " : "=");
		print_text(spec->argument, out);
		fprintf(out, "\\fR");
	}
	fprintf(out, "\n");
	option_describe(spec, values, sizeof(values));
	snprintf(text, sizeof(text), "%s%s", spec->help, values);
	print_lines(text, out);
}

/* Those that need no table. */
static void
print_built_in(FILE *out)
{
	fprintf(out, ".SS Information\n");
	for (const OptionBuiltIn *option = options_built_in; option->name != NULL;
		 option++)
	{
		fprintf(out, ".TP\n\\fB\\-\\-");
		print_text(option->name, out);
		fprintf(out, "\\fR%s\n", option->argument);
		print_lines(option->help, out);
	}
}

static void
print_variables(const OptionsProgram *program, FILE *out)
{
	fprintf(out, ".SH ENVIRONMENT\n.TP\n.B " OPTIONS_FILE_VARIABLE
			"\nThe file of \\fB\\-\\-config\\fR.\n");
	for (const OptionSpec *spec = program->specs; spec->name != NULL; spec++)
	{
		if (option_is_heading(spec) || spec->environment == NULL)
			continue;
		fprintf(out, ".TP\n.B %s", spec->environment);
		if (spec->older_environment != NULL)
			fprintf(out, " \\fRor\\fB %s", spec->older_environment);
		fprintf(out, "\nSets \\fB\\-\\-");
		print_text(spec->name, out);
		fprintf(out, "\\fR.\n");
	}
}

static void
print_others(const OptionsProgram *program, FILE *out)
{
	const char *separator = "";

	fprintf(out, ".SH SEE ALSO\n");
	for (const char *const *name = programs; *name != NULL; name++)
	{
		if (strcmp(*name, program->name) == 0)
			continue;
		fprintf(out, "%s.BR ", separator);
		print_text(*name, out);
		fprintf(out, " (1)");
		separator = ",\n";
	}
	fprintf(out, "\n");
}

/* Without a line's end; an empty one would be a paragraph. */
static void
print_text(const char *text, FILE *out)
{
	bool		at_start = true;

	for (; *text != '\0'; text++)
	{
		/* what a line begins with could be a macro */
		if (at_start && (*text == '.' || *text == '\''))
			fprintf(out, "\\&");
		if (*text == '\\')
			fprintf(out, "\\e");
		else if (*text == '-')
			fprintf(out, "\\-");
		else if (*text == '"')
			fprintf(out, "\\(dq");
		else
			fputc(*text, out);
		at_start = *text == '\n';
	}
}

/* A sentence a line, as troff likes it. */
static void
print_lines(const char *text, FILE *out)
{
	char		line[2048];
	size_t		bytes = 0;

	for (const char *c = text; *c != '\0' && bytes + 2 < sizeof(line); c++)
	{
		if (c[0] == ' ' && c[1] == ' ')
		{
			line[bytes++] = '\n';
			c += strspn(c, " ") - 1;
		}
		else
			line[bytes++] = *c;
	}
	line[bytes++] = '\n';
	line[bytes] = '\0';
	print_text(line, out);
}
