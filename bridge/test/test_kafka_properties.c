/*
 * Tests of the property reader: kcat's form of files and pairs, hostile ones
 * too, and that no secret gets into an error.
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

#include "kafka_properties.h"
#include "log.h"

#define TEXT(literal) (literal), sizeof(literal) - 1

static char path[64];

static int
make_path(void **state)
{
	int			fd;

	(void) state;
	log_open("test", "error");
	snprintf(path, sizeof(path), "/tmp/test_kafka_properties.XXXXXX");
	fd = mkstemp(path);
	return fd < 0 ? -1 : close(fd);
}

static int
remove_path(void **state)
{
	(void) state;
	return unlink(path);
}

static void
write_file(const char *bytes, size_t count)
{
	FILE	   *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, count, file), count);
	assert_int_equal(fclose(file), 0);
}

/* Read a file of these bytes; expected is name, value, name, value .. NULL. */
static void
assert_file(const char *bytes, size_t count, const char *const *expected)
{
	const OptionList none = {NULL, 0};
	KafkaProperties properties;
	char		errstr[256] = "";
	size_t		found = 0;

	write_file(bytes, count);
	if (!kafka_properties_read(&properties, path, &none, errstr,
							   sizeof(errstr)))
		fail_msg("%s", errstr);
	for (; expected[2 * found] != NULL; found++)
	{
		assert_true(found < properties.count);
		assert_string_equal(properties.items[found].name,
							expected[2 * found]);
		assert_string_equal(properties.items[found].value,
							expected[2 * found + 1]);
	}
	assert_int_equal(properties.count, found);
	kafka_properties_free(&properties);
	assert_int_equal(properties.count, 0);
}

/* The error names the file, and says what is expected to be said. */
static void
assert_bad_file(const char *bytes, size_t count, const char *expected)
{
	const OptionList none = {NULL, 0};
	KafkaProperties properties;
	char		errstr[256] = "";

	write_file(bytes, count);
	assert_false(kafka_properties_read(&properties, path, &none, errstr,
									   sizeof(errstr)));
	assert_non_null(strstr(errstr, path));
	if (strstr(errstr, expected) == NULL)
		fail_msg("\"%s\" lacks \"%s\"", errstr, expected);
	assert_null(strstr(errstr, "hunter2"));
	assert_int_equal(properties.count, 0);
}

static void
lines_are_name_and_value(void **state)
{
	(void) state;
	assert_file(TEXT("group.id=a\nclient.id=b\n"), (const char *const[])
				{"group.id", "a", "client.id", "b", NULL});
	assert_file(TEXT(""), (const char *const[]) {NULL});
	assert_file(TEXT("\n\n"), (const char *const[]) {NULL});
	assert_file(TEXT("sasl.password=a=b#c;d\n"), (const char *const[])
				{"sasl.password", "a=b#c;d", NULL});
	assert_file(TEXT("empty=\n"), (const char *const[])
				{"empty", "", NULL});
}

static void
blanks_comments_and_line_ends_are_forgiven(void **state)
{
	(void) state;
	assert_file(TEXT("  a.b \t=  c d \t\n"), (const char *const[])
				{"a.b", "c d", NULL});
	assert_file(TEXT("# x=1\n \t# y=2\na=1"), (const char *const[])
				{"a", "1", NULL});
	assert_file(TEXT("a=1\r\n\r\nb=2\r\n"), (const char *const[])
				{"a", "1", "b", "2", NULL});
	assert_file(TEXT("\xef\xbb\xbf" "a=1\n"), (const char *const[])
				{"a", "1", NULL});
}

static void
bad_lines_are_named(void **state)
{
	(void) state;
	assert_bad_file(TEXT("a=1\nhunter2\n"),
					"line 2: expected name=value, found no \"=\"");
	assert_bad_file(TEXT("\n\n =hunter2\n"), "line 3: expected name=value");
	assert_bad_file(TEXT("a=1\nb=2\na=hunter2\n"),
					"line 3: property \"a\" was given before");
	assert_bad_file(TEXT("a=hun\0ter2\n"), "line 1: holds a NUL byte");
}

static void
a_line_without_end_is_refused(void **state)
{
	size_t		count = 70000;
	char	   *bytes = malloc(count);

	(void) state;
	memset(bytes, 'x', count);
	assert_bad_file(bytes, count, "line 1: longer than 65535 bytes");
	assert_bad_file(bytes, 65536, "line 1: longer than 65535 bytes");
	/* a certificate has room: the value takes all but its name and "=" */
	bytes[0] = 'a';
	bytes[1] = '=';
	bytes[65535] = '\0';
	assert_file(bytes, 65535, (const char *const[])
				{"a", bytes + 2, NULL});
	free(bytes);
}

