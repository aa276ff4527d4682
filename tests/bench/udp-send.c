/* SPDX-License-Identifier: Apache-2.0 */
/*
 * udp-send - send a span stream as a Jaeger client does, at a given rate
 *
 * Reads spans from standard input, makes all datagrams first, so
 * that encoding does not count, and sends them round and round until as many
 * spans are out as were asked for. With --replay it reads a payload stream and
 * sends the messages as they were received.
 */
#include "cmd/cmd.h"

#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/banned.h"

#define MAX_DATAGRAM 65000u
#define MMSG 32u

static struct {
	int protocol;
	uint64_t batch, rate, spans, load;
	bool payloads, replay;
} opt = {.batch = 25, .load = 200000};

static const char *const protocols[] = {"compact", "binary", NULL};

static const struct cmd_option options[] = {
	{CMD_CHOICE, 0, "protocol", &opt.protocol, "NAME",
	 "compact or binary Thrift", protocols},
	{CMD_INT, 0, "batch", &opt.batch, "N", "spans of a datagram (25)",
	 NULL},
	{CMD_INT, 0, "rate", &opt.rate, "N",
	 "spans a second, 0: as fast as it goes", NULL},
	{CMD_INT, 0, "spans", &opt.spans, "N",
	 "send this many, 0: each datagram once", NULL},
	{CMD_INT, 0, "load", &opt.load, "N",
	 "read this many spans at most, 0: all (200k)", NULL},
	{CMD_FLAG, 0, "payloads", &opt.payloads, NULL,
	 "write a payload stream instead of sending", NULL},
	{CMD_FLAG, 0, "replay", &opt.replay, NULL,
	 "read a payload stream and send its messages", NULL},
	{CMD_END, 0, NULL, NULL, NULL, NULL, NULL},
};

struct datagram {
	size_t off;
	uint32_t len, n_spans;
};

/* All datagrams, one after another. */
static struct {
	struct span_buf bytes;
	struct datagram *v;
	size_t n, cap;
	uint64_t n_spans, n_left_out;
} all;

static int add_datagram(const void *p, size_t len, size_t n_spans,
			struct span_error *err)
{
	struct datagram *d;

	if (all.n == all.cap) {
		all.cap = all.cap ? 2 * all.cap : 1024;
		all.v = realloc(all.v, all.cap * sizeof(*all.v));
	}
	d = all.v ? &all.v[all.n++] : NULL;
	if (d) {
		*d = (struct datagram){all.bytes.len, (uint32_t)len,
				       (uint32_t)n_spans};
		span_buf_put(&all.bytes, p, len);
		all.n_spans += n_spans;
	}
	if (!d || all.bytes.failed)
		return span_error_set(err, SPAN_E_NOMEM, "no memory");
	return 0;
}

/* As many spans of one process as fit; *TAKEN says how many that were. */
static int add_batch(const struct span *spans, size_t n, size_t *taken,
		     struct span_error *err)
{
	static struct span_buf message;
	static uint64_t seqno;
	const int format = opt.protocol ? SPAN_FORMAT_JAEGER_BINARY
					: SPAN_FORMAT_JAEGER_COMPACT;
	int rc;

	n = n < opt.batch ? n : (size_t)opt.batch;
	for (;; n = n / 2) {
		message.len = 0;
		rc = span_encode_jaeger(&message, format, spans, n, seqno + 1,
					err);
		if (rc < 0)
			return rc;
		if (message.len <= MAX_DATAGRAM || n == 1)
			break;
	}
	*taken = n;
	if (message.len > MAX_DATAGRAM) {
		all.n_left_out++;
		return 0;
	}
	seqno++;
	return add_datagram(message.p, message.len, n, err);
}

/* The spans of a frame, those of one process together, in their order. */
static int add_frame(struct span_frame *f, struct span_arena *arena,
		     struct span_error *err)
{
	const struct span_frame_info *info = span_frame_info(f);
	struct span *spans, *next, s;
	size_t n = 0, taken;
	int rc = 0;

	span_arena_reset(arena);
	spans = span_arena_array(arena, info->n_spans, sizeof(*spans));
	for (size_t p = 0; spans && p < info->n_processes; p++) {
		span_frame_rewind(f);
		while ((rc = span_frame_next(f, &s, err)) > 0)
			if (s.process == &info->processes[p] &&
			    span_copy(&spans[n++], &s, arena) < 0)
				spans = NULL;
		if (rc < 0 || !spans)
			break;
		for (next = spans; rc >= 0 && n; next += taken, n -= taken)
			rc = add_batch(next, n, &taken, err);
		if (rc < 0)
			break;
	}
	if (!spans)
		return span_error_set(err, SPAN_E_NOMEM, "no memory");
	return rc;
}

static int load_spans(struct span_error *err)
{
	struct span_arena arena = {0};
	struct span_reader *r = NULL;
	struct span_frame *f;
	int rc = span_reader_open(&r, STDIN_FILENO, NULL, err);

	while (rc >= 0 && (!opt.load || all.n_spans < opt.load) &&
	       (rc = span_reader_next_frame(r, &f, err)) > 0)
		rc = add_frame(f, &arena, err);
	span_reader_close(&r);
	span_arena_release(&arena);
	return rc;
}

