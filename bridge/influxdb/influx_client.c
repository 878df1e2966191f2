/*
 * Requests are compressed with gzip, at its fastest: points repeat
 * themselves.  Redirections are not followed, and of an answer only the
 * beginning is kept.
 */
#include "influx_client.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "secret_file.h"

#define CONNECT_TIMEOUT_MS 5000L

/* Deflate's window, and the sum that makes it gzip instead of zlib. */
#define GZIP_WINDOW_BITS (15 + 16)
#define GZIP_MEMORY 8
#define GZIP_LEVEL 1

#define TOKEN_BYTES 4096
#define DATABASE_MAX_BYTES 200

typedef struct Request
{
	CURL	   *easy;
	uint8_t    *body;
	size_t		body_size;
	size_t		body_bytes;
	char		answer[INFLUX_ANSWER_BYTES + 1];
	size_t		answer_bytes;
	char		error[CURL_ERROR_SIZE];
	bool		active;
} Request;

struct InfluxClient
{
	const InfluxTarget *target;
	CURLM	   *multi;
	Request		requests[INFLUX_REQUESTS];
	z_stream	gzip;
	bool		gzip_open;
	char	   *write_url;
	char	   *query_url;
	char	   *create_query;
	char		token[TOKEN_BYTES];
	struct curl_slist *write_headers;
	struct curl_slist *query_headers;
};

static bool has_token(const InfluxTarget *target);
static bool open_client(InfluxClient *client);
static bool make_urls(InfluxClient *client);
static char *escaped(CURL *easy, const char *text);
static bool make_headers(InfluxClient *client);
static void read_token(InfluxClient *client);
static bool compress_body(InfluxClient *client, Request *request,
						  const char *text, size_t bytes);
static bool begin(InfluxClient *client, Request *request, const char *url,
				  const struct curl_slist *headers, const void *body,
				  size_t bytes);
static void set_login(const InfluxClient *client, CURL *easy);
static size_t on_answer(char *bytes, size_t size, size_t count, void *opaque);
static bool take_result(InfluxClient *client, InfluxResult *result);

bool
influx_target_check(const InfluxTarget *target, char *errstr,
					size_t errstr_size)
{
	CURLU	   *url = curl_url();
	char	   *scheme = NULL;
	char	   *user = NULL;
	char	   *query = NULL;
	const char *reason = NULL;

	if (url == NULL ||
		curl_url_set(url, CURLUPART_URL, target->url, 0) != CURLUE_OK ||
		curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK ||
		(strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0))
		reason = "is not of the form http://HOST:PORT or https://HOST:PORT";
	else if (curl_url_get(url, CURLUPART_USER, &user, 0) == CURLUE_OK)
		reason = "names a user: that is --influx-user, and the password "
			"belongs into --influx-token-file";
	else if (curl_url_get(url, CURLUPART_QUERY, &query, 0) == CURLUE_OK)
		reason = "has a query";
	errstr[0] = '\0';
	/* it may hold a password */
	if (reason != NULL)
		snprintf(errstr, errstr_size, "the URL of InfluxDB %s", reason);
	else if (target->database[0] == '\0' ||
			 strlen(target->database) > DATABASE_MAX_BYTES)
		snprintf(errstr, errstr_size,
				 "the name of InfluxDB's database has to have 1 to %d bytes",
				 DATABASE_MAX_BYTES);
	else if (target->user != NULL && !has_token(target))
		snprintf(errstr, errstr_size,
				 "the user of InfluxDB has no password: it belongs into --influx-token-file");
	else if (target->organization != NULL && !has_token(target))
		snprintf(errstr, errstr_size,
				 "an organization is for InfluxDB 2, which needs a token as well");
	else if (target->token_file != NULL)
	{
		secret_file_free(secret_file_read(target->token_file, errstr,
										  errstr_size));
		secret_file_warn(target->token_file);
	}
	curl_free(scheme);
	curl_free(user);
	curl_free(query);
	curl_url_cleanup(url);
	return errstr[0] == '\0';
}

InfluxClient *
influx_client_new(const InfluxTarget *target, char *errstr,
				  size_t errstr_size)
{
	InfluxClient *client = calloc(1, sizeof(*client));

	if (client != NULL)
		client->target = target;
	if (client != NULL && open_client(client))
		return client;
	influx_client_free(client);
	snprintf(errstr, errstr_size, "could not set libcurl up for InfluxDB");
	return NULL;
}

