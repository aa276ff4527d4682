/* SPDX-License-Identifier: Apache-2.0 */
#include "net/receiver.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "net/clock.h"

#include "base/banned.h"

#define BATCHES_PER_TURN 8u /* of one socket, before the next one's turn */
#define PACKETS_PER_TURN 256u
#define ADDRESSES_MAX 16u /* of one name */
/* Bytes of a datagram's payload in the queue. */
#define RECORD_MAX (SPAN__UDP_MAX + 512u)
#define WAIT_NS 5000000u
#define DRAIN_NS 5000000000u /* for requests to be answered at the end */

struct span__receiver {
	struct span__receiver_opts opts;
	struct span__udp sockets[SPAN__RECEIVER_SOCKETS];
	size_t n_sockets;
	struct span__udp_batch *batch;
	struct span__capture *capture; /* borrowed */
	struct span__packets *packets;
	struct span__intake *intake;
	struct span__servers servers;
	int fd;				/* where the queue goes */
	struct span__port_counts known; /* drops that are counted already */
	uint64_t last_ns;		/* when the last datagram came */
	bool wait;			/* for room in the queue */
};

int span__receiver_open(struct span__receiver **out,
			const struct span__receiver_opts *o,
			struct span_error *err)
{
	const struct span__intake_opts io = {
		.queue = o->queue,
		.count = o->count,
		.keep_truncated = o->keep_truncated,
		.ack_ns = o->ack_ns,
	};
	struct span__receiver *r = calloc(1, sizeof(*r));
	int rc;

	*out = r;
	if (!r)
		return span_error_set(err, SPAN_E_NOMEM, "out of memory");
	r->opts = *o;
	rc = span__intake_open(&r->intake, &io, err);
	r->servers.intake = r->intake;
	if (rc < 0)
		span__receiver_close(out);
	return rc;
}

static struct span__udp *next_socket(struct span__receiver *r,
				     struct span_error *err)
{
	if (r->n_sockets < SPAN__RECEIVER_SOCKETS)
		return &r->sockets[r->n_sockets];
	span_error_set(err, SPAN_E_LIMIT, "more than %u sockets",
		       SPAN__RECEIVER_SOCKETS);
	return NULL;
}

static void keep_socket(struct span__receiver *r)
{
	const struct span__udp *u = &r->sockets[r->n_sockets++];

	/* So that a port that gets nothing is shown with its zeros. */
	span__counts_of(span__intake_counts(r->intake),
			span__address_port(&u->local));
}

/* A name may stand for the same address twice. */
static bool is_open(const struct span__receiver *r,
		    const struct span__address *a)
{
	for (size_t i = 0; i < r->n_sockets; i++)
		if (span__address_equal(&r->sockets[i].local, a))
			return true;
	return false;
}

static int listen_address(struct span__receiver *r,
			  const struct span__address *a, struct span_error *err)
{
	struct span__udp *u = next_socket(r, err);
	int rc;

	if (!u)
		return SPAN_E_LIMIT;
	if (is_open(r, a))
		return 0;
	rc = span__udp_open(u, a, r->opts.buffer, err);
	if (rc == 0)
		keep_socket(r);
	return rc;
}

int span__receiver_listen(struct span__receiver *r, const char *const *hosts,
			  size_t n, uint16_t port, struct span_error *err)
{
	struct span__address addresses[ADDRESSES_MAX];
	struct span_error last = {0};
	size_t opened = 0;

	for (size_t h = 0; h < n; h++) {
		int found = span__address_resolve(addresses, ADDRESSES_MAX,
						  hosts[h], port, err);

		if (found < 0)
			return found;
		for (int i = 0; i < found; i++) {
			int rc = listen_address(r, &addresses[i], &last);

			if (!rc) {
				opened++;
				continue;
			}
			*err = last;
			if (last.sys != EAFNOSUPPORT &&
			    last.sys != EADDRNOTAVAIL)
				return err->code;
		}
	}
	return opened ? 0 : err->code;
}

