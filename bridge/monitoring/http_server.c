/*
 * Nobody can keep others from being answered: a request must come within the
 * time limit, and when too many have not come yet, the connection that waits
 * the longest is cut.
 *
 * All but start and stop runs in libmicrohttpd's one thread.
 */
#include "http_server.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <microhttpd.h>

/* Connections that may wait for their request, and a few on their way out. */
#define WAITING_MAX 100
#define CONNECTIONS_MAX 128

/* A request that is longer, or takes longer, is not for us. */
#define CONNECTION_BYTES ((size_t) 8192)
#define CONNECTION_SECONDS 5U

/* More than may wait: a client that the kernel turns away tries again after a
 * second. */
#define LISTEN_BACKLOG SOMAXCONN

struct HttpServer
{
	HttpAnswerFunction answer;
	void	   *context;
	struct MHD_Daemon *daemon;
	int			sockets[CONNECTIONS_MAX];	/* open ones, oldest first */
	size_t		socket_count;
};

static struct addrinfo *find_place(const char *address, uint16_t port,
								   char *errstr, size_t errstr_size);
static int	open_socket(const char *address, uint16_t port, char *errstr,
						size_t errstr_size);
static int	listen_at(const struct addrinfo *place);
static enum MHD_Result take_request(void *context,
									struct MHD_Connection *connection,
									const char *path, const char *method,
									const char *version, const char *upload,
									size_t *upload_bytes, void **request);
static void answer_request(HttpServer *server, const char *path,
						   const char *method, HttpAnswer *answer);
static void note_connection(void *context, struct MHD_Connection *connection,
							void **connection_context,
							enum MHD_ConnectionNotificationCode code);
static void forget_socket(HttpServer *server, int socket_number);

bool
http_server_check(const char *address, char *errstr, size_t errstr_size)
{
	struct addrinfo *place = find_place(address, 0, errstr, errstr_size);

	if (place == NULL)
		return false;
	freeaddrinfo(place);
	return true;
}

HttpServer *
http_server_start(const char *address, uint16_t port,
				  HttpAnswerFunction answer, void *context, char *errstr,
				  size_t errstr_size)
{
	HttpServer *server = calloc(1, sizeof(*server));
	int			listener;

	if (server == NULL)
	{
		snprintf(errstr, errstr_size, "out of memory");
		return NULL;
	}
	server->answer = answer;
	server->context = context;
	listener = open_socket(address, port, errstr, errstr_size);
	if (listener >= 0)
	{
		server->daemon =
			MHD_start_daemon(MHD_USE_EPOLL | MHD_USE_INTERNAL_POLLING_THREAD |
							 MHD_USE_ITC, 0, NULL, NULL, take_request, server,
							 MHD_OPTION_LISTEN_SOCKET, listener,
							 MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS_MAX,
							 MHD_OPTION_CONNECTION_TIMEOUT, CONNECTION_SECONDS,
							 MHD_OPTION_CONNECTION_MEMORY_LIMIT,
							 CONNECTION_BYTES, MHD_OPTION_NOTIFY_CONNECTION,
							 note_connection, server, MHD_OPTION_END);
		if (server->daemon != NULL)
			return server;
		snprintf(errstr, errstr_size, "could not start the HTTP server: %s",
				 strerror(errno));
		close(listener);
	}
	free(server);
	return NULL;
}

void
http_server_stop(HttpServer *server)
{
	if (server == NULL)
		return;
	MHD_stop_daemon(server->daemon);
	free(server);
}

/* To be freed by freeaddrinfo(). */
static struct addrinfo *
find_place(const char *address, uint16_t port, char *errstr,
		   size_t errstr_size)
{
	const struct addrinfo hints = {
		.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
		.ai_socktype = SOCK_STREAM
	};
	struct addrinfo *place;
	char		service[8];

	snprintf(service, sizeof(service), "%u", (unsigned) port);
	if (getaddrinfo(address, service, &hints, &place) == 0)
		return place;
	snprintf(errstr, errstr_size,
			 "\"%s\" is not an address of IPv4 or IPv6",
			 address);
	return NULL;
}

