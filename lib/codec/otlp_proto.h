/* SPDX-License-Identifier: Apache-2.0 */
/* otlp_proto.h - what the reader of OTLP in protobuf consists of */
#ifndef SPAN__OTLP_PROTO_H
#define SPAN__OTLP_PROTO_H

#include "codec/otlp_model.h"
#include "codec/proto.h"

struct span__otlp_proto {
	struct span__otlp o;
	struct span__cursor *in;
	struct span_arena *arena; /* of what is being read */
};

static inline struct span_str otlp_text(struct span__otlp_proto *r,
					const struct span__proto_field *f)
{
	struct span_str s = f->bytes;

	if (__builtin_expect(s.len > SPAN_MAX_STRING, 0))
		span__message_cut(r->o.m, &s, true);
	return s;
}

/* How many fields of this kind follow in the message. */
size_t span__otlp_count(const struct span__cursor *in, uint32_t key);

/* Room for N attributes, as far as there may be so many, and for MORE. */
void span__otlp_attrs_open(struct span__otlp_proto *r,
			   struct span__otlp_attrs *list, size_t n,
			   size_t more);

/* One more attribute: the KeyValue in F. */
void span__otlp_attr(struct span__otlp_proto *r,
		     const struct span__proto_field *f,
		     struct span__otlp_attrs *list);

#endif