int span__receiver_adopt(struct span__receiver *r, int fd,
			 struct span_error *err)
{
	struct span__udp *u = next_socket(r, err);
	int rc;

	if (!u)
		return SPAN_E_LIMIT;
	rc = span__udp_adopt(u, fd, r->opts.buffer, err);
	if (rc == 0)
		keep_socket(r);
	return rc;
}

int span__receiver_add_server(struct span__receiver *r,
			      const struct span__server *s,
			      struct span_error *err)
{
	return span__servers_add(&r->servers, s, err);
}

struct span__intake *span__receiver_intake(struct span__receiver *r)
{
	return r->intake;
}

size_t span__receiver_n_sockets(const struct span__receiver *r)
{
	return r->n_sockets;
}

const struct span__udp *span__receiver_socket(const struct span__receiver *r,
					      size_t i)
{
	return &r->sockets[i];
}

int span__receiver_start(struct span__receiver *r, int fd,
			 struct span_error *err)
{
	if (r->n_sockets) {
		int rc = span__udp_batch_open(&r->batch, 0, err);

		if (rc < 0)
			return rc;
	}
	r->fd = fd;
	return span__intake_start(r->intake, fd, err);
}

static bool is_enough(const struct span__receiver *r)
{
	return span__intake_is_enough(r->intake);
}

static int take_request(void *arg, const struct span_payload *p,
			struct span_error *err)
{
	struct span__receiver *r = arg;

	/* One packet may end several. */
	if (is_enough(r))
		return 0;
	return span__intake_datagram(r->intake, p, r->wait, err);
}

static void lose_request(void *arg, uint16_t port, enum span__drop cause)
{
	const struct span__receiver *r = arg;

	span__intake_lose(r->intake, port, cause);
}

int span__receiver_capture(struct span__receiver *r, struct span__capture *c,
			   const struct span__ports *ports,
			   struct span_error *err)
{
	const struct span__requests_sink sink = {
		.arg = r, .payload = take_request, .lost = lose_request};

	r->capture = c;
	return span__packets_open(&r->packets, span__capture_link(c), ports,
				  &sink, err);
}

/*
 * How many datagrams socket U may hand over now. When the queue has no room
 * for another one, those of a socket with room in its own buffer stay there,
 * so that both bridge a stall of the reader; else they come to be dropped.
 */
static size_t batch_size(const struct span__receiver *r,
			 const struct span__udp *u)
{
	size_t n = SPAN__UDP_BATCH, fit;

	if (span__intake_missing(r->intake) < n)
		n = (size_t)span__intake_missing(r->intake);
	if (r->wait)
		return n;
	fit = span__intake_room(r->intake) / RECORD_MAX;
	if (!fit && !span__udp_can_wait(u))
		return n;
	return fit < n ? fit : n;
}

/* One batch of one socket. Returns how many there were, or negative. */
static int receive(struct span__receiver *r, struct span__udp *u,
		   struct span_error *err)
{
	size_t size = batch_size(r, u);
	struct span_payload p;
	int n;

	n = size ? span__udp_receive(u, r->batch, size, err) : 0;
	for (int i = 0; i < n; i++) {
		int rc;

		span__udp_payload(r->batch, (size_t)i, &p);
		r->last_ns = p.time_ns;
		rc = span__intake_datagram(r->intake, &p, r->wait, err);
		if (rc < 0)
			return rc;
	}
	return n;
}

/* What socket U has, but not for ever. */
static int receive_some(struct span__receiver *r, struct span__udp *u,
			struct span_error *err)
{
	int n = 1;

	for (size_t i = 0; i < BATCHES_PER_TURN && n > 0 && !is_enough(r); i++)
		n = receive(r, u, err);
	return n < 0 ? n : 0;
}

