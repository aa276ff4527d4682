/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "net/clock.h"
#include "net/http_conn.h"

#include "base/banned.h"

#define SECOND_NS 1000000000u
#define EVENTS 16
#define CONN_MEMORY 65536u /* of libmicrohttpd: a head is less than that */
#define MEMORY_MIN (64u << 20)

void span__http_wait(struct span__http_conn *c, enum span__http_state state,
		     uint64_t ns)
{
	c->state = state;
	c->since_ns = span__monotonic_ns();
	c->deadline_ns = c->since_ns + ns;
}

static void or_else(uint64_t *value, uint64_t usual)
{
	if (!*value)
		*value = usual;
}

static void set_opts(struct span__http_server *h,
		     const struct span__http_opts *o)
{
	h->opts = *o;
	h->body_bytes = o->admission ? span__admission_memory(o->admission)
				     : &h->own_bytes;
	h->opts.max_body = o->max_body ? o->max_body : 20u << 20;
	h->opts.max_connections =
		o->max_connections ? o->max_connections : 1024;
	h->opts.memory = o->memory ? o->memory : 4 * h->opts.max_body;
	if (!o->memory && h->opts.memory < MEMORY_MIN)
		h->opts.memory = MEMORY_MIN;
	or_else(&h->opts.head_ns, 10ull * SECOND_NS);
	or_else(&h->opts.body_ns, 15ull * SECOND_NS);
	or_else(&h->opts.answer_ns, 30ull * SECOND_NS);
	or_else(&h->opts.first_ns, 30ull * SECOND_NS);
	or_else(&h->opts.idle_ns, 180ull * SECOND_NS);
}

/* ---- What libmicrohttpd calls ---- */

/*
 * A connection that ends in the head of a request: libmicrohttpd has refused
 * it by itself, as too long or no HTTP, or the client has given up.
 */
static void count_unread(struct span__http_server *h,
			 const struct span__http_conn *c)
{
	if (c->state != SPAN__HTTP_HEAD || c->cut)
		return;
	h->counts.requests++;
	h->counts.refused++;
}

static void on_connection(void *cls, struct MHD_Connection *mhd, void **context,
			  enum MHD_ConnectionNotificationCode what)
{
	struct span__http_server *h = cls;
	const union MHD_ConnectionInfo *fd =
		MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);

	if (what == MHD_CONNECTION_NOTIFY_STARTED) {
		*context = fd ? span__http_conn_of(h, fd->connect_fd) : NULL;
		return;
	}
	if (!*context)
		return;
	count_unread(h, *context);
	span__http_conn_free(h, ((struct span__http_conn *)*context)->fd);
	*context = NULL;
}

/* The request line is there: the rest of the head has to follow soon. */
static void *on_request(void *cls, const char *url, struct MHD_Connection *mhd)
{
	struct span__http_server *h = cls;
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
		mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	struct span__http_conn *c = info ? info->socket_context : NULL;

	(void)url;
	/* Unless it was seen to begin, and its time runs. */
	if (c && c->state != SPAN__HTTP_HEAD)
		span__http_wait(c, SPAN__HTTP_HEAD, h->opts.head_ns);
	return NULL;
}

/* ---- To open ---- */

static int open_daemon(struct span__http_server *h, struct span_error *err)
{
	const struct span__http_daemon_opts o = {
		.calls = {.arg = h,
			  .handle = span__http_handle,
			  .completed = span__http_completed,
			  .connection = on_connection,
			  .begin = on_request,
			  .enter = span__http_enter},
		.cert = h->opts.cert,
		.key = h->opts.key,
		.max_connections = h->opts.max_connections,
		.memory = CONN_MEMORY,
		.increment = CONN_MEMORY / 4,
	};

	return span__http_daemon_open(&h->daemon, &o, err);
}

static void http_close(void *self);

int span__http_server_open(struct span__http_server **out,
			   const struct span__http_opts *o,
			   struct span_error *err)
{
	struct span__http_server *h = calloc(1, sizeof(*h));
	int rc;

	*out = h;
	if (!h)
		return span_error_set(err, SPAN_E_NOMEM, "out of memory");
	set_opts(h, o);
	h->start_ns = span__monotonic_ns();
	rc = open_daemon(h, err);
	if (rc < 0) {
		http_close(h);
		*out = NULL;
	}
	return rc;
}

int span__http_server_listen(struct span__http_server *h, int fd,
			     enum span__http_kind kind, uint16_t port,
			     struct span_error *err)
{
	return span__http_daemon_listen(&h->daemon, fd,
					SPAN__HTTP_FOR(kind, port), err);
}

void span__http_server_strategies(struct span__http_server *h,
				  const struct span_strategies *s)
{
	h->strategies = s;
}

/* ---- What the receiver calls ---- */

static int http_poll_fd(const void *self)
{
	return ((const struct span__http_server *)self)->daemon.epoll_fd;
}

static uint64_t http_timeout_ns(const void *self)
{
	const struct span__http_server *h = self;

	return span__http_daemon_wait_ns(&h->daemon, h->counts.open);
}

static int http_turn(void *self, struct span_error *err)
{
	struct span__http_server *h = self;
	struct epoll_event events[EVENTS];
	int n = epoll_wait(h->daemon.epoll_fd, events, EVENTS, 0);

	span__http_daemon_accept(&h->daemon, events, n);
	span__http_sweep(h);
	span__http_daemon_run(&h->daemon, &h->failed);
	if (h->failed && err)
		*err = h->err;
	return h->failed;
}

static void http_stop(void *self)
{
	struct span__http_server *h = self;

	span__http_daemon_stop(&h->daemon);
	span__http_sweep(h);
}

static bool http_is_idle(const void *self)
{
	return !((const struct span__http_server *)self)->counts.open;
}

static void http_counts(const void *self, struct span__server_counts *c)
{
	*c = ((const struct span__http_server *)self)->counts;
}

/* libmicrohttpd cannot end what is suspended. */
static void resume_all(struct span__http_server *h)
{
	for (size_t i = 0; i < h->daemon.n_entries; i++) {
		struct span__http_conn *c = h->daemon.entries[i];

		if (!c || !c->suspended)
			continue;
		MHD_resume_connection(c->suspended);
		c->suspended = NULL;
	}
}

static void http_close(void *self)
{
	struct span__http_server *h = self;

	resume_all(h);
	span__http_daemon_halt(&h->daemon);
	for (size_t i = 0; i < h->daemon.n_entries; i++)
		span__http_conn_free(h, (int)i);
	span__http_daemon_close(&h->daemon);
	span_buf_release(&h->inflated);
	free(h);
}

struct span__server span__http_server_face(struct span__http_server *h)
{
	return (struct span__server){
		.self = h,
		.poll_fd = http_poll_fd,
		.timeout_ns = http_timeout_ns,
		.turn = http_turn,
		.stop = http_stop,
		.is_idle = http_is_idle,
		.counts = http_counts,
		.close = http_close,
	};
}
