/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connections are accepted here and handed to libmicrohttpd, which reads and
 * writes them without a thread of its own: so one limit holds for all sockets,
 * whoever is refused is counted, and the lack of descriptors is no busy loop.
 *
 * libmicrohttpd's own timeout begins anew with each byte. Here each state of a
 * connection has an end that bytes do not move, and a connection that has
 * passed it is shut down, which libmicrohttpd sees as its end.
 */
#include <errno.h>
#include <linux/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gnutls/gnutls.h>

#include "net/clock.h"
#include "net/http_conn.h"

#include "base/banned.h"

#define ACCEPTS_PER_TURN 64
#define MILLISECOND_NS 1000000u
#define CLOCK_ERROR_NS 10000000u /* a tick of the kernel's clock */

struct span__http_conn *span__http_conn_of(struct span__http_server *h, int fd)
{
	return fd >= 0 && (size_t)fd < h->n_conns ? h->conns[fd] : NULL;
}

void span__http_conn_free(struct span__http_server *h, int fd)
{
	struct span__http_conn *c = span__http_conn_of(h, fd);

	if (!c)
		return;
	span__admission_leave(h->opts.admission, &c->from);
	free(c);
	h->conns[fd] = NULL;
	h->counts.open--;
}

/* Make room for an entry at FD. */
static bool grow_table(struct span__http_server *h, int fd)
{
	size_t n = h->n_conns ? h->n_conns : 64;
	struct span__http_conn **v;

	while (n <= (size_t)fd)
		n *= 2;
	if (n == h->n_conns)
		return true;
	v = realloc(h->conns, n * sizeof(*v));
	if (!v)
		return false;
	memset(v + h->n_conns, 0, (n - h->n_conns) * sizeof(*v));
	h->conns = v;
	h->n_conns = n;
	return true;
}

/* Is there room for one more, of PEER? */
static bool may_enter(struct span__http_server *h,
		      const struct span__address *peer)
{
	const struct span__peer from = span__peer_of(peer);

	return h->counts.open < h->opts.max_connections &&
	       span__admission_enter(h->opts.admission, &from);
}

/* PEER was let in, and leaves when this fails. Takes FD in any case. */
static int add_connection(struct span__http_server *h, int fd,
			  const struct span__http_socket *s,
			  const struct span__address *peer,
			  struct span_error *err)
{
	const struct span__peer from = span__peer_of(peer);
	struct span__http_conn *c = NULL;

	if (grow_table(h, fd))
		c = calloc(1, sizeof(*c));
	if (!c) {
		span__admission_leave(h->opts.admission, &from);
		close(fd);
		return span_error_set(err, SPAN_E_NOMEM, "out of memory");
	}
	*c = (struct span__http_conn){.server = h,
				      .fd = fd,
				      .kind = s->kind,
				      .port = s->port,
				      .from = from,
				      .is_first = true};
	span__http_wait(c, SPAN__HTTP_IDLE, h->opts.first_ns);
	if (peer->len)
		span__address_text(peer, c->peer);
	h->conns[fd] = c;
	h->counts.open++;
	h->counts.connections++;
	/* Closes FD when it cannot. */
	if (MHD_add_connection(h->daemon, fd, &peer->sa.any, peer->len) !=
	    MHD_YES) {
		span__http_conn_free(h, fd);
		return span_error_set(err, SPAN_E_NOMEM, "out of memory");
	}
	return 0;
}

int span__http_server_connect(struct span__http_server *h, int fd,
			      enum span__http_kind kind, uint16_t port,
			      const char *peer, struct span_error *err)
{
	const struct span__http_socket s = {.kind = kind, .port = port};
	struct span__address none = {.sa.in.sin_family = AF_INET,
				     .len = sizeof(none.sa.in)};
	int rc;

	if (!may_enter(h, &none)) {
		close(fd);
		return span_error_set(err, SPAN_E_LIMIT,
				      "too many connections");
	}
	rc = add_connection(h, fd, &s, &none, err);
	if (rc == 0)
		snprintf(h->conns[fd]->peer, sizeof(h->conns[fd]->peer), "%s",
			 peer);
	return rc;
}

/* Tell whoever is one too many that it may come again. */
static void refuse(struct span__http_server *h, int fd)
{
	static const char text[] = "HTTP/1.1 503 Service Unavailable\r\n"
				   "Retry-After: 1\r\n"
				   "Content-Length: 0\r\n"
				   "Connection: close\r\n\r\n";

	h->counts.overloaded++;
	if (!h->opts.cert)
		(void)!send(fd, text, sizeof(text) - 1,
			    MSG_DONTWAIT | MSG_NOSIGNAL);
	close(fd);
}

/*
 * The rest is heard for a while, as a client that is cut off while it sends
 * may not read what it was told.
 */
