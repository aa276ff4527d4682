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

#include "base/banned.h"

#define TYPE_IPV4 0x0800
#define TYPE_IPV6 0x86dd
#define PROTOCOL_UDP 17
#define UDP_HEADER 8u
#define NEXT_FRAGMENT 44

struct window {
	const uint8_t *p;
	size_t len;
	bool cut; /* more was sent than was captured */
};

/* The addresses that a datagram came from and went to. */
struct ends {
	uint8_t size; /* 4 or 16 */
	const uint8_t *source, *target;
};

struct span__packets {
	int link;
	const uint16_t *ports;
	size_t n_ports;
	struct span__reassembly *fragments;
	uint64_t seen;
	uint64_t drops[SPAN__DROPS];
	uint64_t time_ns;
	char peer[SPAN__ADDRESS_TEXT];
};

static uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)get16(p) << 16 | get16(p + 2);
}

static bool is_wanted(const struct span__packets *s, uint16_t port)
{
	for (size_t i = 0; i < s->n_ports; i++)
		if (s->ports[i] == port)
			return true;
	return !s->n_ports;
}

/* A datagram that was cut before its port can be told may be one of ours. */
static bool fragment_is_wanted(void *self, uint8_t protocol, const uint8_t *p,
			       size_t len)
{
	const struct span__packets *s = self;

	if (protocol != PROTOCOL_UDP || len < UDP_HEADER)
		return true;
	return is_wanted(s, get16(p + 2));
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
		       const uint16_t *ports, size_t n_ports,
		       struct span_error *err)
{
	struct span__packets *s = calloc(1, sizeof(*s));
	int rc;

	*out = NULL;
	if (!s)
		return span_error_set(err, SPAN_E_NOMEM, "out of memory");
	s->link = link;
	s->ports = ports;
	s->n_ports = n_ports;
	rc = span__reassembly_open(&s->fragments, fragment_is_wanted, s, err);
	if (rc < 0)
		span__packets_close(&s);
	*out = s;
	return rc;
}

/* Too short for a header: cut by the capture, or no packet of ours. */
static int too_short(struct span__packets *s, const struct window *w)
{
	if (w->cut)
		s->drops[SPAN__DROP_TRUNCATED]++;
	return 0;
}

static void advance(struct window *w, size_t n)
{
	w->p += n;
	w->len -= n;
}

static bool checksum_is_good(const struct ends *ends, const struct window *w)
{
	uint32_t sum = PROTOCOL_UDP + (uint32_t)w->len;

	if (!get16(w->p + 6))
		return true;
	for (size_t i = 0; i < ends->size; i += 2)
		sum += get16(ends->source + i) +
		       (uint32_t)get16(ends->target + i);
	for (size_t i = 0; i + 1 < w->len; i += 2)
		sum += get16(w->p + i);
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
		    struct window w, bool joined, struct span_payload *out)
{
	uint16_t port;
	size_t len;

	if (w.len < UDP_HEADER)
		return too_short(s, &w);
	port = get16(w.p + 2);
	len = get16(w.p + 4);
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
	out->peer.len =
		span__address_bytes_text(ends->size == 4 ? AF_INET : AF_INET6,
					 ends->source, get16(w.p), s->peer);
	return 1;
malformed:
	s->drops[SPAN__DROP_MALFORMED]++;
	return 0;
}

static bool is_extension(uint8_t next)
{
	switch (next) {
	case 0:	  /* hop-by-hop options */
	case 43:  /* routing */
	case 51:  /* authentication */
	case 60:  /* destination options */
	case 135: /* mobility */
	case 139: /* host identity */
	case 140: /* shim6 */
		return true;
	default:
		return false;
	}
}

static size_t extension_len(uint8_t next, const uint8_t *p)
{
	return next == 51 ? (p[1] + 2u) * 4 : (p[1] + 1u) * 8;
}

/*
 * Skip extension headers from *NEXT on. Returns 1 with *NEXT the protocol
 * after them (a fragment header too), 0 when the packet ends inside.
 */
static int skip_extensions(uint8_t *next, struct window *w)
{
	for (size_t i = 0; is_extension(*next); i++) {
		size_t len;

		if (i == SPAN__IPV6_HEADERS || w->len < 8)
			return 0;
		len = extension_len(*next, w->p);
		if (len > w->len)
			return 0;
		*next = w->p[0];
		advance(w, len);
	}
	return 1;
}

static int read_fragment(struct span__packets *s, const struct ends *ends,
			 const struct span__fragment *f,
			 struct span_payload *out, struct span_error *err)
{
	struct window w = {0};
	uint8_t protocol;
	int rc;

	rc = span__reassembly_put(s->fragments, f, &protocol, &w.p, &w.len,
				  err);
	if (rc <= 0)
		return rc;
	if (ends->size == 16 && !skip_extensions(&protocol, &w)) {
		s->drops[SPAN__DROP_MALFORMED]++;
		return 0;
	}
	if (protocol != PROTOCOL_UDP)
		return 0;
	if (w.len < UDP_HEADER) {
		s->drops[SPAN__DROP_MALFORMED]++;
		return 0;
	}
	return read_udp(s, ends, w, true, out);
}

