/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each layer takes its header off a window on the packet. A window knows
 * whether the capture has less than was sent, which is a loss, or whether the
 * packet itself is too short, which is none of ours.
 */
#include "net/packet.h"

#include <pcap/dlt.h>
#include <stdlib.h>
#include <string.h>

#include "net/fragment.h"
#include "net/ipv6_headers.h"

#include "base/banned.h"

#define TYPE_IPV4 0x0800
#define TYPE_IPV6 0x86dd
#define PROTOCOL_TCP 6
#define PROTOCOL_UDP 17
#define UDP_HEADER 8u
#define NEXT_FRAGMENT 44

/* The addresses that a datagram came from and went to. */
struct ends {
	uint8_t size; /* 4 or 16 */
	const uint8_t *source, *target;
};

struct span__packets {
	int link;
	struct span__ports ports;
	struct span__reassembly *fragments;
	struct span__requests *requests;
	uint64_t seen;
	uint64_t drops[SPAN__DROPS];
	uint64_t time_ns;
	char peer[SPAN__ADDRESS_TEXT];
};

static bool is_wanted(const struct span__packets *s, uint16_t port)
{
	for (size_t i = 0; i < s->ports.n_udp; i++)
		if (s->ports.udp[i] == port)
			return true;
	return !s->ports.n_udp;
}

/*
 * A datagram that was cut before its port can be told may be one of ours. A
 * segment that is lost leaves a gap, which is counted there.
 */
static bool fragment_is_wanted(void *self, uint8_t protocol, const uint8_t *p,
			       size_t len)
{
	const struct span__packets *s = self;

	if (protocol == PROTOCOL_TCP)
		return false;
	if (protocol != PROTOCOL_UDP || len < UDP_HEADER)
		return true;
	return is_wanted(s, span__get16(p + 2));
}

bool span__packets_know(int link)
{
	switch (link) {
	case DLT_EN10MB:
	case DLT_LINUX_SLL:
	case DLT_LINUX_SLL2:
	case DLT_NULL:
	case DLT_LOOP:
	case DLT_RAW:
	case DLT_IPV4:
	case DLT_IPV6:
		return true;
	default:
		return false;
	}
}

int span__packets_open(struct span__packets **out, int link,
		       const struct span__ports *ports,
		       const struct span__requests_sink *sink,
		       struct span_error *err)
{
	struct span__packets *s = calloc(1, sizeof(*s));
	int rc;

	*out = NULL;
	if (!s)
		return span_error_set(err, SPAN_E_NOMEM, "out of memory");
	s->link = link;
	s->ports = *ports;
	rc = span__reassembly_open(&s->fragments, fragment_is_wanted, s, err);
	if (rc >= 0)
		rc = span__requests_open(&s->requests, ports->tcp, ports->n_tcp,
					 sink, err);
	if (rc < 0)
		span__packets_close(&s);
	*out = s;
	return rc;
}

/* Too short for a header: cut by the capture, or no packet of ours. */
static int too_short(struct span__packets *s, const struct span__window *w)
{
	if (w->cut)
		s->drops[SPAN__DROP_TRUNCATED]++;
	return 0;
}

static bool checksum_is_good(const struct ends *ends,
			     const struct span__window *w)
{
	uint32_t sum = PROTOCOL_UDP + (uint32_t)w->len;

	if (!span__get16(w->p + 6))
		return true;
	for (size_t i = 0; i < ends->size; i += 2)
		sum += span__get16(ends->source + i) +
		       (uint32_t)span__get16(ends->target + i);
	for (size_t i = 0; i + 1 < w->len; i += 2)
		sum += span__get16(w->p + i);
	if (w->len % 2)
		sum += (uint32_t)w->p[w->len - 1] << 8;
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return sum == 0xffff;
}

/*
 * The checksum is looked at only when the datagram was put together from
 * fragments, where it tells whether they belong together: a packet captured
 * on the host that sends it has none yet, the network card fills it in.
 */
static int read_udp(struct span__packets *s, const struct ends *ends,
		    struct span__window w, bool joined,
		    struct span_payload *out)
{
	uint16_t port;
	size_t len;

	if (w.len < UDP_HEADER)
		return too_short(s, &w);
	port = span__get16(w.p + 2);
	len = span__get16(w.p + 4);
	if (!is_wanted(s, port))
		return 0;
	if (len < UDP_HEADER || (len > w.len && !w.cut))
		goto malformed;
	if (len <= w.len) {
		w.len = len;
		w.cut = false;
	}
	if (joined && !checksum_is_good(ends, &w))
		goto malformed;
	*out = (struct span_payload){
		.time_ns = s->time_ns,
		.port = port,
		.transport = SPAN_TRANSPORT_UDP,
		.truncated = w.cut,
		.data = {(const char *)w.p + UDP_HEADER, w.len - UDP_HEADER},
	};
	out->peer.p = s->peer;
	out->peer.len = span__address_bytes_text(
		ends->size == 4 ? AF_INET : AF_INET6, ends->source,
		span__get16(w.p), s->peer);
	return 1;
malformed:
	s->drops[SPAN__DROP_MALFORMED]++;
	return 0;
}

