/*
 * libpq does not let go of a call for a signal, so the time is bounded by an
 * alarm.  Nothing is lost then: what was printed was written whole, or not at
 * all, and so was what the database was told; but whoever waits for us cannot
 * tell which, so that this is no good end.  The server is not asked to cancel
 * what it runs, which may take as long: it looks whether we are there.
 */
#include "stop.h"

#include <signal.h>
#include <unistd.h>

/* Exit status after a second signal, or when a call was cut off. */
#define EXIT_KILLED 130

/* How long a signal lets a call go on. */
#define GRACE_SECONDS 1

static volatile sig_atomic_t signal_taken = 0;

static void on_signal(int signal_number);
static void on_grace_over(int signal_number);

void
stop_take_signals(void)
{
	struct sigaction action = {.sa_handler = on_signal};

	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	action.sa_handler = on_grace_over;
	sigaction(SIGALRM, &action, NULL);
	/* a reader that goes away is an error of printing, not a silent end */
	action.sa_handler = SIG_IGN;
	sigaction(SIGPIPE, &action, NULL);
}

int
stop_signal(void)
{
	return (int) signal_taken;
}

/*
 * Signals are let in while waiting only, so that none slips in between a look
 * at signal_taken and the wait.
 */
void
stop_wait(struct pollfd *inputs, nfds_t count, int64_t timeout_ms)
{
	const struct timespec timeout = {
		.tv_sec = timeout_ms / 1000,
		.tv_nsec = timeout_ms % 1000 * 1000000
	};
	sigset_t	blocked;
	sigset_t	before;

	sigemptyset(&blocked);
	sigaddset(&blocked, SIGTERM);
	sigaddset(&blocked, SIGINT);
	sigprocmask(SIG_BLOCK, &blocked, &before);
	/* what was not waited for has brought nothing */
	if (signal_taken != 0 ||
		ppoll(inputs, count, timeout_ms < 0 ? NULL : &timeout, &before) < 0)
		for (nfds_t i = 0; i < count; i++)
			inputs[i].revents = 0;
	sigprocmask(SIG_SETMASK, &before, NULL);
}

static void
on_signal(int signal_number)
{
	if (signal_taken != 0)
		_exit(EXIT_KILLED);
	signal_taken = signal_number;
	alarm(GRACE_SECONDS);
}

static void
on_grace_over(int signal_number)
{
	(void) signal_number;
	_exit(EXIT_KILLED);
}
