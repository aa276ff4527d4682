/* SPDX-License-Identifier: Apache-2.0 */
/*
 * serve/routes.h - which handler answers which path
 */
#ifndef SERVE_ROUTES_H
#define SERVE_ROUTES_H

#include "serve/serve.h"

struct span__serve_route {
	const char *method; /* "GET", which HEAD is too, or "POST" */
	/* "/api/services/" "*" "/operations": "*" is any segment that is not
	 * empty, "**" at the end any rest, an empty one too. Before it may
	 * stand a type and a blank: then it is for requests that accept that
	 * type, and has to come before others. */
	const char *pattern;
	span__serve_fn *fn;
	/* It takes next to no time, and does not wait for those that do. */
	bool quick;
};

/* The rows of one family of handlers. */
struct span__serve_routes {
	const struct span__serve_route *rows;
	const size_t *n;
};

/*
 * The route of R, the first that fits; NULL when there is none, and *ALLOW is
 * then the method that the path has a route for, or NULL.
 */
const struct span__serve_route *
span__serve_route(const struct span__serve *s,
		  const struct span__serve_request *r, const char **allow);

/* All routes one by one, to count by them; NULL after the last. */
const struct span__serve_route *span__serve_route_at(size_t i);

/*
 * Answer R by ROUTE, which span__serve_route() found, or with 404 or 405.
 * HEAD is answered as GET; whoever sends the answer leaves out its body.
 * prettyPrint is done here. Returns what handlers return.
 */
int span__serve_answer(const struct span__serve *s,
		       const struct span__serve_route *route, const char *allow,
		       const struct span__serve_request *r,
		       struct span__serve_answer *a, struct span_error *err);

#endif
