/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What takes how many bytes: sections of segments by name, the section of
 * columns split up by what is in them, and logs. All of it together is the
 * size of the store.
 */
#include "store/store_directory.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

/*
 * Of struct span_store_part. Keys lie in the segments, which are open as long
 * as the view is.
 */
struct parts {
	struct span_buf v;
};

static const char *const section_names[] = {
	[SEG_STRINGS] = "strings",
	[SEG_PROCESSES] = "processes",
	[SEG_PROCESS_ENDS] = "processes",
	[SEG_PROCESS_SERVICES] = "processes",
	[SEG_SCOPES] = "scopes",
	[SEG_SCOPE_ENDS] = "scopes",
	[SEG_TYPES] = "types",
	[SEG_SHAPES] = "shapes",
	[SEG_TRACE_HIGH] = "trace ids",
	[SEG_TRACE_LOW] = "trace ids",
	[SEG_TRACE_START] = "trace times",
	[SEG_TRACE_END] = "trace times",
	[SEG_TRACE_SHAPE] = "trace shapes",
	[SEG_SPAN_IDS] = "span ids",
	[SEG_EXPLICIT_TRACE] = "parents elsewhere",
	[SEG_EXPLICIT_NODE] = "parents elsewhere",
	[SEG_EXPLICIT_ID] = "parents elsewhere",
	[SEG_BLOCK_TRACE] = "blocks",
	[SEG_BLOCK_SPAN] = "blocks",
	[SEG_BLOCK_MIN_START] = "blocks",
	[SEG_BLOCK_MAX_START] = "blocks",
	[SEG_RANKS] = "ranks",
	[SEG_BUCKETS] = "trace directory",
	[SEG_BUCKET_TRACES] = "trace directory",
	[SEG_COLUMNS] = "columns",
	[SEG_HEAP] = "long texts",
	[SEG_AGGREGATES] = "aggregates",
	[SEG_EDGES] = "edges",
	[SEG_SHORT_STRINGS] = "short-strings",
};

static const char *const slot_names[] = {
	[SLOT_START] = "start",		  [SLOT_DURATION] = "duration",
	[SLOT_PROCESS] = "process",	  [SLOT_MESSAGE] = "status message",
	[SLOT_STATE] = "trace state",	  [SLOT_TAG] = "tag",
	[SLOT_EVENT_TIME] = "event time", [SLOT_EVENT_TAG] = "event field",
	[SLOT_REFS] = "references",	  [SLOT_NAME] = "name",
	[SLOT_REST] = "packed",
};

static const char *name_of(const char *const *names, size_t n, unsigned i)
{
	return i < n && names[i] ? names[i] : "other";
}

#define NAME_OF(names, i) name_of(names, sizeof(names) / sizeof(*(names)), i)

static void put(struct parts *p, const char *part, struct span_str key,
		uint64_t bytes, uint64_t values)
{
	struct span_store_part e = {part, key, bytes, values};

	if (bytes)
		span_buf_put(&p->v, &e, sizeof(e));
}

static int compare_key(struct span_str a, struct span_str b)
{
	size_t n = a.len < b.len ? a.len : b.len;
	int c = n ? memcmp(a.p, b.p, n) : 0;

	return c ? c : (a.len > b.len) - (a.len < b.len);
}

static int by_name(const void *x, const void *y)
{
	const struct span_store_part *a = x, *b = y;
	int c = strcmp(a->part, b->part);

	return c ? c : compare_key(a->key, b->key);
}

static int by_bytes(const void *x, const void *y)
{
	const struct span_store_part *a = x, *b = y;

	if (a->bytes != b->bytes)
		return a->bytes < b->bytes ? 1 : -1;
	return by_name(x, y);
}

/* Add up what has the same name. */
static void merge(struct parts *p)
{
	struct span_store_part *v = (struct span_store_part *)p->v.p;
	size_t n = p->v.len / sizeof(*v), k = 0;

	if (!n)
		return;
	qsort(v, n, sizeof(*v), by_name);
	for (size_t i = 1; i < n; i++) {
		if (by_name(&v[k], &v[i])) {
			v[++k] = v[i];
			continue;
		}
		v[k].bytes += v[i].bytes;
		v[k].values += v[i].values;
	}
	p->v.len = (k + 1) * sizeof(*v);
}

