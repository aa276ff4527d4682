/* SPDX-License-Identifier: Apache-2.0 */
/* http_headers.h - the headers that a client sends with each request */
#ifndef NET_HTTP_HEADERS_H
#define NET_HTTP_HEADERS_H

#include "net/http_client.h"

struct curl_slist;

/* Append them to *TO, which curl_slist_free_all() frees; false: no memory. */
bool span__http_headers(struct curl_slist **to,
			const struct span__http_opts *o);

#endif
