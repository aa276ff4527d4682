/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net/packet.h - from captured packets to UDP datagrams
 *
 * Ethernet (with VLAN tags), Linux cooked v1 and v2, BSD loopback and raw IP;
 * IPv4 with options and IPv6 with extension headers; fragments. What is no
 * UDP datagram to a wanted port is ignored; what was one and cannot be
 * recovered is counted by cause.
 */
#ifndef NET_PACKET_H
#define NET_PACKET_H

#include <span/base.h>
#include <span/payload.h>

#include "net/address.h"
#include "net/counts.h"

#define SPAN__VLAN_TAGS 4u     /* of one frame */
#define SPAN__IPV6_HEADERS 16u /* extension headers of one packet */

/* A packet as it was captured. */
struct span__frame {
	uint64_t time_ns;
	const uint8_t *p;
	size_t len;	 /* bytes at P */
	size_t wire_len; /* bytes that were sent: more when it was cut */
};

struct span__packets;

/* Can packets of libpcap's LINK type (DLT_EN10MB ...) be read? */
bool span__packets_know(int link);

/*
 * A reader for packets of LINK type that looks for datagrams to any of
 * N_PORTS PORTS (borrowed), or to all when there is none.
 */
SPAN_NODISCARD int span__packets_open(struct span__packets **out, int link,
				      const uint16_t *ports, size_t n_ports,
				      struct span_error *err);

/*
 * Take the next packet. Returns 1 with the datagram in *P until the next
 * call, marked when the capture has only a part of it; 0 when the packet
 * holds none, or one that is not complete; SPAN_E_NOMEM.
 */
SPAN_NODISCARD int span__packets_next(struct span__packets *s,
				      const struct span__frame *f,
				      struct span_payload *p,
				      struct span_error *err);

/* The end: count unfinished fragments as lost. */
void span__packets_finish(struct span__packets *s);

/* Packets that were seen, and datagrams that were lost, by cause. */
uint64_t span__packets_seen(const struct span__packets *s);
void span__packets_drops(const struct span__packets *s,
			 uint64_t drops[SPAN__DROPS]);
/* Bytes held for fragments. */
size_t span__packets_memory(const struct span__packets *s);

void span__packets_close(struct span__packets **s);

#endif
