/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net/address.h - IP addresses with a port, as text and as the kernel has them
 */
#ifndef NET_ADDRESS_H
#define NET_ADDRESS_H

#include <span/base.h>

#include <netinet/in.h>
#include <sys/socket.h>

struct span__address {
	union {
		struct sockaddr any;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	} sa;
	socklen_t len;
};

/* Room for "[IPV6%SCOPE]:65535" and its end. */
#define SPAN__ADDRESS_TEXT 80u

/*
 * The addresses that HOST stands for, each with PORT: an IPv4 or IPv6
 * address, a name, or "*" for any address of both families. At most MAX.
 * Returns their number, or SPAN_E_INVALID when there is none.
 */
SPAN_NODISCARD int span__address_resolve(struct span__address *out, size_t max,
					 const char *host, uint16_t port,
					 struct span_error *err);

/*
 * Split "PROTO:HOST:PORT" (HOST in brackets when it is IPv6) as --listen has
 * it. *PROTO borrows TEXT; HOST has room for SPAN__ADDRESS_TEXT bytes. 0 or
 * SPAN_E_INVALID.
 */
SPAN_NODISCARD int span__address_split(const char *text, struct span_str *proto,
				       char *host, uint16_t *port,
				       struct span_error *err);

/* A port number, 0 to 65535. 0 or SPAN_E_INVALID. */
SPAN_NODISCARD int span__port_parse(struct span_str text, uint16_t *port,
				    struct span_error *err);

uint16_t span__address_port(const struct span__address *a);

/* Have both the same family, bytes, scope and port? */
bool span__address_equal(const struct span__address *a,
			 const struct span__address *b);

/*
 * "192.0.2.1:4711" or "[2001:db8::1]:4711" into BUF of SPAN__ADDRESS_TEXT
 * bytes, terminated. Returns its length.
 */
size_t span__address_text(const struct span__address *a, char *buf);

/* The same for 4 (FAMILY AF_INET) or 16 bytes of an address. */
size_t span__address_bytes_text(int family, const void *bytes, uint16_t port,
				char *buf);

#endif
