/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net/ipv6_headers.h - what may be between an IPv6 header and its datagram
 *
 * Source: RFC 8200, 4.
 */
#ifndef NET_IPV6_HEADERS_H
#define NET_IPV6_HEADERS_H

#include "net/packet_window.h"

#define SPAN__IPV6_HEADERS 16u /* extension headers of one packet */

/* Is NEXT an extension header, and no fragment header? */
bool span__ipv6_is_extension(uint8_t next);

/*
 * Skip extension headers from *NEXT on. True with *NEXT the protocol after
 * them (a fragment header too); false when the packet ends inside.
 */
bool span__ipv6_skip(uint8_t *next, struct span__window *w);

#endif