/* The checksum is not looked at, for the same reason. */
static int read_tcp(struct span__packets *s, const struct ends *ends,
		    const struct span__window *w, struct span_error *err)
{
	const struct span__tcp_packet p = {
		.family_size = ends->size,
		.source = ends->source,
		.target = ends->target,
		.p = w->p,
		.len = w->len,
		.wire_len = w->len + w->missing,
		.time_ns = s->time_ns,
	};

	return span__requests_put(s->requests, &p, err);
}

static bool is_ours(uint8_t protocol)
{
	return protocol == PROTOCOL_UDP || protocol == PROTOCOL_TCP;
}

static int read_transport(struct span__packets *s, const struct ends *ends,
			  uint8_t protocol, struct span__window w, bool joined,
			  struct span_payload *out, struct span_error *err)
{
	if (protocol == PROTOCOL_TCP)
		return read_tcp(s, ends, &w, err);
	if (protocol != PROTOCOL_UDP)
		return 0;
	return read_udp(s, ends, w, joined, out);
}

static int read_fragment(struct span__packets *s, const struct ends *ends,
			 const struct span__fragment *f,
			 struct span_payload *out, struct span_error *err)
{
	struct span__window w = {0};
	uint8_t protocol;
	int rc;

	rc = span__reassembly_put(s->fragments, f, &protocol, &w.p, &w.len,
				  err);
	if (rc <= 0)
		return rc;
	if (ends->size == 16 && !span__ipv6_skip(&protocol, &w)) {
		s->drops[SPAN__DROP_MALFORMED]++;
		return 0;
	}
	if (protocol == PROTOCOL_UDP && w.len < UDP_HEADER) {
		s->drops[SPAN__DROP_MALFORMED]++;
		return 0;
	}
	return read_transport(s, ends, protocol, w, true, out, err);
}

/*
 * The length in a header of IPv4. A segment that the network card is to split
 * is captured before it has one.
 */
static size_t ipv4_len(const struct span__window *w)
{
	size_t len = span__get16(w->p + 2);

	return !len && w->p[9] == PROTOCOL_TCP ? w->len + w->missing : len;
}

static int read_ipv4(struct span__packets *s, struct span__window w,
		     struct span_payload *out, struct span_error *err)
{
	struct ends ends = {.size = 4};
	struct span__fragment f;
	size_t header;

	if (w.len < 20)
		return too_short(s, &w);
	header = (w.p[0] & 15u) * 4;
	if (w.p[0] >> 4 != 4 || !is_ours(w.p[9]) || header < 20 ||
	    ipv4_len(&w) < header || !span__window_limit(&w, ipv4_len(&w)))
		return 0;
	if (w.len < header)
		return too_short(s, &w);
	ends.source = w.p + 12;
	ends.target = w.p + 16;
	f = (struct span__fragment){
		.family_size = 4,
		.protocol = w.p[9],
		.more = w.p[6] & 0x20,
		.id = span__get16(w.p + 4),
		.source = ends.source,
		.target = ends.target,
		.offset = (span__get16(w.p + 6) & 0x1fffu) * 8,
		.time_ns = s->time_ns,
	};
	span__window_advance(&w, header);
	if (!f.more && !f.offset)
		return read_transport(s, &ends, f.protocol, w, false, out, err);
	f.cut = w.cut;
	f.p = w.p;
	f.len = w.len;
	return read_fragment(s, &ends, &f, out, err);
}

static int read_ipv6_fragment(struct span__packets *s, const struct ends *ends,
			      struct span__window w, struct span_payload *out,
			      struct span_error *err)
{
	struct span__fragment f = {
		.family_size = 16,
		.source = ends->source,
		.target = ends->target,
		.time_ns = s->time_ns,
	};

	if (w.len < 8)
		return too_short(s, &w);
	f.protocol = w.p[0];
	f.offset = span__get16(w.p + 2) & 0xfff8u;
	f.more = w.p[3] & 1;
	f.id = span__get32(w.p + 4);
	if (!is_ours(f.protocol) && !span__ipv6_is_extension(f.protocol))
		return 0;
	span__window_advance(&w, 8);
	if (!f.more && !f.offset) { /* a fragment that is all: RFC 6946 */
		if (!span__ipv6_skip(&f.protocol, &w))
			return too_short(s, &w);
		return read_transport(s, ends, f.protocol, w, false, out, err);
	}
	f.cut = w.cut;
	f.p = w.p;
	f.len = w.len;
	return read_fragment(s, ends, &f, out, err);
}

