/* SPDX-License-Identifier: Apache-2.0 */
/*
 * proto_out.h - write protobuf's wire format
 *
 * Appends to a buffer; memory failures stay in it. Fields are written in the
 * order of the calls. What protobuf 3 leaves out (zero, empty) is left out by
 * the functions that say so.
 */
#ifndef SPAN__PROTO_OUT_H
#define SPAN__PROTO_OUT_H

#include <span/base.h>

void span__proto_put_varint(struct span_buf *b, unsigned id, uint64_t v);
void span__proto_put_fixed64(struct span_buf *b, unsigned id, uint64_t v);
void span__proto_put_fixed32(struct span_buf *b, unsigned id, uint32_t v);
void span__proto_put_double(struct span_buf *b, unsigned id, double d);
void span__proto_put_bytes(struct span_buf *b, unsigned id, struct span_str s);
/*
 * The same with U+FFFD for what is not UTF-8: protobuf 3 has no such strings,
 * and a reader may refuse the whole message for one.
 */
void span__proto_put_text(struct span_buf *b, unsigned id, struct span_str s);

/* Nothing for 0 and for an empty text. */
void span__proto_opt_varint(struct span_buf *b, unsigned id, uint64_t v);
void span__proto_opt_bytes(struct span_buf *b, unsigned id, struct span_str s);
void span__proto_opt_text(struct span_buf *b, unsigned id, struct span_str s);

/*
 * A message as field ID: what is appended between the two calls. OPEN returns
 * what CLOSE takes; they nest.
 */
SPAN_NODISCARD size_t span__proto_open(struct span_buf *b, unsigned id);
void span__proto_close(struct span_buf *b, size_t mark);

#endif
