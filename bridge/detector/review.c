/*
 * A machine of steps, one function for each.  Whatever is asked can be left by
 * Ctrl-D, and nothing is written before the last answer is given.
 *
 * The connection is watched while a person thinks.  When it is lost the alert
 * is read and shown anew, for it may have been decided meanwhile, by ourselves
 * too if what got lost was the answer to a COMMIT.
 */
#include "review.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "answer.h"
#include "backoff.h"
#include "clock.h"
#include "log.h"
#include "printable.h"
#include "review_page.h"
#include "stop.h"
#include "terminal.h"
#include "text_buffer.h"

/* Decisions about the subject that are shown. */
#define DECISIONS_SHOWN 5

/* Lines of a page that are no evidence: its heading, its end, the question. */
#define OTHER_LINES 4

/* Evidence is shown even if what is above it scrolls away then. */
#define LEAST_EVIDENCE 5

typedef enum Step
{
	STEP_NEXT,					/* take the next alert */
	STEP_READ,					/* the one at hand may have changed */
	STEP_SHOW,					/* show it */
	STEP_ASK,					/* ask what is to become of it */
	STEP_LOST,					/* connect again */
	STEP_AGAIN,					/* what failed may not fail again */
	STEP_END,
	STEP_FAILED,				/* errstr says why */

	/* no steps, but what has become of a question */
	STEP_ANSWERED,				/* line has the answer */
	STEP_UNFIT,					/* what was typed is to be typed anew */
	STEP_BACK					/* Ctrl-D */
} Step;

/* What can be answered, and become of an alert. */
typedef enum Choice
{
	CHOICE_CONFIRM,
	CHOICE_DISMISS,
	CHOICE_SNOOZE,
	CHOICE_REVIEW,
	CHOICE_SKIP,
	CHOICE_EVIDENCE,
	CHOICE_QUIT,
	CHOICES
} Choice;

typedef struct Review
{
	Docket	   *docket;
	Backoff		backoff;
	bool		has_case;		/* an alert is at hand */
	bool		is_deciding;	/* what of it was written is not known */
	Choice		choice;			/* the latest */
	int64_t		counts[CHOICES];	/* how many alerts were dealt with so */
	int64_t		evidence_shown; /* rows, of the alert at hand */
	bool		is_asking;		/* a question stands in the cursor's line */
	char		line[TERMINAL_LINE_BYTES];
	char	   *errstr;
	size_t		errstr_size;
} Review;

static Step take_step(Review *review, Step step);
static Step next_case(Review *review);
static Step read_case(Review *review);
static Step show_case(Review *review);
static Step show_evidence(Review *review, bool from_start, size_t lines);
static Step ask(Review *review);
static Step confirm(Review *review);
static Step dismiss(Review *review);
static Step snooze(Review *review);
static Step begin_review(Review *review);
static Step skip(Review *review);
static Step more_evidence(Review *review);
static Step quit(Review *review);
static Step end_review(Review *review, const char *what);
static Step decide(Review *review, Decision *decision);
static Step write_decision(Review *review, const Decision *decision);
static Step decided(Review *review);
static Step reconnect(Review *review);
static Step settle(Review *review);
static Step try_again(Review *review);
static Step answer_to(Review *review, const char *question);
static Step read_line(Review *review);
static void leave_line(void *context);
static Step step_after(Review *review, DocketOutcome outcome, Step step);
static Step fail(Review *review, const char *format,...)
			__attribute__((format(printf, 2, 3)));
static void say(const char *format,...)
			__attribute__((format(printf, 1, 2)));
static void say_counts(const Review *review);

static const struct
{
	const char *word;			/* with its key in brackets */
	const char *done;			/* what an alert is then; NULL: not counted */
	Step		(*run) (Review *review);
}			choices[CHOICES] = {
	[CHOICE_CONFIRM] = {"[c]onfirm", "confirmed", confirm},
	[CHOICE_DISMISS] = {"[d]ismiss", "dismissed", dismiss},
	[CHOICE_SNOOZE] = {"[s]nooze", "snoozed", snooze},
	[CHOICE_REVIEW] = {"[r]eview", "reviewing", begin_review},
	[CHOICE_SKIP] = {"s[k]ip", "skipped", skip},
	[CHOICE_EVIDENCE] = {"[e]vidence", NULL, more_evidence},
	[CHOICE_QUIT] = {"[q]uit", NULL, quit},
};

