/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tcp-packet.h - packets of TCP for tests
 */
#ifndef TCP_PACKET_H
#define TCP_PACKET_H

#include "net/tcp.h"

#include <string.h>

enum { FIN = 1, SYN = 2, RST = 4, ACK = 16 };

/* A packet and the bytes it borrows. */
struct tcp_packet {
	struct span__tcp_packet p;
	uint8_t bytes[20 + 65536];
};

static const uint8_t tcp_client[16] = {192, 0, 2, 1};
static const uint8_t tcp_server[16] = {192, 0, 2, 2};

/* LEN bytes at DATA from PORT of the client to port 4318 of the server. */
__attribute__((unused)) static const struct span__tcp_packet *
tcp_packet(struct tcp_packet *t, uint16_t port, int flags, uint32_t seq,
	   const void *data, size_t len, uint64_t time_ns)
{
	uint8_t *b = t->bytes;

	memset(b, 0, 20);
	b[0] = (uint8_t)(port >> 8);
	b[1] = (uint8_t)port;
	b[2] = 4318 >> 8;
	b[3] = 4318 & 255;
	for (int i = 0; i < 4; i++)
		b[4 + i] = (uint8_t)(seq >> (24 - 8 * i));
	b[12] = 5 << 4;
	b[13] = (uint8_t)flags;
	if (len)
		memcpy(b + 20, data, len);
	t->p = (struct span__tcp_packet){.family_size = 4,
					 .source = tcp_client,
					 .target = tcp_server,
					 .p = b,
					 .len = 20 + len,
					 .wire_len = 20 + len,
					 .time_ns = time_ns};
	return &t->p;
}

#endif
