/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packed values, processes, scopes, references and rests of spans; the first
 * byte says which. What can be read is packed and read again: the same bytes
 * must come out both times.
 */
#include <stdlib.h>
#include <string.h>

#include "store/seg_pack.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

static bool again(int what, struct span_str p, struct span_buf *out,
		  struct span_arena *arena)
{
	const struct span_ref *refs;
	struct span_process process;
	struct span_scope scope;
	struct span_value value;
	struct span s = {.start_ns = 1000};
	uint32_t number;
	size_t n;

	switch (what % 5) {
	case 0:
		if (span__unpack_value(&value, p, arena, NULL) < 0)
			return false;
		span__pack_value(out, &value);
		return true;
	case 1:
		if (span__unpack_process(&process, p, arena, NULL) < 0)
			return false;
		span__pack_process(out, &process);
		return true;
	case 2:
		if (span__unpack_scope(&scope, p, arena, NULL) < 0)
			return false;
		span__pack_scope(out, &scope);
		return true;
	case 3:
		if (span__unpack_refs(&refs, &n, p, arena, NULL) < 0)
			return false;
		span__pack_refs(out, refs, n);
		return true;
	default:
		if (span__unpack_rest(&s, &number, p, arena, NULL) < 0)
			return false;
		span__pack_rest(out, &s, number);
		return true;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	struct span_arena arena = {0};
	struct span_buf a = {0}, b = {0};
	struct span_str rest;

	if (!len)
		return 0;
	rest = (struct span_str){(const char *)p + 1, len - 1};
	if (again(*p, rest, &a, &arena)) {
		rest = (struct span_str){a.p, a.len};
		if (!again(*p, rest, &b, &arena) || a.len != b.len ||
		    memcmp(a.p, b.p, a.len) != 0)
			abort();
	}
	span_buf_release(&a);
	span_buf_release(&b);
	span_arena_release(&arena);
	return 0;
}
