/*
 * A small HTTP server in a thread of its own, for those who watch: it answers
 * GET and HEAD, each request on a connection of its own, and takes nothing in.
 * The only user of libmicrohttpd.
 */
#ifndef FINTRANS_HTTP_SERVER_H
#define FINTRANS_HTTP_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct HttpServer HttpServer;

typedef struct HttpAnswer
{
	unsigned	status;			/* 200 .. */
	const char *content_type;
	char	   *body;			/* malloc()ed; the server frees it */
	size_t		bytes;
} HttpAnswer;

/*
 * Answer a request for path; false when memory is short.  Called by the
 * server's thread.
 */
typedef bool (*HttpAnswerFunction) (void *context, const char *path,
									HttpAnswer *answer);

/* Is this a numeric address of IPv4 or IPv6?  errstr says if not. */
extern bool http_server_check(const char *address, char *errstr,
							  size_t errstr_size);

/*
 * Listen on a numeric address of IPv4 or IPv6; 0 is any port.  NULL with
 * errstr when that cannot be.
 */
extern HttpServer *http_server_start(const char *address, uint16_t port,
									 HttpAnswerFunction answer,
									 void *context,
									 char *errstr, size_t errstr_size);

/* Cut all connections, and end the thread; NULL is none. */
extern void http_server_stop(HttpServer *server);

#endif							/* FINTRANS_HTTP_SERVER_H */
