/* SPDX-License-Identifier: Apache-2.0 */
/* Shapes: equal ones once, all come back, and damage is seen. */
#include "store/seg_shapes.h"

#include "random-span.h"
#include "tap.h"

#include "base/banned.h"

#define TYPES 50u
#define BIG 200000u

static struct span__seg_node nodes[BIG];
static struct span_arena arena;

/* The shape of SEED: from 5 to 64 nodes, so that no two are equal. */
static size_t make(uint64_t seed)
{
	struct rnd r = {seed, NULL};
	size_t n = 5 + rnd_below(&r, 60);
	uint32_t child = 0;

	for (size_t i = 0; i < n; i++) {
		nodes[i].type = (uint32_t)rnd_below(&r, TYPES);
		nodes[i].link = (uint32_t)rnd_below(&r, child + 1);
		child = nodes[i].link > 1 ? nodes[i].link + 1 : 2;
	}
	return n;
}

static struct span__area area_of(const struct span_buf *b)
{
	return (struct span__area){(const uint8_t *)b->p, b->len, NULL};
}

static bool comes_back(struct span__shapes *s, uint64_t i, size_t n)
{
	const struct span__seg_node *v;
	size_t got;

	return span__shapes_get(s, i, &v, &got) && got == n &&
	       !memcmp(v, nodes, n * sizeof(*v));
}

/* Each shape, read in order. */
static unsigned read_all(struct span__shapes *s, unsigned n)
{
	unsigned good = 0;

	for (unsigned i = 0; i < n; i++) {
		size_t want = make(i), got;
		const struct span__seg_node *v;

		good += span__shapes_size(s, i) == want &&
			span__shapes_read(s, i, &v, &got) && got == want &&
			!memcmp(v, nodes, want * sizeof(*v));
	}
	return good;
}

/* Is what is stored of each shape its symbols? */
static unsigned has_symbols(struct span__shapes *s, unsigned n)
{
	const struct span__seg_node *symbols;
	size_t n_symbols = span__shapes_symbols(s, &symbols);
	unsigned good = 0;

	for (unsigned i = 0; i < n; i++) {
		size_t want = make(i), k = 0;
		struct span_str piece;
		uint64_t symbol = 0;
		unsigned shift = 0;
		bool same = span__shapes_piece(s, i, &piece);

		for (size_t at = 0; same && at < piece.len; at++) {
			uint8_t byte = (uint8_t)piece.p[at];

			symbol |= (uint64_t)(byte & 0x7f) << shift;
			shift += 7;
			if (byte & 0x80)
				continue;
			same = k < want && symbol < n_symbols &&
			       symbols[symbol].type == nodes[k++].type;
			symbol = shift = 0;
		}
		good += same && k == want;
	}
	return good;
}

static struct span__shapes_writer *writer(enum span__seg_codec codec)
{
	struct span__shapes_writer *w = NULL;

	ok(span__shapes_writer_open(&w, codec, NULL) == 0, "a writer");
	return w;
}

static void test_round(enum span__seg_codec codec, unsigned n)
{
	struct span__shapes_writer *w = writer(codec);
	struct span__shapes *s = NULL;
	struct span_buf out = {0};
	struct span__area area;
	uint64_t shapes;
	unsigned good = 0;

	for (unsigned round = 0; round < 2; round++)
		for (unsigned i = 0; i < n; i++)
			good += span__shapes_writer_put(w, nodes, make(i),
							NULL) == (int64_t)i;
	shapes = span__shapes_writer_count(w);
	is_uint(good, 2 * n, "each of %u shapes has one number", n);
	is_uint(shapes, n, "as many shapes are counted");
	is_int(span__shapes_writer_finish(w, 0, &out, NULL), 0, "written");
	span__shapes_writer_close(&w);
	area = area_of(&out);
	is_int(span__shapes_open(&s, &area, n, TYPES, NULL), 0, "opened");
	good = 0;
	for (unsigned i = n; i--;)
		good += comes_back(s, i, make(i)) && comes_back(s, i, make(i));
	is_uint(good, n, "all shapes come back");
	is_uint(read_all(s, n), n, "read in order, they do");
	is_uint(has_symbols(s, n), n, "they are stored by their symbols");
	ok(!comes_back(s, n, 1), "there is no other one");
	span__shapes_close(&s);
	is_int(span__shapes_open(&s, &area, n, TYPES / 2, NULL),
	       n ? SPAN_E_CORRUPT : 0, "types that are not there are damage");
	span__shapes_close(&s);
	is_int(span__shapes_open(&s, &area, 1u << 30, TYPES, NULL),
	       SPAN_E_CORRUPT, "so are more shapes than bytes");
	span_buf_release(&out);
}

