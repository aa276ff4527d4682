/* SPDX-License-Identifier: Apache-2.0 */
#include "store/shapes_judge.h"

#include <string.h>

#include "base/banned.h"

/* Symbols of one byte are in the table, whether there are so many or not. */
#define SHORT_SYMBOLS 128u

/* What counts of a symbol: what is chosen, its turn, and flags. */
#define CHOSEN 0xffu
#define TURN_SHIFT 8
#define TURN_MAX 0xffu
#define UNTOLD (1u << 16)
#define ODD (1u << 17) /* it has to be decoded */

static int out_of_memory(struct span_error *err)
{
	return span_error_set(err, SPAN_E_NOMEM, "out of memory");
}

static uint32_t see_symbol(const struct span__shapes_judge *j,
			   const struct span__seg_node *symbol)
{
	/* it may be one that is needed */
	if (!j->told[symbol->type] || symbol->link == SEG_LINK_EXPLICIT)
		return CHOSEN | UNTOLD;
	if (symbol->link > TURN_MAX)
		return CHOSEN | ODD;
	return (uint32_t)(j->chosen[symbol->type] & CHOSEN) |
	       symbol->link << TURN_SHIFT;
}

int span__shapes_judge_segment(struct span__shapes_judge *j,
			       struct span__seg *seg, const uint8_t *told,
			       const uint64_t *chosen, struct span_error *err)
{
	const struct span__seg_node *v;
	size_t n = span__shapes_symbols(seg->shapes, &v), room;
	uint32_t *symbols;

	j->seg = seg;
	j->told = told;
	j->chosen = chosen;
	j->symbols.len = 0;
	room = n < SHORT_SYMBOLS ? SHORT_SYMBOLS : n;
	symbols = (uint32_t *)(void *)span_buf_reserve(&j->symbols,
						       room * sizeof(*symbols));
	if (!symbols)
		return out_of_memory(err);
	for (size_t i = 0; i < room; i++)
		symbols[i] = i < n ? see_symbol(j, &v[i]) : CHOSEN | ODD;
	j->symbols.len = room;
	return 0;
}

/*
 * The symbols of PIECE, as far as they are few, into J: the flags, and all that
 * is chosen of any. ODD: there are more, or others.
 */
static uint32_t spell(struct span__shapes_judge *j, struct span_str piece)
{
	const uint8_t *p = (const uint8_t *)piece.p, *end = p + piece.len;
	const uint32_t *symbols = (const uint32_t *)(void *)j->symbols.p;
	uint32_t all = 0, n = 0;

	while (p < end && n < SPAN__SHAPE_FEW) {
		size_t symbol = *p++;
		uint32_t what;

		if (symbol & 0x80) {
			/* longer ones are rare */
			if (p == end || *p & 0x80)
				return CHOSEN | ODD;
			symbol = (symbol & 0x7f) | (size_t)*p++ << 7;
			if (symbol >= j->symbols.len)
				return CHOSEN | ODD;
		}
		what = symbols[symbol];
		all |= what;
		j->few.chosen[n] = (uint8_t)what;
		j->turns[n++] = (uint8_t)(what >> TURN_SHIFT);
	}
	j->few.n = n;
	return p < end ? CHOSEN | ODD : all;
}

/* The parents of what was spelled: false when it makes no tree. */
static bool plant(struct span__shapes_judge *j)
{
	struct span__shape_few *few = &j->few;
	uint8_t path[SPAN__SHAPE_FEW + 1] = {SPAN__SHAPE_FEW};
	unsigned child = 0; /* the depth that a child of the one before has */

	memset(few->chosen + few->n, 0, sizeof(few->chosen) - few->n);
	for (unsigned i = 0; i < few->n; i++) {
		unsigned turn = j->turns[i], depth = 0;

		if (turn) {
			/* levels up: at most to a child of depth 0 */
			if (turn - 2 >= child)
				return false;
			depth = child + 2 - turn;
		}
		few->parent[i] = path[depth];
		child = depth + 1;
		path[child] = (uint8_t)i;
	}
	return true;
}

/* Nothing that every trace needs is missing from what is CHOSEN. */
static bool has_all(const struct span__shapes_judge *j, uint64_t chosen)
{
	const struct span__shapes_sink *sink = j->sink;

	return (chosen & sink->all) == sink->all &&
	       (!sink->need || chosen & sink->need);
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
	uint64_t chosen = 0;
	bool told = true;
	size_t n;
	int rc;

	if (!span__shapes_read(j->seg->shapes, i, &v, &n))
		return j->seg->file.bad ? SHAPES_UNTOLD : out_of_memory(err);
	for (size_t k = 0; k < n; k++) {
		chosen |= j->chosen[v[k].type];
		told &= j->told[v[k].type] && v[k].link != SEG_LINK_EXPLICIT;
	}
	if (!told)
		return SHAPES_UNTOLD;
	if (!has_all(j, chosen))
		return SHAPES_UNNEEDED;
	nodes = list_nodes(j, v, n);
	if (!nodes)
		return out_of_memory(err);
	rc = j->sink->shape(j->sink->arg, nodes, n, matched, err);
	return rc < 0 ? rc : SHAPES_TOLD;
}

int span__shapes_judge_shape(struct span__shapes_judge *j, uint64_t i,
			     uint32_t *matched, struct span_error *err)
{
	struct span_str piece;
	uint32_t all;

	*matched = 0;
	if (!j->sink->few)
		return decode(j, i, matched, err);
	if (!span__shapes_piece(j->seg->shapes, i, &piece))
		return j->seg->file.bad ? SHAPES_UNTOLD : out_of_memory(err);
	all = spell(j, piece);
	if (!has_all(j, all & CHOSEN))
		return SHAPES_UNNEEDED;
	if (all & UNTOLD)
		return SHAPES_UNTOLD;
	if (all & ODD || !plant(j))
		return decode(j, i, matched, err);
	*matched = j->sink->few(j->sink->arg, &j->few);
	return SHAPES_TOLD;
}

/* Nodes as few; false when they are not. */
static bool take_nodes(struct span__shapes_judge *j,
		       const struct span__shape_node *v, size_t n)
{
	struct span__shape_few *few = &j->few;
	uint8_t path[SPAN__SHAPE_FEW + 1] = {SPAN__SHAPE_FEW};

	if (!j->sink->few || n > SPAN__SHAPE_FEW)
		return false;
	memset(few->chosen, 0, sizeof(few->chosen));
	few->n = (uint32_t)n;
	for (size_t i = 0; i < n; i++) {
		few->chosen[i] = (uint8_t)v[i].chosen;
		few->parent[i] = path[v[i].depth];
		path[v[i].depth + 1] = (uint8_t)i;
	}
	return true;
}

int span__shapes_judge_nodes(struct span__shapes_judge *j,
			     const struct span__shape_node *v, size_t n,
			     uint32_t *matched, struct span_error *err)
{
	if (!take_nodes(j, v, n))
		return j->sink->shape(j->sink->arg, v, n, matched, err);
	*matched = j->sink->few(j->sink->arg, &j->few);
	return 0;
}

void span__shapes_judge_release(struct span__shapes_judge *j)
{
	span_buf_release(&j->symbols);
	span_buf_release(&j->nodes);
}
