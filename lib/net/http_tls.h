/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net/http_tls.h - the certificate that libmicrohttpd shows
 *
 * It is chosen anew for each handshake, so that another one can take its place
 * while connections are open.
 */
#ifndef NET_HTTP_TLS_H
#define NET_HTTP_TLS_H

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>

#include <span/base.h>

#define SPAN__HTTP_TLS_PRIORITY "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"

struct span__http_tls;

/*
 * CERT and KEY, texts in PEM, are copied. 0; SPAN_E_INVALID when they are not
 * what they should be; SPAN_E_NOMEM.
 */
SPAN_NODISCARD int span__http_tls_open(struct span__http_tls **out,
				       const char *cert, const char *key,
				       struct span_error *err);
/* Show these from now on; the same, and the old ones stay when it fails. */
SPAN_NODISCARD int span__http_tls_replace(struct span__http_tls *t,
					  const char *cert, const char *key,
					  struct span_error *err);
void span__http_tls_close(struct span__http_tls **t);

/* Handshakes of this thread show what T has. */
void span__http_tls_use(const struct span__http_tls *t);
/* gnutls_certificate_retrieve_function3 */
int span__http_tls_choose(gnutls_session_t session,
			  const struct gnutls_cert_retr_st *info,
			  gnutls_pcert_st **certs, unsigned *n_certs,
			  gnutls_ocsp_data_st **ocsp, unsigned *n_ocsp,
			  gnutls_privkey_t *key, unsigned *flags);

#endif
