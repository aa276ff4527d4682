/* SPDX-License-Identifier: Apache-2.0 */
/* A balanced tree: names come from the wire, and may be chosen to collide. */
#include "encode.h"

#include <search.h>
#include <stdlib.h>

#include "base/banned.h"

struct name {
	struct span_str s;
	uint32_t number;
};

static int compare(const void *a, const void *b)
{
	const struct name *x = a, *y = b;

	return span_str_compare(x->s, y->s);
}

int encode_names_put(struct encode_names *t, struct span_str s,
		     uint32_t *number, struct span_error *err)
{
	struct name key = {.s = s}, *name;
	void *found = tfind(&key, &t->tree, compare);

	if (found) {
		*number = (*(struct name **)found)->number;
		return 0;
	}
	name = span_arena_alloc(&t->arena, sizeof(*name));
	if (!name || !span_arena_str(&t->arena, s, &name->s))
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	name->number = t->n;
	span_buf_put(&t->v, &name->s, sizeof(name->s));
	if (t->v.failed || !tsearch(name, &t->tree, compare))
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	*number = t->n++;
	return 0;
}

struct span_str encode_names_get(const struct encode_names *t, uint32_t number)
{
	return ((const struct span_str *)(const void *)t->v.p)[number];
}

static void keep(void *name)
{
	(void)name;
}

void encode_names_release(struct encode_names *t)
{
	tdestroy(t->tree, keep);
	span_arena_release(&t->arena);
	span_buf_release(&t->v);
	*t = (struct encode_names){0};
}
