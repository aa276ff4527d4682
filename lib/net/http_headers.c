/* SPDX-License-Identifier: Apache-2.0 */
#include "net/http_headers.h"

#include <curl/curl.h>

#include "base/banned.h"

static bool add(struct curl_slist **to, const char *fmt, const char *value)
{
	struct span_buf line = {0};
	struct curl_slist *list = NULL;

	span_buf_printf(&line, fmt, value);
	span_buf_putc(&line, '\0');
	if (!line.failed)
		list = curl_slist_append(*to, line.p);
	span_buf_release(&line);
	if (list)
		*to = list;
	return list;
}

static bool add_agent(struct curl_slist **to, const char *agent)
{
	struct span_buf name = {0};
	bool good;

	span_buf_printf(&name, "%s/%s", agent, span_version());
	span_buf_putc(&name, '\0');
	good = !name.failed && add(to, "User-Agent: %s", name.p);
	span_buf_release(&name);
	return good;
}

bool span__http_headers(struct curl_slist **to, const struct span__http_opts *o)
{
	char timeout[SPAN__GRPC_TIMEOUT];
	bool grpc = o->url->grpc;
	bool good = add(to, o->get ? "Accept: %s" : "Content-Type: %s",
			o->url->content_type) &&
		    add_agent(to, o->agent) && add(to, "%s", "Expect:");

	span__grpc_put_timeout(o->timeout_ns, timeout);
	if (grpc)
		good = good && add(to, "%s", "TE: trailers") &&
		       add(to, "grpc-timeout: %s", timeout);
	if (o->gzip)
		good = good &&
		       add(to,
			   grpc ? "grpc-encoding: %s" : "Content-Encoding: %s",
			   "gzip");
	for (size_t i = 0; i < o->n_headers; i++)
		good = good && add(to, "%s", o->headers[i]);
	return good;
}
