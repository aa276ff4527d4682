/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net/http_routes.h - which path does what, and what a body's type says
 */
#ifndef NET_HTTP_ROUTES_H
#define NET_HTTP_ROUTES_H

#include "net/http_server.h"

enum span__http_action {
	SPAN__HTTP_POST_JAEGER,
	SPAN__HTTP_POST_ZIPKIN_V1,
	SPAN__HTTP_POST_ZIPKIN_V2,
	SPAN__HTTP_POST_OTLP,
	SPAN__HTTP_GET_SAMPLING,
	SPAN__HTTP_GET_SAMPLING_NUMERIC,
	SPAN__HTTP_GET_BAGGAGE,
	SPAN__HTTP_GET_HEALTH,
	SPAN__HTTP_GET_METRICS,
};

struct span__http_route {
	enum span__http_kind kind;
	const char *path;
	enum span__http_action action;
	bool is_post;
	bool cors; /* browsers may be allowed to use it */
};

/* The route of PATH at a socket of KIND, or NULL. */
const struct span__http_route *span__http_route(enum span__http_kind kind,
						const char *path);

#define SPAN__MEDIA_TYPE 64u

/*
 * Put the media type of a Content-Type (NULL: there is none) into TYPE, in
 * lower case, without parameters. Returns NULL, or what is wrong with it, in
 * the words of Jaeger.
 */
const char *span__media_type(const char *text, char type[SPAN__MEDIA_TYPE]);

/*
 * The format, an enum span_format, that a body of media TYPE has when it is
 * sent to ACTION; or -1 when it does not take that type.
 */
int span__http_format(enum span__http_action action, const char *type);

#endif
