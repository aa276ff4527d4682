/* SPDX-License-Identifier: Apache-2.0 */
#include "store/log_ids.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "stream/frame.h"

#include "base/banned.h"

#define LIST_FRAMES 32u
#define LIST_BYTES (64u << 10)
#define ENTRY 8u	   /* bytes before the hashes of a frame */
#define FRAME_HASHES 8192u /* a frame with more is not listed */

static void put32(void *p, uint32_t v)
{
	v = htole32(v);
	memcpy(p, &v, sizeof(v));
}

static uint32_t get32(const void *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return le32toh(v);
}

static uint32_t hash_of(const uint8_t id[16])
{
	return (uint32_t)XXH3_64bits(id, 16);
}

/* ---- Writing ---- */

static void add_id(void *arg, const uint8_t id[16])
{
	struct span__log_ids *ids = arg;
	uint32_t hash = hash_of(id);
	char bytes[4];

	if (ids->n && hash == ids->last)
		return;
	ids->last = hash;
	put32(bytes, hash);
	if (ids->n++ < FRAME_HASHES)
		span_buf_put(&ids->list, bytes, sizeof(bytes));
}

void span__log_ids_add(struct span__log_ids *ids, uint64_t pos, const void *p,
		       size_t len)
{
	size_t start = ids->list.len;
	char bytes[ENTRY] = {0};
	int rc;

	ids->n = 0;
	put32(bytes, (uint32_t)(pos / LOG_ALIGN));
	span_buf_put(&ids->list, bytes, sizeof(bytes));
	rc = span__frame_ids(p, len, add_id, ids);
	if (rc < 0 || ids->n > FRAME_HASHES || ids->list.failed) {
		ids->list.failed = false;
		ids->list.len = start;
		return;
	}
	put32(ids->list.p + start + 4, ids->n);
	ids->n_frames++;
}

bool span__log_ids_due(const struct span__log_ids *ids)
{
	return ids->n_frames >= LIST_FRAMES || ids->list.len >= LIST_BYTES;
}

void span__log_ids_next(struct span__log_ids *ids)
{
	span_buf_put(&ids->all, ids->list.p, ids->list.len);
	ids->all.failed = false;
	ids->list.len = 0;
	ids->n_frames = 0;
}

void span__log_ids_release(struct span__log_ids *ids)
{
	span_buf_release(&ids->list);
	span_buf_release(&ids->all);
}

/* ---- Reading ---- */

struct find {
	uint32_t *hashes; /* of the ids, ascending */
	size_t n;
	uint64_t bits[1u << 10]; /* of the low 16 bits of the hashes */
	struct span_buf *out;
};

/* What is left of a list, and its first frame. */
struct list {
	const char *p, *end;
	uint64_t pos; /* UINT64_MAX: there is none */
	const char *hashes;
	uint32_t n;
};