bool
review_run(const DocketSettings *settings, char *errstr, size_t errstr_size)
{
	Review		review = {
		.docket = docket_new(settings),
		.errstr = errstr,
		.errstr_size = errstr_size
	};
	Step		step;
	bool		is_begun;

	backoff_init(&review.backoff, (uint64_t) clock_real_ms());
	if (review.docket == NULL)
		step = fail(&review, "out of memory");
	else if (docket_connect(review.docket) != DOCKET_DONE)
		step = fail(&review, "%s", docket_error(review.docket));
	else
		step = STEP_NEXT;
	is_begun = step == STEP_NEXT;
	if (isatty(STDERR_FILENO))
		log_call_before(leave_line, &review);
	while (step != STEP_END && step != STEP_FAILED)
		step = take_step(&review, step);
	log_call_before(NULL, NULL);
	if (is_begun)
		say_counts(&review);
	/* before the log tells what went wrong */
	fflush(stdout);
	docket_free(review.docket);
	return step == STEP_END;
}

static Step
take_step(Review *review, Step step)
{
	if (stop_signal() != 0)
		return STEP_END;
	switch (step)
	{
		case STEP_NEXT:
			return next_case(review);
		case STEP_READ:
			return read_case(review);
		case STEP_SHOW:
			return show_case(review);
		case STEP_LOST:
			return reconnect(review);
		case STEP_AGAIN:
			return try_again(review);
		default:
			return ask(review);
	}
}

/* ---------------------------------------------------------------- showing */

static Step
next_case(Review *review)
{
	DocketOutcome outcome;

	review->has_case = false;
	outcome = docket_next(review->docket);
	review->has_case = outcome == DOCKET_DONE;
	if (outcome != DOCKET_NONE)
		return step_after(review, outcome, STEP_SHOW);
	say("No alert is left to be reviewed.");
	return STEP_END;
}

/* It is not as it was shown, or might not be. */
static Step
read_case(Review *review)
{
	Docket	   *docket = review->docket;
	DocketOutcome outcome = docket_read(docket);
	const char *who;

	if (outcome == DOCKET_NONE)
	{
		say("Alert %" PRId64 " is gone.", docket_alert_id(docket));
		return STEP_NEXT;
	}
	/* a review of one's own goes on, whatever state is wanted of others */
	if (outcome != DOCKET_DONE ||
		docket_value(docket, CASE_WAITS)[0] == 't' ||
		docket_value(docket, CASE_IS_OWN)[0] == 't')
		return step_after(review, outcome, STEP_SHOW);
	who = docket_value(docket, CASE_REVIEWED_BY);
	if (docket_value(docket, CASE_QUIET_UNTIL) != NULL)
		say("Alert %" PRId64 " is %s, and quiet until %s.",
			docket_alert_id(docket), docket_value(docket, CASE_STATE),
			docket_value(docket, CASE_QUIET_UNTIL));
	else
		say("Alert %" PRId64 " is %s now, by %s.", docket_alert_id(docket),
			docket_value(docket, CASE_STATE), who != NULL ? who : "nobody");
	return STEP_NEXT;
}

static Step
show_case(Review *review)
{
	Docket	   *docket = review->docket;
	DocketOutcome outcome;
	size_t		lines = review_page_case(docket, stdout);

	outcome = docket_decisions(docket, DECISIONS_SHOWN);
	if (outcome != DOCKET_DONE)
		return step_after(review, outcome, STEP_ASK);
	lines += review_page_decisions(docket, stdout);
	return show_evidence(review, true, lines);
}

/* As much as fits below these lines. */
static Step
show_evidence(Review *review, bool from_start, size_t lines)
{
	DocketOutcome outcome;
	size_t		columns,
				rows;

	terminal_size(&columns, &rows);
	rows = rows > lines + OTHER_LINES + LEAST_EVIDENCE ?
		rows - lines - OTHER_LINES : LEAST_EVIDENCE;
	if (from_start)
		review->evidence_shown = 0;
	outcome = docket_evidence(review->docket, from_start, (int64_t) rows);
	if (outcome == DOCKET_DONE)
		review->evidence_shown =
			review_page_evidence(review->docket, review->evidence_shown,
								 columns, stdout);
	/* the reason may be this alert's: it is gone, or has very many */
	if (outcome != DOCKET_FATAL && outcome != DOCKET_BUSY)
		return step_after(review, outcome, STEP_ASK);
	say("The evidence cannot be shown: %s", docket_error(review->docket));
	return STEP_ASK;
}

/* ----------------------------------------------------------------- asking */

