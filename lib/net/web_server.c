/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One epoll descriptor stands for the listening sockets, libmicrohttpd's own,
 * and jobs that have come back from the threads that make answers.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/clock.h"
#include "net/http_socket.h"
#include "net/web_state.h"

#include "base/banned.h"

#define SECOND_NS UINT64_C(1000000000)
#define MILLISECOND_NS 1000000u
#define EVENTS 64
#define RUNS_PER_TURN 8

static void or_else(uint64_t *value, uint64_t usual)
{
	if (!*value)
		*value = usual;
}

static void or_else_size(size_t *value, size_t usual)
{
	if (!*value)
		*value = usual;
}

static void set_opts(struct span__web_server *w, const struct span__web_opts *o)
{
	w->opts = *o;
	if (!o->base_path)
		w->opts.base_path = "";
	or_else_size(&w->opts.threads, 4);
	or_else_size(&w->opts.max_queue, 1024);
	or_else_size(&w->opts.max_connections, 1024);
	or_else_size(&w->opts.max_body, 32u << 20);
	or_else(&w->opts.head_ns, 10 * SECOND_NS);
	or_else(&w->opts.body_ns, 60 * SECOND_NS);
	or_else(&w->opts.request_ns, 60 * SECOND_NS);
	or_else(&w->opts.half_ns, 2 * SECOND_NS);
	or_else(&w->opts.answer_ns, 30 * SECOND_NS);
	or_else(&w->opts.idle_ns, 180 * SECOND_NS);
	w->max_begun = 4 * w->opts.threads;
}

/* What stands between slashes is decoded later, by itself. */
static size_t leave_escapes(void *cls, struct MHD_Connection *mhd, char *s)
{
	(void)cls;
	(void)mhd;
	return strlen(s);
}

static int start_daemon(struct span__web_server *w, struct span_error *err)
{
	const struct span__web_opts *o = &w->opts;
	struct MHD_OptionItem tls[] = {
		{MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)(uintptr_t)o->cert},
		{MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)(uintptr_t)o->key},
		{MHD_OPTION_END, 0, NULL},
	};
	unsigned flags = MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET |
			 MHD_ALLOW_SUSPEND_RESUME;

	if (o->cert)
		flags |= MHD_USE_TLS;
	w->daemon = MHD_start_daemon(
		flags, 0, NULL, NULL, span__web_handle, w, MHD_OPTION_ARRAY,
		o->cert ? tls : tls + 2, MHD_OPTION_NOTIFY_COMPLETED,
		span__web_completed, w, MHD_OPTION_NOTIFY_CONNECTION,
		span__web_on_connection, w, MHD_OPTION_URI_LOG_CALLBACK,
		span__web_begin, w, MHD_OPTION_UNESCAPE_CALLBACK, leave_escapes,
		NULL, MHD_OPTION_CONNECTION_LIMIT,
		(unsigned)o->max_connections + 1,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT,
		(size_t)SPAN__WEB_HEAD_MEMORY,
		MHD_OPTION_CONNECTION_MEMORY_INCREMENT,
		(size_t)SPAN__WEB_HEAD_MEMORY / 8, MHD_OPTION_STRICT_FOR_CLIENT,
		1, MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, MHD_OPTION_END);
	if (!w->daemon)
		return span_error_set(err, SPAN_E_IO,
				      "cannot start an HTTP server");
	return 0;
}

static int watch(struct span__web_server *w, int fd, void *what,
		 struct span_error *err)
{
	struct epoll_event e = {.events = EPOLLIN, .data.ptr = what};

	if (epoll_ctl(w->epoll_fd, EPOLL_CTL_ADD, fd, &e) < 0)
		return span_error_set(err, SPAN_E_IO,
				      "cannot watch a descriptor");
	return 0;
}

