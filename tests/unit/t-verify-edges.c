/* SPDX-License-Identifier: Apache-2.0 */
/* Edges between segments that are not true: verify finds each of them. */
#include "lying-segment.h"

#include "base/banned.h"

/* The two lists, as numbers; empty when the pair is not there. */
static struct span_buf read_edges(void)
{
	struct span__seg *own = open_seg(1), *other = open_seg(0);
	struct span_buf out = {0};

	must(!span__seg_load(own, &err) && !span__seg_load(other, &err));
	for (int d = EDGES_OWN; d <= EDGES_OTHER; d++) {
		struct span__seg *child = d == EDGES_OWN ? own : other;
		struct span__edges list;

		if (!span__edges_open(&list, own, other,
				      (enum span__edges_children)d))
			break;
		for (uint64_t i = 0; i < list.n; i++) {
			struct span__edge e;

			if (!span__edges_get(&list, i, child,
					     d == EDGES_OWN ? other : own, &e))
				break;
			span_buf_printf(&out, "%d %llu %llu %llu %u %u\n", d,
					(unsigned long long)e.orphan,
					(unsigned long long)e.start_ns,
					(unsigned long long)e.duration_ns,
					e.type, e.parent_type);
		}
	}
	if (own->file.bad)
		span_buf_puts(&out, "bad");
	span_buf_putc(&out, 0);
	span__seg_close(&own);
	span__seg_close(&other);
	return out;
}

static void test_edge_bytes(void)
{
	struct span_buf as_it_is = section(1, SEG_EDGES), want = read_edges();
	size_t unseen = 0, changed = 0;

	for (size_t i = 0; i < 2 * as_it_is.len; i++) {
		struct span_buf got;
		char *at = &as_it_is.p[i / 2], old = *at;

		*at = (char)(i % 2 ? *at ^ 1 << i % 7 : *at + 1);
		rewrite(1, SEG_EDGES, as_it_is.p, as_it_is.len);
		got = read_edges();
		if (got.len > 1 && strcmp(got.p, want.p) != 0) {
			changed++;
			if (!verify(1).n && unseen++ < 5)
				diag("byte %zu: %02x for %02x is not seen",
				     i / 2, *at & 0xff, old & 0xff);
		}
		*at = old;
		span_buf_release(&got);
	}
	rewrite(1, SEG_EDGES, as_it_is.p, as_it_is.len);
	ok(changed > as_it_is.len && !unseen && !verify(1).n,
	   "any byte of the edges: %zu changes are seen, %zu are not",
	   changed - unseen, unseen);
	span_buf_release(&as_it_is);
	span_buf_release(&want);
}

/* Lists of the pair, of which one has an edge less. */
static void test_edge_lies(void)
{
	struct span_buf as_it_is = section(1, SEG_EDGES), less = {0};
	struct span__seg *own = open_seg(1), *other = open_seg(0);
	struct span__edges list;
	struct span__edge *v;
	struct said said;

	must(!span__seg_load(own, &err) && !span__seg_load(other, &err) &&
	     span__edges_open(&list, own, other, EDGES_OWN) && list.n > 64);
	v = malloc(list.n * sizeof(*v));
	for (uint64_t i = 0; i < list.n; i++)
		must(v && span__edges_get(&list, i, own, other, &v[i]));
	span__edges_put(&less, other, v + 1, list.n - 1, NULL, 0);
	span__seg_close(&own);
	span__seg_close(&other);
	rewrite(1, SEG_EDGES, less.p, less.len);
	said = verify(1);
	is_str(said.first,
	       "edges of children in segment 2 and parents in segment 1: they "
	       "are wrong for orphan 0",
	       "an edge less");
	said = verify_store();
	is_str(said.first,
	       "00000002.seg: edges of children in segment 2 and parents in "
	       "segment 1: they are wrong for orphan 0",
	       "an edge less, in the store");
	less.len = 0;
	own = open_seg(1);
	other = open_seg(0);
	span__edges_put(&less, other, v, list.n, v, 1);
	span__seg_close(&own);
	span__seg_close(&other);
	rewrite(1, SEG_EDGES, less.p, less.len);
	said = verify(1);
	ok(said.n, "an edge more, in the other direction: %s", said.first);
	rewrite(1, SEG_EDGES, as_it_is.p, as_it_is.len);
	span_buf_release(&as_it_is);
	span_buf_release(&less);
	free(v);
}

int main(void)
{
	make();
	ok(!verify(0).n && !verify(1).n && !verify_store().n,
	   "both segments are sound");
	test_edge_lies();
	test_edge_bytes();
	simdisk_close(&disk);
	return done_testing();
}
