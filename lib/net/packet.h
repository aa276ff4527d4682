/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net/packet.h - from captured packets to UDP datagrams and HTTP requests
 *
 * Ethernet (with VLAN tags), Linux cooked v1 and v2, BSD loopback and raw IP;
 * IPv4 with options and IPv6 with extension headers; fragments. What is no
 * UDP datagram or TCP connection to a wanted port is ignored; what was one and
 * cannot be recovered is counted by cause.
 */
#ifndef NET_PACKET_H
#define NET_PACKET_H

#include <span/base.h>
#include <span/payload.h>

#include "net/address.h"
#include "net/counts.h"
#include "net/requests.h"

#define SPAN__VLAN_TAGS 4u /* of one frame */

/* A packet as it was captured. */
struct span__frame {
	uint64_t time_ns;
	const uint8_t *p;
	size_t len;	 /* bytes at P */
	size_t wire_len; /* bytes that were sent: more when it was cut */
};

/* Which ports are wanted; borrowed. None of a protocol: all of them. */
struct span__ports {
	const uint16_t *udp, *tcp;
	size_t n_udp, n_tcp;
};

struct span__packets;

/* Can packets of libpcap's LINK type (DLT_EN10MB ...) be read? */
bool span__packets_know(int link);

/*
 * A reader for packets of LINK type. HTTP requests go to SINK: a packet may
 * complete several.
 */
SPAN_NODISCARD int span__packets_open(struct span__packets **out, int link,
				      const struct span__ports *ports,
				      const struct span__requests_sink *sink,
				      struct span_error *err);

/*
 * Take the next packet. Returns 1 with the datagram in *P until the next
 * call, marked when the capture has only a part of it; 0 when the packet
 * holds none, or one that is not complete; SPAN_E_NOMEM, SPAN_E_IO, or what
 * the sink returned.
 */
SPAN_NODISCARD int span__packets_next(struct span__packets *s,
				      const struct span__frame *f,
				      struct span_payload *p,
				      struct span_error *err);

/*
 * The end: count what is unfinished as lost. 0, SPAN_E_NOMEM, or what the sink
 * returned.
 */
SPAN_NODISCARD int span__packets_finish(struct span__packets *s,
					struct span_error *err);

/* Packets that were seen, and datagrams that were lost, by cause. */
uint64_t span__packets_seen(const struct span__packets *s);
void span__packets_drops(const struct span__packets *s,
			 uint64_t drops[SPAN__DROPS]);
/* Connections and requests that are of no interest. */
const struct span__ignored *
span__packets_ignored(const struct span__packets *s);
/* Bytes held for fragments and connections. */
size_t span__packets_memory(const struct span__packets *s);

void span__packets_close(struct span__packets **s);

#endif
