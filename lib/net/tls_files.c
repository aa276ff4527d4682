/* SPDX-License-Identifier: Apache-2.0 */
#include "net/tls_files.h"

#include <errno.h>
#include <gnutls/gnutls.h>
#include <string.h>
#include <unistd.h>

#include "base/banned.h"

static int readable(const char *path, struct span_error *err)
{
	if (!path || !access(path, R_OK))
		return 0;
	return span_error_set(err, SPAN_E_INVALID, "cannot read %s: %s", path,
			      strerrordesc_np(errno));
}

static int check_cacert(gnutls_certificate_credentials_t c, const char *path,
			struct span_error *err)
{
	int n = gnutls_certificate_set_x509_trust_file(c, path,
						       GNUTLS_X509_FMT_PEM);

	if (n > 0)
		return 0;
	return span_error_set(err, SPAN_E_INVALID,
			      "%s has no certificates in PEM%s%s", path,
			      n ? ": " : "", n ? gnutls_strerror(n) : "");
}

static int check_cert(gnutls_certificate_credentials_t c, const char *cert,
		      const char *key, struct span_error *err)
{
	int rc = gnutls_certificate_set_x509_key_file(c, cert, key ? key : cert,
						      GNUTLS_X509_FMT_PEM);

	if (rc >= 0)
		return 0;
	return span_error_set(err, SPAN_E_INVALID,
			      "cannot use certificate %s with key %s: %s", cert,
			      key ? key : cert, gnutls_strerror(rc));
}

int span__tls_files_check(const char *cacert, const char *cert, const char *key,
			  struct span_error *err)
{
	gnutls_certificate_credentials_t c;
	int rc;

	if ((rc = readable(cacert, err)) < 0 ||
	    (rc = readable(cert, err)) < 0 || (rc = readable(key, err)) < 0 ||
	    (!cacert && !cert))
		return rc;
	if (gnutls_certificate_allocate_credentials(&c))
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	if (cacert)
		rc = check_cacert(c, cacert, err);
	if (!rc && cert)
		rc = check_cert(c, cert, key, err);
	gnutls_certificate_free_credentials(c);
	return rc;
}