static void
files_that_cannot_be_read_are_named(void **state)
{
	const OptionList none = {NULL, 0};
	KafkaProperties properties;
	char		errstr[256] = "";

	(void) state;
	assert_false(kafka_properties_read(&properties, "/nonexistent/file",
									   &none, errstr, sizeof(errstr)));
	assert_string_equal(errstr, "could not open file \"/nonexistent/file\": "
						"No such file or directory");
	assert_false(kafka_properties_read(&properties, "/", &none, errstr,
									   sizeof(errstr)));
	assert_string_equal(errstr,
						"could not read file \"/\": Is a directory");
}

static void
pairs_follow_the_file(void **state)
{
	const char *pairs[] = {"a=2", " b = x=y ", "a=3"};
	const OptionList list = {pairs, 3};
	KafkaProperties properties;
	char		errstr[256];

	(void) state;
	write_file(TEXT("a=1\n"));
	assert_true(kafka_properties_read(&properties, path, &list, errstr,
									  sizeof(errstr)));
	assert_int_equal(properties.count, 4);
	assert_string_equal(properties.items[0].value, "1");
	assert_string_equal(properties.items[1].value, "2");
	assert_string_equal(properties.items[2].name, "b");
	assert_string_equal(properties.items[2].value, "x=y");
	assert_string_equal(properties.items[3].value, "3");
	kafka_properties_free(&properties);
}

static void
no_file_is_no_error(void **state)
{
	const OptionList none = {NULL, 0};
	KafkaProperties properties;
	char		errstr[256];

	(void) state;
	assert_true(kafka_properties_read(&properties, NULL, &none, errstr,
									  sizeof(errstr)));
	assert_int_equal(properties.count, 0);
	assert_true(kafka_properties_read(&properties, "", &none, errstr,
									  sizeof(errstr)));
	assert_int_equal(properties.count, 0);
}

static void
bad_pairs_are_refused_without_their_text(void **state)
{
	static const char *const bad[] = {"hunter2", "=hunter2", " =hunter2", ""};

	(void) state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
	{
		const char *pairs[] = {"a=1", bad[i]};
		const OptionList list = {pairs, 2};
		KafkaProperties properties;
		char		errstr[256];

		assert_false(kafka_properties_read(&properties, NULL, &list, errstr,
										   sizeof(errstr)));
		assert_non_null(strstr(errstr, "option -X: expected name=value"));
		assert_null(strstr(errstr, "hunter2"));
	}
}

static void
secrets_are_known(void **state)
{
	/* from librdkafka's CONFIGURATION.md, 2.0.2 */
	static const char *const secret[] = {
		"sasl.password", "ssl.key.password", "ssl.keystore.password",
		"ssl.key.pem", "ssl_key", "sasl.oauthbearer.client.secret",
		"sasl.oauthbearer.config", "SASL.PASSWORD", " sasl.password",
		"sasl.jaas.config"
	};
	static const char *const open[] = {
		"bootstrap.servers", "sasl.username", "ssl.ca.location",
		"ssl.key.location", "ssl.certificate.pem", "security.protocol", "",
		"sasl.oauthbearer.token.endpoint.url", "sasl.password.file",
		"ssl.key.password.env"
	};

	(void) state;
	for (size_t i = 0; i < sizeof(secret) / sizeof(secret[0]); i++)
		assert_true(kafka_property_is_secret(secret[i]));
	for (size_t i = 0; i < sizeof(open) / sizeof(open[0]); i++)
		assert_false(kafka_property_is_secret(open[i]));
}

/* Read the file while standard error goes to another one; was there a line? */
static bool
is_warned_of(const char *bytes, size_t count, mode_t mode)
{
	const OptionList none = {NULL, 0};
	KafkaProperties properties;
	FILE	   *log = tmpfile();
	int			standard_error = dup(STDERR_FILENO);
	char		errstr[256];
	char		text[512] = "";
	bool		ok;

	assert_non_null(log);
	write_file(bytes, count);
	assert_int_equal(chmod(path, mode), 0);
	log_open("test", "warning");
	dup2(fileno(log), STDERR_FILENO);
	ok = kafka_properties_read(&properties, path, &none, errstr,
							   sizeof(errstr));
	dup2(standard_error, STDERR_FILENO);
	close(standard_error);
	assert_true(ok);
	kafka_properties_free(&properties);
	rewind(log);
	text[fread(text, 1, sizeof(text) - 1, log)] = '\0';
	fclose(log);
	assert_null(strstr(text, "hunter2"));
	return strstr(text, "file with secrets is open to others") != NULL;
}