static Step
ask(Review *review)
{
	const char *words[CHOICES];
	char		question[128];
	TextBuffer	buffer = text_buffer_of(question, sizeof(question));
	size_t		choice;
	Step		step;

	for (int i = 0; i < CHOICES; i++)
	{
		words[i] = choices[i].word;
		text_buffer_add(&buffer, "%s%s", words[i],
						i < CHOICES - 1 ? " " : "? ");
	}
	step = answer_to(review, question);
	if (step != STEP_ANSWERED)
		return step == STEP_BACK ? STEP_END : step;
	choice = answer_word(review->line, words, CHOICES);
	if (choice == CHOICES)
	{
		say("That is none of these: press a letter in brackets, and Enter.");
		return STEP_ASK;
	}
	review->choice = (Choice) choice;
	return choices[choice].run(review);
}

static Step
confirm(Review *review)
{
	return end_review(review, "confirmed");
}

static Step
dismiss(Review *review)
{
	return end_review(review, "dismissed");
}

static Step
snooze(Review *review)
{
	Decision	decision = {.what = "snoozed"};
	char		reason[128];

	for (;;)
	{
		Step		step = answer_to(review, "Until when (2h, 3 days, or a time"
									 " in UTC; Ctrl-D goes back)? ");

		if (step != STEP_ANSWERED)
			return step == STEP_BACK ? STEP_ASK : step;
		if (answer_until(review->line, clock_real_ms(), &decision.until_ms,
						 reason, sizeof(reason)))
			return decide(review, &decision);
		say("%s", reason);
	}
}

/* Others are told, and somebody else may decide. */
static Step
begin_review(Review *review)
{
	return decide(review, &(Decision) {.what = "reviewing"});
}

static Step
skip(Review *review)
{
	return decided(review);
}

static Step
more_evidence(Review *review)
{
	return show_evidence(review, review->evidence_shown == 0, 0);
}

static Step
quit(Review *review)
{
	(void) review;
	return STEP_END;
}

/* --------------------------------------------------------------- deciding */

static bool
needs_another(const Review *review)
{
	return docket_value(review->docket, CASE_NEEDS_ANOTHER)[0] == 't';
}

/*
 * What would be refused is known before a note is typed; unless it has changed
 * since the page was read: then it is read again.
 */
static Step
end_review(Review *review, const char *what)
{
	DocketOutcome outcome;

	if (!needs_another(review))
		return decide(review, &(Decision) {.what = what});
	outcome = docket_read(review->docket);
	if (outcome == DOCKET_NONE)
		return STEP_READ;
	if (outcome != DOCKET_DONE || !needs_another(review))
		return step_after(review, outcome, STEP_READ);
	say("Somebody else has to decide: with separate_duties on, who begins a"
		" review does not end it.");
	return STEP_ASK;
}

/* With the note that is asked for. */
static Step
decide(Review *review, Decision *decision)
{
	char		reason[128];

	for (;;)
	{
		Step		step = answer_to(review, "Note (Enter for none, Ctrl-D goes"
									 " back): ");

		if (step != STEP_ANSWERED)
			return step == STEP_BACK ? STEP_ASK : step;
		if (answer_is_note(review->line, reason, sizeof(reason)))
			break;
		say("%s", reason);
	}
	decision->note = review->line[0] != '\0' ? review->line : NULL;
	return write_decision(review, decision);
}

static Step
write_decision(Review *review, const Decision *decision)
{
	DocketOutcome outcome = docket_decide(review->docket, decision);

	review->is_deciding = outcome == DOCKET_LOST;
	switch (outcome)
	{
		case DOCKET_DONE:
			return decided(review);
		case DOCKET_CHANGED:
			say("Somebody else was faster, or it has escalated: nothing was"
				" written.");
			return STEP_READ;
		case DOCKET_REFUSED:
			say("Nothing was written: %s", docket_error(review->docket));
			return STEP_ASK;
		default:
			return step_after(review, outcome, STEP_ASK);
	}
}

/*
 * A review that was begun goes on with what is there now: anybody may have
 * changed it since.
 */
static Step
decided(Review *review)
{
	review->counts[review->choice]++;
	say("Alert %" PRId64 ": %s.", docket_alert_id(review->docket),
		choices[review->choice].done);
	return review->choice == CHOICE_REVIEW ? STEP_READ : STEP_NEXT;
}

/* ------------------------------------------------------ a connection lost */

static Step
reconnect(Review *review)
{
	DocketOutcome outcome;

	say("The connection to the database is lost: %s",
		docket_error(review->docket));
	say("Connecting again; Ctrl-C ends.");
	fflush(stdout);
	docket_disconnect(review->docket);
	while ((outcome = docket_connect(review->docket)) == DOCKET_LOST)
	{
		stop_wait(NULL, 0, backoff_next(&review->backoff));
		if (stop_signal() != 0)
			return STEP_END;
	}
	if (outcome != DOCKET_DONE)
		return step_after(review, outcome, STEP_LOST);
	backoff_reset(&review->backoff);
	return settle(review);
}

