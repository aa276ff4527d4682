/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net/http_target.h - what stands in a request line
 *
 * Source: RFC 9112, 3.2.
 */
#ifndef NET_HTTP_TARGET_H
#define NET_HTTP_TARGET_H

#include <span/base.h>

/*
 * Is TARGET in the absolute form, as proxies are sent it and servers have to
 * take it? Then *HOST is what is between "http://" and the path, and *REST the
 * path and the query, which may begin with its question mark or be empty; else
 * all of it is *REST. They are parts of TARGET.
 */
bool span__http_target(struct span_str target, struct span_str *host,
		       struct span_str *rest);

#endif
