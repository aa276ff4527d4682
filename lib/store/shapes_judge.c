/* SPDX-License-Identifier: Apache-2.0 */
#include "store/shapes_judge.h"

#include <string.h>

#include "base/banned.h"

/* Symbols of one byte have a class, whether there are so many or not. */
#define SHORT_SYMBOLS 128u

/* The first classes; those behind them are listed. */
enum {
	CLASS_UNTOLD = 0,
	CLASS_ODD, /* no symbol, or there are too many classes */
	CLASS_FIRST,
};

enum { UNTOLD = 1, ODD = 2, NEEDED = 4 };

static int out_of_memory(struct span_error *err)
{
	return span_error_set(err, SPAN_E_NOMEM, "out of memory");
}

static void begin(struct span__shapes_judge *j)
{
	if (j->n_classes)
		return;
	j->n_classes = CLASS_FIRST;
	j->flags[CLASS_UNTOLD] = UNTOLD | NEEDED;
	j->flags[CLASS_ODD] = ODD | NEEDED;
}

/* The class of what is CHOSEN with TURN, which may be a new one. */
static uint8_t class_of(struct span__shapes_judge *j, uint64_t chosen,
			uint32_t turn)
{
	const size_t mask = sizeof(j->by_hash) / sizeof(*j->by_hash) - 1;
	uint64_t hash = (chosen * 64 + turn) * 0x9e3779b97f4a7c15;
	size_t at = (size_t)(hash >> 32) & mask;
	uint64_t need = j->sink->need;

	for (; j->by_hash[at]; at = (at + 1) & mask) {
		const struct span__shapes_class *c =
			&j->classes[j->by_hash[at]];

		if (c->chosen == chosen && c->turn == turn)
			return (uint8_t)j->by_hash[at];
	}
	if (j->n_classes == SHAPES_CLASSES)
		return CLASS_ODD;
	j->classes[j->n_classes] = (struct span__shapes_class){chosen, turn};
	j->flags[j->n_classes] = !need || chosen & need ? NEEDED : 0;
	j->by_hash[at] = (uint16_t)j->n_classes;
	return (uint8_t)j->n_classes++;
}

int span__shapes_judge_segment(struct span__shapes_judge *j,
			       struct span__seg *seg, const uint8_t *told,
			       const uint64_t *chosen, struct span_error *err)
{
	const struct span__seg_node *v;
	size_t n = span__shapes_symbols(seg->shapes, &v);
	uint8_t *classes;

	begin(j);
	j->seg = seg;
	j->told = told;
	j->chosen = chosen;
	j->symbols.len = 0;
	classes = (uint8_t *)span_buf_reserve(&j->symbols, n + SHORT_SYMBOLS);
	if (!classes)
		return out_of_memory(err);
	memset(classes, CLASS_ODD, n + SHORT_SYMBOLS);
	for (size_t i = 0; i < n; i++)
		classes[i] =
			!told[v[i].type] || v[i].link == SEG_LINK_EXPLICIT
				? CLASS_UNTOLD
				: class_of(j, chosen[v[i].type], v[i].link);
	j->symbols.len = n;
	return 0;
}

/* The classes of PIECE into j->text. False: no memory. */
static bool translate(struct span__shapes_judge *j, struct span_str piece,
		      unsigned *flags)
{
	const uint8_t *p = (const uint8_t *)piece.p, *end = p + piece.len;
	const uint8_t *classes = (const uint8_t *)j->symbols.p;
	uint8_t *out, *to;

	j->text.len = 0;
	out = to = (uint8_t *)span_buf_reserve(&j->text, piece.len);
	if (!out)
		return false;
	*flags = 0;
	while (p < end) {
		uint64_t symbol = *p++;
		uint8_t class = CLASS_ODD;

		if (symbol & 0x80 && p < end) {
			symbol = (symbol & 0x7f) | (uint64_t)*p << 7;
			/* longer ones are rare, and decoded */
			if (*p++ & 0x80)
				symbol = UINT64_MAX;
		}
		if (symbol < SHORT_SYMBOLS || symbol < j->symbols.len)
			class = classes[symbol];
		*flags |= j->flags[class];
		*to++ = class;
	}
	j->text.len = (size_t)(to - out);
	return true;
}

