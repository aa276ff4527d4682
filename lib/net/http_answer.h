/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net/http_answer.h - what a client is told, in its protocol's words
 *
 * Clients parse these, so status, headers and bodies are those of the servers
 * whose place is taken: see span-capture(1), "HTTP".
 */
#ifndef NET_HTTP_ANSWER_H
#define NET_HTTP_ANSWER_H

#include "net/http_routes.h"

/* A zeroed one is empty; released by who made it. */
struct span__http_answer {
	unsigned status;
	const char *type;  /* Content-Type, or NULL */
	const char *allow; /* Allow, or NULL */
	bool retry;	   /* Retry-After: a second */
	bool codings;	   /* Accept-Encoding: what can be inflated */
	struct span_buf body;
};

/* "text/plain", the text and a newline, as Go's servers answer errors. */
void span__http_text(struct span__http_answer *a, unsigned status,
		     const char *fmt, ...) SPAN_PRINTF(3, 4);

/* There is no such path; it is not for that method. */
void span__http_not_found(struct span__http_answer *a);
void span__http_not_allowed(struct span__http_answer *a,
			    const struct span__http_route *route);

/* The Content-Type is bad (WHY is not NULL) or none that ACTION takes. */
void span__http_bad_type(struct span__http_answer *a,
			 enum span__http_action action, const char *type,
			 const char *why);

/* The Content-Encoding is none that can be inflated. */
void span__http_bad_coding(struct span__http_answer *a, const char *coding);

/* A body above MAX bytes, sent as media TYPE. */
void span__http_too_large(struct span__http_answer *a,
			  enum span__http_action action, const char *type,
			  size_t max);

/* What became of a body of media TYPE that came to ACTION. */
void span__http_verdict(struct span__http_answer *a,
			enum span__http_action action, const char *type,
			const struct span__verdict *v);

#endif
