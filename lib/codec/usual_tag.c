/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/usual_tag.h"

#include "base/banned.h"

/* Bytes that are looked at before a length is known. */
#define MIN_COMPACT 136u
#define MIN_BINARY 26u

#define USUAL_LEN 128u

static bool usual_compact(struct span__thrift *in, struct span_attr *a)
{
	const unsigned char *p = in->p, *q = p + 2 + (p[1] & 127);
	size_t left = thrift_left(in);

	if (p[0] != 0x18 || p[1] >= USUAL_LEN || left < p[1] + 6u ||
	    q[0] != 0x15)
		return false;
	a->key = (struct span_str){(const char *)p + 2, p[1]};
	if (q[1] == 2 * TAG_STRING) {
		if (q[2] != 0x18 || q[3] >= USUAL_LEN ||
		    (size_t)(in->end - q) < q[3] + 5u || q[4 + q[3]])
			return false;
		a->value.type = SPAN_STRING;
		a->value.str = (struct span_str){(const char *)q + 4, q[3]};
		in->p = q + 5 + q[3];
		return true;
	}
	if (q[1] == 2 * TAG_BOOL && (q[2] == 0x31 || q[2] == 0x32) && !q[3]) {
		a->value.type = SPAN_BOOL;
		a->value.b = q[2] == 0x31;
		in->p = q + 4;
		return true;
	}
	if (q[1] != 2 * TAG_LONG || q[2] != 0x36)
		return false;
	in->p = q + 3;
	a->value.type = SPAN_INT;
	a->value.i = thrift_i64(in, true);
	if (!in->failed && thrift_left(in) && !*in->p) {
		in->p++;
		return true;
	}
	if (!in->failed)
		in->p = p;
	return in->failed;
}

THRIFT_INLINE uint32_t be32_at(const unsigned char *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return be32toh(v);
}

/* The head of field ID of the given type. */
THRIFT_INLINE bool head_at(const unsigned char *p, unsigned type, unsigned id)
{
	return p[0] == type && !p[1] && p[2] == id;
}

static bool usual_binary(struct span__thrift *in, struct span_attr *a)
{
	const unsigned char *p = in->p, *q;
	size_t left = thrift_left(in);
	uint32_t len = be32_at(p + 3), type;
	uint64_t bits;

	if (!head_at(p, THRIFT_STRING, 1) || len >= USUAL_LEN ||
	    left < len + 26u)
		return false;
	q = p + 7 + len;
	type = be32_at(q + 3);
	if (!head_at(q, THRIFT_I32, 2))
		return false;
	a->key = (struct span_str){(const char *)p + 7, len};
	q += 7;
	if (type == TAG_STRING && head_at(q, THRIFT_STRING, 3)) {
		len = be32_at(q + 3);
		if (len >= USUAL_LEN || (size_t)(in->end - q) < len + 8u ||
		    q[7 + len])
			return false;
		a->value.type = SPAN_STRING;
		a->value.str = (struct span_str){(const char *)q + 7, len};
		in->p = q + 8 + len;
		return true;
	}
	if (type == TAG_BOOL && head_at(q, THRIFT_BOOL, 5) && !q[4]) {
		a->value.type = SPAN_BOOL;
		a->value.b = q[3] != 0;
		in->p = q + 5;
		return true;
	}
	if (type != TAG_LONG || !head_at(q, THRIFT_I64, 6) || q[11])
		return false;
	memcpy(&bits, q + 3, sizeof(bits));
	a->value.type = SPAN_INT;
	a->value.i = (int64_t)be64toh(bits);
	in->p = q + 12;
	return true;
}

bool span__usual_tag(struct span__thrift *in, bool compact, struct span_attr *a)
{
	if (thrift_left(in) < (compact ? MIN_COMPACT : MIN_BINARY))
		return false;
	return compact ? usual_compact(in, a) : usual_binary(in, a);
}
