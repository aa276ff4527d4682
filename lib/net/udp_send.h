/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net/udp_send.h - datagrams to one address
 */
#ifndef NET_UDP_SEND_H
#define NET_UDP_SEND_H

#include "net/send_retry.h"

#define SPAN__DATAGRAM_MAX 65507u /* of IPv4 */

/*
 * A socket that is connected to HOST, so that the kernel tells when nobody
 * listens there. 0, SPAN_E_PEER when there is no such host, SPAN_E_IO.
 */
SPAN_NODISCARD int span__udp_connect(int *fd, const char *host, uint16_t port,
				     struct span_error *err);

/*
 * Send one datagram. ACCEPTED means that the kernel took it and nobody has
 * refused one so far; RETRY, or TOO_LARGE for the system, with *CAUSE, static
 * text.
 */
enum span__outcome span__udp_send(int fd, struct span_str datagram,
				  const char **cause);

#endif