/* The columns of all types; returns how many bytes they have. */
static uint64_t put_columns(struct parts *p, struct span__seg *seg,
			    struct span_arena *arena)
{
	uint64_t sum = 0;

	for (uint64_t i = 0; i < seg->types.n; i++) {
		struct span__seg_type t;

		span_arena_reset(arena);
		if (!span__types_get(&seg->types, i, arena, &t))
			continue;
		for (unsigned k = 0; k < t.n_slots; k++) {
			const struct span__seg_slot *s = &t.slots[k];
			bool keyed = s->role == SLOT_TAG ||
				     s->role == SLOT_EVENT_TAG;

			put(p, NAME_OF(slot_names, s->role),
			    keyed ? span__strings_get(&seg->strings, s->key)
				  : (struct span_str){0},
			    s->len, t.n_spans);
			sum += s->len;
		}
	}
	return sum;
}

/* Of one part with the section before it, with which its spans count. */
static bool is_second(uint32_t type)
{
	return type > SEG_STRINGS && !strcmp(NAME_OF(section_names, type),
					     NAME_OF(section_names, type - 1));
}

static int put_segment(struct parts *p, struct span__seg *seg,
		       struct span_error *err)
{
	const struct span__seg_file *f = &seg->file;
	uint64_t rest = f->size, in_columns = 0, spans = f->header.sum.n_spans;
	struct span_arena arena = {0};
	int rc = span__seg_load(seg, err);

	if (rc < 0 && rc != SPAN_E_CORRUPT)
		return rc;
	if (!rc)
		in_columns = put_columns(p, seg, &arena);
	span_arena_release(&arena);
	for (size_t i = 0; i < f->n_sections; i++) {
		uint64_t len = f->sections[i].len;

		rest -= len < rest ? len : rest;
		if (f->sections[i].type == SEG_COLUMNS)
			len -= in_columns < len ? in_columns : len;
		put(p, NAME_OF(section_names, f->sections[i].type),
		    (struct span_str){0}, len,
		    is_second(f->sections[i].type) ? 0 : spans);
	}
	put(p, "checksums, headers", (struct span_str){0}, rest, spans);
	merge(p);
	return 0;
}

/* Of a file without columns that count. */
static const char *whole_name(const struct span__view_file *f)
{
	if (span__is_draft(f))
		return "drafts";
	return f->kind == FILE_BAD ? "set aside" : "logs";
}

static int gather(struct parts *p, struct span__directory *s,
		  struct span_error *err)
{
	for (size_t i = 0; i < s->view.n; i++) {
		struct span__view_file *f = &s->view.v[i];
		bool columns = f->seg && !span__is_draft(f);
		int rc = columns ? put_segment(p, f->seg, err)
				 : span__view_sum(f, &s->dir, err);

		if (rc == SPAN_E_NOTFOUND)
			continue;
		if (rc < 0)
			return rc;
		if (!columns)
			put(p, whole_name(f), (struct span_str){0}, f->size,
			    f->sum.n_spans);
	}
	merge(p);
	return p->v.failed ? span_error_set(err, SPAN_E_NOMEM, "out of memory")
			   : 0;
}

int span__directory_parts(struct span_store *st, span_store_part_fn *fn,
			  void *arg, struct span_error *err)
{
	struct span__directory *s = (struct span__directory *)st;
	struct span_store_part *v;
	struct parts p = {{0}};
	int rc = span__directory_view(s, err);

	if (!rc)
		rc = gather(&p, s, err);
	v = (struct span_store_part *)p.v.p;
	if (!rc && p.v.len)
		qsort(v, p.v.len / sizeof(*v), sizeof(*v), by_bytes);
	for (size_t i = 0; !rc && i < p.v.len / sizeof(*v); i++)
		rc = fn(arg, &v[i], err);
	span_buf_release(&p.v);
	return rc;
}
