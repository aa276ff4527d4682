/* SPDX-License-Identifier: Apache-2.0 */
#include "store/seg_file.h"

#include <string.h>

#include "base/crc32c.h"
#include "base/le.h"
#include "store/log_hash.h"
#include "store/seg_head.h"

#include "base/banned.h"

#define AT_ONCE (64u * SEG_PAGE)

/* Damage that is found; neighbouring places are told as one. */
struct report {
	int (*fn)(void *arg, uint64_t pos, uint64_t len,
		  struct span_error *err);
	void *arg;
	struct span_error *err;
	uint64_t pos, len; /* not told yet */
	bool any;
};

static int tell(struct report *r)
{
	uint64_t len = r->len;

	r->len = 0;
	if (!len || !r->fn)
		return 0;
	return r->fn(r->arg, r->pos, len, r->err);
}

static int found(struct report *r, uint64_t pos, uint64_t len)
{
	int rc;

	r->any = true;
	if (r->len && pos == r->pos + r->len) {
		r->len += len;
		return 0;
	}
	rc = tell(r);
	r->pos = pos;
	r->len = len;
	return rc;
}

static bool can_read(const struct span__seg_file *f, uint64_t pos, uint64_t len)
{
	return f->io->touch(f->io->self, f->map + pos, (size_t)len) == 0;
}

static bool page_good(const struct span__seg_file *f, uint64_t page,
		      uint64_t len)
{
	return page >= f->n_crcs ||
	       span__get32(f->crcs + page * 4) ==
		       span__seg_page_crc(&f->header.id, page,
					  f->map + page * SEG_PAGE,
					  (size_t)len);
}

/* Nobody shall touch the pages from POS to END from now on. */
static void give_up(struct span__seg_file *f, uint64_t pos, uint64_t end)
{
	for (; pos < end; pos += SEG_PAGE) {
		uint8_t bit = (uint8_t)(1u << pos / SEG_PAGE % 8);

		f->checked[pos / SEG_PAGE / 8] &= (uint8_t)~bit;
		f->damaged[pos / SEG_PAGE / 8] |= bit;
	}
}

/*
 * The pages from POS to END, which are read at once where the disk can, and
 * else one by one: what it cannot read is damaged, and must not be touched.
 */
static int check_some(struct span__seg_file *f, uint64_t pos, uint64_t end,
		      struct report *r, struct span__log_hash *hash)
{
	bool all = can_read(f, pos, end - pos);
	int rc = 0;

	for (; pos < end && !rc; pos += SEG_PAGE) {
		uint64_t len = end - pos < SEG_PAGE ? end - pos : SEG_PAGE;

		if (!all && !can_read(f, pos, len)) {
			give_up(f, pos, pos + len);
			rc = found(r, pos, len);
			continue;
		}
		if (pos)
			span__log_hash_add(hash, f->map + pos, (size_t)len);
		if (!page_good(f, pos / SEG_PAGE, len))
			rc = found(r, pos, len);
	}
	return rc;
}

static int check_pages(struct span__seg_file *f, struct report *r,
		       struct span__log_hash *hash)
{
	uint64_t end = f->data_end < f->size ? f->data_end : f->size;
	int rc = 0;

	for (uint64_t pos = 0; pos < end && !rc; pos += AT_ONCE)
		rc = check_some(f, pos,
				end - pos < AT_ONCE ? end : pos + AT_ONCE, r,
				hash);
	return rc;
}

/* What is behind the pages, all of which is there. */
static int check_end(const struct span__seg_file *f, struct report *r,
		     struct span__log_hash *hash)
{
	uint64_t crcs = span__seg_crcs_size(f->data_end);
	uint64_t copy = f->data_end + crcs, end = f->full_size - SEG_TRAILER;
	struct span__seg_trailer t;
	struct span__seg_head head;
	uint8_t sum[16];
	bool known;
	int rc = 0;

	known = span__seg_trailer_get(&t, &f->header.id, f->map + end, end) &&
		t.head_pos == copy && t.data_end == f->data_end;
	if (known && t.crc != span__crc32c(0, f->crcs, (size_t)crcs))
		rc = found(r, f->data_end, crcs);
	if (!rc && span__seg_head_get(&head, f->map + copy, end - copy, copy,
				      NULL) < 0)
		rc = found(r, copy, end - copy);
	if (!rc && !known)
		rc = found(r, end, SEG_TRAILER);
	if (rc || !known || r->any)
		return rc;
	span__log_hash_get(hash, f->map + f->data_end,
			   (size_t)(end - f->data_end), sum);
	return memcmp(sum, t.hash, sizeof(sum)) ? found(r, 0, f->full_size) : 0;
}

static int check_all(struct span__seg_file *f, struct report *r,
		     struct span__log_hash *hash)
{
	int rc = check_pages(f, r, hash);

	if (!rc && f->size < f->full_size)
		rc = found(r, f->size, f->full_size - f->size);
	else if (!rc)
		rc = check_end(f, r, hash);
	if (!rc && f->size > f->full_size)
		rc = found(r, f->full_size, f->size - f->full_size);
	return rc;
}

int span__seg_verify(struct span__seg_file *f,
		     int (*fn)(void *arg, uint64_t pos, uint64_t len,
			       struct span_error *err),
		     void *arg, struct span_error *err)
{
	struct report r = {.fn = fn, .arg = arg, .err = err};
	struct span__log_hash *hash = span__log_hash_open();
	int rc;

	if (!hash)
		return span_error_set(err, SPAN_E_NOMEM, "out of memory");
	/* without its checksums the rest says nothing */
	if (f->size > f->data_end &&
	    !can_read(f, f->data_end, f->size - f->data_end)) {
		give_up(f, 0, f->data_end);
		rc = found(&r, f->data_end, f->size - f->data_end);
	} else {
		rc = check_all(f, &r, hash);
	}
	if (!rc)
		rc = tell(&r);
	span__log_hash_close(&hash);
	return rc;
}