int span__receiver_read(struct span__receiver *r, struct span_error *err)
{
	struct span__frame frame;
	struct span_payload p;
	int rc = 1;

	r->wait = r->wait || !span__capture_is_live(r->capture);
	for (size_t i = 0; i < PACKETS_PER_TURN && !is_enough(r); i++) {
		rc = span__capture_next(r->capture, &frame, err);
		if (rc <= 0)
			return rc;
		rc = span__packets_next(r->packets, &frame, &p, err);
		if (rc > 0)
			rc = span__intake_datagram(r->intake, &p, r->wait, err);
		if (rc < 0)
			return rc;
	}
	return !is_enough(r);
}

enum { QUEUE_FAILED, OUTPUT, CAPTURE, SOCKETS };

static size_t fill_poll(const struct span__receiver *r, struct pollfd *fds)
{
	fds[QUEUE_FAILED] = (struct pollfd){
		.fd = span__queue_failed_fd(span__intake_queue(r->intake)),
		.events = POLLIN};
	/* Says when the last reader of a pipe is gone, at once. */
	fds[OUTPUT] = (struct pollfd){.fd = r->fd};
	fds[CAPTURE] = (struct pollfd){.fd = -1, .events = POLLIN};
	if (r->capture && span__capture_is_live(r->capture))
		fds[CAPTURE].fd = span__capture_poll_fd(r->capture);
	for (size_t i = 0; i < r->n_sockets; i++)
		fds[SOCKETS + i] = (struct pollfd){.fd = r->sockets[i].fd,
						   .events = POLLIN};
	return SOCKETS + r->n_sockets;
}

/* Do not poll sockets that wait for room. Returns true when there are some. */
static bool let_wait(const struct span__receiver *r, struct pollfd *fds)
{
	bool waits = false;

	if (span__intake_room(r->intake) >= RECORD_MAX)
		return false;
	for (size_t i = 0; i < r->n_sockets; i++) {
		if (!span__udp_can_wait(&r->sockets[i]))
			continue;
		fds[SOCKETS + i].fd = -1;
		waits = true;
	}
	return waits;
}

static uint64_t poll_timeout(const struct span__receiver *r, uint64_t ns)
{
	int ms = r->capture ? span__capture_poll_ms(r->capture) : -1;

	return ms >= 0 && (uint64_t)ms * 1000000u < ns ? (uint64_t)ms * 1000000u
						       : ns;
}

static int output_failed(struct span__receiver *r, struct span_error *err)
{
	int rc = span__intake_finish(r->intake, err);

	if (rc < 0)
		return rc;
	return span_error_set(err, SPAN_E_PIPE, "nobody reads the output");
}

int span__receiver_turn(struct span__receiver *r, uint64_t timeout_ns,
			const sigset_t *mask, struct span_error *err)
{
	struct pollfd fds[SOCKETS + SPAN__RECEIVER_SOCKETS + SPAN__SERVERS_FDS];
	size_t n = fill_poll(r, fds);
	struct timespec t;
	int rc = 0;

	timeout_ns = span__servers_fill(&r->servers, fds + n,
					poll_timeout(r, timeout_ns));
	if (let_wait(r, fds) && timeout_ns > WAIT_NS)
		timeout_ns = WAIT_NS;
	t.tv_sec = (time_t)(timeout_ns / 1000000000u);
	t.tv_nsec = (long)(timeout_ns % 1000000000u);
	if (ppoll(fds, n + r->servers.n + 1, &t, mask) < 0) {
		if (errno == EINTR)
			return 1;
		return span_error_set(err, SPAN_E_IO, "cannot wait for data");
	}
	if (fds[QUEUE_FAILED].revents ||
	    fds[OUTPUT].revents & (POLLERR | POLLHUP))
		return output_failed(r, err);
	for (size_t i = 0; i < r->n_sockets && rc >= 0; i++)
		if (fds[SOCKETS + i].revents)
			rc = receive_some(r, &r->sockets[i], err);
	if (r->capture && rc >= 0)
		rc = span__receiver_read(r, err);
	if (rc >= 0)
		rc = span__servers_turn(&r->servers, fds + n, err);
	return rc < 0 ? rc : !is_enough(r);
}

