/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net/tls_session.h - TLS for a server's connections, never waiting
 *
 * What a server shows (certificate and key) is loaded once and shared by its
 * sessions. A session belongs to one non-blocking socket; reads and writes
 * shake hands first and behave as the system's own.
 */
#ifndef NET_TLS_SESSION_H
#define NET_TLS_SESSION_H

#include <span/base.h>

#include <sys/types.h>

struct span__tls;
struct span__tls_session;

/*
 * Load the certificate chain and its key, both PEM files. 0; SPAN_E_INVALID
 * when one cannot be read or they do not belong together; SPAN_E_NOMEM.
 */
SPAN_NODISCARD int span__tls_open(struct span__tls **out, const char *cert,
				  const char *key, struct span_error *err);
void span__tls_close(struct span__tls **tls); /* after its sessions */

/*
 * A session on FD, borrowed, with TLS 1.2 or later. ALPN is the protocol that
 * is spoken: a client that offers others only is refused. 0 or SPAN_E_NOMEM.
 */
SPAN_NODISCARD int span__tls_session_open(struct span__tls_session **out,
					  const struct span__tls *tls, int fd,
					  const char *alpn,
					  struct span_error *err);

/*
 * As read(2) and write(2): -1 with errno EAGAIN when it would wait; EPROTO
 * for what is not TLS or was refused. After EAGAIN a write must be repeated
 * with the same bytes.
 */
ssize_t span__tls_session_read(struct span__tls_session *s, void *p,
			       size_t len);
ssize_t span__tls_session_write(struct span__tls_session *s, const void *p,
				size_t len);

/* After EAGAIN: does it wait for the socket to be writable, or readable? */
bool span__tls_session_wants_write(const struct span__tls_session *s);
/* Is there something to read that the socket no longer shows? */
bool span__tls_session_has_more(const struct span__tls_session *s);

/* Says goodbye if that is possible without waiting. */
void span__tls_session_close(struct span__tls_session **s);

#endif
