/* SPDX-License-Identifier: Apache-2.0 */
#include "net/grpc_conn.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/banned.h"

#define FRAME_MAX ((16u << 10) + 9u) /* bytes that a session sends at once */
#define READS_PER_TURN 8u /* of one connection, before the next one's turn */
/* For calls that were sent before a goodbye was read; then it is final. */
#define NOTICE_NS 1000000000u

void span__grpc_conn_wake(struct span__grpc_conn *c, uint64_t ns)
{
	if (ns < c->due_ns)
		c->due_ns = ns;
}

static bool start_session(struct span__grpc_conn *c)
{
	struct span__grpc_shared *s = c->shared;

	if (s->o.tls &&
	    span__tls_session_open(&c->tls, s->o.tls, c->fd, "h2", NULL) < 0)
		return false;
	return span__grpc_session_open(c) == 0;
}

struct span__grpc_conn *span__grpc_conn_open(struct span__grpc_shared *s,
					     int fd,
					     const struct span__address *a)
{
	struct span__grpc_conn *c = calloc(1, sizeof(*c));
	const struct span__peer from = span__peer_of(a);

	if (!c) {
		span__admission_leave(s->o.admission, &from);
		close(fd);
		return NULL;
	}
	*c = (struct span__grpc_conn){
		.shared = s,
		.fd = fd,
		.from = from,
		.since_ns = s->now_ns,
		.due_ns = s->now_ns + s->o.handshake_ns,
	};
	LIST_INIT(&c->calls);
	if (a->len &&
	    (a->sa.any.sa_family == AF_INET || a->sa.any.sa_family == AF_INET6))
		c->peer_len = span__address_text(a, c->peer);
	if (start_session(c))
		return c;
	span__grpc_conn_close(c);
	return NULL;
}

void span__grpc_conn_close(struct span__grpc_conn *c)
{
	struct span__grpc_call *call;

	while ((call = LIST_FIRST(&c->calls)))
		span__grpc_call_close(call);
	if (c->is_told)
		LIST_REMOVE(c, told);
	nghttp2_session_del(c->session);
	span__tls_session_close(&c->tls);
	span_buf_release(&c->out);
	span__admission_leave(c->shared->o.admission, &c->from);
	close(c->fd);
	free(c);
}

static ssize_t read_some(struct span__grpc_conn *c, void *p, size_t len)
{
	return c->tls ? span__tls_session_read(c->tls, p, len)
		      : read(c->fd, p, len);
}

static ssize_t write_some(struct span__grpc_conn *c, const void *p, size_t len)
{
	ssize_t n = c->tls ? span__tls_session_write(c->tls, p, len)
			   : send(c->fd, p, len, MSG_NOSIGNAL);

	if (n > 0)
		c->stalled_ns = 0;
	else if (n < 0 && (errno == EAGAIN || errno == EINTR))
		n = 0;
	return n;
}

static bool is_stalled(const struct span__grpc_conn *c)
{
	return c->out.len > c->out_sent;
}

bool span__grpc_conn_wants_write(const struct span__grpc_conn *c)
{
	return c->tls ? span__tls_session_wants_write(c->tls) : is_stalled(c);
}

static void stall(struct span__grpc_conn *c)
{
	if (c->stalled_ns)
		return;
	c->stalled_ns = c->shared->now_ns;
	span__grpc_conn_wake(c, c->stalled_ns + c->shared->o.request_ns);
}

/* Write what the socket did not take last time. False: it ended. */
static bool write_rest(struct span__grpc_conn *c)
{
	while (is_stalled(c)) {
		ssize_t n = write_some(c, c->out.p + c->out_sent,
				       c->out.len - c->out_sent);

		if (n < 0)
			return false;
		if (!n) {
			stall(c);
			return true;
		}
		c->out_sent += (size_t)n;
	}
	/* Most connections are idle most of the time. */
	span_buf_release(&c->out);
	c->out_sent = 0;
	return true;
}

/* Fill the shared buffer from the session. Negative: it ended. */
static ssize_t gather(struct span__grpc_conn *c)
{
	size_t len = 0;

	while (SPAN__GRPC_IO - len >= FRAME_MAX) {
		const uint8_t *p;
		ssize_t n = nghttp2_session_mem_send(c->session, &p);

		if (n < 0 || n > (ssize_t)FRAME_MAX)
			return -1;
		if (!n)
			break;
		memcpy(c->shared->io + len, p, (size_t)n);
		len += (size_t)n;
	}
	return (ssize_t)len;
}

/* Send LEN bytes of the shared buffer; keeps what is not taken. */
static bool write_gathered(struct span__grpc_conn *c, size_t len)
{
	size_t sent = 0;

	while (sent < len) {
		ssize_t n = write_some(c, c->shared->io + sent, len - sent);

		if (n < 0)
			return false;
		if (!n)
			break;
		sent += (size_t)n;
	}
	if (sent == len)
		return true;
	span_buf_put(&c->out, c->shared->io + sent, len - sent);
	stall(c);
	return !c->out.failed;
}

/*
 * Write what the session has to say, as far as that is taken; nothing before
 * the client has begun, as it may not speak HTTP/2 at all.
 */
static bool flush(struct span__grpc_conn *c)
{
	ssize_t n = c->is_heard;

	if (!write_rest(c))
		return false;
	while (n && !is_stalled(c)) {
		n = gather(c);
		if (n < 0 || !write_gathered(c, (size_t)n))
			return false;
	}
	return true;
}