/* Shorten the window to LEN; false when the packet promises what is not there.
 */
static bool limit(struct window *w, size_t len)
{
	if (len > w->len)
		return w->cut;
	w->len = len;
	w->cut = false;
	return true;
}

static int read_ipv4(struct span__packets *s, struct window w,
		     struct span_payload *out, struct span_error *err)
{
	struct ends ends = {.size = 4};
	struct span__fragment f;
	size_t header;

	if (w.len < 20)
		return too_short(s, &w);
	header = (w.p[0] & 15u) * 4;
	if (w.p[0] >> 4 != 4 || w.p[9] != PROTOCOL_UDP || header < 20 ||
	    get16(w.p + 2) < header || !limit(&w, get16(w.p + 2)))
		return 0;
	if (w.len < header)
		return too_short(s, &w);
	ends.source = w.p + 12;
	ends.target = w.p + 16;
	f = (struct span__fragment){
		.family_size = 4,
		.protocol = w.p[9],
		.more = w.p[6] & 0x20,
		.id = get16(w.p + 4),
		.source = ends.source,
		.target = ends.target,
		.offset = (get16(w.p + 6) & 0x1fffu) * 8,
		.time_ns = s->time_ns,
	};
	advance(&w, header);
	if (!f.more && !f.offset)
		return read_udp(s, &ends, w, false, out);
	f.cut = w.cut;
	f.p = w.p;
	f.len = w.len;
	return read_fragment(s, &ends, &f, out, err);
}

static int read_ipv6_fragment(struct span__packets *s, const struct ends *ends,
			      struct window w, struct span_payload *out,
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
	f.offset = get16(w.p + 2) & 0xfff8u;
	f.more = w.p[3] & 1;
	f.id = get32(w.p + 4);
	if (f.protocol != PROTOCOL_UDP && !is_extension(f.protocol))
		return 0;
	advance(&w, 8);
	if (!f.more && !f.offset) { /* a fragment that is all: RFC 6946 */
		if (!skip_extensions(&f.protocol, &w))
			return too_short(s, &w);
		if (f.protocol != PROTOCOL_UDP)
			return 0;
		return read_udp(s, ends, w, false, out);
	}
	f.cut = w.cut;
	f.p = w.p;
	f.len = w.len;
	return read_fragment(s, ends, &f, out, err);
}

static int read_ipv6(struct span__packets *s, struct window w,
		     struct span_payload *out, struct span_error *err)
{
	struct ends ends = {.size = 16};
	uint8_t next;

	if (w.len < 40)
		return too_short(s, &w);
	if (w.p[0] >> 4 != 6 || !limit(&w, 40u + get16(w.p + 4)))
		return 0;
	next = w.p[6];
	ends.source = w.p + 8;
	ends.target = w.p + 24;
	advance(&w, 40);
	if (!skip_extensions(&next, &w))
		return too_short(s, &w);
	if (next == NEXT_FRAGMENT)
		return read_ipv6_fragment(s, &ends, w, out, err);
	if (next != PROTOCOL_UDP)
		return 0;
	return read_udp(s, &ends, w, false, out);
}

/* The packet after the header of the link, by its Ethernet type. */
static int read_type(struct span__packets *s, uint16_t type, struct window w,
		     struct span_payload *out, struct span_error *err)
{
	for (size_t i = 0; i < SPAN__VLAN_TAGS; i++) {
		if (type != 0x8100 && type != 0x88a8 && type != 0x9100)
			break;
		if (w.len < 4)
			return too_short(s, &w);
		type = get16(w.p + 2);
		advance(&w, 4);
	}
	if (type == TYPE_IPV4)
		return read_ipv4(s, w, out, err);
	if (type == TYPE_IPV6)
		return read_ipv6(s, w, out, err);
	return 0;
}

static int read_ip(struct span__packets *s, struct window w,
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
static int read_link(struct span__packets *s, struct window w,
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
		type = get16(w.p + links[i].type_at);
		advance(&w, links[i].len);
		return read_type(s, type, w, out, err);
	}
	if (s->link == DLT_NULL || s->link == DLT_LOOP) {
		if (w.len < 4)
			return too_short(s, &w);
		advance(&w, 4);
	}
	return read_ip(s, w, out, err);
}

int span__packets_next(struct span__packets *s, const struct span__frame *f,
		       struct span_payload *p, struct span_error *err)
{
	struct window w = {f->p, f->len, f->wire_len > f->len};

	s->seen++;
	s->time_ns = f->time_ns;
	return read_link(s, w, p, err);
}

void span__packets_finish(struct span__packets *s)
{
	span__reassembly_finish(s->fragments);
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

size_t span__packets_memory(const struct span__packets *s)
{
	return span__reassembly_memory(s->fragments);
}

void span__packets_close(struct span__packets **s)
{
	if (*s)
		span__reassembly_close(&(*s)->fragments);
	free(*s);
	*s = NULL;
}