static void
secrets_open_to_others_are_warned_of(void **state)
{
	(void) state;
	assert_true(is_warned_of(TEXT("sasl.password=hunter2\n"), 0644));
	assert_false(is_warned_of(TEXT("sasl.password=hunter2\n"), 0600));
	assert_false(is_warned_of(TEXT("sasl.username=me\n"), 0644));
}

/* Read this one pair. */
static bool
read_pair(const char *pair, KafkaProperties *properties, char *errstr,
		  size_t errstr_size)
{
	const OptionList list = {&pair, 1};

	return kafka_properties_read(properties, NULL, &list, errstr,
								 errstr_size);
}

static void
secrets_are_refused_on_the_command_line(void **state)
{
	KafkaProperties properties;
	char		errstr[512] = "";

	(void) state;
	assert_false(read_pair("sasl.password=hunter2", &properties, errstr,
						   sizeof(errstr)));
	assert_non_null(strstr(errstr, "option -X: property \"sasl.password\""));
	assert_non_null(strstr(errstr, "sasl.password.file=PATH"));
	assert_null(strstr(errstr, "hunter2"));
	assert_int_equal(properties.count, 0);
}

static void
secrets_come_from_files_and_variables(void **state)
{
	KafkaProperties properties;
	char		pair[128];
	char		errstr[512] = "";

	(void) state;
	write_file(TEXT(" hunter2\nhunter3 \r\n"));
	snprintf(pair, sizeof(pair), "ssl.key.password.file = %s", path);
	assert_true(read_pair(pair, &properties, errstr, sizeof(errstr)));
	assert_string_equal(properties.items[0].name, "ssl.key.password");
	assert_string_equal(properties.items[0].value, " hunter2\nhunter3 ");
	kafka_properties_free(&properties);

	setenv("TEST_SECRET", "hunter2", 1);
	assert_true(read_pair("sasl.password.env=TEST_SECRET", &properties,
						  errstr, sizeof(errstr)));
	assert_string_equal(kafka_properties_value(&properties, "sasl.password"),
						"hunter2");
	assert_null(kafka_properties_value(&properties, "sasl.username"));
	kafka_properties_free(&properties);
	unsetenv("TEST_SECRET");

	/* what is no secret is librdkafka's own business */
	assert_true(read_pair("client.id.file=/nonexistent", &properties, errstr,
						  sizeof(errstr)));
	assert_string_equal(properties.items[0].name, "client.id.file");
	kafka_properties_free(&properties);
}

/* It would be empty when it is read again. */
static void
secrets_in_pipes_are_refused(void)
{
	KafkaProperties properties;
	int			ends[2];
	char		pair[64];
	char		errstr[512] = "";

	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], "hunter2\n", 8), 8);
	snprintf(pair, sizeof(pair), "sasl.password.file=/dev/fd/%d", ends[0]);
	assert_false(read_pair(pair, &properties, errstr, sizeof(errstr)));
	assert_non_null(strstr(errstr, "is a pipe, which can be read only once"));
	assert_null(strstr(errstr, "hunter"));
	close(ends[0]);
	close(ends[1]);
}

static void
secrets_that_are_not_there_are_named(void **state)
{
	static const struct
	{
		const char *pair;
		const char *expected;
	}			bad[] = {
		{"sasl.password.file=/nonexistent",
		"could not read file \"/nonexistent\": No such file or directory"},
		{"sasl.password.file=/dev/null", "file \"/dev/null\" is empty"},
		{"sasl.password.file=/dev/zero", "file \"/dev/zero\" is too large"},
		{"sasl.password.env=TEST_SECRET",
		"variable \"TEST_SECRET\" is not set"},
	};

	(void) state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
	{
		KafkaProperties properties;
		char		errstr[512] = "";

		assert_false(read_pair(bad[i].pair, &properties, errstr,
							   sizeof(errstr)));
		if (strstr(errstr, bad[i].expected) == NULL)
			fail_msg("\"%s\" lacks \"%s\"", errstr, bad[i].expected);
		assert_int_equal(properties.count, 0);
	}
	secrets_in_pipes_are_refused();
	assert_bad_file(TEXT("sasl.password=x\nsasl.password.file=/dev/null\n"),
					"line 2: file \"/dev/null\" is empty");
	setenv("TEST_SECRET", "hunter2", 1);
	assert_bad_file(TEXT("sasl.password=x\nsasl.password.env=TEST_SECRET\n"),
					"line 2: property \"sasl.password\" was given before");
	unsetenv("TEST_SECRET");
}

