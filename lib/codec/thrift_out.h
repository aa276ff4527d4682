/* SPDX-License-Identifier: Apache-2.0 */
/*
 * thrift_out.h - write Thrift's compact and binary protocols
 *
 * Appends to a buffer; memory failures stay in it. A struct is its fields in
 * rising order, each put with the number of the one before it, and a stop.
 */
#ifndef SPAN__THRIFT_OUT_H
#define SPAN__THRIFT_OUT_H

#include "codec/thrift.h"

struct span__thrift_out {
	struct span_buf *b;
	bool compact;
};

/* A one-way call of METHOD with sequence number 0; its arguments follow. */
void span__thrift_put_head(struct span__thrift_out *o, struct span_str method);

/*
 * The head of field ID of TYPE; *LAST is the number of the field before it in
 * the same struct, 0 at its beginning. Not for bool.
 */
void span__thrift_put_field(struct span__thrift_out *o, int *last, int id,
			    uint8_t type);
void span__thrift_put_bool(struct span__thrift_out *o, int *last, int id,
			   bool v);
void span__thrift_put_stop(struct span__thrift_out *o);

/* Values, without a head. */
void span__thrift_put_i16(struct span__thrift_out *o, int16_t v);
void span__thrift_put_i32(struct span__thrift_out *o, int32_t v);
void span__thrift_put_i64(struct span__thrift_out *o, int64_t v);
void span__thrift_put_double(struct span__thrift_out *o, double v);
void span__thrift_put_string(struct span__thrift_out *o, struct span_str s);
void span__thrift_put_list(struct span__thrift_out *o, uint8_t type, size_t n);

#endif
