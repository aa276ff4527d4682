/* SPDX-License-Identifier: Apache-2.0 */
#include "net/pb.h"

#include "base/banned.h"

/* ---- Reading ---- */

static bool take_varint(struct span_str *in, uint64_t *v)
{
	*v = 0;
	for (unsigned shift = 0; in->len && shift < 64; shift += 7) {
		unsigned char byte = (unsigned char)*in->p++;

		in->len--;
		*v |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80)
			return true;
	}
	return false;
}

static bool take_bytes(struct span_str *in, uint64_t len, struct span_str *out)
{
	if (len > in->len)
		return false;
	*out = (struct span_str){in->p, (size_t)len};
	in->p += len;
	in->len -= (size_t)len;
	return true;
}

static bool take_value(struct span_str *in, struct span__pb_field *f)
{
	uint64_t len;

	switch (f->wire) {
	case SPAN__PB_VARINT:
		return take_varint(in, &f->number);
	case SPAN__PB_I64:
		return take_bytes(in, 8, &f->bytes);
	case SPAN__PB_I32:
		return take_bytes(in, 4, &f->bytes);
	case SPAN__PB_LEN:
		return take_varint(in, &len) && take_bytes(in, len, &f->bytes);
	default:
		return false;
	}
}

int span__pb_next(struct span_str *in, struct span__pb_field *f)
{
	uint64_t key;

	*f = (struct span__pb_field){0};
	if (!in->len)
		return 0;
	if (!take_varint(in, &key))
		return SPAN_E_CORRUPT;
	f->id = key >> 3;
	f->wire = key & 7;
	return take_value(in, f) ? 1 : SPAN_E_CORRUPT;
}

bool span__pb_find(struct span_str in, uint64_t id, struct span_str *out)
{
	struct span__pb_field f;

	while (span__pb_next(&in, &f) > 0) {
		if (f.id != id || f.wire != SPAN__PB_LEN)
			continue;
		*out = f.bytes;
		return true;
	}
	return false;
}

/* ---- Writing ---- */

static void put_varint(struct span_buf *b, uint64_t v)
{
	while (v >= 0x80) {
		span_buf_putc(b, (char)(v | 0x80));
		v >>= 7;
	}
	span_buf_putc(b, (char)v);
}

void span__pb_put_number(struct span_buf *b, unsigned id, uint64_t v)
{
	put_varint(b, (uint64_t)id << 3 | SPAN__PB_VARINT);
	put_varint(b, v);
}

void span__pb_put_bytes(struct span_buf *b, unsigned id, struct span_str s)
{
	put_varint(b, (uint64_t)id << 3 | SPAN__PB_LEN);
	put_varint(b, s.len);
	span_buf_put(b, s.p, s.len);
}

void span__pb_put_part(struct span_buf *b, unsigned id, struct span_buf *part)
{
	span__pb_put_bytes(b, id, (struct span_str){part->p, part->len});
	b->failed |= part->failed;
	part->len = 0;
}