void
influx_client_free(InfluxClient *client)
{
	if (client == NULL)
		return;
	for (size_t i = 0; i < INFLUX_REQUESTS; i++)
	{
		influx_client_cancel(client, i);
		curl_easy_cleanup(client->requests[i].easy);
		free(client->requests[i].body);
	}
	curl_multi_cleanup(client->multi);
	curl_slist_free_all(client->write_headers);
	curl_slist_free_all(client->query_headers);
	if (client->gzip_open)
		deflateEnd(&client->gzip);
	free(client->write_url);
	free(client->query_url);
	free(client->create_query);
	explicit_bzero(client->token, sizeof(client->token));
	free(client);
}

bool
influx_client_can_create(const InfluxClient *client)
{
	return client->target->user != NULL || !has_token(client->target);
}

bool
influx_client_write(InfluxClient *client, size_t request, const char *text,
					size_t bytes)
{
	Request    *of_client = &client->requests[request];

	return compress_body(client, of_client, text, bytes) &&
		begin(client, of_client, client->write_url, client->write_headers,
			  of_client->body, of_client->body_bytes);
}

bool
influx_client_create(InfluxClient *client, size_t request)
{
	return begin(client, &client->requests[request], client->query_url,
				 client->query_headers, client->create_query,
				 strlen(client->create_query));
}

void
influx_client_cancel(InfluxClient *client, size_t request)
{
	if (client->requests[request].active)
		curl_multi_remove_handle(client->multi,
								 client->requests[request].easy);
	client->requests[request].active = false;
}

bool
influx_client_wait(InfluxClient *client, int timeout_ms, InfluxResult *result)
{
	int			running;

	curl_multi_perform(client->multi, &running);
	if (take_result(client, result))
		return true;
	if (timeout_ms == 0)
		return false;
	curl_multi_poll(client->multi, NULL, 0, timeout_ms, NULL);
	curl_multi_perform(client->multi, &running);
	return take_result(client, result);
}

void
influx_client_wake(InfluxClient *client)
{
	curl_multi_wakeup(client->multi);
}

/* libcurl goes on reading the headers of a request that is under way. */
void
influx_client_renew(InfluxClient *client)
{
	for (size_t i = 0; i < INFLUX_REQUESTS; i++)
		if (client->requests[i].active)
			return;
	(void) make_headers(client);
}

static bool
has_token(const InfluxTarget *target)
{
	return target->token != NULL || target->token_file != NULL;
}

static bool
open_client(InfluxClient *client)
{
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK ||
		(client->multi = curl_multi_init()) == NULL ||
		deflateInit2(&client->gzip, GZIP_LEVEL, Z_DEFLATED, GZIP_WINDOW_BITS,
					 GZIP_MEMORY, Z_DEFAULT_STRATEGY) != Z_OK)
		return false;
	client->gzip_open = true;
	for (size_t i = 0; i < INFLUX_REQUESTS; i++)
	{
		client->requests[i].easy = curl_easy_init();
		if (client->requests[i].easy == NULL)
			return false;
	}
	return make_urls(client) && make_headers(client);
}

static bool
make_urls(InfluxClient *client)
{
	const InfluxTarget *target = client->target;
	CURL	   *easy = client->requests[0].easy;
	char	   *database = escaped(easy, target->database);
	char	   *organization = escaped(easy, target->organization != NULL ?
									   target->organization : "");
	char	   *create = NULL;
	int			bytes = (int) strlen(target->url);
	bool		made = false;

	while (bytes > 0 && target->url[bytes - 1] == '/')
		bytes--;
	if (database != NULL && organization != NULL &&
		asprintf(&client->write_url,
				 influx_client_can_create(client) ?
				 "%.*s/write?db=%s%s&precision=ns" :
				 "%.*s/api/v2/write?bucket=%s&org=%s&precision=ns",
				 bytes, target->url, database, organization) >= 0 &&
		asprintf(&client->query_url, "%.*s/query", bytes, target->url) >= 0)
	{
		/* in InfluxQL a name in double quotes escapes these two */
		char		name[2 * DATABASE_MAX_BYTES + 1] = "";

		for (const char *at = target->database; *at != '\0'; at++)
			snprintf(name + strlen(name), sizeof(name) - strlen(name), "%s%c",
					 *at == '"' || *at == '\\' ? "\\" : "", *at);
		if (asprintf(&create, "CREATE DATABASE \"%s\"", name) >= 0)
		{
			char	   *query = escaped(easy, create);

			made = query != NULL &&
				asprintf(&client->create_query, "q=%s", query) >= 0;
			curl_free(query);
		}
	}
	free(create);
	curl_free(database);
	curl_free(organization);
	return made;
}

static char *
escaped(CURL *easy, const char *text)
{
	return curl_easy_escape(easy, text, (int) strlen(text));
}

