/* SPDX-License-Identifier: Apache-2.0 */
#include "store/log_ids.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/le.h"
#include "stream/frame.h"

#include "base/banned.h"

#define FRAME_HASHES 8192u /* a frame with more is not listed */

static uint32_t hash_of(const uint8_t id[16])
{
	return (uint32_t)XXH3_64bits(id, 16);
}

/* ---- Writing ---- */

static void add_id(void *arg, const uint8_t id[16])
{
	struct span__log_ids *ids = arg;
	uint32_t hash = hash_of(id);
	uint8_t bytes[4];

	if (ids->n && hash == ids->last)
		return;
	ids->last = hash;
	span__put32(bytes, hash);
	if (ids->n++ < FRAME_HASHES)
		span_buf_put(&ids->list.bytes, bytes, sizeof(bytes));
}

void span__log_ids_add(struct span__log_ids *ids, uint64_t pos, const void *p,
		       size_t len)
{
	int rc;

	ids->n = 0;
	span__log_list_begin(&ids->list, pos);
	rc = span__frame_ids(p, len, add_id, ids);
	span__log_list_end(&ids->list, rc == 0 && ids->n <= FRAME_HASHES);
}

void span__log_ids_next(struct span__log_ids *ids)
{
	span_buf_put(&ids->all, ids->list.bytes.p, ids->list.bytes.len);
	ids->all.failed = false;
	span__log_list_next(&ids->list);
}

void span__log_ids_release(struct span__log_ids *ids)
{
	span__log_list_release(&ids->list);
	span_buf_release(&ids->all);
}

/* ---- Reading ---- */

struct find {
	uint32_t *hashes; /* of the ids, ascending */
	size_t n;
	uint64_t bits[1u << 10]; /* of the low 16 bits of the hashes */
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

/* Of one hash no more than that has to be compared. */
static bool has_one_of_one(uint32_t hash, const uint8_t *p, uint32_t n)
{
	uint32_t i = 0, found = 0;

	for (; n - i >= 8; i += 8)
		for (uint32_t k = 0; k < 8; k++)
			found |= span__get32(p + 4 * (size_t)(i + k)) == hash;
	for (; i < n; i++)
		found |= span__get32(p + 4 * (size_t)i) == hash;
	return found;
}

static bool is_wanted(const struct find *f, uint32_t hash)
{
	return f->bits[hash % 65536 / 64] >> hash % 64 & 1 &&
	       bsearch(&hash, f->hashes, f->n, sizeof(hash), compare32);
}

static bool has_one(const void *arg, const char *words, uint32_t n)
{
	const uint8_t *p = (const uint8_t *)words;
	const struct find *f = arg;

	if (f->n == 1)
		return has_one_of_one(f->hashes[0], p, n);
	for (uint32_t i = 0; i < n; i++) {
		if (is_wanted(f, span__get32(p + 4 * (size_t)i)))
			return true;
	}
	return false;
}

static int find_in_footer(const struct span__log_pick *pick,
			  const struct span__log *l, struct span_error *err)
{
	struct span_buf footer = {0};
	struct span_str index, ids;
	int rc = span__log_footer(l, &footer, err);

	if (rc > 0)
		rc = span__log_section(l, &footer, LOG_SECTION_INDEX, &index) &&
		     span__log_section(l, &footer, LOG_SECTION_IDS, &ids);
	if (rc > 0) {
		span__log_entries_from(&index, l->start);
		span__log_pick_indexed(pick, ids, index);
	}
	span_buf_release(&footer);
	return rc;
}

int span__log_find(const struct span__log *l, const uint8_t (*ids)[16],
		   size_t n, struct span_buf *buf, struct span_str *index,
		   struct span_error *err)
{
	struct find f = {0};
	const struct span__log_pick pick = {LOG_TYPE_IDS, has_one, &f, buf};
	int rc = prepare(&f, ids, n, err);

	buf->len = 0;
	if (!rc)
		rc = l->closed ? find_in_footer(&pick, l, err)
			       : span__log_pick(&pick, l, err);
	free(f.hashes);
	if (rc > 0 && buf->failed) {
		buf->failed = false;
		return span_error_set(err, SPAN_E_NOMEM, "out of memory");
	}
	*index = (struct span_str){buf->p, buf->len};
	return rc;
}
