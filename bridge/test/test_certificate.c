/*
 * What is wrong with a certificate is said in words, an authority's fault as
 * such.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <openssl/x509_vfy.h>

#include "certificate.h"

static void
assert_words(int error, int depth, const char *expected)
{
	char		words[200];

	certificate_describe(error, depth, words, sizeof(words));
	assert_string_equal(words, expected);
}

static void
reasons_are_words(void **state)
{
	(void) state;
	assert_words(X509_V_ERR_CERT_HAS_EXPIRED, 0, "has expired");
	assert_words(X509_V_ERR_CERT_HAS_EXPIRED, 1,
				 "is signed by an authority whose own certificate has expired");
	assert_words(X509_V_ERR_HOSTNAME_MISMATCH, 0, "is for another host name");
	assert_words(X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, 1,
				 "is not signed by an authority that is trusted here");
}

static void
of_others_openssl_speaks(void **state)
{
	(void) state;
	assert_words(X509_V_ERR_CA_KEY_TOO_SMALL, 0,
				 "is refused: CA certificate key too weak");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reasons_are_words),
		cmocka_unit_test(of_others_openssl_speaks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
