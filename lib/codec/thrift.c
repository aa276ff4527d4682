/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/thrift.h"

#include "base/banned.h"

/* Bool fields carry their value in the type: 1 is true, 2 is false. */
const uint8_t span__thrift_compact_types[16] = {
	THRIFT_BAD,    THRIFT_BOOL, THRIFT_BOOL, THRIFT_I8,
	THRIFT_I16,    THRIFT_I32,  THRIFT_I64,	 THRIFT_DOUBLE,
	THRIFT_STRING, THRIFT_LIST, THRIFT_SET,	 THRIFT_MAP,
	THRIFT_STRUCT, THRIFT_UUID, THRIFT_BAD,	 THRIFT_BAD,
};

static void skip_bytes(struct span__cursor *in, size_t len)
{
	if (cursor_need(in, len))
		in->p += len;
}

static void skip_struct(struct span__cursor *in, bool compact, unsigned depth)
{
	struct span__thrift_field f = {0};

	while (thrift_field(in, compact, &f)) {
		/* A compact bool field has no bytes of its own. */
		if (!compact || f.type != THRIFT_BOOL)
			span__thrift_skip(in, compact, f.type, depth);
	}
}

/* Of lists, sets and maps, where a compact bool does take a byte. */
static uint8_t element_type(bool compact, uint8_t number)
{
	if (compact)
		return span__thrift_compact_types[number & 15];
	return number <= THRIFT_UUID ? number : THRIFT_BAD;
}

/* Every element takes at least a byte, so N is at most what is left. */
static bool check_count(struct span__cursor *in, const unsigned char *at,
			uint64_t n)
{
	if (n > INT32_MAX)
		span__cursor_fail(in, at, SPAN_E_CORRUPT,
				  "a list has a negative length");
	else if (n > cursor_left(in))
		span__cursor_fail(in, at, SPAN_E_TRUNCATED,
				  "a list is longer than the message");
	return !in->failed;
}

static void skip_list(struct span__cursor *in, bool compact, unsigned depth)
{
	const unsigned char *at = in->p;
	uint8_t head = thrift_byte(in);
	uint64_t n;

	if (!compact)
		n = thrift_be32(in);
	else if (head >> 4 != 15)
		n = head >> 4;
	else
		n = thrift_varint(in, 32);
	if (!check_count(in, at, n))
		return;
	for (; n && !in->failed; n--)
		span__thrift_skip(in, compact, element_type(compact, head),
				  depth);
}

static void skip_map(struct span__cursor *in, bool compact, unsigned depth)
{
	const unsigned char *at = in->p;
	uint8_t key = 0, value = 0;
	uint64_t n;

	if (compact) {
		n = thrift_varint(in, 32);
		if (n)
			value = thrift_byte(in);
		key = value >> 4;
	} else {
		key = thrift_byte(in);
		value = thrift_byte(in);
		n = thrift_be32(in);
	}
	if (!check_count(in, at, n * 2))
		return;
	for (; n && !in->failed; n--) {
		span__thrift_skip(in, compact, element_type(compact, key),
				  depth);
		span__thrift_skip(in, compact, element_type(compact, value),
				  depth);
	}
}

void span__thrift_skip(struct span__cursor *in, bool compact, uint8_t type,
		       unsigned depth)
{
	if (depth >= THRIFT_MAX_DEPTH) {
		span__cursor_fail(in, in->p, SPAN_E_LIMIT,
				  "values are nested too deep");
		return;
	}
	switch (type) {
	case THRIFT_BOOL:
	case THRIFT_I8:
		skip_bytes(in, 1);
		break;
	case THRIFT_I16:
		(void)thrift_i16(in, compact);
		break;
	case THRIFT_I32:
		(void)thrift_i32(in, compact);
		break;
	case THRIFT_I64:
		(void)thrift_i64(in, compact);
		break;
	case THRIFT_DOUBLE:
		skip_bytes(in, 8);
		break;
	case THRIFT_UUID:
		skip_bytes(in, 16);
		break;
	case THRIFT_STRING:
		(void)thrift_string(in, compact);
		break;
	case THRIFT_STRUCT:
		skip_struct(in, compact, depth + 1);
		break;
	case THRIFT_MAP:
		skip_map(in, compact, depth + 1);
		break;
	case THRIFT_LIST:
	case THRIFT_SET:
		skip_list(in, compact, depth + 1);
		break;
	default:
		span__cursor_fail(in, in->p, SPAN_E_CORRUPT,
				  "a field has an unknown type");
	}
}

static void head_compact(struct span__cursor *in, struct span_str *name)
{
	uint8_t id = thrift_byte(in), version = thrift_byte(in) & 0x1f;

	if (!in->failed && (id != 0x82 || version != 1))
		span__cursor_fail(in, in->begin, SPAN_E_CORRUPT,
				  "not a compact Thrift message");
	(void)thrift_varint(in, 32);
	*name = thrift_string(in, true);
}

/* An old message begins with the length of its name, a strict one does not. */
static void head_binary(struct span__cursor *in, struct span_str *name)
{
	uint32_t version = thrift_be32(in);

	if (in->failed)
		return;
	if (version >> 31 && version >> 16 != 0x8001) {
		span__cursor_fail(in, in->begin, SPAN_E_CORRUPT,
				  "not a binary Thrift message");
	} else if (version >> 31) {
		*name = thrift_string(in, false);
	} else {
		in->p = in->begin;
		*name = thrift_string(in, false);
		(void)thrift_byte(in);
	}
	(void)thrift_be32(in);
}

void span__thrift_head(struct span__cursor *in, bool compact,
		       struct span_str *name)
{
	*name = SPAN_STR("");
	if (compact)
		head_compact(in, name);
	else
		head_binary(in, name);
}
