/*
 * Answers are short and typed by hand, so blanks around them and capitals make
 * no difference; what is not understood is refused, never guessed at.
 */
#include "answer.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "time_spec.h"
#include "utf8.h"

/* More than any answer but a note takes. */
#define ANSWER_BYTES 64

/* Of a time that is written with four digits. */
#define LAST_YEAR 9999

#define UNTIL_FORMS "2h, 3 days, 2w or a time like 2026-12-01T08:00"

/* Units as people write them; the first letter is that of time_spec.h. */
static const char *const units[] = {
	"s", "second", "seconds", "m", "min", "minute", "minutes", "h", "hour",
	"hours", "d", "day", "days", "w", "week", "weeks"
};

static bool copy_answer(const char *line, char *answer, size_t size);
static bool means(const char *answer, const char *word);
static bool read_duration(const char *answer, int64_t *ms);
static bool is_unit(const char *text);
static int	year_of(int64_t ms);

size_t
answer_word(const char *line, const char *const *words, size_t count)
{
	char		answer[ANSWER_BYTES];
	size_t		i = 0;

	if (!copy_answer(line, answer, sizeof(answer)))
		return count;
	while (i < count && !means(answer, words[i]))
		i++;
	return i;
}

bool
answer_until(const char *line, int64_t now_ms, int64_t *until_ms,
			 char *errstr, size_t errstr_size)
{
	char		answer[ANSWER_BYTES];
	char		reason[128];
	TimeSpec	spec = {.relative = true};
	const char *wrong = NULL;

	if (!copy_answer(line, answer, sizeof(answer)) ||
		(!read_duration(answer, &spec.ms) &&
		 !time_spec_parse(answer, &spec, reason, sizeof(reason))))
		wrong = "not " UNTIL_FORMS;
	else if (time_spec_resolve(&spec, now_ms) <= now_ms)
		wrong = "not in the future";
	else if (year_of(time_spec_resolve(&spec, now_ms)) > LAST_YEAR)
		wrong = "too far in the future";
	if (wrong == NULL)
		*until_ms = time_spec_resolve(&spec, now_ms);
	else
		snprintf(errstr, errstr_size, "that is %s", wrong);
	return wrong == NULL;
}

/*
 * A terminal that does not know UTF-8 erases a byte where a person means a
 * character, and what is left of it is none.
 */
bool
answer_is_note(const char *line, char *errstr, size_t errstr_size)
{
	const uint8_t *bytes = (const uint8_t *) line;
	size_t		length = strlen(line);

	if (utf8_valid_bytes(bytes, length) < length)
		snprintf(errstr, errstr_size, "that is not UTF-8");
	else if (utf8_has_control(bytes, length))
		snprintf(errstr, errstr_size, "that has a control character, as"
				 " an arrow key types");
	else
		return true;
	return false;
}

/* Without blanks around it; false when it is too long. */
static bool
copy_answer(const char *line, char *answer, size_t size)
{
	size_t		length;

	line += strspn(line, " \t");
	length = strlen(line);
	while (length > 0 && (line[length - 1] == ' ' || line[length - 1] == '\t'))
		length--;
	if (length >= size)
		return false;
	memcpy(answer, line, length);
	answer[length] = '\0';
	return true;
}

static bool
means(const char *answer, const char *word)
{
	const char *key = strchr(word, '[') + 1;

	if (tolower((unsigned char) answer[0]) == *key && answer[1] == '\0')
		return true;
	for (; *word != '\0'; word++)
	{
		if (*word == '[' || *word == ']')
			continue;
		if (tolower((unsigned char) *answer++) != *word)
			return false;
	}
	return *answer == '\0';
}

/* A whole number and a unit, with blanks between them or none. */
static bool
read_duration(const char *answer, int64_t *ms)
{
	size_t		digits = strspn(answer, "0123456789");
	const char *unit = answer + digits + strspn(answer + digits, " ");
	char		duration[ANSWER_BYTES + 1];
	char		reason[128];

	if (!is_unit(unit))
		return false;
	snprintf(duration, sizeof(duration), "%.*s%c", (int) digits, answer,
			 tolower((unsigned char) *unit));
	return time_spec_parse_duration(duration, ms, reason, sizeof(reason));
}

static bool
is_unit(const char *text)
{
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (strcasecmp(units[i], text) == 0)
			return true;
	return false;
}

static int
year_of(int64_t ms)
{
	int			year,
				month,
				day_of_month;

	time_spec_civil(time_spec_day(ms), &year, &month, &day_of_month);
	return year;
}
