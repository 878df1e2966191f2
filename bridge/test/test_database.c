/*
 * Connection strings that cannot be right are refused before a server is
 * asked, and no part of a password is told.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "database.h"

static int
set_up(void **state)
{
	(void) state;
	unsetenv("PGPORT");
	unsetenv("PGPASSFILE");
	unsetenv("PGDATABASE");
	unsetenv("PGSSLMODE");
	unsetenv("PGCONNECT_TIMEOUT");
	return 0;
}

static void
assert_accepted(const char *conninfo)
{
	char		errstr[256] = "";

	if (!database_check_conninfo(conninfo, errstr, sizeof(errstr)))
		fail_msg("%s: %s", conninfo, errstr);
}

/* why must be a part of the reason, and the password's pieces none. */
static void
assert_refused(const char *conninfo, const char *why)
{
	char		errstr[256] = "";

	if (database_check_conninfo(conninfo, errstr, sizeof(errstr)))
		fail_msg("%s: accepted", conninfo);
	if (strstr(errstr, why) == NULL)
		fail_msg("%s: %s", conninfo, errstr);
	assert_null(strstr(errstr, "pa55"));
	assert_null(strstr(errstr, "w0rd"));
	assert_null(strchr(errstr, '\n'));
}

static void
strings_in_order_are_accepted(void **state)
{
	(void) state;
	assert_accepted("");
	assert_accepted("bank");
	assert_accepted("host=db1,db2,db3 port=5432,,5433 dbname=bank");
	assert_accepted("host=db1,db2 port=5432, dbname=bank");
	assert_accepted("host=db1 port=' 5432 ' connect_timeout=-1");
	assert_accepted("password='pa55@w0rd/' host=db1 sslmode=verify-full"
					" target_session_attrs=read-write keepalives=0");
	assert_accepted("hostaddr=192.0.2.1,192.0.2.2 host=a,b port=1,2");
	assert_accepted("postgresql://");
	assert_accepted("postgresql://db1:5432,db2:5433/bank?sslmode=require");
	assert_accepted("postgresql://u:pa55%40w0rd@db1/bank");
	assert_accepted("postgres://u:pa55?w0rd@db1:5432/bank");
	assert_accepted("postgresql://u@db1/bank?password=pa55@w0rd");
	assert_accepted("postgresql://%2Frun%2Fpostgresql/bank?user=a@b");
	assert_accepted("postgresql://[2001:db8::1]:5432/bank");
}

static void
a_password_not_encoded_is_refused(void **state)
{
	(void) state;
	assert_refused("postgresql://u:pa55@w0rd@db1/bank", "%40");
	assert_refused("postgres://u:pa55@w0rd@db1,db2/bank?sslmode=require",
				   "%40");
	assert_refused("postgresql://u:pa55/w0rd@db1/bank", "%2F");
	assert_refused("postgresql://u:1/w0rd@db1/bank", "%2F");
	assert_refused("postgresql://u:pa55%w0rd@db1/bank", "cannot be parsed");
	assert_refused("host=db1 password=pa55 w0rd", "cannot be parsed");
	assert_refused("host=db1 password=pa55 w0rd=pa55", "cannot be parsed");
	assert_refused("host=db1 password='pa55 w0rd", "cannot be parsed");
	assert_refused("host=db1 password='pa55'w0rd", "cannot be parsed");
	assert_refused("host=db1 password=pa55 passfile=/nonexistent/pass",
				   "\"/nonexistent/pass\": No such file");
}

static void
a_uri_without_its_scheme_is_refused(void **state)
{
	static const char *const uris[] = {
		"u:pa55w0rd@db1/bank", "u:pa55w0rd@db1", "postgres//u:pa55w0rd@db1/b",
		"postgresql:/u:pa55w0rd@db1/bank", "postgresql:u:pa55w0rd/bank",
		"dbname=postgresql://u:pa55w0rd@db1/bank",
		"host=db1 dbname=u:pa55w0rd@db1", "dbname='db1:5432/pa55w0rd'",
	};

	(void) state;
	for (size_t i = 0; i < sizeof(uris) / sizeof(uris[0]); i++)
		assert_refused(uris[i], "looks like a URI");
	assert_accepted("a:b");
	assert_accepted("dbname=a/b user=a@b");
	setenv("PGDATABASE", uris[0], 1);
	assert_refused("host=db1", "looks like a URI");
	assert_refused("", "looks like a URI");
	assert_accepted("bank");
	unsetenv("PGDATABASE");
}

static void
numbers_are_checked(void **state)
{
	(void) state;
	assert_refused("port=abc", "\"port\" cannot have such a value");
	assert_refused("port=0", "port");
	assert_refused("port=65536", "port");
	assert_refused("host=a,b port=5432,x", "port");
	assert_refused("port=5432x", "port");
	assert_refused("connect_timeout=soon", "\"connect_timeout\"");
	assert_refused("connect_timeout=1,2", "\"connect_timeout\"");
	assert_refused("keepalives_idle=99999999999", "\"keepalives_idle\"");
	assert_refused("tcp_user_timeout=' '", "\"tcp_user_timeout\"");
	assert_refused("postgresql://db1/bank?keepalives=on", "\"keepalives\"");
}