/* Did both sides say all they have to say? */
static bool is_over(const struct span__grpc_conn *c)
{
	return !is_stalled(c) && !nghttp2_session_want_read(c->session) &&
	       !nghttp2_session_want_write(c->session);
}

/*
 * OTLP has one port for HTTP/1.1 and another one for gRPC, which are easily
 * mixed up. Tell whoever comes to this one with the wrong protocol.
 */
static void explain(const struct span__grpc_conn *c, const void *p, size_t len)
{
	static const char text[] = "this port speaks gRPC, over HTTP/2\n";
	char answer[256];
	int n;

	if (c->tls || !memmem(p, len, " HTTP/1.", 8))
		return;
	n = snprintf(answer, sizeof(answer),
		     "HTTP/1.1 505 HTTP Version Not Supported\r\n"
		     "Content-Type: text/plain\r\nContent-Length: %zu\r\n"
		     "Connection: close\r\n\r\n%s",
		     sizeof(text) - 1, text);
	(void)!send(c->fd, answer, (size_t)n, MSG_NOSIGNAL);
}

/* Read once. 1 when there was something; 0 when not; -1 when it ended. */
static int read_once(struct span__grpc_conn *c)
{
	ssize_t n = read_some(c, c->shared->io, SPAN__GRPC_IO), taken;

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -1;
	if (!n)
		return -1;
	c->is_heard = true;
	taken = nghttp2_session_mem_recv(c->session, c->shared->io, (size_t)n);
	if (taken == NGHTTP2_ERR_BAD_CLIENT_MAGIC)
		explain(c, c->shared->io, (size_t)n);
	return taken == n ? 1 : -1;
}

bool span__grpc_conn_work(struct span__grpc_conn *c)
{
	int got = 1;

	for (unsigned i = 0; got; i++) {
		if (!flush(c) || is_over(c))
			return false;
		if (is_stalled(c))
			break;
		/* What TLS has read already wakes nobody. */
		if (i >= READS_PER_TURN &&
		    !(c->tls && span__tls_session_has_more(c->tls)))
			break;
		got = read_once(c);
		if (got < 0)
			return false;
	}
	return true;
}

void span__grpc_conn_told(struct span__grpc_conn *c)
{
	if (!c->is_told)
		LIST_INSERT_HEAD(&c->shared->told, c, told);
	c->is_told = true;
}

bool span__grpc_conn_leave(struct span__grpc_conn *c)
{
	static const uint8_t ping[8] = "goodbye";
	struct span__grpc_shared *s = c->shared;

	if (!c->greeted)
		return false;
	if (c->leaving)
		return true;
	c->leaving = true;
	c->leave_ns = s->now_ns;
	if (nghttp2_submit_shutdown_notice(c->session) ||
	    nghttp2_submit_ping(c->session, 0, ping))
		return false;
	span__grpc_conn_wake(c, s->now_ns + NOTICE_NS);
	span__grpc_conn_wake(c, s->now_ns + s->o.drain_ns);
	return span__grpc_conn_work(c);
}

/* What a goodbye makes due. False: it ended. */
static bool tick_leaving(struct span__grpc_conn *c, uint64_t now_ns)
{
	uint64_t end_ns = c->leave_ns + c->shared->o.drain_ns;
	struct span__grpc_call *call;

	if (now_ns >= c->leave_ns + NOTICE_NS)
		span__grpc_session_leave(c);
	else
		span__grpc_conn_wake(c, c->leave_ns + NOTICE_NS);
	span__grpc_conn_wake(c, end_ns);
	if (now_ns < end_ns)
		return true;
	for (call = LIST_FIRST(&c->calls); call; call = LIST_NEXT(call, link))
		if (!call->is_answered)
			span__grpc_refuse(call, SPAN__GRPC_UNAVAILABLE,
					  call->ack.all
						  ? SPAN__GRPC_LATE
						  : "the server is stopping");
	span__grpc_session_leave(c);
	(void)flush(c);
	return false;
}

static void tick_calls(struct span__grpc_conn *c, uint64_t now_ns)
{
	struct span__grpc_call *call;

	for (call = LIST_FIRST(&c->calls); call; call = LIST_NEXT(call, link)) {
		if (call->deadline_ns <= now_ns)
			span__grpc_call_expire(call);
		span__grpc_conn_wake(c, call->deadline_ns);
	}
}

/* True when the peer takes too long: to begin, or to take what it is told. */
static bool is_slow(struct span__grpc_conn *c, uint64_t now_ns)
{
	const struct span__grpc_opts *o = &c->shared->o;
	uint64_t ns = UINT64_MAX;

	if (!c->greeted)
		ns = c->since_ns + o->handshake_ns;
	else if (c->stalled_ns)
		ns = c->stalled_ns + o->request_ns;
	span__grpc_conn_wake(c, ns);
	return now_ns >= ns;
}

bool span__grpc_conn_tick(struct span__grpc_conn *c)
{
	uint64_t now_ns = c->shared->now_ns;

	c->due_ns = UINT64_MAX;
	if (is_slow(c, now_ns)) {
		c->shared->counts.timeouts++;
		return false;
	}
	tick_calls(c, now_ns);
	if (c->leaving && !tick_leaving(c, now_ns))
		return false;
	if (c->greeted && !c->leaving && LIST_EMPTY(&c->calls)) {
		uint64_t end_ns = c->since_ns + c->shared->o.idle_ns;

		if (now_ns >= end_ns)
			return span__grpc_conn_leave(c);
		span__grpc_conn_wake(c, end_ns);
	}
	return span__grpc_conn_work(c);
}
