/* SPDX-License-Identifier: Apache-2.0 */
#include "net/tls_session.h"

#include <errno.h>
#include <gnutls/gnutls.h>
#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

#define PRIORITY "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"

struct span__tls {
	gnutls_certificate_credentials_t credentials;
	gnutls_priority_t priority;
};

struct span__tls_session {
	gnutls_session_t session;
	bool ready; /* hands are shaken */
};

int span__tls_open(struct span__tls **out, const char *cert, const char *key,
		   struct span_error *err)
{
	struct span__tls *t = calloc(1, sizeof(*t));
	int rc = 0, e;

	*out = NULL;
	if (!t || gnutls_certificate_allocate_credentials(&t->credentials) ||
	    gnutls_priority_init(&t->priority, PRIORITY, NULL)) {
		rc = span_error_set(err, SPAN_E_NOMEM, "out of memory");
		goto done;
	}
	e = gnutls_certificate_set_x509_key_file(t->credentials, cert, key,
						 GNUTLS_X509_FMT_PEM);
	if (e < 0) {
		rc = span_error_set(err, SPAN_E_INVALID,
				    "cannot use certificate %s with key %s: %s",
				    cert, key, gnutls_strerror(e));
		goto done;
	}
	*out = t;
	t = NULL;
done:
	span__tls_close(&t);
	return rc;
}

void span__tls_close(struct span__tls **tp)
{
	struct span__tls *t = *tp;

	*tp = NULL;
	if (!t)
		return;
	if (t->priority)
		gnutls_priority_deinit(t->priority);
	if (t->credentials)
		gnutls_certificate_free_credentials(t->credentials);
	free(t);
}

int span__tls_session_open(struct span__tls_session **out,
			   const struct span__tls *tls, int fd,
			   const char *alpn, struct span_error *err)
{
	struct span__tls_session *s = calloc(1, sizeof(*s));
	gnutls_datum_t protocol = {(unsigned char *)(uintptr_t)alpn,
				   (unsigned)strlen(alpn)};

	if (!s ||
	    gnutls_init(&s->session,
			GNUTLS_SERVER | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL) ||
	    gnutls_priority_set(s->session, tls->priority) ||
	    gnutls_credentials_set(s->session, GNUTLS_CRD_CERTIFICATE,
				   tls->credentials) ||
	    gnutls_alpn_set_protocols(s->session, &protocol, 1,
				      GNUTLS_ALPN_MANDATORY)) {
		span__tls_session_close(&s);
		return span_error_set(err, SPAN_E_NOMEM, "out of memory");
	}
	gnutls_transport_set_int(s->session, fd);
	*out = s;
	return 0;
}

/* What GnuTLS returned, as a system call would. */
static ssize_t result(ssize_t n)
{
	if (n >= 0)
		return n;
	if (n == GNUTLS_E_PREMATURE_TERMINATION)
		return 0;
	errno = n == GNUTLS_E_AGAIN || n == GNUTLS_E_INTERRUPTED ? EAGAIN
								 : EPROTO;
	return -1;
}

static int shake_hands(struct span__tls_session *s)
{
	int rc;

	if (s->ready)
		return 0;
	do
		rc = gnutls_handshake(s->session);
	while (rc < 0 && rc != GNUTLS_E_AGAIN && !gnutls_error_is_fatal(rc));
	s->ready = rc == GNUTLS_E_SUCCESS;
	if (rc < 0 && rc != GNUTLS_E_AGAIN)
		(void)gnutls_alert_send_appropriate(s->session, rc);
	return rc;
}

ssize_t span__tls_session_read(struct span__tls_session *s, void *p, size_t len)
{
	ssize_t n = shake_hands(s);

	return result(n < 0 ? n : gnutls_record_recv(s->session, p, len));
}

ssize_t span__tls_session_write(struct span__tls_session *s, const void *p,
				size_t len)
{
	ssize_t n = shake_hands(s);

	return result(n < 0 ? n : gnutls_record_send(s->session, p, len));
}

bool span__tls_session_wants_write(const struct span__tls_session *s)
{
	return gnutls_record_get_direction(s->session) == 1;
}

bool span__tls_session_has_more(const struct span__tls_session *s)
{
	return gnutls_record_check_pending(s->session) > 0;
}

void span__tls_session_close(struct span__tls_session **sp)
{
	struct span__tls_session *s = *sp;

	*sp = NULL;
	if (!s)
		return;
	if (s->ready)
		(void)gnutls_bye(s->session, GNUTLS_SHUT_WR);
	if (s->session)
		gnutls_deinit(s->session);
	free(s);
}
