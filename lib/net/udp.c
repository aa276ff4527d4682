/* SPDX-License-Identifier: Apache-2.0 */
#include "net/udp.h"

#include <errno.h>
#include <linux/sock_diag.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "net/clock.h"

#include "base/banned.h"

/* A receive time and a drop count. */
#define CONTROL_LEN                                                            \
	(CMSG_SPACE(sizeof(struct timespec)) + CMSG_SPACE(sizeof(uint32_t)))

#define LARGE_BUFFER (1u << 20)

/* Kernels before 4.12 do not know the number. */
#ifndef SO_MEMINFO
#define SO_MEMINFO 55
#endif

struct span__udp_batch {
	size_t max; /* bytes of one datagram */
	uint16_t port;
	uint64_t now_ns; /* for a datagram without a time of its own */
	struct mmsghdr msg[SPAN__UDP_BATCH];
	struct iovec iov[SPAN__UDP_BATCH];
	struct span__address peer[SPAN__UDP_BATCH];
	_Alignas(struct cmsghdr) char control[SPAN__UDP_BATCH][CONTROL_LEN];
	char peer_text[SPAN__ADDRESS_TEXT];
	char *data; /* SPAN__UDP_BATCH slots of MAX bytes */
};

static size_t buffer_of(int fd)
{
	int value = 0;
	socklen_t len = sizeof(value);

	if (getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &value, &len) < 0 ||
	    value < 0)
		return 0;
	return (size_t)value / 2; /* the kernel doubles it for its own use */
}

static void set_options(struct span__udp *u, size_t buffer)
{
	int on = 1,
	    value = buffer > INT32_MAX / 2 ? INT32_MAX / 2 : (int)buffer;
	socklen_t len = sizeof(u->local.sa);

	if (buffer_of(u->fd) < buffer &&
	    setsockopt(u->fd, SOL_SOCKET, SO_RCVBUFFORCE, &value,
		       sizeof(value)) < 0)
		(void)setsockopt(u->fd, SOL_SOCKET, SO_RCVBUF, &value,
				 sizeof(value));
	u->buffer = buffer_of(u->fd);
	/* Without these the clock and SO_MEMINFO serve. */
	(void)setsockopt(u->fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on));
	(void)setsockopt(u->fd, SOL_SOCKET, SO_RXQ_OVFL, &on, sizeof(on));
	if (getsockname(u->fd, &u->local.sa.any, &len) == 0)
		u->local.len = len;
}

/*
 * A socket that allows sharing from the start would hide that another program
 * already takes a part of the datagrams. So it is bound without first, and
 * allows it afterwards.
 */
static int bind_shared(struct span__udp *u, const struct span__address *a)
{
	const struct timespec moment = {.tv_nsec = 20000000};
	int on = 1;

	for (int attempt = 0; attempt < 3; attempt++) {
		if (bind(u->fd, &a->sa.any, a->len) == 0) {
			(void)setsockopt(u->fd, SOL_SOCKET, SO_REUSEPORT, &on,
					 sizeof(on));
			return 0;
		}
		if (errno != EADDRINUSE)
			return -1;
		/* Another capture may be between its two calls just now. */
		if (u->shared)
			nanosleep(&moment, NULL);
		u->shared = true;
		if (setsockopt(u->fd, SOL_SOCKET, SO_REUSEPORT, &on,
			       sizeof(on)) < 0)
			return -1;
	}
	errno = EADDRINUSE;
	return -1;
}

/* Say more about an address that is taken, since it happens to everybody. */
static int open_error(const struct span__address *a, const char *text,
		      struct span_error *err)
{
	if (errno != EADDRINUSE)
		return span_error_set(err, SPAN_E_IO, "cannot listen on udp %s",
				      text);
	return span_error_set(err, SPAN_E_IO,
			      "cannot listen on udp %s (to see who does: "
			      "ss -ulpn 'sport = :%u')",
			      text, span__address_port(a));
}

int span__udp_open(struct span__udp *u, const struct span__address *a,
		   size_t buffer, struct span_error *err)
{
	int family = a->sa.any.sa_family, on = 1;
	char text[SPAN__ADDRESS_TEXT];

	*u = (struct span__udp){.fd = -1, .local = *a};
	span__address_text(a, text);
	u->fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (u->fd < 0)
		return span_error_set(err, SPAN_E_IO, "cannot listen on udp %s",
				      text);
	/* IPv4 has a socket of its own, with addresses in their own form. */
	if (family == AF_INET6)
		(void)setsockopt(u->fd, IPPROTO_IPV6, IPV6_V6ONLY, &on,
				 sizeof(on));
	if (bind_shared(u, a) < 0) {
		int rc = open_error(a, text, err);

		span__udp_release(u);
		return rc;
	}
	set_options(u, buffer);
	return 0;
}

int span__udp_adopt(struct span__udp *u, int fd, size_t buffer,
		    struct span_error *err)
{
	int type = 0, domain = 0;
	socklen_t len = sizeof(type);

	*u = (struct span__udp){.fd = fd, .adopted = true};
	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) < 0 ||
	    getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) < 0 ||
	    type != SOCK_DGRAM || (domain != AF_INET && domain != AF_INET6)) {
		u->fd = -1;
		return span_error_set(err, SPAN_E_INVALID,
				      "descriptor %d is not a UDP socket", fd);
	}
	set_options(u, buffer);
	if (!u->local.len || !span__address_port(&u->local)) {
		u->fd = -1;
		return span_error_set(err, SPAN_E_INVALID,
				      "the UDP socket in descriptor %d has no "
				      "address",
				      fd);
	}
	return 0;
}

