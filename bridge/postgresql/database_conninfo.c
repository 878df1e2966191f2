/*
 * Connection strings, looked at before a server is asked: libpq finds most
 * mistakes only while it connects, when they look like an outage.
 */
#include "database_state.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conninfo.h"

/* Files that libpq reads, or goes without and says nothing. */
static const char *const file_keywords[] = {
	"passfile", "sslcert", "sslkey", "sslrootcert", "sslcrl"
};

static bool check_values(const PQconninfoOption *options, char *errstr,
						 size_t errstr_size);
static bool check_hosts(const PQconninfoOption *options, char *errstr,
						size_t errstr_size);
static bool check_name(const char *name, char *errstr, size_t errstr_size);
static bool check_files(const PQconninfoOption *options, char *errstr,
						size_t errstr_size);
static bool check_file(const char *keyword, const char *path, char *errstr,
					   size_t errstr_size);
static const char *value(const PQconninfoOption *option);
static bool ask_libpq(const char *conninfo, char *errstr, size_t errstr_size);

bool
database_check_conninfo(const char *conninfo, char *errstr,
						size_t errstr_size)
{
	/* without = or a scheme it is a database's name */
	bool		is_name = strchr(conninfo, '=') == NULL &&
		strstr(conninfo, "://") == NULL;
	/* libpq's own reason may quote a part of the string: a password */
	PQconninfoOption *options =
		PQconninfoParse(is_name ? "" : conninfo, NULL);
	bool		is_fine = false;

	if (options == NULL)
		snprintf(errstr, errstr_size,
				 "the database's connection string cannot be parsed");
	else if (conninfo_is_ambiguous(conninfo))
		snprintf(errstr, errstr_size, "the database's URI has an \"@\" or"
				 " \"/\" that may be a part of a password: write %%40 or"
				 " %%2F for it");
	else
		is_fine = check_name(is_name && *conninfo != '\0' ? conninfo :
							 database_option(options, "dbname"), errstr,
							 errstr_size) &&
			check_values(options, errstr, errstr_size) &&
			check_hosts(options, errstr, errstr_size) &&
			check_files(options, errstr, errstr_size) &&
			ask_libpq(conninfo, errstr, errstr_size);
	PQconninfoFree(options);
	return is_fine;
}

bool
database_check_exposed(const char *conninfo, char *errstr, size_t errstr_size)
{
	static const char *const secrets[] = {"password", "sslpassword"};
	PQconninfoOption *options = PQconninfoParse(conninfo, NULL);
	bool		is_fine = true;

	for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++)
	{
		const PQconninfoOption *option = options;

		while (option != NULL && option->keyword != NULL &&
			   strcmp(option->keyword, secrets[i]) != 0)
			option++;
		if (option == NULL || option->val == NULL || *option->val == '\0')
			continue;
		snprintf(errstr, errstr_size, "the database's \"%s\" stands on the"
				 " command line, which the list of processes shows: put it"
				 " into a file or a variable", secrets[i]);
		is_fine = false;
	}
	PQconninfoFree(options);
	return is_fine;
}

const char *
database_option(const PQconninfoOption *options, const char *keyword)
{
	while (strcmp(options->keyword, keyword) != 0)
		options++;
	return value(options);
}

static bool
check_values(const PQconninfoOption *options, char *errstr,
			 size_t errstr_size)
{
	for (; options->keyword != NULL; options++)
	{
		if (conninfo_is_value(options->keyword, value(options)))
			continue;
		/* a piece of a password may have come to stand for it */
		snprintf(errstr, errstr_size,
				 "the database's \"%s\" cannot have such a value",
				 options->keyword);
		return false;
	}
	return true;
}

/* A service may add what is missing here. */
static bool
check_hosts(const PQconninfoOption *options, char *errstr, size_t errstr_size)
{
	if (*database_option(options, "service") != '\0' ||
		conninfo_is_matched(database_option(options, "host"),
							database_option(options, "hostaddr"),
							database_option(options, "port")))
		return true;
	snprintf(errstr, errstr_size, "the database's hosts, their addresses and"
			 " ports are not of the same number");
	return false;
}

/* libpq would tell the log that there is no such database. */
static bool
check_name(const char *name, char *errstr, size_t errstr_size)
{
	if (conninfo_is_database(name))
		return true;
	snprintf(errstr, errstr_size, "what stands for the database's name"
			 " looks like a URI that does not begin with postgresql://");
	return false;
}

/* The string's or the environment's; empty for none. */
static const char *
value(const PQconninfoOption *option)
{
	const char *text = option->val;

	if (text == NULL && option->envvar != NULL)
		text = getenv(option->envvar);
	return text != NULL ? text : "";
}

/*
 * libpq would go without a file that is missing, even the one of authorities
 * that it was to trust, or try in vain for ever.
 */
static bool
check_files(const PQconninfoOption *options, char *errstr, size_t errstr_size)
{
	for (size_t i = 0;
		 i < sizeof(file_keywords) / sizeof(file_keywords[0]); i++)
		if (!check_file(file_keywords[i],
						database_option(options, file_keywords[i]), errstr,
						errstr_size))
			return false;
	return true;
}

static bool
check_file(const char *keyword, const char *path, char *errstr,
		   size_t errstr_size)
{
	struct stat status;
	const char *reason = NULL;
	bool		is_passfile = strcmp(keyword, "passfile") == 0;

	/* words that are no path: the system's authorities, a key in a device */
	if (*path == '\0' || strcmp(path, "system") == 0 ||
		(strcmp(keyword, "sslkey") == 0 && strchr(path, ':') != NULL))
		return true;
	if (access(path, R_OK) != 0 || stat(path, &status) != 0)
		reason = strerror(errno);
	else if (is_passfile && !S_ISREG(status.st_mode))
		reason = "it is no plain file, so libpq would not read it";
	else if (is_passfile && (status.st_mode & (S_IRWXG | S_IRWXO)) != 0)
		reason = "it is open to others, so libpq would not read it; its mode"
			" must be 0600";
	if (reason != NULL)
		snprintf(errstr, errstr_size, "the database's %s \"%s\": %s", keyword,
				 path, reason);
	return reason == NULL;
}

/*
 * A ping says that it has attempted nothing when the options are wrong.  With
 * a host's address that is none, nothing is sent anywhere when they are right.
 */
static bool
ask_libpq(const char *conninfo, char *errstr, size_t errstr_size)
{
	const char *const keywords[] = {
		"dbname", "host", "hostaddr", "port", NULL
	};
	const char *const values[] = {conninfo, "-", "-", "1", NULL};
	PGconn	   *conn;

	if (PQpingParams(keywords, values, 1) != PQPING_NO_ATTEMPT)
		return true;
	conn = PQconnectdbParams(keywords, values, 1);
	snprintf(errstr, errstr_size, "the database's connection string: %s",
			 PQerrorMessage(conn));
	errstr[strcspn(errstr, "\n")] = '\0';
	PQfinish(conn);
	return false;
}
