/*
 * Ticks are atomic: the loop and the server's thread share nothing else.
 */
#include "heartbeat.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"

/* Longer than any loop waits for brokers or a database that are away. */
#define DEAD_MS 60000

void
heartbeat_tick(Heartbeat *heartbeat)
{
	atomic_store(&heartbeat->ticked_ms, clock_monotonic_ms());
}

int64_t
heartbeat_still_ms(const Heartbeat *heartbeat)
{
	return clock_monotonic_ms() - atomic_load(&heartbeat->ticked_ms);
}

bool
heartbeat_say_health(const Heartbeat *heartbeat, HttpAnswer *answer)
{
	int64_t		still_ms = heartbeat_still_ms(heartbeat);

	if (still_ms >= DEAD_MS)
		return heartbeat_say(answer, 503,
						 "the main loop has stood still for %" PRId64 " s\n",
						 still_ms / 1000);
	return heartbeat_say(answer, 200, "alive\n");
}

bool
heartbeat_answer(void *context, const char *path, HttpAnswer *answer)
{
	if (strcmp(path, "/health") == 0)
		return heartbeat_say_health(context, answer);
	return heartbeat_say(answer, 404, "only /health is answered\n");
}

bool
heartbeat_say(HttpAnswer *answer, unsigned status, const char *format,...)
{
	va_list		arguments;
	int			bytes;

	va_start(arguments, format);
	bytes = vasprintf(&answer->body, format, arguments);
	va_end(arguments);
	answer->status = status;
	answer->content_type = "text/plain; charset=utf-8";
	answer->bytes = bytes > 0 ? (size_t) bytes : 0;
	return bytes >= 0;
}
