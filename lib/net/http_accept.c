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
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/clock.h"
#include "net/http_conn.h"
#include "net/http_socket.h"

#include "base/banned.h"

#define ACCEPTS_PER_TURN 64

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

static void refuse(struct span__http_server *h, int fd)
{
	h->counts.overloaded++;
	span__http_socket_refuse(fd, h->opts.cert);
}

void span__http_tell_large(struct span__http_conn *c,
			   struct MHD_Connection *mhd)
{
	struct span__server_counts *n = &c->server->counts;

	span__http_socket_tell(c->fd, mhd,
			       "HTTP/1.1 413 Content Too Large\r\n"
			       "Content-Length: 0\r\n"
			       "Connection: close\r\n\r\n");
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
 * libmicrohttpd tells of a request when its first line is whole. Its time
 * begins with its first byte; under TLS the first bytes are no request yet.
 */
static void look_for_request(struct span__http_conn *c, uint64_t now)
{
	const struct span__http_opts *o = &c->server->opts;

	if (c->state == SPAN__HTTP_IDLE && !(o->cert && c->is_first) &&
	    span__http_socket_has_begun(c->fd, c->is_first, c->since_ns, now))
		span__http_wait(c, SPAN__HTTP_HEAD, o->head_ns);
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
			    !span__http_socket_has_input(c->fd))) {
			cut(c);
		}
	}
}
