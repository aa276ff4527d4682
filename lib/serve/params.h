/* SPDX-License-Identifier: Apache-2.0 */
/*
 * serve/params.h - what a request asks for: target, parameters, their values
 *
 * Values are read as Go's standard library does it, whose error texts clients
 * of Jaeger get to see.
 */
#ifndef SERVE_PARAMS_H
#define SERVE_PARAMS_H

#include "serve/serve.h"

#define SPAN__SERVE_PARAMS_MAX 1024u /* of one request */

/*
 * Take the target of a request ("/a%2Fb?x=1&y") apart: r->path as it is, and
 * r->params decoded, "+" being a space. A pair with a bad escape is left out,
 * and so is an empty one. TARGET and A must outlive R. 0; SPAN_E_INVALID when
 * it does not begin with a slash; SPAN_E_LIMIT for too many parameters;
 * SPAN_E_NOMEM.
 */
SPAN_NODISCARD int span__serve_target(struct span__serve_request *r,
				      struct span_str target,
				      struct span_arena *a,
				      struct span_error *err);

/*
 * Append the segment number N (from 0) of a path, decoded, so that %2F becomes
 * a slash. 0; SPAN_E_INVALID for a bad escape; SPAN_E_NOTFOUND when there are
 * fewer.
 */
SPAN_NODISCARD int span__serve_segment(struct span_str path, size_t n,
				       struct span_buf *out,
				       struct span_error *err);

/* Append TEXT without its escapes. 0; SPAN_E_INVALID for a bad one; NOMEM. */
SPAN_NODISCARD int span__serve_unescape(struct span_str text,
					struct span_buf *out);

/* The first value of NAME; NULL when it is not there. */
const struct span_str *span__serve_param(const struct span__serve_request *r,
					 const char *name);
/* The same; empty when it is not there. */
struct span_str span__serve_value(const struct span__serve_request *r,
				  const char *name);
/*
 * The values of NAME one by one: *AT is 0 at first, and moves behind the one
 * that was found. NULL: no more.
 */
const struct span_str *span__serve_next(const struct span__serve_request *r,
					const char *name, size_t *at);

/*
 * Read a value. 0, or SPAN_E_INVALID with what Go says of it:
 * "strconv.ParseInt: parsing \"x\": invalid syntax". *OUT is as it was then.
 */
SPAN_NODISCARD int span__serve_int(struct span_str text, int64_t *out,
				   struct span_error *err);
/* The same, of 32 bits. */
SPAN_NODISCARD int span__serve_int32(struct span_str text, int32_t *out,
				     struct span_error *err);
/* Not a hexadecimal one. */
SPAN_NODISCARD int span__serve_double(struct span_str text, double *out,
				      struct span_error *err);
/* 1, t, T, TRUE, true, True; 0, f, F, FALSE, false, False. */
SPAN_NODISCARD int span__serve_bool(struct span_str text, bool *out,
				    struct span_error *err);
/* "1.5h", "1h15m30.918s", "-3us"; a unit is needed, but for 0. */
SPAN_NODISCARD int span__serve_duration(struct span_str text, int64_t *ns,
					struct span_error *err);
/*
 * RFC 3339, with or without a fraction of up to nine digits: ns since the
 * epoch; what is before is 0. A space stands for a plus, which clients forget
 * to escape.
 */
SPAN_NODISCARD int span__serve_time(struct span_str text, uint64_t *ns,
				    struct span_error *err);

/*
 * The trace id that TEXT has in base64, as ids are in JSON of protobuf: 0; 1
 * for bytes that are none; -1 for no base64, or more than an id can be.
 */
SPAN_NODISCARD int span__serve_base64_id(struct span_str text, uint8_t out[16]);
#define SPAN__SERVE_ID_LENGTH "invalid length for TraceID"

#endif
