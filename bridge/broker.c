/*
 * fintrans-broker: librdkafka's mock cluster as an embedded Kafka for demos
 * and tests, with faults on command.
 *
 * The cluster runs in threads of librdkafka's own.  This thread prints where
 * it listens, then waits for commands on standard input and for a signal to
 * stop; the end of standard input is no reason to stop.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "mock_cluster.h"
#include "program.h"

#define PROGRAM "fintrans-broker"
#define COMMAND_MAX_BYTES 1024

typedef struct Settings
{
	const char *topics;
	int64_t		partitions;
	int64_t		broker_count;
	const char *log_level;
} Settings;

/* A line from standard input on its way. */
typedef struct CommandLine
{
	char		text[COMMAND_MAX_BYTES];
	size_t		bytes;
	bool		too_long;		/* the rest is dropped up to its newline */
} CommandLine;

static const OptionSpec specs[] = {
	{"topics", "FINTRANS_TOPICS", NULL, OPTION_TEXT,
		offsetof(Settings, topics), "NAME,...", "London,NYC,SF,Moscow,Tokyo",
		0, 0, NULL, false, "Topics to create."},
	{"partitions", "FINTRANS_PARTITIONS", NULL, OPTION_INTEGER,
		offsetof(Settings, partitions), "N", "4", 1, 1000, NULL, false,
		"Partitions of each topic."},
	{"broker-count", NULL, NULL, OPTION_INTEGER,
		offsetof(Settings, broker_count), "N", "1", 1, 9, NULL, false,
		"Brokers of the cluster, each on a port of its own: more than one "
		"for tests that move leaders and coordinators."},
	{"log-level", "FINTRANS_LOG_LEVEL", NULL, OPTION_CHOICE,
		offsetof(Settings, log_level), "LEVEL", "info", 0, 0, LOG_LEVELS,
		false, "What is logged on standard error."},
	{NULL}
};

static const OptionsProgram program = {
	PROGRAM,
	"An embedded Kafka broker for demos and tests, on a port of 127.0.0.1 "
	"that the system chooses.  It keeps messages in memory only, the newest "
	"5 MiB of each partition, and forgets them when it stops: never for data "
	"that matters.  A topic that anybody asks for is made.\n\n"
	"Once ready it prints bootstrap.servers=HOST:PORT on standard output.  "
	"It runs until SIGTERM or SIGINT, and obeys commands on standard input, "
	"one a line, each answered by \"ok\" or \"error: reason\".  BROKER is a "
	"number from 1 on, API a request such as Fetch or Produce, ERROR a code "
	"such as NOT_LEADER_FOR_PARTITION, or _TRANSPORT to disconnect:\n"
	"  down [BROKER]           refuse and cut connections\n"
	"  up [BROKER]             accept them again\n"
	"  rtt MILLISECONDS        delay every answer\n"
	"  error API ERROR COUNT   fail the next COUNT requests\n"
	"  clear API               fail no more of them\n"
	"  topic NAME PARTITIONS   create a topic\n"
	"  topic-error NAME ERROR  report it in metadata; NO_ERROR ends it\n"
	"  leader TOPIC PARTITION BROKER\n"
	"                          move a partition; -1 leaves it without\n"
	"  coordinator GROUP BROKER\n"
	"                          move a consumer group",
	"ended by a signal",
	specs, NULL
};

static volatile sig_atomic_t stop_signal = 0;

static int	broker_main(const void *options, const OptionSource *sources,
						char *errstr, size_t errstr_size);
static int	run(MockCluster *mock, const Settings *settings, char *errstr,
				size_t errstr_size);
static void take_signals(sigset_t *while_waiting);
static void on_signal(int signal_number);
static bool create_topics(MockCluster *mock, const Settings *settings);
static bool serve(MockCluster *mock, const sigset_t *while_waiting);
static bool read_commands(MockCluster *mock, CommandLine *line, bool *ended);
static bool take_byte(MockCluster *mock, CommandLine *line, char c);
static bool say(const char *format,...)
			__attribute__((format(printf, 1, 2)));

int
main(int argc, char **argv)
{
	Settings	settings;
	OptionSource sources[sizeof(specs) / sizeof(specs[0])];

	return program_main(&program, argc, argv, &settings, sources, broker_main);
}

static int
broker_main(const void *options, const OptionSource *sources,
			char *errstr, size_t errstr_size)
{
	MockCluster *mock = mock_cluster_new();
	int			status = EXIT_FAILURE;

	(void) sources;
	if (mock == NULL)
		log_write(LOG_LEVEL_ERROR, "could not start",
				  "reason=\"out of memory\"");
	else
		status = run(mock, options, errstr, errstr_size);
	mock_cluster_free(mock);
	return status;
}

