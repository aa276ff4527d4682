/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The listening socket and the connections are in one epoll set, whose
 * descriptor the receiver polls. Time costs a look at every connection, but
 * not before the first of them can have something due.
 */
#include "net/grpc_server.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "net/clock.h"
#include "net/grpc_conn.h"

#include "base/banned.h"

#define EVENTS_PER_TURN 128
#define ACCEPTS_PER_TURN 64u
#define ACCEPT_PAUSE_NS 100000000u /* without a descriptor to spare */
#define TICK_NS 10000000u	   /* between two looks at all connections */

struct server {
	struct span__grpc_shared shared;
	int epoll_fd, listen_fd; /* or -1 */
	struct span__grpc_conn **conns;
	size_t n_conns, conns_cap;
	uint64_t due_ns;    /* the first of all connections */
	uint64_t ticked_ns; /* the last look at them */
	uint64_t accept_ns; /* when it is accepted again; 0: it is now */
};

/* ---- Connections come and go ---- */

static int watch(const struct server *s, int op, int fd, void *p,
		 uint32_t events)
{
	struct epoll_event e = {.events = events, .data.ptr = p};

	return epoll_ctl(s->epoll_fd, op, fd, &e);
}

static void pause_accept(struct server *s, uint64_t until_ns)
{
	s->accept_ns = until_ns;
	(void)watch(s, EPOLL_CTL_MOD, s->listen_fd, NULL,
		    until_ns ? 0 : EPOLLIN);
}

static void drop(struct server *s, struct span__grpc_conn *c)
{
	struct span__grpc_conn *last = s->conns[--s->n_conns];

	s->conns[c->slot] = last;
	last->slot = c->slot;
	span__grpc_conn_close(c);
	if (s->accept_ns && s->listen_fd >= 0)
		pause_accept(s, 0);
}

static bool keep(struct server *s, struct span__grpc_conn *c)
{
	if (s->n_conns == s->conns_cap) {
		size_t cap = s->conns_cap ? 2 * s->conns_cap : 16;
		void *p = reallocarray(s->conns, cap, sizeof(*s->conns));

		if (!p)
			return false;
		s->conns = p;
		s->conns_cap = cap;
	}
	if (watch(s, EPOLL_CTL_ADD, c->fd, c, EPOLLIN) < 0)
		return false;
	c->slot = s->n_conns;
	s->conns[s->n_conns++] = c;
	return true;
}

/* After a turn of C, which ended unless GOOD. */
static void after_turn(struct server *s, struct span__grpc_conn *c, bool good)
{
	bool wants_write = good && span__grpc_conn_wants_write(c);

	if (good && wants_write != c->polls_write) {
		c->polls_write = wants_write;
		good = watch(s, EPOLL_CTL_MOD, c->fd, c,
			     wants_write ? EPOLLOUT : EPOLLIN) == 0;
	}
	if (!good)
		drop(s, c);
	else if (c->due_ns < s->due_ns)
		s->due_ns = c->due_ns;
}

static void welcome(struct server *s, int fd, const struct span__address *a)
{
	const struct span__peer from = span__peer_of(a);
	struct span__grpc_conn *c;
	int on = 1;

	if (s->n_conns >= s->shared.o.max_connections ||
	    !span__admission_enter(s->shared.o.admission, &from)) {
		s->shared.counts.overloaded++;
		close(fd);
		return;
	}
	s->shared.counts.connections++;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	c = span__grpc_conn_open(&s->shared, fd, a);
	if (!c)
		return;
	if (!keep(s, c))
		span__grpc_conn_close(c);
	else
		after_turn(s, c, span__grpc_conn_work(c));
}

/* What accept(2) says is about this connection, or for now. */
static bool is_passing(int error)
{
	return error == EAGAIN || error == EINTR || error == ECONNABORTED ||
	       error == EPROTO || error == EPERM || error == ENETDOWN ||
	       error == ENETUNREACH || error == EHOSTDOWN ||
	       error == EHOSTUNREACH || error == ENONET ||
	       error == ENOPROTOOPT || error == EOPNOTSUPP;
}

