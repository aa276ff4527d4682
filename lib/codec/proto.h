/* SPDX-License-Identifier: Apache-2.0 */
/*
 * proto.h - read protobuf's wire format
 *
 * Fields come one by one, whatever their order and number; nothing is
 * allocated, text points into the message. A message inside another one is
 * entered and left on the same cursor, so that one failure ends it all.
 *
 *	while (span__proto_next(in, &f))
 *		switch (PROTO(f.id, f.wire)) {
 *		case PROTO(1, PROTO_LEN):
 *			end = proto_enter(in, &f);
 *			read_inner(in);
 *			proto_leave(in, end);
 *
 * A known field with another wire type is skipped like an unknown one, as
 * protobuf's own readers do. A varint is at most ten bytes, groups (which
 * nobody sends) are passed over up to PROTO_MAX_DEPTH.
 *
 * Source: protobuf.dev, "Encoding".
 */
#ifndef SPAN__PROTO_H
#define SPAN__PROTO_H

#include "codec/cursor.h"

#define PROTO_MAX_DEPTH 64

enum proto_wire {
	PROTO_VARINT = 0,
	PROTO_I64 = 1,
	PROTO_LEN = 2,
	PROTO_GROUP = 3,
	PROTO_END_GROUP = 4,
	PROTO_I32 = 5,
};

/* What a switch on a field sees: its number and its wire type in one. */
#define PROTO(id, wire) ((uint32_t)(id) << 3 | (wire))

struct span__proto_field {
	uint32_t id; /* 1 to 2^29 - 1 */
	enum proto_wire wire;
	uint64_t number;       /* PROTO_VARINT, PROTO_I64, PROTO_I32 */
	struct span_str bytes; /* PROTO_LEN */
};

/* The next field; false at the end of the message or after a failure. */
bool span__proto_next(struct span__cursor *in, struct span__proto_field *f);

/* Read the inside of *F next; the end of the message around it, to leave. */
CURSOR_INLINE const unsigned char *
proto_enter(struct span__cursor *in, const struct span__proto_field *f)
{
	const unsigned char *end = in->end;

	in->p = (const unsigned char *)f->bytes.p;
	in->end = in->p + f->bytes.len;
	return end;
}

CURSOR_INLINE void proto_leave(struct span__cursor *in,
			       const unsigned char *end)
{
	in->p = in->failed ? end : in->end;
	in->end = end;
}

CURSOR_INLINE double proto_double(const struct span__proto_field *f)
{
	double d;

	memcpy(&d, &f->number, sizeof(d));
	return d;
}

#endif
