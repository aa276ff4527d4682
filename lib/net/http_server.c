/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One epoll descriptor stands for all that the receiver polls: the listening
 * sockets' and libmicrohttpd's.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/clock.h"
#include "net/http_conn.h"
#include "net/http_socket.h"

#include "base/banned.h"

#define SECOND_NS 1000000000u
#define EVENTS 16
#define RUNS_PER_TURN 8
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

static int start_daemon(struct span__http_server *h, struct span_error *err)
{
	const struct span__http_opts *o = &h->opts;
	struct MHD_OptionItem tls[] = {
		{MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)(uintptr_t)o->cert},
		{MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)(uintptr_t)o->key},
		{MHD_OPTION_END, 0, NULL},
	};
	unsigned flags = MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET |
			 MHD_ALLOW_SUSPEND_RESUME;

	if (o->cert)
		flags |= MHD_USE_TLS;
	h->daemon = MHD_start_daemon(
		flags, 0, NULL, NULL, span__http_handle, h, MHD_OPTION_ARRAY,
		o->cert ? tls : tls + 2, MHD_OPTION_NOTIFY_COMPLETED,
		span__http_completed, h, MHD_OPTION_NOTIFY_CONNECTION,
		on_connection, h, MHD_OPTION_URI_LOG_CALLBACK, on_request, h,
		MHD_OPTION_CONNECTION_LIMIT, (unsigned)o->max_connections + 1,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONN_MEMORY,
		MHD_OPTION_CONNECTION_MEMORY_INCREMENT, (size_t)CONN_MEMORY / 4,
		MHD_OPTION_STRICT_FOR_CLIENT, 1,
		MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, MHD_OPTION_END);
	if (!h->daemon)
		return span_error_set(err, SPAN_E_IO,
				      "cannot start an HTTP server");
	return 0;
}

/* NULL is the daemon, else a struct span__http_socket. */
static int watch(struct span__http_server *h, int fd, void *what,
		 struct span_error *err)
{
	struct epoll_event e = {.events = EPOLLIN, .data.ptr = what};

	if (epoll_ctl(h->epoll_fd, EPOLL_CTL_ADD, fd, &e) < 0)
		return span_error_set(err, SPAN_E_IO,
				      "cannot watch a descriptor");
	return 0;
}

static void http_close(void *self);

int span__http_server_open(struct span__http_server **out,
			   const struct span__http_opts *o,
			   struct span_error *err)
{
	struct span__http_server *h = calloc(1, sizeof(*h));
	const union MHD_DaemonInfo *info;
	int rc = 0;

	*out = h;
	if (!h)
		return span_error_set(err, SPAN_E_NOMEM, "out of memory");
	set_opts(h, o);
	h->start_ns = span__monotonic_ns();
	h->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (h->epoll_fd < 0)
		rc = span_error_set(err, SPAN_E_IO, "cannot make an epoll");
	if (rc >= 0 && o->cert)
		rc = span__http_socket_check_tls(o->cert, o->key, err);
	if (rc >= 0)
		rc = start_daemon(h, err);
	if (rc >= 0) {
		info = MHD_get_daemon_info(h->daemon, MHD_DAEMON_INFO_EPOLL_FD);
		rc = watch(h, info->epoll_fd, NULL, err);
	}
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
	struct span__http_socket *s = &h->sockets[h->n_sockets];
	int rc;

	if (h->n_sockets == SPAN__HTTP_SOCKETS)
		return span_error_set(err, SPAN_E_LIMIT, "more than %u sockets",
				      SPAN__HTTP_SOCKETS);
	*s = (struct span__http_socket){.fd = fd, .kind = kind, .port = port};
	rc = watch(h, fd, s, err);
	if (rc >= 0)
		h->n_sockets++;
	return rc;
}

void span__http_server_strategies(struct span__http_server *h,
				  const struct span_strategies *s)
{
	h->strategies = s;
}

/* ---- What the receiver calls ---- */

static int http_poll_fd(const void *self)
{
	return ((const struct span__http_server *)self)->epoll_fd;
}

static uint64_t http_timeout_ns(const void *self)
{
	const struct span__http_server *h = self;
	uint64_t gone = span__monotonic_ns() - h->swept_ns;
	MHD_UNSIGNED_LONG_LONG ms;

	if (MHD_get_timeout(h->daemon, &ms) == MHD_YES && !ms)
		return 0;
	if (h->stopping)
		return SPAN__HTTP_STOP_NS;
	if (!h->counts.open && !h->paused)
		return UINT64_MAX;
	return gone < SPAN__HTTP_SWEEP_NS ? SPAN__HTTP_SWEEP_NS - gone : 0;
}

/* What libmicrohttpd has to do, but not for ever: others wait for a turn. */
static void run_some(struct span__http_server *h)
{
	MHD_UNSIGNED_LONG_LONG ms = 0;

	for (int i = 0; i < RUNS_PER_TURN && !h->failed && !ms; i++) {
		MHD_run(h->daemon);
		if (MHD_get_timeout(h->daemon, &ms) != MHD_YES)
			return;
	}
}

static int http_turn(void *self, struct span_error *err)
{
	struct span__http_server *h = self;
	struct epoll_event events[EVENTS];
	int n = epoll_wait(h->epoll_fd, events, EVENTS, 0);

	for (int i = 0; i < n; i++)
		if (events[i].data.ptr)
			span__http_accept(h, events[i].data.ptr);
	span__http_sweep(h);
	run_some(h);
	if (h->failed && err)
		*err = h->err;
	return h->failed;
}

static void close_sockets(struct span__http_server *h)
{
	for (size_t i = 0; i < h->n_sockets; i++)
		close(h->sockets[i].fd);
	h->n_sockets = 0;
}

static void http_stop(void *self)
{
	struct span__http_server *h = self;

	close_sockets(h);
	h->stopping = true;
	h->paused = false;
	h->swept_ns = 0;
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
	for (size_t i = 0; i < h->n_conns; i++) {
		struct span__http_conn *c = h->conns[i];

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
	if (h->daemon)
		MHD_stop_daemon(h->daemon);
	close_sockets(h);
	for (size_t i = 0; i < h->n_conns; i++)
		span__http_conn_free(h, (int)i);
	free(h->conns);
	span_buf_release(&h->inflated);
	if (h->epoll_fd >= 0)
		close(h->epoll_fd);
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
