/*
 * OpenSSL's verdicts on certificates.  The only user of OpenSSL.
 */
#include "certificate.h"

#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <stdio.h>
#include <string.h>

/* Reasons that people meet; of others OpenSSL has to speak itself. */
static const struct
{
	int			error;
	const char *words;
	const char *words_above;	/* when it is an authority's; NULL: the same */
}			reasons[] = {
	{X509_V_ERR_CERT_HAS_EXPIRED, "has expired",
	"is signed by an authority whose own certificate has expired"},
	{X509_V_ERR_CERT_NOT_YET_VALID, "is not valid yet",
	"is signed by an authority whose own certificate is not valid yet"},
	{X509_V_ERR_HOSTNAME_MISMATCH, "is for another host name", NULL},
	{X509_V_ERR_IP_ADDRESS_MISMATCH, "is for another address", NULL},
	{X509_V_ERR_CERT_REVOKED, "has been revoked",
	"is signed by an authority whose own certificate has been revoked"},
	{X509_V_ERR_INVALID_PURPOSE, "is not one for a server",
	"is signed by what is no authority"},
#define UNTRUSTED "is not signed by an authority that is trusted here"
	{X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, UNTRUSTED, NULL},
	{X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, UNTRUSTED, NULL},
	{X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, UNTRUSTED, NULL},
	{X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, UNTRUSTED, NULL},
	{X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, UNTRUSTED, NULL},
	{X509_V_ERR_CERT_SIGNATURE_FAILURE, UNTRUSTED, NULL},
};

static X509_STORE *open_store(const char *authorities);
static bool verify(X509_STORE *store, X509 *certificate,
				   STACK_OF(X509) *chain, int *error, int *depth);

void
certificate_describe(int error, int depth, char *out, size_t size)
{
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
	{
		if (reasons[i].error != error)
			continue;
		snprintf(out, size, "%s", depth > 0 && reasons[i].words_above != NULL ?
				 reasons[i].words_above : reasons[i].words);
		return;
	}
	snprintf(out, size, "is refused: %s",
			 X509_verify_cert_error_string(error));
}

bool
certificate_is_refused(void *ssl, const char *authorities, char *out,
					   size_t size)
{
	X509	   *certificate = SSL_get1_peer_certificate(ssl);
	X509_STORE *store = certificate != NULL ? open_store(authorities) : NULL;
	int			error = X509_V_OK;
	int			depth = 0;
	bool		refused = store != NULL &&
		!verify(store, certificate, SSL_get_peer_cert_chain(ssl), &error,
				&depth) && error != X509_V_OK;

	if (refused)
		certificate_describe(error, depth, out, size);
	X509_STORE_free(store);
	X509_free(certificate);
	return refused;
}

/* NULL when the authorities cannot be read. */
static X509_STORE *
open_store(const char *authorities)
{
	X509_STORE *store = X509_STORE_new();
	bool		is_read = false;

	if (store != NULL && strcmp(authorities, "system") == 0)
		is_read = X509_STORE_set_default_paths(store) == 1;
	else if (store != NULL)
		is_read = X509_STORE_load_file(store, authorities) == 1;
	if (is_read)
		return store;
	X509_STORE_free(store);
	return NULL;
}

static bool
verify(X509_STORE *store, X509 *certificate, STACK_OF(X509) *chain,
	   int *error, int *depth)
{
	X509_STORE_CTX *context = X509_STORE_CTX_new();
	bool		is_good = false;

	if (context != NULL &&
		X509_STORE_CTX_init(context, store, certificate, chain) == 1 &&
		X509_STORE_CTX_set_default(context, "ssl_server") == 1)
	{
		is_good = X509_verify_cert(context) == 1;
		*error = X509_STORE_CTX_get_error(context);
		*depth = X509_STORE_CTX_get_error_depth(context);
	}
	X509_STORE_CTX_free(context);
	return is_good;
}
