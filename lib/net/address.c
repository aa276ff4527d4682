/* SPDX-License-Identifier: Apache-2.0 */
#include "net/address.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>

#include "base/banned.h"

static void any_addresses(struct span__address *out, uint16_t port)
{
	out[0].sa.in = (struct sockaddr_in){.sin_family = AF_INET,
					    .sin_port = htons(port)};
	out[0].len = sizeof(out[0].sa.in);
	out[1].sa.in6 = (struct sockaddr_in6){.sin6_family = AF_INET6,
					      .sin6_port = htons(port)};
	out[1].len = sizeof(out[1].sa.in6);
}

int span__address_resolve(struct span__address *out, size_t max,
			  const char *host, uint16_t port,
			  struct span_error *err)
{
	struct addrinfo hints = {.ai_socktype = SOCK_DGRAM};
	struct addrinfo *list = NULL;
	char text[8];
	size_t n = 0;
	int rc;

	if (!strcmp(host, "*") && max >= 2) {
		any_addresses(out, port);
		return 2;
	}
	snprintf(text, sizeof(text), "%u", port);
	rc = getaddrinfo(host, text, &hints, &list);
	if (rc)
		return span_error_set(err, SPAN_E_INVALID, "address '%s': %s",
				      host, gai_strerror(rc));
	for (struct addrinfo *i = list; i && n < max; i = i->ai_next) {
		if (i->ai_addrlen > sizeof(out[n].sa))
			continue;
		memcpy(&out[n].sa, i->ai_addr, i->ai_addrlen);
		out[n++].len = i->ai_addrlen;
	}
	freeaddrinfo(list);
	if (!n)
		return span_error_set(err, SPAN_E_INVALID,
				      "address '%s': no IP address", host);
	return (int)n;
}

int span__port_parse(struct span_str text, uint16_t *port,
		     struct span_error *err)
{
	unsigned value = 0;

	for (size_t i = 0; i < text.len && value <= 65535; i++) {
		if (text.p[i] < '0' || text.p[i] > '9')
			value = 65536;
		else
			value = value * 10 + (unsigned)(text.p[i] - '0');
	}
	if (!text.len || value > 65535)
		return span_error_set(err, SPAN_E_INVALID, "no port: '%.*s'",
				      (int)text.len, text.len ? text.p : "");
	*port = (uint16_t)value;
	return 0;
}

int span__address_split(const char *text, struct span_str *proto, char *host,
			uint16_t *port, struct span_error *err)
{
	const char *start = strchr(text, ':'), *colon, *end;
	size_t len;

	if (!start || start == text)
		return span_error_set(err, SPAN_E_INVALID,
				      "'%s' is not PROTO:ADDRESS:PORT", text);
	*proto = (struct span_str){text, (size_t)(start - text)};
	start++;
	colon = end = strrchr(start, ':');
	if (colon && *start == '[') {
		start++;
		end = colon - 1;
		if (end < start || *end != ']')
			colon = NULL;
	} else if (colon && memchr(start, ':', (size_t)(colon - start))) {
		return span_error_set(err, SPAN_E_INVALID,
				      "'%s': an IPv6 address goes in brackets: "
				      "%.*s:[::1]:6831",
				      text, (int)proto->len, proto->p);
	}
	if (!colon || end == start)
		return span_error_set(err, SPAN_E_INVALID,
				      "'%s' is not PROTO:ADDRESS:PORT", text);
	len = (size_t)(end - start);
	if (len >= SPAN__ADDRESS_TEXT)
		return span_error_set(err, SPAN_E_INVALID,
				      "'%s': the address is too long", text);
	memcpy(host, start, len);
	host[len] = '\0';
	return span__port_parse(span_str(colon + 1), port, err);
}

uint16_t span__address_port(const struct span__address *a)
{
	return ntohs(a->sa.any.sa_family == AF_INET6 ? a->sa.in6.sin6_port
						     : a->sa.in.sin_port);
}

static char *put_number(char *to, unsigned value)
{
	char digits[8];
	size_t n = 0;

	do
		digits[n++] = (char)('0' + value % 10);
	while ((value /= 10));
	while (n)
		*to++ = digits[--n];
	return to;
}

/* inet_ntop(3) goes through printf; this runs once per datagram. */
static char *put_ipv4(char *to, const unsigned char *bytes)
{
	for (int i = 0; i < 4; i++) {
		if (i)
			*to++ = '.';
		to = put_number(to, bytes[i]);
	}
	return to;
}

static size_t text_of(int family, const void *bytes, uint32_t scope,
		      uint16_t port, char *buf)
{
	char *to = buf;

	if (family == AF_INET6) {
		*to++ = '[';
		if (!inet_ntop(AF_INET6, bytes, to, INET6_ADDRSTRLEN))
			*to = '\0';
		to += strlen(to);
		if (scope) {
			*to++ = '%';
			if (!if_indextoname(scope, to))
				to = put_number(to, scope);
			else
				to += strlen(to);
		}
		*to++ = ']';
	} else {
		to = put_ipv4(to, bytes);
	}
	*to++ = ':';
	to = put_number(to, port);
	*to = '\0';
	return (size_t)(to - buf);
}

size_t span__address_text(const struct span__address *a, char *buf)
{
	uint16_t port = span__address_port(a);

	if (a->sa.any.sa_family != AF_INET6)
		return text_of(AF_INET, &a->sa.in.sin_addr, 0, port, buf);
	/* An IPv4 peer of a socket that serves both families. */
	if (IN6_IS_ADDR_V4MAPPED(&a->sa.in6.sin6_addr))
		return text_of(AF_INET, a->sa.in6.sin6_addr.s6_addr + 12, 0,
			       port, buf);
	return text_of(AF_INET6, &a->sa.in6.sin6_addr, a->sa.in6.sin6_scope_id,
		       port, buf);
}

size_t span__address_bytes_text(int family, const void *bytes, uint16_t port,
				char *buf)
{
	return text_of(family, bytes, 0, port, buf);
}

bool span__address_equal(const struct span__address *a,
			 const struct span__address *b)
{
	char one[SPAN__ADDRESS_TEXT], other[SPAN__ADDRESS_TEXT];

	span__address_text(a, one);
	span__address_text(b, other);
	return !strcmp(one, other);
}