static int load_payloads(struct span_error *err)
{
	struct span_payload_reader *r = NULL;
	struct span_payload p;
	int rc = span_payload_reader_open(&r, STDIN_FILENO, NULL, err);

	while (rc >= 0 && (rc = span_payload_reader_next(r, &p, err)) > 0)
		rc = p.data.len > MAX_DATAGRAM
			     ? 0
			     : add_datagram(p.data.p, p.data.len, 0, err);
	span_payload_reader_close(&r);
	return rc;
}

static int write_payloads(struct span_error *err)
{
	struct span_payload_writer *w = NULL;
	int rc = span_payload_writer_open(&w, STDOUT_FILENO, err);

	for (size_t i = 0; rc >= 0 && i < all.n; i++) {
		struct span_payload p = {
			.time_ns = 1700000000000000000,
			.transport = SPAN_TRANSPORT_UDP,
			.port = opt.protocol ? 6832 : 6831,
			.data = {all.bytes.p + all.v[i].off, all.v[i].len},
		};

		rc = span_payload_writer_put(w, &p, err);
	}
	if (rc >= 0)
		rc = span_payload_writer_flush(w, err);
	span_payload_writer_close(&w);
	return rc;
}

static int connect_to(const char *host, const char *port, int *fd,
		      struct span_error *err)
{
	struct addrinfo hints = {.ai_socktype = SOCK_DGRAM}, *a;
	int rc = getaddrinfo(host, port, &hints, &a), size = 4 << 20;

	if (rc)
		return span_error_set(err, SPAN_E_PEER, "%s: %s", host,
				      gai_strerror(rc));
	*fd = socket(a->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (*fd < 0 || connect(*fd, a->ai_addr, a->ai_addrlen) < 0)
		rc = span_error_set(err, SPAN_E_IO, "%s port %s", host, port);
	freeaddrinfo(a);
	if (rc == 0)
		setsockopt(*fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	return rc;
}

/* Until the spans that were sent are no more than the rate allows. */
static void pace(uint64_t start, uint64_t spans)
{
	uint64_t due;

	if (!opt.rate)
		return;
	due = start + (uint64_t)((double)spans / (double)opt.rate * 1e9);
	while (cmd_monotonic_ns() < due && !cmd_stopped) {
		uint64_t wait = due - cmd_monotonic_ns();
		struct timespec t = {0, (long)(wait < 500000 ? wait : 500000)};

		if (wait > UINT64_C(1) << 62)
			break;
		nanosleep(&t, NULL);
	}
}

/* The datagrams from number AT on, MMSG at most; returns how many went. */
static int send_some(int fd, size_t at, size_t n, struct span_error *err)
{
	struct mmsghdr msg[MMSG];
	struct iovec iov[MMSG];
	int rc;

	n = n < MMSG ? n : MMSG;
	memset(msg, 0, sizeof(msg));
	for (size_t i = 0; i < n; i++) {
		const struct datagram *d = &all.v[at + i];

		iov[i] = (struct iovec){all.bytes.p + d->off, d->len};
		msg[i].msg_hdr.msg_iov = &iov[i];
		msg[i].msg_hdr.msg_iovlen = 1;
	}
	do
		rc = sendmmsg(fd, msg, (unsigned)n, 0);
	while (rc < 0 && (errno == EINTR || errno == ENOBUFS));
	if (rc < 0)
		return span_error_set(err, SPAN_E_IO, "cannot send");
	return rc;
}

static int send_all(int fd, struct span_error *err)
{
	uint64_t start = cmd_monotonic_ns(), spans = 0, n = 0, bytes = 0;
	double took;

	for (size_t at = 0; all.n && !cmd_stopped;) {
		int sent = send_some(fd, at, all.n - at, err);

		if (sent < 0)
			return sent;
		for (int i = 0; i < sent; i++, at++, n++) {
			spans += all.v[at].n_spans;
			bytes += all.v[at].len;
		}
		if (at == all.n && (!opt.spans || !all.n_spans))
			break;
		if (opt.spans && spans >= opt.spans)
			break;
		at %= all.n;
		pace(start, spans);
	}
	took = (double)(cmd_monotonic_ns() - start) / 1e9;
	printf("sent %llu datagrams, ", (unsigned long long)n);
	if (!opt.replay)
		printf("%llu spans, ", (unsigned long long)spans);
	printf("%llu bytes in %.2f s\n", (unsigned long long)bytes, took);
	if (all.n_left_out)
		cmd_warn("%llu spans above %u bytes were left out",
			 (unsigned long long)all.n_left_out, MAX_DATAGRAM);
	return 0;
}

static int run(int argc, char **argv, struct span_error *err)
{
	int fd = -1, rc;

	if (opt.payloads ? argc != 0 : argc != 2)
		cmd_usage("give an ADDRESS and a PORT, or --payloads");
	if (!opt.batch)
		cmd_usage("--batch is at least 1");
	cmd_signals_source();
	if (opt.payloads)
		opt.load = 0;
	rc = opt.replay ? load_payloads(err) : load_spans(err);
	if (rc >= 0 && opt.payloads)
		rc = write_payloads(err);
	else if (rc >= 0 && (rc = connect_to(argv[0], argv[1], &fd, err)) == 0)
		rc = send_all(fd, err);
	if (fd >= 0)
		close(fd);
	span_buf_release(&all.bytes);
	free(all.v);
	return rc < 0 ? rc : 0;
}

static const struct cmd udp_send = {
	.name = "udp-send",
	.operands = "[ADDRESS PORT]",
	.summary = "send a span stream as a Jaeger client does",
	.options = options,
	.run = run,
};

int main(int argc, char **argv)
{
	return cmd_main(&udp_send, argc, argv);
}
