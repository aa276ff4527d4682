/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A scan becomes a list of hashes in groups: of each group a frame must have
 * one, or nothing in it can match.
 */
#include "store/log_filters.h"

#include "base/hash.h"
#include "base/le.h"
#include "store/seg_filter.h"

#include "base/banned.h"

#define GROUPS 64u
#define GROUP_NAMES 64u /* of more than that none is asked for */

struct wanted {
	struct span_buf hashes;
	size_t ends[GROUPS]; /* of the groups */
	size_t n_groups;
	uint64_t min_duration_ns;
};

static uint64_t hash_of(struct span_str s)
{
	return XXH3_64bits(s.p, s.len);
}

static void want(struct wanted *w, uint64_t hash)
{
	span_buf_put(&w->hashes, &hash, sizeof(hash));
}

static void end_group(struct wanted *w)
{
	w->ends[w->n_groups++] = w->hashes.len / sizeof(uint64_t);
}

static void want_names(struct wanted *w, enum span__log_factor factor,
		       const struct span_str *v, size_t n)
{
	if (!n || n > GROUP_NAMES)
		return;
	for (size_t i = 0; i < n; i++)
		want(w, factor * hash_of(v[i]));
	end_group(w);
}

static void want_int(struct wanted *w, uint64_t key, int64_t v)
{
	uint8_t bytes[8];

	span__put64(bytes, (uint64_t)v);
	want(w, LOG_IS_INT * key + XXH3_64bits(bytes, sizeof(bytes)));
}

static void want_tag(struct wanted *w, const struct span__tag_eq *eq)
{
	uint64_t key = hash_of(eq->key);

	want(w, LOG_IS_STRING * key + hash_of(eq->value));
	if (eq->is_int)
		want_int(w, key, eq->i);
	if (eq->is_double)
		want(w, LOG_HAS_DOUBLE * key);
	if (eq->is_true)
		want(w, LOG_HAS_TRUE * key);
	if (eq->is_false)
		want(w, LOG_HAS_FALSE * key);
	want(w, LOG_HAS_ELSE * key);
	end_group(w);
}

/* Its function is asked of all that a text and numbers do not decide. */
static void want_test(struct wanted *w, const struct span_attr_test *t)
{
	uint64_t key = hash_of(t->key);

	if (t->text)
		want(w, LOG_IS_STRING * key + hash_of(*t->text));
	else
		want(w, LOG_HAS_STRING * key);
	if (t->numbers && !t->outside && t->min == t->max)
		want_int(w, key, t->min);
	else
		want(w, LOG_HAS_INT * key);
	want(w, LOG_HAS_DOUBLE * key);
	want(w, LOG_HAS_TRUE * key);
	want(w, LOG_HAS_FALSE * key);
	want(w, LOG_HAS_ELSE * key);
	end_group(w);
}

static void want_scan(struct wanted *w, const struct span__filter *scan)
{
	const struct span_range *r = scan->scan.range;

	w->min_duration_ns = r->min_duration_ns;
	want_names(w, LOG_SERVICE, r->services, r->n_services);
	want_names(w, LOG_NAME_OF_SPAN, r->operations, r->n_operations);
	for (size_t k = 0; k < scan->n_tags && w->n_groups < GROUPS; k++) {
		if (scan->tests[k])
			want_test(w, scan->tests[k]);
		else if (!scan->tags[k].derived)
			want_tag(w, &scan->tags[k]);
	}
}

static bool has_group(const struct wanted *w, size_t from, size_t to,
		      const uint8_t *filter, size_t len)
{
	for (size_t i = from; i < to; i++) {
		uint64_t hash;

		memcpy(&hash, w->hashes.p + i * sizeof(hash), sizeof(hash));
		if (span__filter_may_have_hash(filter, len, hash))
			return true;
	}
	return false;
}

static bool may_match(const void *arg, const char *words, uint32_t n)
{
	const struct wanted *w = arg;
	const uint8_t *p = (const uint8_t *)words;
	uint32_t longest;
	size_t from = 0, len;

	if (n < 1 + FILTER_BLOCK / 4)
		return true;
	longest = span__get32(p);
	len = (n - 1) / (FILTER_BLOCK / 4) * FILTER_BLOCK;
	if (longest != UINT32_MAX &&
	    w->min_duration_ns >> LOG_DURATION_SHIFT > longest)
		return false;
	for (size_t g = 0; g < w->n_groups; g++) {
		if (!has_group(w, from, w->ends[g], p + 4, len))
			return false;
		from = w->ends[g];
	}
	return true;
}

int span__log_filters_find(const struct span__log *l,
			   const struct span__filter *scan,
			   struct span_buf *buf, struct span_str *index,
			   struct span_error *err)
{
	struct wanted w = {0};
	const struct span__log_pick pick = {LOG_TYPE_FILTERS, may_match, &w,
					    buf};
	int rc = 0;

	buf->len = 0;
	if (scan->scan.range)
		want_scan(&w, scan);
	if (w.hashes.failed)
		rc = span_error_set(err, SPAN_E_NOMEM, "out of memory");
	else if (w.n_groups || w.min_duration_ns)
		rc = span__log_pick(&pick, l, err);
	span_buf_release(&w.hashes);
	*index = (struct span_str){buf->p, buf->len};
	return rc;
}
