/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who is let in, and for how long he may stay.
 *
 * libmicrohttpd's own timeout begins anew with each byte. Here each state of a
 * connection has an end that bytes do not move, and a connection that has
 * passed it is shut down, which libmicrohttpd sees as its end.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/clock.h"
#include "net/http_conn.h"
#include "net/http_socket.h"

#include "base/banned.h"

struct span__http_conn *span__http_conn_of(struct span__http_server *h, int fd)
{
	return span__http_daemon_entry(&h->daemon, fd);
}

static void end_connection(struct span__http_server *h,
			   struct span__http_conn *c)
{
	span__admission_leave(h->opts.admission, &c->from);
	free(c);
	h->counts.open--;
}

void span__http_conn_free(struct span__http_server *h, int fd)
{
	struct span__http_conn *c = span__http_conn_of(h, fd);

	if (!c)
		return;
	span__http_daemon_forget(&h->daemon, fd);
	end_connection(h, c);
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
			  enum span__http_kind kind, uint16_t port,
			  const struct span__address *peer,
			  struct span_error *err)
{
	const struct span__peer from = span__peer_of(peer);
	struct span__http_conn *c = calloc(1, sizeof(*c));

	if (!c) {
		span__admission_leave(h->opts.admission, &from);
		close(fd);
		return span_error_set(err, SPAN_E_NOMEM, "out of memory");
	}
	*c = (struct span__http_conn){.server = h,
				      .fd = fd,
				      .kind = kind,
				      .port = port,
				      .from = from,
				      .is_first = true};
	span__http_wait(c, SPAN__HTTP_IDLE, h->opts.first_ns);
	if (peer->len)
		span__address_text(peer, c->peer);
	h->counts.open++;
	h->counts.connections++;
	if (span__http_daemon_add(&h->daemon, fd, c, peer))
		return 0;
	end_connection(h, c);
	return span_error_set(err, SPAN_E_NOMEM, "out of memory");
}

int span__http_server_connect(struct span__http_server *h, int fd,
			      enum span__http_kind kind, uint16_t port,
			      const char *peer, struct span_error *err)
{
	struct span__address none = {.sa.in.sin_family = AF_INET,
				     .len = sizeof(none.sa.in)};
	struct span__http_conn *c;
	int rc;

	if (!may_enter(h, &none)) {
		close(fd);
		return span_error_set(err, SPAN_E_LIMIT,
				      "too many connections");
	}
	rc = add_connection(h, fd, kind, port, &none, err);
	c = span__http_conn_of(h, fd);
	if (rc == 0 && c)
		snprintf(c->peer, sizeof(c->peer), "%s", peer);
	return rc;
}

static void refuse(struct span__http_server *h, int fd)
{
	h->counts.overloaded++;
	span__http_socket_refuse(fd, h->daemon.tls);
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

void span__http_enter(void *arg, int fd, const struct span__http_listener *l,
		      const struct span__address *peer)
{
	struct span__http_server *h = arg;

	if (!may_enter(h, peer)) {
		refuse(h, fd);
		return;
	}
	(void)!add_connection(h, fd, SPAN__HTTP_KIND(l->what),
			      SPAN__HTTP_PORT(l->what), peer, NULL);
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
	const struct span__http_server *h = c->server;

	if (c->state == SPAN__HTTP_IDLE && !(h->daemon.tls && c->is_first) &&
	    span__http_socket_has_begun(c->fd, c->is_first, c->since_ns, now))
		span__http_wait(c, SPAN__HTTP_HEAD, h->opts.head_ns);
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

	if (!span__http_daemon_is_due(&h->daemon, now))
		return;
	for (size_t i = 0; h->counts.open && i < h->daemon.n_entries; i++) {
		struct span__http_conn *c = h->daemon.entries[i];

		if (!c || c->cut)
			continue;
		look_for_request(c, now);
		if (now >= c->deadline_ns) {
			h->counts.timeouts += c->state != SPAN__HTTP_IDLE;
			cut(c);
		} else if (is_gone(c) ||
			   (h->daemon.stopping && c->state == SPAN__HTTP_IDLE &&
			    !span__http_socket_has_input(c->fd))) {
			cut(c);
		}
	}
}
