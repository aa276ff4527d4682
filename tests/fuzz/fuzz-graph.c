/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Saved graphs: what is loaded is saved and loaded again as the same. The
 * checksum is made right first, or nothing would get behind it.
 */
#include <span/graph.h>

#include <stdlib.h>
#include <string.h>

#include "base/crc32c.h"
#include "base/pack.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

static void check(bool good)
{
	if (!good)
		abort();
}

/* A graph with the options FLAGS and this body. */
static void wrap(struct span_buf *b, unsigned flags, const uint8_t *p,
		 size_t len)
{
	struct pack x = {span_buf_reserve(b, len + 32)};

	check(x.p);
	pack_array(&x, 5);
	pack_str(&x, 4);
	pack_raw(&x, "SPG1", 4);
	pack_uint8(&x, 0);
	pack_uint8(&x, (uint8_t)flags);
	pack_bin(&x, len);
	pack_raw(&x, p, len);
	pack_uint32(&x, span__crc32c(0, p, len));
	b->len = (size_t)(x.p - b->p);
}

static int load(struct span_graph **g, const struct span_buf *b)
{
	struct span_error err = {0};
	size_t used;
	int rc;

	check(!span_graph_open(g, NULL, NULL));
	rc = span_graph_load(*g, b->p, b->len, &used, &err);
	check(rc < 0 ? err.code == rc && err.msg[0] && err.pos <= b->len
		     : used <= b->len);
	return rc;
}

static void look(struct span_graph *g)
{
	struct span_graph_filter f = {.top = 3, .min_calls = 1};
	struct span_graph_view v, part;
	struct span_buf scratch = {0}, out = {0};
	struct span_graph_tolerance t = {0.1, 0.1, 0.1, 0};
	uint32_t *component;
	size_t n;

	check(!span_graph_view(g, &v, NULL));
	check(!span_graph_select(&v, &f, &scratch, &part, NULL));
	check(part.n_edges <= 3 && part.n_nodes <= 6);
	component = calloc(v.n_nodes + 1, sizeof(*component));
	check(component && !span_graph_components(&v, component, &n, NULL) &&
	      n <= v.n_nodes);
	check(span_graph_diff(&v, &v, &t, &out, NULL) == 0);
	free(component);
	span_buf_release(&scratch);
	span_buf_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	struct span_buf b = {0}, saved = {0}, again = {0};
	struct span_graph *g, *h;

	span_buf_put(&b, p, len);
	(void)load(&g, &b);
	span_graph_close(&g);
	b.len = 0;
	if (len)
		wrap(&b, p[0] & 15, p + 1, len - 1);
	if (len && load(&g, &b) == 0) {
		look(g);
		check(!span_graph_save(g, &saved, NULL));
		check(!load(&h, &saved));
		check(!span_graph_save(h, &again, NULL));
		check(again.len == saved.len &&
		      !memcmp(again.p, saved.p, saved.len));
		span_graph_close(&h);
	}
	if (len)
		span_graph_close(&g);
	span_buf_release(&b);
	span_buf_release(&saved);
	span_buf_release(&again);
	return 0;
}
