/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net/send_url.h - where spans are sent to: PROTOCOL+TRANSPORT://HOST...
 *
 * span-send(1) lists the URLs; ports and paths that are left out are those of
 * the protocol's own collector.
 */
#ifndef NET_SEND_URL_H
#define NET_SEND_URL_H

#include <span/base.h>

enum span__send_protocol {
	SPAN__SEND_OTLP_HTTP,
	SPAN__SEND_OTLP_GRPC,
	SPAN__SEND_ZIPKIN_HTTP,
	SPAN__SEND_JAEGER_HTTP,
	SPAN__SEND_JAEGER_GRPC,
	SPAN__SEND_JAEGER_UDP,
	SPAN__SEND_LOKI, /* no spans, but JSON made of them */
};

#define SPAN__URL_HOST 256u
#define SPAN__URL_MAX 2048u

struct span__send_url {
	enum span__send_protocol protocol;
	bool grpc, tls;
	int format;		   /* enum span_format of a message */
	const char *content_type;  /* NULL: UDP */
	char host[SPAN__URL_HOST]; /* without the brackets of IPv6 */
	uint16_t port;
	char http[SPAN__URL_MAX]; /* "http://HOST:PORT/PATH"; "" with UDP */
};

/*
 * Read TEXT. JSON asks for messages in JSON where the protocol has others. 0,
 * or SPAN_E_INVALID with a sentence that says what would be right.
 */
SPAN_NODISCARD int span__send_url_parse(struct span__send_url *u,
					const char *text, bool json,
					struct span_error *err);

/*
 * The same of http://HOST[:PORT][/PATH] or https://..., a Loki, whose path is
 * PATH when there is none in TEXT. Its format is none.
 */
SPAN_NODISCARD int span__loki_url_parse(struct span__send_url *u,
					const char *text, const char *path,
					struct span_error *err);

#endif