void span__udp_finish(struct span__udp *u)
{
	/*
	 * A connected socket hears nobody but its peer, and keeps what was
	 * queued. Its peer is itself, which sends nothing.
	 */
	if (!u->adopted)
		(void)connect(u->fd, &u->local.sa.any, u->local.len);
}

/* A datagram carries the count of when it was queued: it may be behind. */
static void drops_are(struct span__udp *u, uint32_t count)
{
	int32_t more = (int32_t)(count - u->drops_seen);

	if (more <= 0)
		return;
	u->drops += (uint32_t)more;
	u->drops_seen = count;
}

static bool get_meminfo(const struct span__udp *u,
			uint32_t info[SK_MEMINFO_VARS])
{
	socklen_t len = SK_MEMINFO_VARS * sizeof(info[0]);

	return getsockopt(u->fd, SOL_SOCKET, SO_MEMINFO, info, &len) == 0 &&
	       len > SK_MEMINFO_DROPS * sizeof(info[0]);
}

bool span__udp_can_wait(const struct span__udp *u)
{
	uint32_t info[SK_MEMINFO_VARS];

	return u->buffer >= LARGE_BUFFER && get_meminfo(u, info) &&
	       info[SK_MEMINFO_RMEM_ALLOC] < info[SK_MEMINFO_RCVBUF] / 2;
}

void span__udp_count_drops(struct span__udp *u)
{
	uint32_t info[SK_MEMINFO_VARS];

	if (get_meminfo(u, info))
		drops_are(u, info[SK_MEMINFO_DROPS]);
}

void span__udp_release(struct span__udp *u)
{
	if (u->fd >= 0)
		close(u->fd);
	u->fd = -1;
}

int span__udp_batch_open(struct span__udp_batch **out, size_t max,
			 struct span_error *err)
{
	struct span__udp_batch *b = calloc(1, sizeof(*b));

	if (b) {
		b->max = max ? max : SPAN__UDP_MAX;
		b->data = malloc(b->max * SPAN__UDP_BATCH);
	}
	if (!b || !b->data) {
		free(b);
		return span_error_set(err, SPAN_E_NOMEM, "out of memory");
	}
	for (size_t i = 0; i < SPAN__UDP_BATCH; i++)
		b->iov[i] = (struct iovec){b->data + i * b->max, b->max};
	*out = b;
	return 0;
}

void span__udp_batch_close(struct span__udp_batch **b)
{
	if (*b)
		free((*b)->data);
	free(*b);
	*b = NULL;
}

static void prepare(struct span__udp_batch *b, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		b->peer[i].sa.any.sa_family = AF_UNSPEC;
		b->msg[i].msg_hdr = (struct msghdr){
			.msg_name = &b->peer[i].sa,
			.msg_namelen = sizeof(b->peer[i].sa),
			.msg_iov = &b->iov[i],
			.msg_iovlen = 1,
			.msg_control = b->control[i],
			.msg_controllen = CONTROL_LEN,
		};
	}
}

int span__udp_receive(struct span__udp *u, struct span__udp_batch *b, size_t n,
		      struct span_error *err)
{
	int got;

	if (n > SPAN__UDP_BATCH)
		n = SPAN__UDP_BATCH;
	prepare(b, n);
	got = recvmmsg(u->fd, b->msg, (unsigned)n, MSG_DONTWAIT, NULL);
	if (got < 0 && (errno == EAGAIN || errno == EINTR ||
			errno == ECONNREFUSED || errno == ENOBUFS))
		return 0;
	if (got < 0) {
		char text[SPAN__ADDRESS_TEXT];

		span__address_text(&u->local, text);
		return span_error_set(err, SPAN_E_IO, "cannot receive on %s",
				      text);
	}
	b->port = span__address_port(&u->local);
	b->now_ns = span__epoch_ns();
	if (got > 0) {
		struct msghdr *last = &b->msg[got - 1].msg_hdr;
		uint32_t drops;

		for (struct cmsghdr *c = CMSG_FIRSTHDR(last); c;
		     c = CMSG_NXTHDR(last, c)) {
			if (c->cmsg_level != SOL_SOCKET ||
			    c->cmsg_type != SO_RXQ_OVFL)
				continue;
			memcpy(&drops, CMSG_DATA(c), sizeof(drops));
			drops_are(u, drops);
		}
	}
	return got;
}

static uint64_t time_of(struct msghdr *m, uint64_t now_ns)
{
	struct timespec t;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level != SOL_SOCKET ||
		    c->cmsg_type != SO_TIMESTAMPNS)
			continue;
		memcpy(&t, CMSG_DATA(c), sizeof(t));
		return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
	}
	return now_ns;
}

void span__udp_payload(struct span__udp_batch *b, size_t i,
		       struct span_payload *p)
{
	struct msghdr *m = &b->msg[i].msg_hdr;

	*p = (struct span_payload){
		.time_ns = time_of(m, b->now_ns),
		.port = b->port,
		.transport = SPAN_TRANSPORT_UDP,
		.truncated = (m->msg_flags & MSG_TRUNC) != 0,
		.data = {b->iov[i].iov_base, b->msg[i].msg_len},
	};
	b->peer[i].len = m->msg_namelen;
	if (m->msg_namelen && b->peer[i].sa.any.sa_family != AF_UNSPEC)
		p->peer = (struct span_str){
			b->peer_text,
			span__address_text(&b->peer[i], b->peer_text)};
}