/* The exit status. */
static int
run(MockCluster *mock, const Settings *settings, char *errstr,
	size_t errstr_size)
{
	sigset_t	while_waiting;

	/* first of all, so that the threads of librdkafka leave signals to us */
	take_signals(&while_waiting);
	if (!mock_cluster_open(mock, (int) settings->broker_count))
	{
		log_write(LOG_LEVEL_ERROR, "could not start", "reason=%s",
				  log_quote(mock_cluster_error(mock), (char[512]) {0}, 512));
		return EXIT_FAILURE;
	}
	/* only a name that is wrong, or there twice, keeps a topic from it */
	if (!create_topics(mock, settings))
	{
		snprintf(errstr, errstr_size, "option --topics: %s",
				 mock_cluster_error(mock));
		return EXIT_USAGE;
	}
	if (!say("bootstrap.servers=%s\n", mock_cluster_bootstrap(mock)) ||
		!serve(mock, &while_waiting))
		return EXIT_FAILURE;
	log_write(LOG_LEVEL_INFO, "stopping", "signal=%d", (int) stop_signal);
	return EXIT_SUCCESS;
}

/* SIGTERM and SIGINT are delivered while waiting only. */
static void
take_signals(sigset_t *while_waiting)
{
	struct sigaction action = {.sa_handler = on_signal};
	sigset_t	blocked;

	sigemptyset(&blocked);
	sigaddset(&blocked, SIGTERM);
	sigaddset(&blocked, SIGINT);
	pthread_sigmask(SIG_BLOCK, &blocked, while_waiting);
	sigdelset(while_waiting, SIGTERM);
	sigdelset(while_waiting, SIGINT);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);

	action.sa_handler = SIG_IGN;
	sigaction(SIGPIPE, &action, NULL);
	/* in the background of a terminal, a read shall fail and not stop us */
	sigaction(SIGTTIN, &action, NULL);
}

static void
on_signal(int signal_number)
{
	stop_signal = signal_number;
}

static bool
create_topics(MockCluster *mock, const Settings *settings)
{
	const char *next = settings->topics;

	for (;;)
	{
		size_t		bytes = strcspn(next, ",");
		char		name[256];

		/* a name cut here is still too long to be one */
		snprintf(name, sizeof(name), "%.*s", (int) bytes, next);
		if (!mock_cluster_create_topic(mock, name, settings->partitions))
			return false;
		if (next[bytes] == '\0')
			return true;
		next += bytes + 1;
	}
}

/* Obey commands until a signal says stop; false when answers get nowhere. */
static bool
serve(MockCluster *mock, const sigset_t *while_waiting)
{
	CommandLine line = {.bytes = 0};
	bool		ended = false;

	while (stop_signal == 0)
	{
		struct pollfd input = {STDIN_FILENO, POLLIN, 0};
		int			ready = ppoll(&input, ended ? 0 : 1, NULL, while_waiting);

		if (ready < 0 && errno != EINTR)
		{
			log_write(LOG_LEVEL_ERROR, "could not wait for commands",
					  "reason=%s",
					  log_quote(strerror(errno), (char[128]) {0}, 128));
			return false;
		}
		if (ready > 0 && !read_commands(mock, &line, &ended))
			return false;
	}
	return true;
}

static bool
read_commands(MockCluster *mock, CommandLine *line, bool *ended)
{
	char		bytes[COMMAND_MAX_BYTES];
	ssize_t		count = read(STDIN_FILENO, bytes, sizeof(bytes));

	if (count < 0 && (errno == EINTR || errno == EAGAIN))
		return true;
	if (count <= 0)
	{
		*ended = true;
		return true;
	}
	for (ssize_t i = 0; i < count; i++)
	{
		if (!take_byte(mock, line, bytes[i]))
			return false;
	}
	return true;
}

static bool
take_byte(MockCluster *mock, CommandLine *line, char c)
{
	bool		too_long;

	if (c != '\n')
	{
		if (line->bytes < sizeof(line->text) - 1)
			line->text[line->bytes++] = c;
		else
			line->too_long = true;
		return true;
	}
	line->text[line->bytes] = '\0';
	too_long = line->too_long;
	line->bytes = 0;
	line->too_long = false;
	if (too_long)
		return say("error: longer than %d bytes\n", COMMAND_MAX_BYTES - 1);
	if (!mock_cluster_run(mock, line->text))
		return say("error: %s\n", mock_cluster_error(mock));
	return say("ok\n");
}

/* Write to standard output, at once. */
static bool
say(const char *format,...)
{
	va_list		arguments;
	int			written;

	va_start(arguments, format);
	written = vprintf(format, arguments);
	va_end(arguments);
	if (written >= 0 && fflush(stdout) == 0)
		return true;
	log_write(LOG_LEVEL_ERROR, "could not write to standard output",
			  "reason=%s", log_quote(strerror(errno), (char[128]) {0}, 128));
	return false;
}
