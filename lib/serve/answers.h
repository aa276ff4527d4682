/* SPDX-License-Identifier: Apache-2.0 */
/*
 * serve/answers.h - what clients of Jaeger expect around data and errors
 */
#ifndef SERVE_ANSWERS_H
#define SERVE_ANSWERS_H

#include "serve/serve.h"

#define SPAN__SERVE_JSON "application/json"
#define SPAN__SERVE_PLAIN "text/plain; charset=utf-8"
#define SPAN__SERVE_NDJSON "application/x-ndjson"

/*
 * Jaeger's envelope: begin the body with {"data":, let the caller put what
 * comes there, and end it with TOTAL and ERRORS, which is JSON or NULL.
 */
void span__serve_data(struct span__serve_answer *a);
void span__serve_data_end(struct span__serve_answer *a, uint64_t total,
			  const struct span_buf *errors);
/* The same on a buffer, for an answer in pieces. */
void span__serve_put_data(struct span_buf *b);
void span__serve_put_data_end(struct span_buf *b, uint64_t total,
			      const struct span_buf *errors);

/* How the families of clients want to hear of an error. */
enum span__serve_form {
	SPAN__ERROR_JAEGER, /* its envelope, which it sends as plain text */
	SPAN__ERROR_V3,	    /* {"error":{"httpCode":404,"message":"..."}} */
	SPAN__ERROR_PLAIN,  /* a line of plain text, as Go's servers answer */
};

/*
 * All of these take the place of what is in the answer, and return 0, or
 * SPAN_E_NOMEM. Texts may have bytes of the request in them.
 */
int span__serve_refuse(struct span__serve_answer *a, enum span__serve_form form,
		       unsigned status, const char *fmt, ...) SPAN_PRINTF(4, 5);
#define span__serve_error(a, ...)                                              \
	span__serve_refuse(a, SPAN__ERROR_JAEGER, __VA_ARGS__)
#define span__serve_error_v3(a, ...)                                           \
	span__serve_refuse(a, SPAN__ERROR_V3, __VA_ARGS__)
#define span__serve_plain(a, ...)                                              \
	span__serve_refuse(a, SPAN__ERROR_PLAIN, __VA_ARGS__)
/* 400 "unable to parse param 'NAME': WHY", as ERR says. */
int span__serve_bad_param(struct span__serve_answer *a, const char *name,
			  const struct span_error *err);
/*
 * What a handler returns when something below it has failed with RC and ERR:
 * Jaeger's error, 500, or 503 when there is no store. RC when it is
 * SPAN_E_NOMEM.
 */
int span__serve_failed(struct span__serve_answer *a, int rc,
		       const struct span_error *err);

/* JSON, indented as Jaeger does it for prettyPrint: by four spaces. */
struct span__serve_indent {
	unsigned depth;
	bool in_string, escaped, opened;
};

/*
 * Append what has come next of a text of JSON without white space between its
 * parts. A zeroed struct begins one.
 */
void span__serve_indent(struct span__serve_indent *i, struct span_buf *out,
			struct span_str json);

#endif