/* The section of 100 shapes in a segment of N_SPANS. */
static size_t size_for(uint64_t n_spans, unsigned *good)
{
	struct span__shapes_writer *w = writer(span__seg_codec_best());
	struct span__shapes *s = NULL;
	struct span_buf out = {0};
	struct span__area area;
	size_t size;

	for (unsigned i = 0; i < 100; i++)
		(void)!span__shapes_writer_put(w, nodes, make(i), NULL);
	is_int(span__shapes_writer_finish(w, n_spans, &out, NULL), 0,
	       "written for %llu spans", (unsigned long long)n_spans);
	span__shapes_writer_close(&w);
	area = area_of(&out);
	is_int(span__shapes_open(&s, &area, 100, TYPES, NULL), 0, "opened");
	*good = 0;
	for (unsigned i = 0; i < 100; i++)
		*good += comes_back(s, i, make(i));
	span__shapes_close(&s);
	size = out.len;
	span_buf_release(&out);
	return size;
}

static void test_plain(void)
{
	unsigned in_few, in_many;
	size_t few = size_for(1000, &in_few);
	size_t many = size_for(1u << 20, &in_many);

	ok(few < many, "shapes of few spans are compressed: %zu bytes, not %zu",
	   few, many);
	is_uint(in_few + in_many, 200, "both come back");
}

/* A chain and a star: the links of the one are all different. */
static void test_big(bool chain)
{
	struct span__shapes_writer *w = writer(SEG_CODEC_NONE);
	struct span__shapes *s = NULL;
	struct span_buf out = {0};
	struct span__area area;

	for (uint32_t i = 0; i < BIG; i++)
		nodes[i] = (struct span__seg_node){i % 3, !i ? SEG_LINK_EXPLICIT
							  : chain ? i + 1
								  : 2};
	is_int(span__shapes_writer_put(w, nodes, BIG, NULL), 0, "a big shape");
	is_int(span__shapes_writer_put(w, nodes, BIG - 1, NULL), 1, "another");
	is_int(span__shapes_writer_finish(w, 0, &out, NULL), 0, "written");
	ok(out.len < 2 * BIG + 1000, "a byte a span");
	area = area_of(&out);
	is_int(span__shapes_open(&s, &area, 2, 3, NULL), 0, "opened");
	ok(comes_back(s, 1, BIG - 1) && comes_back(s, 0, BIG),
	   "they come back");
	span__shapes_close(&s);
	span__shapes_writer_close(&w);
	span_buf_release(&out);
}

static bool is_tree(const struct span__seg_node *v, size_t n)
{
	uint32_t child = 0;

	for (size_t i = 0; i < n; i++) {
		if (v[i].type >= TYPES || (v[i].link > 1 && v[i].link > child))
			return false;
		child = v[i].link > 1 ? v[i].link + 1 : 2;
	}
	return true;
}

static void test_damage(void)
{
	struct span__shapes_writer *w = writer(SEG_CODEC_NONE);
	struct span_buf out = {0};
	bool held = true;

	for (unsigned i = 0; i < 20; i++)
		held &= span__shapes_writer_put(w, nodes, make(i), NULL) >= 0;
	ok(held && span__shapes_writer_finish(w, 0, &out, NULL) == 0,
	   "shapes to damage");
	span__shapes_writer_close(&w);
	for (size_t at = 0; at < out.len; at++) {
		struct span__area area = area_of(&out);
		struct span__shapes *s = NULL;
		const struct span__seg_node *v;
		char was = out.p[at];
		size_t n;

		out.p[at] = (char)(was ^ (1 + at % 255));
		area.len -= at % 3 ? 0 : at;
		if (span__shapes_open(&s, &area, 20, TYPES, NULL) == 0)
			for (unsigned i = 0; i < 20; i++)
				if (span__shapes_get(s, i, &v, &n))
					held &= is_tree(v, n);
		for (unsigned i = 0; s && i < 20; i++)
			if (span__shapes_read(s, i, &v, &n))
				held &= is_tree(v, n);
		span__shapes_close(&s);
		out.p[at] = was;
	}
	ok(held, "what can be read of damaged shapes makes trees");
	span_buf_release(&out);
}

int main(void)
{
	test_round(SEG_CODEC_NONE, 3000);
	test_round(SEG_CODEC_ZLIB, 500);
	test_round(SEG_CODEC_ZLIB, 0);
	test_plain();
	test_big(true);
	test_big(false);
	test_damage();
	span_arena_release(&arena);
	return done_testing();
}
