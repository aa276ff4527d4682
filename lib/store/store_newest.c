/* SPDX-License-Identifier: Apache-2.0 */
#include "store/store_newest.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

#define GROUP 64u /* frames, which are read together: 16,384 spans */

struct dated {
	uint64_t latest;
	size_t i;
};

static int out_of_memory(struct span_error *err)
{
	return span_error_set(err, SPAN_E_NOMEM, "out of memory");
}

/* The latest first; of equal ones that which came last. */
static int compare_dated(const void *a, const void *b)
{
	const struct dated *x = a, *y = b;

	if (x->latest != y->latest)
		return x->latest > y->latest ? -1 : 1;
	return x->i > y->i ? -1 : x->i < y->i;
}

/* The latest end of the entries FROM to TO - 1. */
static uint64_t latest_end(const char *entries, size_t from, size_t to)
{
	uint64_t latest = 0;

	for (size_t i = from; i < to; i++) {
		struct span__log_entry e;

		span__log_entry_get(&e, (const uint8_t *)entries +
						i * LOG_INDEX_ENTRY);
		if (e.max_end_ns > latest)
			latest = e.max_end_ns;
	}
	return latest;
}

/* Of a file that went away nothing is known: whoever opens it finds out. */
static int latest_of(struct span__view_file *f, const struct span__dir *d,
		     uint64_t *latest, struct span_error *err)
{
	int rc = 0;

	*latest = UINT64_MAX;
	if (f->kind == FILE_SEG && f->seg)
		*latest = f->seg->file.header.max_start_ns;
	if (f->kind == FILE_LOG || f->kind == FILE_OPEN) {
		rc = span__view_sum(f, d, err);
		if (!rc)
			*latest = f->sum.max_end_ns;
	}
	return rc == SPAN_E_NOTFOUND ? 0 : rc;
}

int span__newest_files(struct span__view *view, const struct span__dir *d,
		       size_t **out, struct span_error *err)
{
	struct dated *v = calloc(view->n + 1, sizeof(*v));
	size_t *order = calloc(view->n + 1, sizeof(*order));
	int rc = v && order ? 0 : out_of_memory(err);

	for (size_t i = 0; i < view->n && !rc; i++) {
		v[i].i = i;
		rc = latest_of(&view->v[i], d, &v[i].latest, err);
	}
	if (!rc) {
		qsort(v, view->n, sizeof(*v), compare_dated);
		for (size_t i = 0; i < view->n; i++)
			order[i] = v[i].i;
	}
	free(v);
	*out = order;
	if (rc < 0) {
		free(order);
		*out = NULL;
	}
	return rc;
}

/* Put the groups of the N entries at FROM into OUT, the latest first. */
static int sort_groups(const char *from, size_t n, struct span_buf *out,
		       struct span_error *err)
{
	size_t n_groups = (n + GROUP - 1) / GROUP;
	struct dated *v = calloc(n_groups + 1, sizeof(*v));

	if (!v)
		return out_of_memory(err);
	for (size_t g = 0; g < n_groups; g++) {
		size_t end = g + 1 < n_groups ? (g + 1) * GROUP : n;

		v[g] = (struct dated){latest_end(from, g * GROUP, end), g};
	}
	qsort(v, n_groups, sizeof(*v), compare_dated);
	for (size_t g = 0; g < n_groups; g++) {
		size_t first = v[g].i * GROUP;
		size_t some = n - first < GROUP ? n - first : GROUP;

		span_buf_put(out, from + first * LOG_INDEX_ENTRY,
			     some * LOG_INDEX_ENTRY);
	}
	free(v);
	return out->failed ? out_of_memory(err) : 0;
}

int span__newest_frames(struct span_buf *buf, struct span_str *index,
			struct span_error *err)
{
	struct span_buf sorted = {0};
	int rc = sort_groups(index->p, index->len / LOG_INDEX_ENTRY, &sorted,
			     err);

	if (rc < 0) {
		span_buf_release(&sorted);
		return rc;
	}
	span_buf_release(buf);
	*buf = sorted;
	*index = (struct span_str){buf->p, buf->len};
	return 0;
}