static void
a_secret_that_changed_is_read_again(void **state)
{
	KafkaProperties properties;
	KafkaProperties copy;
	char		pair[128];
	char		errstr[512] = "";

	(void) state;
	write_file(TEXT("hunter2\n"));
	snprintf(pair, sizeof(pair), "sasl.password.file=%s", path);
	assert_true(read_pair(pair, &properties, errstr, sizeof(errstr)));
	assert_false(kafka_properties_renew(&properties, errstr, sizeof(errstr)));
	assert_string_equal(errstr, "");
	write_file(TEXT("hunter3"));
	assert_true(kafka_properties_renew(&properties, errstr, sizeof(errstr)));
	assert_string_equal(properties.items[0].value, "hunter3");
	/* one that is being replaced keeps its value */
	write_file(TEXT(""));
	assert_false(kafka_properties_renew(&properties, errstr, sizeof(errstr)));
	assert_non_null(strstr(errstr, "is empty"));
	assert_string_equal(properties.items[0].value, "hunter3");
	/* and so does a copy, whatever becomes of the original */
	assert_true(kafka_properties_copy(&copy, &properties));
	kafka_properties_free(&properties);
	assert_int_equal(copy.count, 1);
	assert_string_equal(copy.items[0].value, "hunter3");
	write_file(TEXT("hunter4"));
	assert_true(kafka_properties_renew(&copy, errstr, sizeof(errstr)));
	assert_string_equal(copy.items[0].value, "hunter4");
	/* what has been set is what the file is compared with */
	kafka_properties_set(&copy, "sasl.password", "hunter5");
	kafka_properties_set(&copy, "sasl.username", "not there");
	assert_string_equal(kafka_properties_value(&copy, "sasl.password"),
						"hunter5");
	assert_int_equal(copy.count, 1);
	write_file(TEXT("hunter5"));
	assert_false(kafka_properties_renew(&copy, errstr, sizeof(errstr)));
	kafka_properties_free(&copy);
}

static void
secrets_are_hidden_in_texts(void **state)
{
	static const struct
	{
		const char *text;
		const char *expected;
	}			texts[] = {
		{"", ""},
		{"no secret here: hunter", "no secret here: hunter"},
		{"hunter2", "(hidden)"},
		{"a hunter2hunter2 b hunter23 c", "a (hidden)(hidden) b (hidden) c"},
		{"user me has abc", "user me has abc"},
		{"unrecognized: three=four", "unrecognized: (hidden)"},
		{"unrecognized: one two three=four", "unrecognized: (hidden)"},
	};
	const OptionList none = {NULL, 0};
	KafkaProperties properties;
	char		errstr[256];
	char		out[64];

	(void) state;
	/* the longest counts; what is short would be told by being hidden */
	write_file(TEXT("sasl.password=hunter2\nssl.key.password=hunter23\n"
					"sasl.username=user me\nsasl.oauthbearer.config=abc\n"
					"other.secret=one two three=four\n"
					"ssl.keystore.password=\n"));
	assert_int_equal(chmod(path, 0600), 0);
	assert_true(kafka_properties_read(&properties, path, &none, errstr,
									  sizeof(errstr)));
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
	{
		kafka_properties_hide(&properties, texts[i].text, out, sizeof(out));
		assert_string_equal(out, texts[i].expected);
	}
	/* cut where it does not fit, also within the word for it */
	kafka_properties_hide(&properties, "ab hunter2 cd", out, 7);
	assert_string_equal(out, "ab (hi");
	kafka_properties_hide(&properties, "abcdefg", out, 4);
	assert_string_equal(out, "abc");
	kafka_properties_free(&properties);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_name_and_value),
		cmocka_unit_test(blanks_comments_and_line_ends_are_forgiven),
		cmocka_unit_test(bad_lines_are_named),
		cmocka_unit_test(a_line_without_end_is_refused),
		cmocka_unit_test(files_that_cannot_be_read_are_named),
		cmocka_unit_test(pairs_follow_the_file),
		cmocka_unit_test(no_file_is_no_error),
		cmocka_unit_test(bad_pairs_are_refused_without_their_text),
		cmocka_unit_test(secrets_are_known),
		cmocka_unit_test(secrets_open_to_others_are_warned_of),
		cmocka_unit_test(secrets_are_refused_on_the_command_line),
		cmocka_unit_test(secrets_come_from_files_and_variables),
		cmocka_unit_test(secrets_that_are_not_there_are_named),
		cmocka_unit_test(a_secret_that_changed_is_read_again),
		cmocka_unit_test(secrets_are_hidden_in_texts),
	};

	return cmocka_run_group_tests_name("kafka_properties", tests, make_path,
									   remove_path);
}
