/*
 * HTTP to InfluxDB: some requests at a time, none of which is waited for
 * without end.  The only user of libcurl; knows neither Kafka nor SQL.  To be
 * used by one thread at a time, but for influx_client_wake().
 */
#ifndef FINTRANS_INFLUX_CLIENT_H
#define FINTRANS_INFLUX_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Requests at a time: the server works on one while the next is made. */
#define INFLUX_REQUESTS 2

/* Bytes of an answer that are kept. */
#define INFLUX_ANSWER_BYTES 2048

/* Texts are the caller's, and outlive the client; NULL for those not given. */
typedef struct InfluxTarget
{
	const char *url;			/* http://HOST:PORT */
	const char *database;		/* or bucket */
	const char *organization;	/* of InfluxDB 2 */
	const char *token;			/* InfluxDB 2 and 3: its endpoint is used */
	const char *token_file;		/* holds it; read anew when it is refused */
	const char *user;			/* InfluxDB 1: with the token as password */
	const char *ca_file;
	int64_t		timeout_ms;		/* for a request, all in all */
} InfluxTarget;

typedef struct InfluxClient InfluxClient;

/* What has come back. */
typedef struct InfluxResult
{
	size_t		request;		/* number, below INFLUX_REQUESTS */
	long		status;			/* of HTTP; 0 when there was no answer */
	const char *text;			/* of the answer, or why there was none */
} InfluxResult;

/* Can such a target be meant?  errstr names what is wrong. */
extern bool influx_target_check(const InfluxTarget *target, char *errstr,
								size_t errstr_size);

/* NULL with errstr when that fails. */
extern InfluxClient *influx_client_new(const InfluxTarget *target,
									   char *errstr, size_t errstr_size);
extern void influx_client_free(InfluxClient *client);

/* Does this server have databases that a client may create? */
extern bool influx_client_can_create(const InfluxClient *client);

/*
 * Begin a request, which is idle.  Its text is not needed any more after the
 * call.  False when memory is short.
 */
extern bool influx_client_write(InfluxClient *client, size_t request,
								const char *text, size_t bytes);
extern bool influx_client_create(InfluxClient *client, size_t request);

/* Give a request up, if there is one; it has no result then. */
extern void influx_client_cancel(InfluxClient *client, size_t request);

/* Wait for a result, at most so long; false when there is none. */
extern bool influx_client_wait(InfluxClient *client, int timeout_ms,
							   InfluxResult *result);

/* End such a wait, from any thread. */
extern void influx_client_wake(InfluxClient *client);

/*
 * The server does not accept the token: read its file again, unless a request
 * is under way, which will be answered likewise.
 */
extern void influx_client_renew(InfluxClient *client);

#endif							/* FINTRANS_INFLUX_CLIENT_H */