static int compare32(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static int prepare(struct find *f, const uint8_t (*ids)[16], size_t n,
		   struct span_error *err)
{
	f->hashes = calloc(n, sizeof(*f->hashes));
	if (!f->hashes)
		return span_error_set(err, SPAN_E_NOMEM, "out of memory");
	f->n = n;
	for (size_t i = 0; i < n; i++) {
		uint32_t hash = hash_of(ids[i]);

		f->hashes[i] = hash;
		f->bits[hash % 65536 / 64] |= UINT64_C(1) << hash % 64;
	}
	qsort(f->hashes, n, sizeof(*f->hashes), compare32);
	return 0;
}

static bool is_wanted(const struct find *f, uint32_t hash)
{
	return f->bits[hash % 65536 / 64] >> hash % 64 & 1 &&
	       bsearch(&hash, f->hashes, f->n, sizeof(hash), compare32);
}

static void next_of_list(struct list *l)
{
	l->pos = UINT64_MAX;
	if ((size_t)(l->end - l->p) < ENTRY)
		return;
	l->n = get32(l->p + 4);
	l->hashes = l->p + ENTRY;
	if (l->n > (size_t)(l->end - l->hashes) / 4)
		return;
	l->pos = (uint64_t)get32(l->p) * LOG_ALIGN;
	l->p = l->hashes + 4 * (size_t)l->n;
}

static bool list_wants(const struct find *f, const struct list *l)
{
	for (uint32_t i = 0; i < l->n; i++) {
		if (is_wanted(f, get32(l->hashes + 4 * (size_t)i)))
			return true;
	}
	return false;
}

static struct list begin_list(struct span_str bytes)
{
	struct list l = {.p = bytes.p, .end = bytes.p};

	if (bytes.len)
		l.end += bytes.len;
	next_of_list(&l);
	return l;
}

/* The frame at POS, of which the list may tell; both go up. */
static void see_frame(struct find *f, uint64_t pos, struct list *l)
{
	struct span__log_entry e = {.pos = pos, .max_end_ns = UINT64_MAX};
	uint8_t bytes[LOG_INDEX_ENTRY];

	while (l->pos < pos)
		next_of_list(l);
	if (l->pos == pos && !list_wants(f, l))
		return;
	span__log_entry_put(bytes, &e);
	span_buf_put(f->out, bytes, sizeof(bytes));
}

static int find_in_footer(struct find *f, const struct span__log *l,
			  struct span_error *err)
{
	struct span_buf footer = {0};
	struct span_str index, ids;
	struct list list;
	int rc = span__log_footer(l, &footer, err);

	if (rc > 0)
		rc = span__log_section(l, &footer, LOG_SECTION_INDEX, &index) &&
		     span__log_section(l, &footer, LOG_SECTION_IDS, &ids);
	if (rc > 0) {
		list = begin_list(ids);
		for (size_t at = 0; at + LOG_INDEX_ENTRY <= index.len;
		     at += LOG_INDEX_ENTRY) {
			struct span__log_entry e;

			span__log_entry_get(&e, (const uint8_t *)index.p + at);
			see_frame(f, e.pos, &list);
		}
	}
	span_buf_release(&footer);
	return rc;
}

/* Frames that came since the last list. */
static void see_frames(struct find *f, struct span_buf *frames,
		       struct span_str bytes)
{
	struct list list = begin_list(bytes);
	uint64_t pos;

	for (size_t at = 0; at < frames->len; at += sizeof(pos)) {
		memcpy(&pos, frames->p + at, sizeof(pos));
		see_frame(f, pos, &list);
	}
	frames->len = 0;
}

static int find_in_records(struct find *f, const struct span__log *l,
			   struct span_error *err)
{
	struct span__log_walk w = {0};
	struct span__log_record rec;
	struct span_buf frames = {0};
	const uint8_t *p;
	int rc;

	span__log_walk_begin(&w, l, false);
	w.lists = w.bare = true;
	while ((rc = span__log_walk_next(&w, &rec, err)) > 0) {
		if (rec.type == LOG_TYPE_FRAME) {
			span_buf_put(&frames, &rec.pos, sizeof(rec.pos));
			continue;
		}
		rc = span__log_walk_payload(&w, &rec, &p, err);
		if (rc < 0)
			break;
		if (rc > 0)
			see_frames(f, &frames,
				   (struct span_str){(const char *)p, rec.len});
	}
	if (!rc)
		see_frames(f, &frames, (struct span_str){0});
	if (!rc && frames.failed)
		rc = span_error_set(err, SPAN_E_NOMEM, "out of memory");
	span_buf_release(&frames);
	span__log_walk_release(&w);
	return rc < 0 ? rc : 1;
}

int span__log_find(const struct span__log *l, const uint8_t (*ids)[16],
		   size_t n, struct span_buf *buf, struct span_str *index,
		   struct span_error *err)
{
	struct find f = {.out = buf};
	int rc = prepare(&f, ids, n, err);

	buf->len = 0;
	if (!rc)
		rc = l->closed ? find_in_footer(&f, l, err)
			       : find_in_records(&f, l, err);
	free(f.hashes);
	if (rc > 0 && buf->failed) {
		buf->failed = false;
		return span_error_set(err, SPAN_E_NOMEM, "out of memory");
	}
	*index = (struct span_str){buf->p, buf->len};
	return rc;
}
