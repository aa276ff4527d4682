/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Zipkin's endpoints out of attributes.
 *
 * Source of the order in which the other side is guessed: OpenTelemetry's
 * transformation to Zipkin, "Remote endpoint".
 */
#include "codec/json.h"
#include "codec/zipkin_out.h"

#include <arpa/inet.h>

#include "base/banned.h"

static bool take_ipv4(struct span__zipkin_address *a, int64_t n)
{
	if (a->has_ipv4 || !n || n < INT32_MIN || n > UINT32_MAX)
		return false;
	a->ipv4 = (uint32_t)n;
	a->has_ipv4 = true;
	return true;
}

static bool take_text(struct span__zipkin_address *a, struct span_str s)
{
	char text[INET6_ADDRSTRLEN] = "";
	uint32_t ipv4;

	if (s.len >= sizeof(text) || (s.len && memchr(s.p, 0, s.len)))
		return false;
	if (s.len)
		memcpy(text, s.p, s.len);
	if (inet_pton(AF_INET, text, &ipv4) == 1)
		return take_ipv4(a, be32toh(ipv4));
	if (a->has_ipv6 || inet_pton(AF_INET6, text, a->ipv6) != 1)
		return false;
	a->has_ipv6 = true;
	return true;
}

static bool take_address(struct span__zipkin_address *a,
			 const struct span_value *v)
{
	switch (v->type) {
	case SPAN_INT:
		return take_ipv4(a, v->i);
	case SPAN_STRING:
		return take_text(a, v->str);
	case SPAN_BYTES:
		if (v->str.len != sizeof(a->ipv6) || a->has_ipv6)
			return false;
		memcpy(a->ipv6, v->str.p, sizeof(a->ipv6));
		a->has_ipv6 = true;
		return true;
	default:
		return false;
	}
}

static bool take_port(struct span__zipkin_address *a,
		      const struct span_value *v)
{
	int64_t n = 0;

	if (v->type == SPAN_INT)
		n = v->i;
	else if (v->type != SPAN_STRING || !span__json_int_of(v->str, &n))
		return false;
	if (a->port || n < 1 || n > UINT16_MAX)
		return false;
	a->port = (uint16_t)n;
	return true;
}

bool span__zipkin_take_local(struct span__zipkin_address *a,
			     const struct span_attr *v)
{
	if (span_str_equal(v->key, SPAN_STR("ip")) ||
	    span_str_equal(v->key, SPAN_STR("ipv6")))
		return take_address(a, &v->value);
	return span_str_equal(v->key, SPAN_STR("port")) &&
	       take_port(a, &v->value);
}

bool span__zipkin_take_peer(struct span__zipkin_address *a,
			    const struct span_attr *v)
{
	static const char prefix[] = "peer.";
	struct span_str key = v->key;

	if (key.len < sizeof(prefix) ||
	    memcmp(key.p, prefix, sizeof(prefix) - 1) != 0)
		return false;
	key.p += sizeof(prefix) - 1;
	key.len -= sizeof(prefix) - 1;
	if (span_str_equal(key, SPAN_STR("ipv4")) ||
	    span_str_equal(key, SPAN_STR("ipv6")))
		return take_address(a, &v->value);
	if (span_str_equal(key, SPAN_STR("port")))
		return take_port(a, &v->value);
	if (!span_str_equal(key, SPAN_STR("service")) || a->has_service ||
	    v->value.type != SPAN_STRING)
		return false;
	a->service = v->value.str;
	a->has_service = true;
	return true;
}

/* Names of the other side first, then its address with a port, then less. */
void span__zipkin_guess_peer(struct span__zipkin_address *a,
			     const struct span_attrs *attrs)
{
	static const struct {
		const char *key, *port;
		bool is_address;
	} ranks[] = {
		{"server.address", "server.port", false},
		{"net.peer.name", "net.peer.port", false},
		{"network.peer.address", "network.peer.port", true},
		{"net.sock.peer.addr", "net.sock.peer.port", true},
		{"net.peer.ip", "net.peer.port", true},
		{"peer.hostname", NULL, false},
		{"peer.address", NULL, false},
		{"db.name", NULL, false},
	};

	for (size_t i = 0; i < sizeof(ranks) / sizeof(*ranks); i++) {
		const struct span_value *v =
			span_attr_get(attrs, span_str(ranks[i].key));
		const struct span_value *port = NULL;

		if (!v || v->type != SPAN_STRING || !v->str.len)
			continue;
		if (!take_text(a, v->str)) {
			if (ranks[i].is_address)
				continue;
			a->service = v->str;
			a->has_service = true;
		}
		if (ranks[i].port)
			port = span_attr_get(attrs, span_str(ranks[i].port));
		if (port)
			(void)take_port(a, port);
		return;
	}
}
