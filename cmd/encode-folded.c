/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Folded stacks: "service:operation;service:operation WEIGHT", a line for each
 * different stack, as flame graph programs read them. Equal lines add up, so
 * that what was gathered can be written when it becomes too much.
 */
#include "encode.h"

#include <inttypes.h>

#include "base/banned.h"

#define MAX_FRAMES 256u
#define MAX_HELD ((size_t)32 << 20) /* bytes of different stacks */

static struct {
	struct encode_names stacks;
	struct span_buf weights; /* uint64_t, by number of the stack */
	struct span_buf path, name;
	size_t lens[MAX_FRAMES]; /* of the path, by depth */
} folded;

/* A name without what separates frames and lines. */
static void put_frame(struct span_buf *b, const struct span *s)
{
	size_t at = b->len;

	folded.name.len = 0;
	encode_frame_name(&folded.name, s);
	b->failed |= folded.name.failed;
	span_text_terminal(b,
			   (struct span_str){folded.name.p, folded.name.len});
	for (; at < b->len; at++)
		if (b->p[at] == ';')
			b->p[at] = ',';
}

/* The path down to span I; the spans come in preorder. */
static struct span_str path_to(struct encode_out *o, const struct span_trace *t,
			       uint32_t i)
{
	struct span_buf *b = &folded.path;
	uint32_t depth = t->nodes[i].depth;

	if (depth >= MAX_FRAMES) {
		o->n_cut++;
		b->len = folded.lens[MAX_FRAMES - 1];
		span_buf_puts(b, ";(deeper)");
		return (struct span_str){b->p, b->len};
	}
	b->len = depth ? folded.lens[depth - 1] : 0;
	if (depth)
		span_buf_putc(b, ';');
	put_frame(b, &t->spans[i]);
	folded.lens[depth] = b->len;
	return (struct span_str){b->p, b->len};
}

/* What no child covers. */
static uint64_t self_ns(const struct span_trace *t, uint32_t i)
{
	uint64_t at = t->spans[i].start_ns, end = span_end_ns(&t->spans[i]);
	uint64_t self = 0;
	uint32_t c = t->nodes[i].first_child;

	for (; c != SPAN_TRACE_NONE; c = t->nodes[c].next_sibling) {
		uint64_t start = t->spans[c].start_ns;
		uint64_t child_end = span_end_ns(&t->spans[c]);

		if (start > end)
			start = end;
		if (start > at)
			self += start - at;
		if (child_end > at)
			at = child_end < end ? child_end : end;
	}
	return self + (end - at);
}

static uint64_t weight_of(const struct encode_out *o,
			  const struct span_trace *t, uint32_t i)
{
	if (o->weight == ENCODE_COUNT)
		return 1;
	return o->weight == ENCODE_SELF ? self_ns(t, i)
					: t->spans[i].duration_ns;
}

/* Times are written as microseconds, rounded; what is 0 then is nothing. */
static void put_stacks(struct encode_out *o)
{
	const uint64_t *w = (const uint64_t *)(const void *)folded.weights.p;

	for (uint32_t i = 0; i < folded.stacks.n; i++) {
		uint64_t n = o->weight == ENCODE_COUNT
				     ? w[i]
				     : w[i] / 1000 + (w[i] % 1000 >= 500);

		if (!n)
			continue;
		span_buf_str(&o->b, encode_names_get(&folded.stacks, i));
		span_buf_printf(&o->b, " %" PRIu64 "\n", n);
	}
	encode_names_release(&folded.stacks);
	folded.weights.len = 0;
}

static int add(struct span_str path, uint64_t weight, struct span_error *err)
{
	uint32_t n = folded.stacks.n, number;
	uint64_t zero = 0, *w;
	int rc = encode_names_put(&folded.stacks, path, &number, err);

	if (rc < 0)
		return rc;
	if (number == n)
		span_buf_put(&folded.weights, &zero, sizeof(zero));
	if (folded.weights.failed)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	w = (uint64_t *)(void *)folded.weights.p + number;
	if (__builtin_add_overflow(*w, weight, w))
		*w = UINT64_MAX;
	return 0;
}

static int put_trace(struct encode_out *o, const struct span_trace *t,
		     struct span_error *err)
{
	int rc = 0;

	for (size_t k = 0; k < t->n && rc == 0; k++) {
		uint32_t i = t->order[k];
		struct span_str path = path_to(o, t, i);

		if (folded.path.failed)
			return span_error_set(err, SPAN_E_NOMEM,
					      "memory is out");
		rc = add(path, weight_of(o, t, i), err);
		if (span_arena_size(&folded.stacks.arena) > MAX_HELD)
			put_stacks(o);
	}
	return rc;
}

static int end(struct encode_out *o, struct span_error *err)
{
	(void)err;
	put_stacks(o);
	return 0;
}

static void release(void)
{
	encode_names_release(&folded.stacks);
	span_buf_release(&folded.weights);
	span_buf_release(&folded.path);
	span_buf_release(&folded.name);
}

const struct encode_format encode_folded = {"folded",  NULL, NULL,
					    put_trace, end,  release};