static bool
make_headers(InfluxClient *client)
{
	char		authorization[TOKEN_BYTES + 32];
	struct curl_slist *headers = NULL;
	struct curl_slist *more;
	bool		made = true;

	read_token(client);
	snprintf(authorization, sizeof(authorization), "Authorization: Token %s",
			 client->token);
	for (int i = 0; i < 3 && made; i++)
	{
		const char *const lines[] = {
			"Content-Type: text/plain; charset=utf-8",
			"Content-Encoding: gzip",
			influx_client_can_create(client) ? "Expect:" : authorization,
		};

		more = curl_slist_append(headers, lines[i]);
		made = more != NULL;
		if (made)
			headers = more;
	}
	explicit_bzero(authorization, sizeof(authorization));
	if (!made)
	{
		curl_slist_free_all(headers);
		return false;
	}
	curl_slist_free_all(client->write_headers);
	client->write_headers = headers;
	return true;
}

/* From its file, if that can be read: the old token stays otherwise. */
static void
read_token(InfluxClient *client)
{
	const InfluxTarget *target = client->target;
	char		errstr[256];
	char	   *secret = NULL;

	if (target->token_file != NULL)
		secret = secret_file_read(target->token_file, errstr, sizeof(errstr));
	if (secret != NULL || target->token != NULL)
		snprintf(client->token, sizeof(client->token), "%s",
				 secret != NULL ? secret : target->token);
	secret_file_free(secret);
}

static bool
compress_body(InfluxClient *client, Request *request, const char *text,
			  size_t bytes)
{
	size_t		bound = deflateBound(&client->gzip, bytes);

	if (bound > request->body_size)
	{
		uint8_t    *body = realloc(request->body, bound);

		if (body == NULL)
			return false;
		request->body = body;
		request->body_size = bound;
	}
	deflateReset(&client->gzip);
	/* zlib only reads it */
	client->gzip.next_in = (Bytef *) (uintptr_t) text;
	client->gzip.avail_in = (uInt) bytes;
	client->gzip.next_out = request->body;
	client->gzip.avail_out = (uInt) request->body_size;
	if (deflate(&client->gzip, Z_FINISH) != Z_STREAM_END)
		return false;
	request->body_bytes = request->body_size - client->gzip.avail_out;
	return true;
}

static bool
begin(InfluxClient *client, Request *request, const char *url,
	  const struct curl_slist *headers, const void *body, size_t bytes)
{
	CURL	   *easy = request->easy;

	curl_easy_reset(easy);
	request->answer_bytes = 0;
	request->answer[0] = '\0';
	request->error[0] = '\0';
	curl_easy_setopt(easy, CURLOPT_URL, url);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_POST, 1L);
	curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body);
	curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t) bytes);
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_answer);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, request);
	curl_easy_setopt(easy, CURLOPT_PRIVATE, request);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, request->error);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS,
					 (long) client->target->timeout_ms);
	if (client->target->ca_file != NULL)
		curl_easy_setopt(easy, CURLOPT_CAINFO, client->target->ca_file);
	set_login(client, easy);
	request->active = curl_multi_add_handle(client->multi, easy) == CURLM_OK;
	return request->active;
}

static void
set_login(const InfluxClient *client, CURL *easy)
{
	if (client->target->user == NULL)
		return;
	curl_easy_setopt(easy, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
	curl_easy_setopt(easy, CURLOPT_USERNAME, client->target->user);
	curl_easy_setopt(easy, CURLOPT_PASSWORD, client->token);
}

/* The rest is read and thrown away, so that the connection can be kept. */
static size_t
on_answer(char *bytes, size_t size, size_t count, void *opaque)
{
	Request    *request = opaque;
	size_t		room = INFLUX_ANSWER_BYTES - request->answer_bytes;
	size_t		kept = size * count < room ? size * count : room;

	memcpy(request->answer + request->answer_bytes, bytes, kept);
	request->answer_bytes += kept;
	request->answer[request->answer_bytes] = '\0';
	return size * count;
}

static bool
take_result(InfluxClient *client, InfluxResult *result)
{
	CURLMsg    *message;
	int			left;

	while ((message = curl_multi_info_read(client->multi, &left)) != NULL)
	{
		CURL	   *easy = message->easy_handle;
		CURLcode	code = message->data.result;
		Request    *request;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **) &request);
		curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &result->status);
		curl_multi_remove_handle(client->multi, easy);
		request->active = false;
		result->request = (size_t) (request - client->requests);
		result->text = request->answer;
		if (code != CURLE_OK)
		{
			result->status = 0;
			result->text = request->error[0] != '\0' ? request->error :
				curl_easy_strerror(code);
		}
		return true;
	}
	return false;
}