static int open_parts(struct span__web_server *w, struct span_error *err)
{
	const union MHD_DaemonInfo *info;
	int rc;

	w->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	w->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (w->epoll_fd < 0 || w->wake_fd < 0)
		return span_error_set(err, SPAN_E_IO, "cannot make an epoll");
	rc = span__admission_open(&w->admission, w->opts.max_connections,
				  w->opts.max_per_peer, err);
	if (rc >= 0 && w->opts.cert)
		rc = span__http_socket_check_tls(w->opts.cert, w->opts.key,
						 err);
	if (rc >= 0)
		rc = start_daemon(w, err);
	if (rc < 0)
		return rc;
	info = MHD_get_daemon_info(w->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	/* What wakes up without a socket is one of these two. */
	rc = watch(w, info->epoll_fd, NULL, err);
	if (rc >= 0)
		rc = watch(w, w->wake_fd, NULL, err);
	return rc < 0 ? rc : span__web_work_open(w, err);
}

int span__web_server_open(struct span__web_server **out,
			  const struct span__web_opts *o,
			  struct span_error *err)
{
	struct span__web_server *w = calloc(1, sizeof(*w));
	int rc;

	*out = w;
	if (!w)
		return span_error_set(err, SPAN_E_NOMEM, "out of memory");
	w->epoll_fd = w->wake_fd = -1;
	set_opts(w, o);
	pthread_mutex_init(&w->lock, NULL);
	pthread_mutex_init(&w->count_lock, NULL);
	while (span__serve_route_at(w->n_routes))
		w->n_routes++;
	/* One more of each, for what has no route and for other codes. */
	w->counts.requests =
		calloc((w->n_routes + 1) * SPAN__WEB_CODES, sizeof(uint64_t));
	rc = w->counts.requests
		     ? open_parts(w, err)
		     : span_error_set(err, SPAN_E_NOMEM, "out of memory");
	if (rc < 0)
		span__web_server_close(out);
	return rc;
}

static bool is_loopback(const struct span__address *a)
{
	if (a->sa.any.sa_family == AF_INET)
		return ntohl(a->sa.in.sin_addr.s_addr) >> 24 == 127;
	return a->sa.any.sa_family == AF_INET6 &&
	       IN6_IS_ADDR_LOOPBACK(&a->sa.in6.sin6_addr);
}

int span__web_server_listen(struct span__web_server *w, int fd,
			    const struct span__address *local,
			    struct span_error *err)
{
	struct span__web_socket *s = &w->sockets[w->n_sockets];
	int rc;

	if (w->n_sockets == SPAN__WEB_SOCKETS)
		return span_error_set(err, SPAN_E_LIMIT, "more than %u sockets",
				      SPAN__WEB_SOCKETS);
	*s = (struct span__web_socket){.fd = fd,
				       .loopback = is_loopback(local)};
	rc = watch(w, fd, s, err);
	if (rc >= 0)
		w->n_sockets++;
	return rc;
}

static int wait_ms(struct span__web_server *w, uint64_t timeout_ns)
{
	uint64_t gone = span__monotonic_ns() - w->swept_ns;
	uint64_t due = w->stopping ? SPAN__WEB_STOP_NS : SPAN__WEB_SWEEP_NS;
	MHD_UNSIGNED_LONG_LONG ms;

	if (MHD_get_timeout(w->daemon, &ms) == MHD_YES && !ms)
		return 0;
	due = gone < due ? due - gone : 0;
	if ((w->n_open || w->paused) && due < timeout_ns)
		timeout_ns = due;
	timeout_ns = (timeout_ns + MILLISECOND_NS - 1) / MILLISECOND_NS;
	return timeout_ns < INT32_MAX ? (int)timeout_ns : -1;
}

static void take_back(struct span__web_server *w)
{
	struct span__web_job *j, *next;
	uint64_t n;

	(void)!read(w->wake_fd, &n, sizeof(n));
	for (j = span__web_work_done(w); j; j = next) {
		next = j->next;
		span__web_back(j);
	}
}

/* What libmicrohttpd has to do, but not for ever: others wait for a turn. */
static void run_some(struct span__web_server *w)
{
	MHD_UNSIGNED_LONG_LONG ms = 0;

	for (int i = 0; i < RUNS_PER_TURN && !ms; i++) {
		MHD_run(w->daemon);
		if (MHD_get_timeout(w->daemon, &ms) != MHD_YES)
			return;
	}
}

int span__web_server_turn(struct span__web_server *w, uint64_t timeout_ns,
			  const sigset_t *mask, struct span_error *err)
{
	struct epoll_event events[EVENTS];
	int n = epoll_pwait(w->epoll_fd, events, EVENTS, wait_ms(w, timeout_ns),
			    mask);

	if (n < 0 && errno != EINTR)
		return span_error_set(err, SPAN_E_IO, "cannot wait");
	for (int i = 0; i < n; i++)
		if (events[i].data.ptr)
			span__web_accept(w, events[i].data.ptr);
	take_back(w);
	span__web_sweep(w);
	run_some(w);
	span__web_count_gauge(w);
	return 0;
}

static void close_sockets(struct span__web_server *w)
{
	for (size_t i = 0; i < w->n_sockets; i++)
		close(w->sockets[i].fd);
	w->n_sockets = 0;
}

void span__web_server_stop(struct span__web_server *w)
{
	close_sockets(w);
	w->stopping = true;
	w->paused = false;
	w->swept_ns = 0;
}

bool span__web_server_is_idle(const struct span__web_server *w)
{
	return !w->n_open;
}

/* libmicrohttpd cannot end what is suspended. */
static void resume_all(struct span__web_server *w)
{
	for (size_t i = 0; i < w->n_conns; i++) {
		struct span__web_conn *c = w->conns[i];

		if (!c || !c->job || !c->job->suspended)
			continue;
		__atomic_store_n(&c->job->gone, true, __ATOMIC_RELAXED);
		span__web_resume(c->job);
	}
}

void span__web_server_close(struct span__web_server **out)
{
	struct span__web_server *w = *out;

	if (!w)
		return;
	resume_all(w);
	if (w->daemon)
		MHD_stop_daemon(w->daemon);
	span__web_work_close(w);
	close_sockets(w);
	for (size_t i = 0; i < w->n_conns; i++)
		if (w->conns[i])
			span__web_conn_free(w->conns[i]);
	free(w->conns);
	free(w->counts.requests);
	span__admission_close(&w->admission);
	if (w->epoll_fd >= 0)
		close(w->epoll_fd);
	if (w->wake_fd >= 0)
		close(w->wake_fd);
	pthread_mutex_destroy(&w->lock);
	pthread_mutex_destroy(&w->count_lock);
	free(w);
	*out = NULL;
}