static bool is_shortage(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOBUFS ||
	       error == ENOMEM;
}

static int accept_some(struct server *s, struct span_error *err)
{
	for (unsigned i = 0; i < ACCEPTS_PER_TURN; i++) {
		struct span__address a = {.len = sizeof(a.sa)};
		int fd = accept4(s->listen_fd, &a.sa.any, &a.len,
				 SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0) {
			welcome(s, fd, &a);
		} else if (is_shortage(errno)) {
			pause_accept(s, s->shared.now_ns + ACCEPT_PAUSE_NS);
			return 0;
		} else if (is_passing(errno)) {
			return 0;
		} else {
			return span_error_set(err, SPAN_E_IO,
					      "cannot accept connections");
		}
	}
	return 0;
}

/* ---- As the receiver sees it ---- */

static int poll_fd(const void *self)
{
	return ((const struct server *)self)->epoll_fd;
}

/* When all connections are to be looked at. */
static uint64_t tick_time(const struct server *s)
{
	uint64_t first_ns = s->ticked_ns + TICK_NS;

	return s->due_ns > first_ns ? s->due_ns : first_ns;
}

static uint64_t timeout_ns(const void *self)
{
	const struct server *s = self;
	uint64_t now_ns = span__monotonic_ns(), ns = UINT64_MAX;

	if (s->due_ns != UINT64_MAX)
		ns = tick_time(s);
	if (s->accept_ns && s->accept_ns < ns)
		ns = s->accept_ns;
	if (ns == UINT64_MAX)
		return ns;
	return ns > now_ns ? ns - now_ns : 0;
}

static void tick(struct server *s)
{
	uint64_t now_ns = s->shared.now_ns;

	if (s->due_ns == UINT64_MAX || tick_time(s) > now_ns)
		return;
	s->ticked_ns = now_ns;
	s->due_ns = UINT64_MAX;
	/* From the end, since the last one takes the place of one that ends. */
	for (size_t i = s->n_conns; i-- > 0;) {
		struct span__grpc_conn *c = s->conns[i];

		after_turn(s, c, c->due_ns > now_ns || span__grpc_conn_tick(c));
	}
}

/* What was answered outside of a turn is sent. */
static void work_told(struct server *s)
{
	struct span__grpc_conn *c;

	while ((c = LIST_FIRST(&s->shared.told))) {
		LIST_REMOVE(c, told);
		c->is_told = false;
		after_turn(s, c, span__grpc_conn_work(c));
	}
}

static int turn(void *self, struct span_error *err)
{
	struct epoll_event events[EVENTS_PER_TURN];
	struct server *s = self;
	int n, rc = 0;

	s->shared.now_ns = span__monotonic_ns();
	if (s->accept_ns && s->accept_ns <= s->shared.now_ns)
		pause_accept(s, 0);
	work_told(s);
	n = epoll_wait(s->epoll_fd, events, EVENTS_PER_TURN, 0);
	if (n < 0 && errno != EINTR)
		return span_error_set(err, SPAN_E_IO, "cannot wait for data");
	for (int i = 0; i < n && rc >= 0; i++) {
		struct span__grpc_conn *c = events[i].data.ptr;

		if (c)
			after_turn(s, c, span__grpc_conn_work(c));
		else
			rc = accept_some(s, err);
	}
	if (rc >= 0)
		tick(s);
	if (s->shared.failed.code) {
		if (err)
			*err = s->shared.failed;
		return s->shared.failed.code;
	}
	return rc;
}

static void stop(void *self)
{
	struct server *s = self;

	s->shared.now_ns = span__monotonic_ns();
	s->shared.stopping = true;
	s->accept_ns = 0;
	if (s->listen_fd >= 0)
		close(s->listen_fd);
	s->listen_fd = -1;
	for (size_t i = s->n_conns; i-- > 0;)
		after_turn(s, s->conns[i], span__grpc_conn_leave(s->conns[i]));
}

static bool is_idle(const void *self)
{
	const struct server *s = self;

	return s->shared.stopping && !s->n_conns;
}

