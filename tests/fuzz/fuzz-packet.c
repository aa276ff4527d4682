/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packets of any link type, IP and its fragments. The first byte chooses the
 * link type; each packet is a byte of flags (bit 0: cut by the capture, the
 * rest: seconds since the last one), two bytes of length, and its bytes.
 */
#include "net/packet.h"

#include <pcap/dlt.h>
#include <stdlib.h>
#include <string.h>

#include "net/fragment.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

static const int links[] = {DLT_EN10MB, DLT_LINUX_SLL, DLT_LINUX_SLL2,
			    DLT_NULL,	DLT_LOOP,      DLT_RAW,
			    DLT_IPV4,	DLT_IPV6};
#define N_LINKS (sizeof(links) / sizeof(links[0]))

static const uint16_t udp[] = {5775, 6831, 6832};
static const uint16_t tcp[] = {14268, 6831};

static void check(bool good)
{
	if (!good)
		abort();
}

static uint64_t n_requests; /* taken or lost */

static int take(void *arg, const struct span_payload *p, struct span_error *err)
{
	const bool *all_ports = arg;

	(void)err;
	check(p->data.len <= SPAN_PAYLOAD_MAX && p->path.len && p->peer.len);
	check(*all_ports || p->port == 14268 || p->port == 6831);
	n_requests++;
	return 0;
}

static void lose(void *arg, uint16_t port, enum span__drop cause)
{
	(void)arg, (void)port;
	check(cause < SPAN__DROPS);
	n_requests++;
}

/* All of it is there, and was asked for. */
static void look_at(const struct span_payload *p, bool all_ports)
{
	char *copy = malloc(p->data.len + 1);

	check(p->data.len <= SPAN__FRAGMENT_MAX);
	check(p->peer.len > 0 && p->peer.len < SPAN__ADDRESS_TEXT);
	check(all_ports || p->port == 5775 || p->port == 6831 ||
	      p->port == 6832);
	if (copy && p->data.len)
		memcpy(copy, p->data.p, p->data.len);
	free(copy);
}

static void check_bounds(const struct span__packets *s, uint64_t n)
{
	uint64_t drops[SPAN__DROPS], sum = 0;

	span__packets_drops(s, drops);
	for (size_t i = 0; i < SPAN__DROPS; i++)
		sum += drops[i];
	check(n + sum <= span__packets_seen(s));
	check(span__packets_memory(s) <=
	      SPAN__FRAGMENT_MEMORY + SPAN__FRAGMENT_DATAGRAMS * 2048u +
		      SPAN__TCP_MEMORY + SPAN_PAYLOAD_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	struct span__packets *s = NULL;
	struct span_error err = {0};
	uint64_t time_ns = 1, n = 0;
	bool all_ports = len && p[0] & 0x80;
	const struct span__requests_sink sink = {
		.arg = &all_ports, .payload = take, .lost = lose};
	const struct span__ports ports = {.udp = udp,
					  .tcp = tcp,
					  .n_udp = all_ports ? 0 : 3,
					  .n_tcp = all_ports ? 0 : 2};

	if (!len)
		return 0;
	check(span__packets_open(&s, links[p[0] % N_LINKS], &ports, &sink,
				 &err) == 0);
	p++;
	len--;
	while (len >= 3) {
		struct span__frame f = {.time_ns = time_ns,
					.len = (size_t)(p[1] << 8 | p[2])};
		struct span_payload payload;
		uint8_t *copy;
		int rc;

		if (f.len > len - 3)
			f.len = len - 3;
		f.wire_len = f.len + (p[0] & 1) * 40u;
		time_ns += (uint64_t)(p[0] >> 1) * 1000000000u;
		/* A copy of its own, so that a read behind its end is seen. */
		copy = malloc(f.len);
		check(copy || !f.len);
		if (f.len)
			memcpy(copy, p + 3, f.len);
		f.p = copy;
		rc = span__packets_next(s, &f, &payload, &err);
		check(rc == 0 || rc == 1);
		if (rc)
			look_at(&payload, all_ports);
		n += (uint64_t)rc;
		check_bounds(s, n);
		free(copy);
		p += 3 + f.len;
		len -= 3 + f.len;
	}
	check(span__packets_finish(s, &err) == 0);
	check_bounds(s, n);
	span__packets_close(&s);
	return 0;
}
