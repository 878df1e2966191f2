/*
 * What the programs that are watched by HTTP have alike: two options, and the
 * start of the server.
 */
#ifndef FINTRANS_WATCH_H
#define FINTRANS_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http_server.h"
#include "options.h"

/*
 * Rows of the table of options of Settings that have http_port (int64_t, 0
 * for none) and http_listen; paths is a literal that says what is answered.
 */
#define WATCH_OPTIONS(Settings, paths) \
	{"http-port", "FINTRANS_HTTP_PORT", "PORT0", OPTION_INTEGER, \
		offsetof(Settings, http_port), "N", NULL, 1, 65535, NULL, false, \
		"Answer " paths " by HTTP on this port.  Without it nothing is " \
		"listened to."}, \
	{"http-listen", "FINTRANS_HTTP_LISTEN", NULL, OPTION_TEXT, \
		offsetof(Settings, http_listen), "ADDRESS", "127.0.0.1", 0, 0, NULL, \
		false, "On this address of IPv4 or IPv6; 0.0.0.0 or :: is all of " \
		"them.  Whoever reaches it is answered."}

/*
 * Answer there from now on, if there is a port, and log where.  server is for
 * http_server_stop(), NULL without a port; false with errstr when that cannot
 * be.
 */
extern bool watch_start(HttpServer **server, const char *listen, int64_t port,
						HttpAnswerFunction answer, void *context,
						char *errstr, size_t errstr_size);

#endif							/* FINTRANS_WATCH_H */
