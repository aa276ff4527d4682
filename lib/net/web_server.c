/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/clock.h"
#include "net/web_state.h"

#include "base/banned.h"

#define SECOND_NS UINT64_C(1000000000)
#define MILLISECOND_NS 1000000u
#define EVENTS 64

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
	or_else_size(&w->opts.max_open, SPAN__WEB_OPEN * w->opts.threads);
	or_else(&w->opts.yield_ns, 2 * SECOND_NS);
}

static int open_daemon(struct span__web_server *w, struct span_error *err)
{
	const struct span__http_daemon_opts o = {
		.calls = {.arg = w,
			  .handle = span__web_handle,
			  .completed = span__web_completed,
			  .connection = span__web_on_connection,
			  .begin = span__web_begin,
			  .enter = span__web_enter},
		.cert = w->opts.cert,
		.key = w->opts.key,
		.max_connections = w->opts.max_connections,
		.memory = SPAN__WEB_HEAD_MEMORY,
		.increment = SPAN__WEB_HEAD_MEMORY / 8,
		.keep_escapes = true,
	};

	return span__http_daemon_open(&w->daemon, &o, err);
}

static int open_parts(struct span__web_server *w, struct span_error *err)
{
	int rc = open_daemon(w, err);

	if (rc < 0)
		return rc;
	w->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (w->wake_fd < 0)
		return span_error_set(err, SPAN_E_IO, "cannot make an eventfd");
	rc = span__admission_open(&w->admission, w->opts.max_connections,
				  w->opts.max_per_peer, err);
	if (rc >= 0)
		rc = span__http_daemon_watch(&w->daemon, w->wake_fd, err);
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
	w->daemon.epoll_fd = w->wake_fd = -1;
	set_opts(w, o);
	pthread_mutex_init(&w->lock, NULL);
	pthread_mutex_init(&w->count_lock, NULL);
	pthread_mutex_init(&w->kept.lock, NULL);
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
	return span__http_daemon_listen(&w->daemon, fd, is_loopback(local),
					err);
}

static int wait_ms(struct span__web_server *w, uint64_t timeout_ns)
{
	uint64_t due_ns = span__http_daemon_wait_ns(&w->daemon, w->n_open);

	if (due_ns < timeout_ns)
		timeout_ns = due_ns;
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

int span__web_server_turn(struct span__web_server *w, uint64_t timeout_ns,
			  const sigset_t *mask, struct span_error *err)
{
	struct epoll_event events[EVENTS];
	int n = epoll_pwait(w->daemon.epoll_fd, events, EVENTS,
			    wait_ms(w, timeout_ns), mask);

	if (n < 0 && errno != EINTR)
		return span_error_set(err, SPAN_E_IO, "cannot wait");
	span__http_daemon_accept(&w->daemon, events, n);
	take_back(w);
	span__web_sweep(w);
	span__http_daemon_run(&w->daemon, NULL);
	span__web_count_gauge(w);
	return 0;
}

int span__web_server_replace_tls(struct span__web_server *w, const char *cert,
				 const char *key, struct span_error *err)
{
	return span__http_tls_replace(w->daemon.tls, cert, key, err);
}

void span__web_server_stop(struct span__web_server *w)
{
	span__http_daemon_stop(&w->daemon);
}

bool span__web_server_is_idle(const struct span__web_server *w)
{
	return !w->n_open;
}

/* libmicrohttpd cannot end what is suspended. */
static void resume_all(struct span__web_server *w)
{
	for (size_t i = 0; i < w->daemon.n_entries; i++) {
		struct span__web_conn *c = w->daemon.entries[i];

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
	span__http_daemon_halt(&w->daemon);
	span__web_work_close(w);
	for (size_t i = 0; i < w->daemon.n_entries; i++)
		if (w->daemon.entries[i])
			span__web_conn_free(w->daemon.entries[i]);
	span__http_daemon_close(&w->daemon);
	free(w->counts.requests);
	span__admission_close(&w->admission);
	if (w->wake_fd >= 0)
		close(w->wake_fd);
	pthread_mutex_destroy(&w->lock);
	pthread_mutex_destroy(&w->count_lock);
	span__web_kept_release(&w->kept);
	free(w);
	*out = NULL;
}
