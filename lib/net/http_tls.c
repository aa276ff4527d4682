/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A handshake that is going on needs its certificate and key to its end: each
 * gets copies of its own, which GnuTLS releases. That takes some hundredths of
 * a millisecond of the one or two that a handshake takes.
 */
#include "net/http_tls.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

#define CHAIN_MAX 16u /* certificates */

struct span__http_tls {
	char *cert, *key;
};

/* libmicrohttpd has no argument for who chooses. */
static _Thread_local const struct span__http_tls *used;

static gnutls_datum_t datum_of(const char *text)
{
	return (gnutls_datum_t){(unsigned char *)(uintptr_t)text,
				(unsigned)strlen(text)};
}

static void drop_certs(gnutls_pcert_st *v, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		gnutls_pcert_deinit(&v[i]);
	gnutls_free(v);
}

int span__http_tls_choose(gnutls_session_t session,
			  const struct gnutls_cert_retr_st *info,
			  gnutls_pcert_st **certs, unsigned *n_certs,
			  gnutls_ocsp_data_st **ocsp, unsigned *n_ocsp,
			  gnutls_privkey_t *key, unsigned *flags)
{
	gnutls_datum_t c, k;
	unsigned n = CHAIN_MAX;
	gnutls_pcert_st *v;

	(void)session;
	(void)info;
	if (!used)
		return -1;
	c = datum_of(used->cert);
	k = datum_of(used->key);
	v = gnutls_calloc(n, sizeof(*v));
	if (!v ||
	    gnutls_pcert_list_import_x509_raw(v, &n, &c, GNUTLS_X509_FMT_PEM,
					      GNUTLS_X509_CRT_LIST_SORT)) {
		gnutls_free(v);
		return -1;
	}
	if (gnutls_privkey_init(key)) {
		drop_certs(v, n);
		return -1;
	}
	if (gnutls_privkey_import_x509_raw(*key, &k, GNUTLS_X509_FMT_PEM, NULL,
					   0)) {
		gnutls_privkey_deinit(*key);
		drop_certs(v, n);
		return -1;
	}
	*certs = v;
	*n_certs = n;
	*ocsp = NULL;
	*n_ocsp = 0;
	*flags = GNUTLS_CERT_RETR_DEINIT_ALL;
	return 0;
}

void span__http_tls_use(const struct span__http_tls *t)
{
	used = t;
}

/* Do they belong together, and can both be read as above? */
static int check(const char *cert, const char *key, struct span_error *err)
{
	const gnutls_datum_t c = datum_of(cert), k = datum_of(key);
	gnutls_certificate_credentials_t both;
	gnutls_pcert_st chain[CHAIN_MAX];
	unsigned n = CHAIN_MAX;
	int rc;

	if (gnutls_certificate_allocate_credentials(&both) < 0)
		return span_error_set(err, SPAN_E_NOMEM, "out of memory");
	rc = gnutls_certificate_set_x509_key_mem2(both, &c, &k,
						  GNUTLS_X509_FMT_PEM, NULL, 0);
	gnutls_certificate_free_credentials(both);
	if (rc >= 0)
		rc = gnutls_pcert_list_import_x509_raw(
			chain, &n, &c, GNUTLS_X509_FMT_PEM,
			GNUTLS_X509_CRT_LIST_SORT);
	if (rc < 0)
		return span_error_set(
			err, SPAN_E_INVALID,
			"cannot use the TLS certificate and key: %s",
			gnutls_strerror(rc));
	for (unsigned i = 0; i < n; i++)
		gnutls_pcert_deinit(&chain[i]);
	return 0;
}

static void wipe(char *key)
{
	if (key)
		explicit_bzero(key, strlen(key));
	free(key);
}

int span__http_tls_replace(struct span__http_tls *t, const char *cert,
			   const char *key, struct span_error *err)
{
	char *c, *k;
	int rc = check(cert, key, err);

	if (rc < 0)
		return rc;
	c = strdup(cert);
	k = strdup(key);
	if (!c || !k) {
		free(c);
		wipe(k);
		return span_error_set(err, SPAN_E_NOMEM, "out of memory");
	}
	free(t->cert);
	wipe(t->key);
	t->cert = c;
	t->key = k;
	return 0;
}

int span__http_tls_open(struct span__http_tls **out, const char *cert,
			const char *key, struct span_error *err)
{
	struct span__http_tls *t = calloc(1, sizeof(*t));
	int rc;

	*out = t;
	if (!t)
		return span_error_set(err, SPAN_E_NOMEM, "out of memory");
	rc = span__http_tls_replace(t, cert, key, err);
	if (rc < 0)
		span__http_tls_close(out);
	return rc;
}

void span__http_tls_close(struct span__http_tls **out)
{
	struct span__http_tls *t = *out;

	if (!t)
		return;
	free(t->cert);
	wipe(t->key);
	free(t);
	*out = NULL;
}