/* What came to socket U before END_NS; later ones only to an adopted one. */
static int drain_socket(struct span__receiver *r, struct span__udp *u,
			uint64_t end_ns, struct span_error *err)
{
	int n;

	r->last_ns = 0;
	do
		n = is_enough(r) ? 0 : receive(r, u, err);
	while (n > 0 && (!u->adopted || r->last_ns < end_ns));
	return n < 0 ? n : 0;
}

/*
 * What the kernel still holds. Nothing new comes in any more, so there is
 * time to wait for room in the queue.
 */
static int drain_all(struct span__receiver *r, struct span_error *err)
{
	const struct timespec moment = {.tv_nsec = 1000000};
	uint64_t end_ns = span__epoch_ns();
	int rc = 0;

	r->wait = true;
	/* Another processor may be about to queue a datagram. */
	if (r->n_sockets)
		nanosleep(&moment, NULL);
	for (size_t i = 0; i < r->n_sockets && rc >= 0; i++)
		rc = drain_socket(r, &r->sockets[i], end_ns, err);
	if (!r->capture || !span__capture_is_live(r->capture))
		return rc;
	if (rc >= 0)
		span__capture_stop(r->capture);
	for (rc = rc < 0 ? rc : 1; rc > 0;)
		rc = span__receiver_read(r, err);
	return rc;
}

int span__receiver_finish(struct span__receiver *r, bool drain,
			  struct span_error *err)
{
	int rc, end;

	for (size_t i = 0; i < r->n_sockets; i++)
		span__udp_finish(&r->sockets[i]);
	rc = span__servers_finish(&r->servers, DRAIN_NS, err);
	if (drain && rc >= 0)
		rc = drain_all(r, err);
	if (r->packets) {
		end = span__packets_finish(r->packets, rc < 0 ? NULL : err);
		rc = rc < 0 ? rc : end;
	}
	end = span__intake_finish(r->intake, rc < 0 ? NULL : err);
	return rc < 0 ? rc : end;
}

const struct span__counts *span__receiver_counts(struct span__receiver *r)
{
	struct span__counts *counts = span__intake_counts(r->intake);
	uint64_t drops[SPAN__DROPS] = {0};

	if (r->packets)
		span__packets_drops(r->packets, drops);
	if (r->capture)
		drops[SPAN__DROP_KERNEL] =
			span__capture_kernel_drops(r->capture);
	for (size_t i = 0; i < SPAN__DROPS; i++) {
		uint64_t more = drops[i] - r->known.drops[i];

		r->known.drops[i] = drops[i];
		counts->ports[0].drops[i] += more;
		if (i != SPAN__DROP_KERNEL)
			counts->ports[0].received += more;
	}
	for (size_t i = 0; i < r->n_sockets; i++) {
		struct span__udp *u = &r->sockets[i];

		span__udp_count_drops(u);
		span__counts_of(counts, span__address_port(&u->local))
			->drops[SPAN__DROP_KERNEL] += u->drops;
		u->drops = 0;
	}
	return counts;
}

const struct span__packets *
span__receiver_packets(const struct span__receiver *r)
{
	return r->packets;
}

uint64_t span__receiver_queue_len(struct span__receiver *r)
{
	struct span__queue *q = span__intake_queue(r->intake);

	return q ? span__queue_len(q) : 0;
}

struct span__server_counts
span__receiver_server_counts(const struct span__receiver *r)
{
	return span__servers_counts(&r->servers);
}

void span__receiver_close(struct span__receiver **rp)
{
	struct span__receiver *r = *rp;

	*rp = NULL;
	if (!r)
		return;
	span__servers_close(&r->servers);
	span__intake_close(&r->intake);
	for (size_t i = 0; i < r->n_sockets; i++)
		span__udp_release(&r->sockets[i]);
	span__udp_batch_close(&r->batch);
	span__packets_close(&r->packets);
	free(r);
}