void span__http_tell_large(struct span__http_conn *c,
			   struct MHD_Connection *mhd)
{
	static const char text[] = "HTTP/1.1 413 Content Too Large\r\n"
				   "Content-Length: 0\r\n"
				   "Connection: close\r\n\r\n";
	const union MHD_ConnectionInfo *tls = MHD_get_connection_info(
		mhd, MHD_CONNECTION_INFO_GNUTLS_SESSION);
	struct span__server_counts *n = &c->server->counts;

	if (tls && tls->tls_session)
		(void)gnutls_record_send(tls->tls_session, text,
					 sizeof(text) - 1);
	else
		(void)!send(c->fd, text, sizeof(text) - 1,
			    MSG_DONTWAIT | MSG_NOSIGNAL);
	shutdown(c->fd, SHUT_WR);
	n->requests++;
	n->refused++;
	n->too_large++;
}

/* Sockets that are not watched wake nobody up, while nothing can be done. */
static void pause_sockets(struct span__http_server *h, bool pause)
{
	for (size_t i = 0; i < h->n_sockets; i++) {
		struct epoll_event e = {.events = pause ? 0 : EPOLLIN,
					.data.ptr = &h->sockets[i]};

		(void)epoll_ctl(h->epoll_fd, EPOLL_CTL_MOD, h->sockets[i].fd,
				&e);
	}
	h->paused = pause;
}

void span__http_accept(struct span__http_server *h,
		       const struct span__http_socket *s)
{
	for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
		struct span__address peer = {.len = sizeof(peer.sa)};
		int fd = accept4(s->fd, &peer.sa.any, &peer.len,
				 SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd < 0) {
			if (errno == EMFILE || errno == ENFILE ||
			    errno == ENOMEM || errno == ENOBUFS)
				pause_sockets(h, true);
			if (errno == ECONNABORTED || errno == EINTR)
				continue;
			return;
		}
		if (may_enter(h, &peer))
			(void)!add_connection(h, fd, s, &peer, NULL);
		else
			refuse(h, fd);
	}
}

void span__http_rest(struct span__http_conn *c)
{
	span__http_wait(c, SPAN__HTTP_IDLE, c->server->opts.idle_ns);
	c->is_first = false;
}

/*
 * Has anything come since C became idle? The kernel knows when bytes came to
 * some milliseconds only; what came with the request before is not seen.
 */
static bool has_begun(const struct span__http_conn *c, uint64_t now)
{
	struct tcp_info info = {0};
	socklen_t len = sizeof(info);
	uint64_t ago_ns;

	if (getsockopt(c->fd, IPPROTO_TCP, TCP_INFO, &info, &len) < 0)
		return false;
	if (c->is_first)
		return info.tcpi_bytes_received;
	ago_ns = info.tcpi_last_data_recv * (uint64_t)MILLISECOND_NS;
	return ago_ns + CLOCK_ERROR_NS < now - c->since_ns;
}

/*
 * libmicrohttpd tells of a request when its first line is whole. Its time
 * begins with its first byte; under TLS the first bytes are no request yet.
 */
static void look_for_request(struct span__http_conn *c, uint64_t now)
{
	const struct span__http_opts *o = &c->server->opts;

	if (c->state == SPAN__HTTP_IDLE && !(o->cert && c->is_first) &&
	    has_begun(c, now))
		span__http_wait(c, SPAN__HTTP_HEAD, o->head_ns);
}

/* Has the client sent something that nobody has read? */
static bool has_input(int fd)
{
	int n = 0;

	return ioctl(fd, FIONREAD, &n) == 0 && n > 0;
}

/*
 * Has the client closed its side, before an answer? libmicrohttpd misses that
 * when it comes together with data. Once its request is whole it may.
 */
static bool is_gone(const struct span__http_conn *c)
{
	char next;

	return c->state != SPAN__HTTP_ANSWER && c->state != SPAN__HTTP_WRITE &&
	       recv(c->fd, &next, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

static void cut(struct span__http_conn *c)
{
	shutdown(c->fd, SHUT_RDWR);
	c->cut = true;
}

/* End what is too slow or gone; once it stops also what has nothing to say. */
void span__http_sweep(struct span__http_server *h)
{
	uint64_t now = span__monotonic_ns();

	if (now - h->swept_ns <
	    (h->stopping ? SPAN__HTTP_STOP_NS : SPAN__HTTP_SWEEP_NS))
		return;
	h->swept_ns = now;
	if (h->paused)
		pause_sockets(h, false);
	for (size_t i = 0; h->counts.open && i < h->n_conns; i++) {
		struct span__http_conn *c = h->conns[i];

		if (!c || c->cut)
			continue;
		look_for_request(c, now);
		if (now >= c->deadline_ns) {
			h->counts.timeouts += c->state != SPAN__HTTP_IDLE;
			cut(c);
		} else if (is_gone(c) ||
			   (h->stopping && c->state == SPAN__HTTP_IDLE &&
			    !has_input(c->fd))) {
			cut(c);
		}
	}
}