static void
hosts_and_ports_are_counted(void **state)
{
	static const char *const conninfos[] = {
		"host=a,b,c port=1,2", "port=5432,", "port=,", "host=a port=1,2",
		"hostaddr=192.0.2.1 port=1,2", "host=a,b hostaddr=192.0.2.1",
		"host=a,b hostaddr=192.0.2.1 port=1,2", "postgresql:///b?port=1,2",
	};

	(void) state;
	for (size_t i = 0; i < sizeof(conninfos) / sizeof(conninfos[0]); i++)
		assert_refused(conninfos[i], "not of the same number");
	assert_accepted("host=a,b,c port=1");
	assert_accepted("postgresql://db1,db2/bank");
	assert_accepted("hostaddr=192.0.2.1,192.0.2.2 port=1,2");
	setenv("PGPORT", "1,2", 1);
	assert_refused("host=a", "not of the same number");
	assert_refused("", "not of the same number");
	assert_accepted("host=a,b");
	unsetenv("PGPORT");
	assert_refused("replication=database", "replication");
}

static void
libpqs_own_options_are_checked(void **state)
{
	(void) state;
	assert_refused("sslmode=always", "sslmode");
	assert_refused("target_session_attrs=primary-please",
				   "target_session_attrs");
	assert_refused("channel_binding=perhaps", "channel_binding");
	assert_refused("hosts=a", "cannot be parsed");
	assert_refused("service=there-is-none", "there-is-none");
}

static void
the_environment_counts(void **state)
{
	(void) state;
	setenv("PGPORT", "many", 1);
	assert_refused("dbname=bank", "\"port\"");
	assert_refused("", "\"port\"");
	assert_accepted("port=5432");
	unsetenv("PGPORT");
	setenv("PGSSLMODE", "always", 1);
	assert_refused("bank", "sslmode");
	unsetenv("PGSSLMODE");
}

/* libpq would go without them, or try for ever. */
static void
files_that_cannot_be_used_are_refused(void **state)
{
	char		path[] = "/tmp/test_database.XXXXXX";
	char		conninfo[128];
	int			fd = mkstemp(path);

	(void) state;
	assert_true(fd >= 0);
	close(fd);
	assert_refused("sslrootcert=/nonexistent", "sslrootcert \"/nonexistent\"");
	assert_refused("sslcert=/nonexistent", "No such file");
	assert_refused("sslkey=/nonexistent", "sslkey");
	assert_refused("passfile=/nonexistent", "passfile");
	assert_refused("passfile=/", "no plain file");
	assert_accepted("sslmode=verify-full sslrootcert=/dev/null");
	snprintf(conninfo, sizeof(conninfo), "passfile=%s", path);
	assert_int_equal(chmod(path, 0640), 0);
	assert_refused(conninfo, "0600");
	assert_int_equal(chmod(path, 0600), 0);
	assert_accepted(conninfo);
	assert_int_equal(chmod(path, 0644), 0);
	setenv("PGPASSFILE", path, 1);
	assert_refused("host=a", "0600");
	unsetenv("PGPASSFILE");
	unlink(path);
}

static void
passwords_do_not_belong_on_the_command_line(void **state)
{
	static const char *const exposed[] = {
		"password=pa55w0rd", "host=a sslpassword=pa55w0rd",
		"postgresql://u:pa55w0rd@db1/bank", "postgresql://a/b?password=pa55"
	};
	static const char *const fine[] = {
		"", "bank", "host=a user=b", "postgresql://u@db1/bank", "password=",
		"passfile=/x sslkey=/y"
	};
	char		errstr[256] = "";

	(void) state;
	for (size_t i = 0; i < sizeof(exposed) / sizeof(exposed[0]); i++)
	{
		assert_false(database_check_exposed(exposed[i], errstr,
											sizeof(errstr)));
		assert_non_null(strstr(errstr, "command line"));
		assert_null(strstr(errstr, "pa55"));
	}
	for (size_t i = 0; i < sizeof(fine) / sizeof(fine[0]); i++)
		assert_true(database_check_exposed(fine[i], errstr, sizeof(errstr)));
}

int
main(void)
{
#define TEST(function) cmocka_unit_test_setup(function, set_up)
	const struct CMUnitTest tests[] = {
		TEST(strings_in_order_are_accepted),
		TEST(a_password_not_encoded_is_refused),
		TEST(a_uri_without_its_scheme_is_refused),
		TEST(numbers_are_checked),
		TEST(hosts_and_ports_are_counted),
		TEST(libpqs_own_options_are_checked),
		TEST(the_environment_counts),
		TEST(files_that_cannot_be_used_are_refused),
		TEST(passwords_do_not_belong_on_the_command_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
