/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cross-origin resource sharing, as collectors do it: an origin on the list
 * gets its own name back, or * when all may. The headers that a browser wants
 * to send are all allowed, as none of them means anything here.
 *
 * Source: Fetch standard, "HTTP CORS protocol".
 */
#include <string.h>
#include <strings.h>

#include "net/http_conn.h"

#include "base/banned.h"

/* PATTERN has one * at most, for anything. */
static bool matches(const char *pattern, const char *origin)
{
	const char *star = strchr(pattern, '*');
	size_t len = strlen(origin), head, tail;

	if (!star)
		return !strcasecmp(pattern, origin);
	head = (size_t)(star - pattern);
	tail = strlen(star + 1);
	return len >= head + tail && !strncasecmp(pattern, origin, head) &&
	       !strcasecmp(star + 1, origin + len - tail);
}

/* What Access-Control-Allow-Origin says to ORIGIN, or NULL. */
static const char *allowed(const struct span__http_opts *o, const char *origin)
{
	for (size_t i = 0; i < o->n_cors; i++)
		if (!strcmp(o->cors[i], "*"))
			return "*";
	for (size_t i = 0; i < o->n_cors; i++)
		if (matches(o->cors[i], origin))
			return origin;
	return NULL;
}

void span__http_cors(const struct span__http_server *h,
		     struct MHD_Connection *mhd, struct MHD_Response *response,
		     bool preflight)
{
	const char *origin =
		MHD_lookup_connection_value(mhd, MHD_HEADER_KIND, "Origin");
	const char *headers = MHD_lookup_connection_value(
		mhd, MHD_HEADER_KIND, "Access-Control-Request-Headers");
	const char *who = origin ? allowed(&h->opts, origin) : NULL;

	MHD_add_response_header(
		response, "Vary",
		preflight ? "Origin, Access-Control-Request-Method"
			    ", Access-Control-Request-Headers"
			  : "Origin");
	if (!who)
		return;
	MHD_add_response_header(response, "Access-Control-Allow-Origin", who);
	if (!preflight)
		return;
	MHD_add_response_header(response, "Access-Control-Allow-Methods",
				"POST");
	if (headers)
		MHD_add_response_header(
			response, "Access-Control-Allow-Headers", headers);
	MHD_add_response_header(response, "Access-Control-Max-Age", "7200");
}