/* Has what was on its way been written? */
static Step
settle(Review *review)
{
	bool		is_written = false;
	DocketOutcome outcome = docket_settle(review->docket, &is_written);
	bool		was_deciding = review->is_deciding;

	if (outcome != DOCKET_DONE)
		return step_after(review, outcome, STEP_LOST);
	say("Connected again.%s", !was_deciding ? "" : is_written ?
		"  The decision was written." : "  The decision is not there (yet).");
	review->is_deciding = false;
	if (was_deciding && is_written)
		return decided(review);
	return review->has_case ? STEP_READ : STEP_NEXT;
}

/*
 * The database has refused what only reads, for a reason that passes: a lock,
 * a timeout, memory.
 */
static Step
try_again(Review *review)
{
	Step		step = answer_to(review, "Enter tries again, Ctrl-D ends: ");

	if (step != STEP_ANSWERED)
		return step == STEP_BACK ? STEP_END : step;
	if (review->is_deciding)
		return settle(review);
	return review->has_case ? STEP_READ : STEP_NEXT;
}

/* ------------------------------------------------------------------- talk */

/*
 * Ask, until there is a line that is whole; STEP_ANSWERED, STEP_BACK, or where
 * to go instead.
 */
static Step
answer_to(Review *review, const char *question)
{
	Step		step;

	do
	{
		terminal_forget();
		fputs(question, stdout);
		if (fflush(stdout) != 0 || ferror(stdout))
			return fail(review, "could not write to standard output: %s",
						strerror(errno));
		review->is_asking = true;
		step = read_line(review);
		leave_line(review);
	} while (step == STEP_UNFIT);
	return step;
}

/*
 * Input of the database's is of interest only if it is its end, or something
 * that was logged has taken the question's place.
 */
static Step
read_line(Review *review)
{
	for (;;)
	{
		DocketOutcome outcome = DOCKET_DONE;

		switch (terminal_wait(review->line, docket_socket(review->docket)))
		{
			case TERMINAL_LINE:
				review->is_asking = false;
				return STEP_ANSWERED;
			case TERMINAL_UNFIT:
				review->is_asking = false;
				say("That has a NUL character, or is too long.");
				return STEP_UNFIT;
			case TERMINAL_END:
				return STEP_BACK;
			case TERMINAL_STOPPED:
				return STEP_END;
			case TERMINAL_INPUT:
				outcome = docket_consume(review->docket);
		}
		if (outcome != DOCKET_DONE)
		{
			leave_line(review);
			return step_after(review, outcome, STEP_ASK);
		}
		if (!review->is_asking)
			return STEP_UNFIT;
	}
}

/* End the line of a question that gets no answer there. */
static void
leave_line(void *context)
{
	Review	   *review = context;

	if (!review->is_asking)
		return;
	review->is_asking = false;
	fputc('\n', stdout);
	fflush(stdout);
}

/* The step, or another one when the call before it has failed. */
static Step
step_after(Review *review, DocketOutcome outcome, Step step)
{
	if (outcome == DOCKET_DONE)
		return step;
	if (outcome == DOCKET_LOST)
		return STEP_LOST;
	/* what was at hand is there no more */
	if (outcome == DOCKET_NONE)
		return STEP_READ;
	if (outcome == DOCKET_BUSY)
	{
		say("That failed: %s", docket_error(review->docket));
		return STEP_AGAIN;
	}
	return fail(review, "%s", docket_error(review->docket));
}

/* Always STEP_FAILED. */
static Step
fail(Review *review, const char *format,...)
{
	va_list		arguments;

	va_start(arguments, format);
	vsnprintf(review->errstr, review->errstr_size, format, arguments);
	va_end(arguments);
	return STEP_FAILED;
}

/* A line of its own; values in it may be anything. */
static void
say(const char *format,...)
{
	char		text[1024];
	va_list		arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	printable_write(stdout, text, PRINTABLE_ALL);
	fputc('\n', stdout);
}

static void
say_counts(const Review *review)
{
	const char *separator = "Of this session:";

	for (int i = 0; i < CHOICES; i++)
	{
		if (review->counts[i] == 0)
			continue;
		printf("%s %" PRId64 " %s", separator, review->counts[i],
			   choices[i].done);
		separator = ",";
	}
	puts(strcmp(separator, ",") == 0 ? "." : "Nothing was decided.");
}