/* As the sink is asked. */
static const struct span__shape_node *list_nodes(struct span__shapes_judge *j,
						 const struct span__seg_node *v,
						 size_t n)
{
	struct span__shape_node *nodes;

	j->nodes.len = 0;
	nodes = (struct span__shape_node *)(void *)span_buf_reserve(
		&j->nodes, n * sizeof(*nodes));
	for (size_t i = 0; nodes && i < n; i++)
		nodes[i] = (struct span__shape_node){
			j->chosen[v[i].type], v[i].link ? v[i].link - 1 : 0};
	return nodes;
}

static int decode(struct span__shapes_judge *j, uint64_t i, uint32_t *matched,
		  struct span_error *err)
{
	const struct span__shape_node *nodes;
	const struct span__seg_node *v;
	size_t n;
	int rc;

	if (!span__shapes_read(j->seg->shapes, i, &v, &n))
		return j->seg->file.bad ? SHAPES_UNTOLD : out_of_memory(err);
	for (size_t k = 0; k < n; k++)
		if (!j->told[v[k].type] || v[k].link == SEG_LINK_EXPLICIT)
			return SHAPES_UNTOLD;
	nodes = list_nodes(j, v, n);
	if (!nodes)
		return out_of_memory(err);
	rc = j->sink->shape(j->sink->arg, nodes, n, matched, err);
	return rc < 0 ? rc : SHAPES_TOLD;
}

int span__shapes_judge_shape(struct span__shapes_judge *j, uint64_t i,
			     uint32_t *matched, struct span_error *err)
{
	struct span_str piece, text;
	unsigned flags;
	int rc;

	*matched = 0;
	if (!span__shapes_piece(j->seg->shapes, i, &piece))
		return j->seg->file.bad ? SHAPES_UNTOLD : out_of_memory(err);
	if (!translate(j, piece, &flags))
		return out_of_memory(err);
	if (!(flags & NEEDED))
		return SHAPES_UNNEEDED;
	if (flags & UNTOLD)
		return SHAPES_UNTOLD;
	if (flags & ODD)
		return decode(j, i, matched, err);
	text = (struct span_str){j->text.p, j->text.len};
	rc = span__shapes_memo_find(&j->memo, text, matched, err);
	if (rc)
		return rc < 0 ? rc : SHAPES_TOLD;
	rc = decode(j, i, matched, err);
	if (rc == SHAPES_TOLD)
		span__shapes_memo_put(&j->memo, text, *matched);
	return rc;
}

/* The classes of nodes into j->text: 1; 0 when one is odd; or NOMEM. */
static int classify(struct span__shapes_judge *j,
		    const struct span__shape_node *v, size_t n)
{
	uint64_t child = 0; /* the depth that a child of the one before has */
	uint8_t *out;

	j->text.len = 0;
	out = (uint8_t *)span_buf_reserve(&j->text, n);
	if (!out)
		return SPAN_E_NOMEM;
	for (size_t i = 0; i < n; i++) {
		uint64_t turn = v[i].depth ? 2 + child - v[i].depth : 0;

		if (turn > UINT32_MAX)
			return 0;
		out[i] = class_of(j, v[i].chosen, (uint32_t)turn);
		if (out[i] == CLASS_ODD)
			return 0;
		child = v[i].depth + 1;
	}
	j->text.len = n;
	return n > 0;
}

int span__shapes_judge_nodes(struct span__shapes_judge *j,
			     const struct span__shape_node *v, size_t n,
			     uint32_t *matched, struct span_error *err)
{
	struct span_str text;
	int known, rc;

	begin(j);
	known = classify(j, v, n);
	if (known < 0)
		return out_of_memory(err);
	text = (struct span_str){j->text.p, j->text.len};
	rc = known ? span__shapes_memo_find(&j->memo, text, matched, err) : 0;
	if (rc)
		return rc < 0 ? rc : 0;
	rc = j->sink->shape(j->sink->arg, v, n, matched, err);
	if (rc >= 0 && known)
		span__shapes_memo_put(&j->memo, text, *matched);
	return rc;
}

void span__shapes_judge_release(struct span__shapes_judge *j)
{
	span__shapes_memo_release(&j->memo);
	span_buf_release(&j->symbols);
	span_buf_release(&j->text);
	span_buf_release(&j->nodes);
}