static void counts(const void *self, struct span__server_counts *c)
{
	const struct server *s = self;

	*c = s->shared.counts;
	c->open = s->n_conns;
}

static void close_server(void *self)
{
	struct server *s = self;

	while (s->n_conns)
		drop(s, s->conns[s->n_conns - 1]);
	free(s->conns);
	if (s->listen_fd >= 0)
		close(s->listen_fd);
	if (s->epoll_fd >= 0)
		close(s->epoll_fd);
	nghttp2_session_callbacks_del(s->shared.callbacks);
	nghttp2_option_del(s->shared.option);
	span_buf_release(&s->shared.inflated);
	span_buf_release(&s->shared.text);
	free(s->shared.io);
	free(s);
}

/* ---- Opening ---- */

#define MEMORY_MIN (64u << 10)
#define SECOND UINT64_C(1000000000)

static void use_default(uint64_t *ns, uint64_t otherwise)
{
	if (!*ns)
		*ns = otherwise;
}

static void set_defaults(struct span__grpc_opts *o)
{
	if (!o->max_message)
		o->max_message = 20u << 20;
	if (o->max_message > SPAN_PAYLOAD_MAX)
		o->max_message = SPAN_PAYLOAD_MAX;
	if (!o->memory)
		o->memory = 72u << 20;
	/* A buffer doubles, and calls have a little besides. */
	if (o->memory < 2 * o->max_message + MEMORY_MIN)
		o->memory = 2 * o->max_message + MEMORY_MIN;
	if (!o->max_connections)
		o->max_connections = 4000;
	if (!o->max_streams)
		o->max_streams = 100;
	use_default(&o->handshake_ns, 10 * SECOND);
	use_default(&o->request_ns, 60 * SECOND);
	use_default(&o->idle_ns, 600 * SECOND);
	use_default(&o->drain_ns, 5 * SECOND);
}

static uint16_t port_of(int fd)
{
	struct span__address a = {.len = sizeof(a.sa)};

	if (getsockname(fd, &a.sa.any, &a.len) < 0 ||
	    (a.sa.any.sa_family != AF_INET && a.sa.any.sa_family != AF_INET6))
		return 0;
	return span__address_port(&a);
}

static int start(struct server *s, int listen_fd, struct span_error *err)
{
	int rc = span__grpc_session_setup(&s->shared, err);

	if (rc < 0)
		return rc;
	s->shared.io = malloc(SPAN__GRPC_IO);
	if (!s->shared.io)
		return span_error_set(err, SPAN_E_NOMEM, "out of memory");
	s->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (s->epoll_fd < 0 || fcntl(listen_fd, F_SETFL, O_NONBLOCK) < 0 ||
	    watch(s, EPOLL_CTL_ADD, listen_fd, NULL, EPOLLIN) < 0)
		return span_error_set(err, SPAN_E_IO,
				      "cannot wait for connections");
	s->shared.port = port_of(listen_fd);
	s->listen_fd = listen_fd;
	return 0;
}

int span__grpc_server_open(struct span__server *out,
			   const struct span__grpc_opts *o, int listen_fd,
			   span__take_fn *take, void *arg,
			   struct span_error *err)
{
	struct server *s = calloc(1, sizeof(*s));
	int rc;

	if (!s)
		return span_error_set(err, SPAN_E_NOMEM, "out of memory");
	*s = (struct server){
		.shared = {.o = *o, .take = take, .arg = arg},
		.epoll_fd = -1,
		.listen_fd = -1,
		.due_ns = UINT64_MAX,
	};
	set_defaults(&s->shared.o);
	s->shared.memory = o->admission ? span__admission_memory(o->admission)
					: &s->shared.own_memory;
	rc = start(s, listen_fd, err);
	if (rc < 0) {
		close_server(s);
		return rc;
	}
	*out = (struct span__server){
		.self = s,
		.poll_fd = poll_fd,
		.timeout_ns = timeout_ns,
		.turn = turn,
		.stop = stop,
		.is_idle = is_idle,
		.counts = counts,
		.close = close_server,
	};
	return 0;
}