static int
open_socket(const char *address, uint16_t port, char *errstr,
			size_t errstr_size)
{
	struct addrinfo *place = find_place(address, port, errstr, errstr_size);
	int			listener;

	if (place == NULL)
		return -1;
	listener = listen_at(place);
	if (listener < 0)
		snprintf(errstr, errstr_size,
				 "could not listen for HTTP on address %s, port %u: %s",
				 address, (unsigned) port, strerror(errno));
	freeaddrinfo(place);
	return listener;
}

/* Negative with errno when that cannot be. */
static int
listen_at(const struct addrinfo *place)
{
	const int	on = 1;
	int			cause;
	int			listener = socket(place->ai_family,
								  SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
								  0);

	if (listener < 0)
		return -1;
	/* a program that was just stopped does not hold the port */
	if (setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on,
				   sizeof(on)) == 0 &&
		bind(listener, place->ai_addr, place->ai_addrlen) == 0 &&
		listen(listener, LISTEN_BACKLOG) == 0)
		return listener;
	cause = errno;
	close(listener);
	errno = cause;
	return -1;
}

/*
 * The answer is given when the headers are there; a body that comes all the
 * same is not read, since the connection ends.
 */
static enum MHD_Result
take_request(void *context, struct MHD_Connection *connection,
			 const char *path, const char *method, const char *version,
			 const char *upload, size_t *upload_bytes, void **request)
{
	HttpAnswer	answer = {0};
	struct MHD_Response *response;
	enum MHD_Result result;

	(void) version;
	(void) upload;
	(void) upload_bytes;
	(void) request;
	/* a request of one word has no path */
	answer_request(context, path != NULL ? path : "", method, &answer);
	if (answer.body == NULL)
		return MHD_NO;
	response = MHD_create_response_from_buffer(answer.bytes, answer.body,
											   MHD_RESPMEM_MUST_FREE);
	if (response == NULL)
	{
		free(answer.body);
		return MHD_NO;
	}
	MHD_add_response_header(response, "Content-Type", answer.content_type);
	MHD_add_response_header(response, "Cache-Control", "no-store");
	MHD_add_response_header(response, "Connection", "close");
	if (answer.status == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(response, "Allow", "GET, HEAD");
	result = MHD_queue_response(connection, answer.status, response);
	MHD_destroy_response(response);
	return result;
}

/* Without a body when memory is short. */
static void
answer_request(HttpServer *server, const char *path, const char *method,
			   HttpAnswer *answer)
{
	if (strcmp(method, MHD_HTTP_METHOD_GET) == 0 ||
		strcmp(method, MHD_HTTP_METHOD_HEAD) == 0)
	{
		if (!server->answer(server->context, path, answer))
			answer->body = NULL;
		return;
	}
	answer->status = MHD_HTTP_METHOD_NOT_ALLOWED;
	answer->content_type = "text/plain; charset=utf-8";
	answer->body = strdup("only GET and HEAD are answered\n");
	answer->bytes = answer->body != NULL ? strlen(answer->body) : 0;
}

/*
 * A connection that is cut is found to be at its end by the library, which
 * closes it and calls this again.
 */
static void
note_connection(void *context, struct MHD_Connection *connection,
				void **connection_context,
				enum MHD_ConnectionNotificationCode code)
{
	HttpServer *server = context;
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);

	(void) connection_context;
	if (info == NULL)
		return;
	forget_socket(server, info->connect_fd);
	if (code != MHD_CONNECTION_NOTIFY_STARTED)
		return;
	if (server->socket_count >= WAITING_MAX)
	{
		shutdown(server->sockets[0], SHUT_RDWR);
		forget_socket(server, server->sockets[0]);
	}
	server->sockets[server->socket_count++] = info->connect_fd;
}

static void
forget_socket(HttpServer *server, int socket_number)
{
	size_t		left = 0;

	for (size_t i = 0; i < server->socket_count; i++)
		if (server->sockets[i] != socket_number)
			server->sockets[left++] = server->sockets[i];
	server->socket_count = left;
}