static int read_ipv6(struct span__packets *s, struct span__window w,
		     struct span_payload *out, struct span_error *err)
{
	struct ends ends = {.size = 16};
	uint8_t next;

	if (w.len < 40)
		return too_short(s, &w);
	if (w.p[0] >> 4 != 6 ||
	    !span__window_limit(&w, 40u + span__get16(w.p + 4)))
		return 0;
	next = w.p[6];
	ends.source = w.p + 8;
	ends.target = w.p + 24;
	span__window_advance(&w, 40);
	if (!span__ipv6_skip(&next, &w))
		return too_short(s, &w);
	if (next == NEXT_FRAGMENT)
		return read_ipv6_fragment(s, &ends, w, out, err);
	return read_transport(s, &ends, next, w, false, out, err);
}

/* The packet after the header of the link, by its Ethernet type. */
static int read_type(struct span__packets *s, uint16_t type,
		     struct span__window w, struct span_payload *out,
		     struct span_error *err)
{
	for (size_t i = 0; i < SPAN__VLAN_TAGS; i++) {
		if (type != 0x8100 && type != 0x88a8 && type != 0x9100)
			break;
		if (w.len < 4)
			return too_short(s, &w);
		type = span__get16(w.p + 2);
		span__window_advance(&w, 4);
	}
	if (type == TYPE_IPV4)
		return read_ipv4(s, w, out, err);
	if (type == TYPE_IPV6)
		return read_ipv6(s, w, out, err);
	return 0;
}

static int read_ip(struct span__packets *s, struct span__window w,
		   struct span_payload *out, struct span_error *err)
{
	if (!w.len)
		return too_short(s, &w);
	return read_type(s, w.p[0] >> 4 == 6 ? TYPE_IPV6 : TYPE_IPV4, w, out,
			 err);
}

/*
 * The address family before a packet of BSD loopback is in the byte order and
 * with the numbers of the host that captured: the packet's own version says
 * the same.
 */
static int read_link(struct span__packets *s, struct span__window w,
		     struct span_payload *out, struct span_error *err)
{
	static const struct {
		int link;
		uint8_t type_at, len;
	} links[] = {
		{DLT_EN10MB, 12, 14},
		{DLT_LINUX_SLL, 14, 16},
		{DLT_LINUX_SLL2, 0, 20},
	};

	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
		uint16_t type;

		if (links[i].link != s->link)
			continue;
		if (w.len < links[i].len)
			return too_short(s, &w);
		type = span__get16(w.p + links[i].type_at);
		span__window_advance(&w, links[i].len);
		return read_type(s, type, w, out, err);
	}
	if (s->link == DLT_NULL || s->link == DLT_LOOP) {
		if (w.len < 4)
			return too_short(s, &w);
		span__window_advance(&w, 4);
	}
	return read_ip(s, w, out, err);
}

int span__packets_next(struct span__packets *s, const struct span__frame *f,
		       struct span_payload *p, struct span_error *err)
{
	struct span__window w = {.p = f->p, .len = f->len};

	if (f->wire_len > f->len) {
		w.cut = true;
		w.missing = f->wire_len - f->len;
	}

	s->seen++;
	s->time_ns = f->time_ns;
	return read_link(s, w, p, err);
}

int span__packets_finish(struct span__packets *s, struct span_error *err)
{
	span__reassembly_finish(s->fragments);
	return span__requests_finish(s->requests, err);
}

uint64_t span__packets_seen(const struct span__packets *s)
{
	return s->seen;
}

void span__packets_drops(const struct span__packets *s,
			 uint64_t drops[SPAN__DROPS])
{
	const uint64_t *more = span__reassembly_drops(s->fragments);

	for (size_t i = 0; i < SPAN__DROPS; i++)
		drops[i] = s->drops[i] + more[i];
}

const struct span__ignored *span__packets_ignored(const struct span__packets *s)
{
	return span__requests_ignored(s->requests);
}

size_t span__packets_memory(const struct span__packets *s)
{
	return span__reassembly_memory(s->fragments) +
	       span__requests_memory(s->requests);
}

void span__packets_close(struct span__packets **s)
{
	if (*s) {
		span__reassembly_close(&(*s)->fragments);
		span__requests_close(&(*s)->requests);
	}
	free(*s);
	*s = NULL;
}
