/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Segments of a few connections, with the requests in them. Each is a byte of
 * what (connection: 2 bits, cut by the capture, IPv6, and the TCP flags FIN,
 * SYN, RST and 8), one of place (signed, in units of 8 bytes from where the
 * last segment of its connection ended; 127 is also long after it), one of
 * length, and its bytes.
 */
#include "net/requests.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

#define HEAD 20u
#define CONNECTIONS 4u

static void check(bool good)
{
	if (!good)
		abort();
}

static int take(void *arg, const struct span_payload *p, struct span_error *err)
{
	(void)arg, (void)err;
	check(p->data.len <= SPAN_PAYLOAD_MAX && p->path.len && p->peer.len);
	check(p->content_type.len <= SPAN_PAYLOAD_TEXT);
	return 0;
}

static void lose(void *arg, uint16_t port, enum span__drop cause)
{
	(void)arg;
	check(port == 4318 && cause < SPAN__DROPS);
}

static void put32(uint8_t *to, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		to[i] = (uint8_t)(v >> (24 - 8 * i));
}

/* The next segment of the LEN bytes at P. Returns how many it took. */
static size_t put_segment(struct span__requests *r, const uint8_t *p,
			  size_t len, uint32_t *next, uint64_t *time_ns)
{
	static const uint8_t source[16] = {1}, target[16] = {2};
	size_t n = p[2] < len - 3 ? p[2] : len - 3;
	unsigned connection = p[0] & (CONNECTIONS - 1);
	uint32_t seq = next[connection] + (uint32_t)(int8_t)p[1] * 8u;
	uint8_t *copy = malloc(HEAD + n);
	struct span__tcp_packet t = {.family_size = p[0] & 8 ? 16 : 4,
				     .source = source,
				     .target = target,
				     .p = copy,
				     .len = HEAD + n,
				     .wire_len = HEAD + n};
	struct span_error err = {0};

	check(copy != NULL);
	memset(copy, 0, HEAD);
	copy[1] = (uint8_t)connection;
	copy[2] = 4318 >> 8;
	copy[3] = 4318 & 255;
	put32(copy + 4, seq);
	copy[12] = 5 << 4;
	copy[13] = p[0] >> 4;
	if (n)
		memcpy(copy + HEAD, p + 3, n);
	if (p[0] & 4)
		t.len -= n / 2;
	*time_ns += p[1] == 0x7f ? SPAN__TCP_GAP_NS : 1000;
	t.time_ns = *time_ns;
	next[connection] = seq + (uint32_t)n + (copy[13] & 2 ? 1 : 0);
	check(span__requests_put(r, &t, &err) == 0);
	check(span__requests_memory(r) <= SPAN__TCP_MEMORY + SPAN_PAYLOAD_MAX);
	free(copy);
	return 3 + n;
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	const struct span__requests_sink sink = {.payload = take, .lost = lose};
	struct span__requests *r = NULL;
	uint32_t next[CONNECTIONS] = {0, 1000, UINT32_MAX - 20, INT32_MAX - 20};
	uint64_t time_ns = 1000;
	struct span_error err = {0};

	check(span__requests_open(&r, NULL, 0, &sink, &err) == 0);
	while (len >= 3) {
		size_t n = put_segment(r, p, len, next, &time_ns);

		p += n;
		len -= n;
	}
	check(span__requests_finish(r, &err) == 0);
	check(span__requests_memory(r) <= 1u << 20);
	span__requests_close(&r);
	return 0;
}
