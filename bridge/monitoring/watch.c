#include "watch.h"

#include <inttypes.h>
#include <pthread.h>
#include <signal.h>

#include "log.h"

bool
watch_start(HttpServer **server, const char *listen, int64_t port,
			HttpAnswerFunction answer, void *context, char *errstr,
			size_t errstr_size)
{
	sigset_t	all;
	sigset_t	before;

	*server = NULL;
	if (port == 0)
		return true;
	/* the server's thread takes no signal from the main loop's */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	*server = http_server_start(listen, (uint16_t) port, answer, context,
								errstr, errstr_size);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (*server == NULL)
		return false;
	log_write(LOG_LEVEL_INFO, "listening for HTTP", "address=%s port=%" PRId64,
			  log_quote(listen, (char[64]) {0}, 64), port);
	return true;
}
