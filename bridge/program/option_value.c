/*
 * Reads values strictly: what is no value of an option is refused, and the
 * error says what would be one.
 */
#include "option_value.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "options_table.h"

/* One call of option_value_set(). */
typedef struct Setting
{
	const OptionSpec *spec;
	void	   *field;
	const char *origin;
	char	   *errstr;
	size_t		errstr_size;
} Setting;

static bool set_integer(const Setting *setting, const char *text);
static bool set_choice(const Setting *setting, const char *text);
static bool set_flag(const Setting *setting, const char *text);
static bool set_list(const Setting *setting, const char *text);
static bool fail(const Setting *setting, const char *format,...)
			__attribute__((format(printf, 2, 3)));
static void *field_of(void *settings, const OptionSpec *spec);
static bool choice_is(const char *choices, const char *text);
static bool lists_are_equal(const OptionList *left, const OptionList *right);
static bool texts_are_equal(const char *left, const char *right);

void
option_value_clear(const OptionSpec *spec, void *settings)
{
	void	   *field = field_of(settings, spec);

	if (spec->type == OPTION_INTEGER)
		*(int64_t *) field = 0;
	else if (spec->type == OPTION_FLAG)
		*(bool *) field = false;
	else if (spec->type == OPTION_LIST)
		*(OptionList *) field = (OptionList) {NULL, 0};
	else
		*(const char **) field = NULL;
}

bool
option_value_set(const OptionSpec *spec, void *settings, const char *origin,
				 const char *text, char *errstr, size_t errstr_size)
{
	const Setting setting = {
		spec, field_of(settings, spec), origin, errstr, errstr_size
	};

	switch (spec->type)
	{
		case OPTION_TEXT:
			*(const char **) setting.field = text;
			return true;
		case OPTION_INTEGER:
			return set_integer(&setting, text);
		case OPTION_CHOICE:
			return set_choice(&setting, text);
		case OPTION_FLAG:
			return set_flag(&setting, text);
		case OPTION_LIST:
			return set_list(&setting, text);
	}
	return false;
}

void
option_value_text(const OptionSpec *spec, const void *settings, char *out,
				  size_t size)
{
	const void *field = (const char *) settings + spec->offset;
	const char *text = "";

	if (spec->type == OPTION_INTEGER)
	{
		snprintf(out, size, "%" PRId64, *(const int64_t *) field);
		return;
	}
	if (spec->type == OPTION_FLAG)
		text = *(const bool *) field ? "true" : "false";
	else if (spec->type != OPTION_LIST)
		text = *(const char *const *) field;
	snprintf(out, size, "%s", text != NULL ? text : "");
}

bool
option_value_equals(const OptionSpec *spec, const void *settings,
					const void *others)
{
	const void *left = (const char *) settings + spec->offset;
	const void *right = (const char *) others + spec->offset;

	if (spec->type == OPTION_INTEGER)
		return *(const int64_t *) left == *(const int64_t *) right;
	if (spec->type == OPTION_FLAG)
		return *(const bool *) left == *(const bool *) right;
	if (spec->type == OPTION_LIST)
		return lists_are_equal(left, right);
	return texts_are_equal(*(const char *const *) left,
						   *(const char *const *) right);
}

void
option_value_free(const OptionSpec *spec, void *settings)
{
	OptionList *list = field_of(settings, spec);

	if (spec->type != OPTION_LIST)
		return;
	free(list->values);
	*list = (OptionList) {NULL, 0};
}

static bool
set_integer(const Setting *setting, const char *text)
{
	const OptionSpec *spec = setting->spec;
	const char *digits = text[0] == '-' ? text + 1 : text;
	long long	value;

	errno = 0;
	value = strtoll(text, NULL, 10);
	/* strtoll() itself would take blanks, "+" and a tail of letters */
	if (digits[0] == '\0' || digits[strspn(digits, "0123456789")] != '\0' ||
		errno != 0 || value < spec->minimum || value > spec->maximum)
	{
		char		range[80];

		option_range(spec, range, sizeof(range));
		return fail(setting, "\"%.64s\" is not a whole number%s",
					text, range);
	}
	*(int64_t *) setting->field = value;
	return true;
}

static bool
set_choice(const Setting *setting, const char *text)
{
	char		choices[160];

	if (!choice_is(setting->spec->choices, text))
	{
		option_choices(setting->spec->choices, choices, sizeof(choices));
		return fail(setting, "\"%.64s\" is not one of %s",
					text,
					choices);
	}
	*(const char **) setting->field = text;
	return true;
}

static bool
set_flag(const Setting *setting, const char *text)
{
	bool	   *field = setting->field;

	if (strcasecmp(text, "true") == 0 || strcasecmp(text, "yes") == 0 ||
		strcasecmp(text, "on") == 0 || strcmp(text, "1") == 0)
		*field = true;
	else if (strcasecmp(text, "false") == 0 || strcasecmp(text, "no") == 0 ||
			 strcasecmp(text, "off") == 0 || strcmp(text, "0") == 0)
		*field = false;
	else
		return fail(setting, "\"%.64s\" is neither true nor false",
					text);
	return true;
}

static bool
set_list(const Setting *setting, const char *text)
{
	OptionList *list = setting->field;
	const char **values = realloc(list->values,
								  (list->count + 1) * sizeof(*values));

	if (values == NULL)
		return fail(setting, "out of memory");
	values[list->count++] = text;
	list->values = values;
	return true;
}


static bool
lists_are_equal(const OptionList *left, const OptionList *right)
{
	if (left->count != right->count)
		return false;
	for (size_t i = 0; i < left->count; i++)
		if (!texts_are_equal(left->values[i], right->values[i]))
			return false;
	return true;
}

/* NULL equals itself alone. */
static bool
texts_are_equal(const char *left, const char *right)
{
	if (left == NULL || right == NULL)
		return left == right;
	return strcmp(left, right) == 0;
}


/* Always false. */
static bool
fail(const Setting *setting, const char *format,...)
{
	char		reason[300];
	va_list		arguments;

	va_start(arguments, format);
	vsnprintf(reason, sizeof(reason), format, arguments);
	va_end(arguments);
	snprintf(setting->errstr, setting->errstr_size, "%s: %s", setting->origin,
			 reason);
	return false;
}

static void *
field_of(void *settings, const OptionSpec *spec)
{
	return (char *) settings + spec->offset;
}

static bool
choice_is(const char *choices, const char *text)
{
	size_t		bytes = strlen(text);

	if (bytes == 0 || strchr(text, '|') != NULL)
		return false;
	for (const char *c = choices; *c != '\0';)
	{
		size_t		choice_bytes = strcspn(c, "|");

		if (choice_bytes == bytes && memcmp(c, text, bytes) == 0)
			return true;
		c += choice_bytes;
		c += *c == '|';
	}
	return false;
}
