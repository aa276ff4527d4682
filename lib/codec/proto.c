/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/proto.h"

#include "base/banned.h"

#define MAX_VARINT 10u

static uint64_t varint(struct span__cursor *in)
{
	const unsigned char *at = in->p;
	uint64_t v = 0;

	for (unsigned i = 0; i < MAX_VARINT; i++) {
		uint64_t byte;

		if (!cursor_need(in, 1))
			return 0;
		byte = *in->p++;
		v |= (byte & 0x7f) << 7 * i;
		if (byte >= 0x80)
			continue;
		if (i == MAX_VARINT - 1 && byte > 1)
			break;
		return v;
	}
	span__cursor_fail(in, at, SPAN_E_CORRUPT,
			  "a number is longer than 64 bits");
	return 0;
}

static uint64_t fixed(struct span__cursor *in, size_t len)
{
	uint64_t v = 0;

	if (!cursor_need(in, len))
		return 0;
	memcpy(&v, in->p, len);
	in->p += len;
	return le64toh(v);
}

static struct span_str bytes(struct span__cursor *in)
{
	const unsigned char *at = in->p;
	uint64_t len = varint(in);
	struct span_str s = {(const char *)in->p, 0};

	if (len > cursor_left(in)) {
		span__cursor_fail(in, at, SPAN_E_TRUNCATED,
				  "a field is longer than its message");
		return s;
	}
	s.len = (size_t)len;
	in->p += s.len;
	return s;
}

static void read_key(struct span__cursor *in, struct span__proto_field *f)
{
	const unsigned char *at = in->p;
	uint64_t key = varint(in);

	f->id = (uint32_t)(key >> 3);
	f->wire = (enum proto_wire)(key & 7);
	if (!in->failed && (!f->id || key > UINT32_MAX))
		span__cursor_fail(in, at, SPAN_E_CORRUPT,
				  "a field has an impossible number");
}

static void read_value(struct span__cursor *in, struct span__proto_field *f,
		       const unsigned char *at)
{
	switch (f->wire) {
	case PROTO_VARINT:
		f->number = varint(in);
		break;
	case PROTO_I64:
		f->number = fixed(in, 8);
		break;
	case PROTO_I32:
		f->number = fixed(in, 4);
		break;
	case PROTO_LEN:
		f->bytes = bytes(in);
		break;
	default:
		span__cursor_fail(in, at, SPAN_E_CORRUPT,
				  "a field has an unknown wire type");
	}
}

/* Behind the key of a group: to behind the key that ends it. */
static void skip_group(struct span__cursor *in, uint32_t id)
{
	uint32_t open[PROTO_MAX_DEPTH] = {id};
	struct span__proto_field f = {0};
	size_t depth = 1;

	while (depth && !in->failed) {
		const unsigned char *at = in->p;

		read_key(in, &f);
		if (f.wire == PROTO_GROUP && depth < PROTO_MAX_DEPTH)
			open[depth++] = f.id;
		else if (f.wire == PROTO_END_GROUP && f.id == open[depth - 1])
			depth--;
		else
			read_value(in, &f, at);
	}
}

bool span__proto_next(struct span__cursor *in, struct span__proto_field *f)
{
	while (in->p < in->end) {
		const unsigned char *at = in->p;

		read_key(in, f);
		if (f->wire == PROTO_GROUP) {
			skip_group(in, f->id);
			continue;
		}
		read_value(in, f, at);
		return !in->failed;
	}
	return false;
}
