/* SPDX-License-Identifier: Apache-2.0 */
#include "store/frame_judge.h"

#include <string.h>

#include "base/bytes.h"
#include "store/attr_test.h"
#include "stream/frame.h"

#include "base/banned.h"

/* The bit of each tag that is asked for. */
static uint64_t all_tags(const struct span__filter *filter)
{
	return filter->n_tags == 64 ? UINT64_MAX : (1ull << filter->n_tags) - 1;
}

static void *room(struct span_buf *b, size_t len)
{
	b->len = 0;
	return span_buf_reserve(b, len);
}

static int out_of_memory(struct span_error *err)
{
	return span_error_set(err, SPAN_E_NOMEM, "out of memory");
}

/*
 * The bytes that numbers and other small values take, by their first byte;
 * 0: it has to be looked at.
 */
#define SIXTEEN 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1
static const uint8_t sizes[256] = {
	SIXTEEN,    SIXTEEN,	SIXTEEN,    SIXTEEN,	SIXTEEN,    SIXTEEN,
	SIXTEEN,    SIXTEEN,	[0xc0] = 1, [0xc2] = 1, [0xc3] = 1, [0xca] = 5,
	[0xcb] = 9, [0xcc] = 2, [0xcd] = 3, [0xce] = 5, [0xcf] = 9, [0xd0] = 2,
	[0xd1] = 3, [0xd2] = 5, [0xd3] = 9, [0xe0] = 1, [0xe1] = 1, [0xe2] = 1,
	[0xe3] = 1, [0xe4] = 1, [0xe5] = 1, [0xe6] = 1, [0xe7] = 1, [0xe8] = 1,
	[0xe9] = 1, [0xea] = 1, [0xeb] = 1, [0xec] = 1, [0xed] = 1, [0xee] = 1,
	[0xef] = 1, [0xf0] = 1, [0xf1] = 1, [0xf2] = 1, [0xf3] = 1, [0xf4] = 1,
	[0xf5] = 1, [0xf6] = 1, [0xf7] = 1, [0xf8] = 1, [0xf9] = 1, [0xfa] = 1,
	[0xfb] = 1, [0xfc] = 1, [0xfd] = 1, [0xfe] = 1, [0xff] = 1,
};

/* Pass over a value; a small one that is whole here. */
static inline void skip_value(struct dec *d)
{
	size_t size = sizes[dec_peek(d)];

	if (size && dec_left(d) >= size)
		d->p += size;
	else
		span__dec_skip(d);
}

static int judge_name(struct span__judge *j, uint64_t name,
		      struct span_error *err)
{
	const struct span_range *r = j->filter->scan.range;
	uint8_t *mark = (uint8_t *)j->marks.p + name;
	int rc;

	if (!r->n_operations && !r->operation_fn)
		return 1;
	if (!(*mark & (JUDGE_YES | JUDGE_NO))) {
		rc = span__range_operation(r, j->f->info.strings[name], err);
		j->ended |= rc < 0;
		if (rc < 0)
			return rc;
		*mark |= rc ? JUDGE_YES : JUDGE_NO;
	}
	return *mark & JUDGE_YES;
}

/*
 * Pass over attributes with short keys and small values, as nearly all are, up
 * to one whose key is asked for, N at most. Returns how many are left.
 */
static size_t pass_attrs(const struct span__judge *j, struct dec *d, size_t n,
			 uint8_t mark)
{
	const uint8_t *marks = (const uint8_t *)j->marks.p;
	const unsigned char *p = d->p, *end = d->end;
	size_t n_strings = j->f->info.n_strings;

	for (; n && end - p >= 12; n--) {
		size_t key = p[0], at = 1;

		if (key == 0xcc) {
			key = p[1];
			at = 2;
		} else if (key == 0xcd) {
			key = (size_t)p[1] << 8 | p[2];
			at = 3;
		} else if (key >= 0x80) {
			break;
		}
		if (key >> 1 >= n_strings || (marks[key >> 1] & mark))
			break;
		if (p[at] >= 0x80 && p[at] < 0xe0) {
			if (!sizes[p[at]])
				break;
			p += sizes[p[at]] - 1;
		}
		p += at + 1;
	}
	d->p = p;
	return n;
}

/* As span_is_error() of the attributes at D, which are not moved on. */
static bool has_true_error(const struct span__judge *j, struct dec d)
{
	const uint8_t *marks = (const uint8_t *)j->marks.p;

	size_t n = dec_array(&d) / 2;

	for (; (n = pass_attrs(j, &d, n, JUDGE_ERROR)) && !d.err; n--) {
		uint64_t key = dec_uint(&d), ref = key >> 1;

		if (ref >= j->f->info.n_strings)
			return false;
		if (!(marks[ref] & JUDGE_ERROR)) {
			skip_value(&d);
			continue;
		}
		if (key & 1)
			return span_str_equal(
				span__frame_string(j->f, &d, dec_uint(&d)),
				SPAN_STR("true"));
		if (dec_peek(&d) == 0xc3)
			return true;
		return dec_peek(&d) == 0xa4 && dec_left(&d) >= 5 &&
		       !memcmp(d.p, "\xa4true", 5);
	}
	return false;
}

/* The number of the span that was read last. */
static size_t last_span(const struct span__judge *j)
{
	return j->f->info.n_spans - j->f->spans_left - 1;
}

static bool may_have(const uint64_t *bits, size_t i)
{
	return !bits || (bits[i / 64] >> i % 64 & 1);
}

bool span__judge_error(const struct span__judge *j, const struct span__raw *r)
{
	if (r->status == SPAN_STATUS_ERROR)
		return true;
	if (!may_have(j->has_error, last_span(j)))
		return false;
	return j->has_error_key && r->n_elements > 10 &&
	       has_true_error(j, r->d);
}

/* Does V, of an attribute of OF, meet tag K? 1, 0 or a negative code. */
static int meets(struct span__judge *j, int k, const struct span_value *v,
		 unsigned of)
{
	const struct span_attr_test *test = j->filter->tests[k];
	int rc;

	if (!test)
		return span__tag_eq_value(&j->filter->tags[k], v, &j->text);
	if (!(test->of & of) || (test->every && v->type == SPAN_NULL))
		return 0;
	rc = span__attr_test_value(test, v, j->err);
	j->ended |= rc < 0;
	if (!rc && test->every)
		j->failed |= UINT64_C(1) << k;
	return rc;
}

/*
 * Strike those tags from *MISSING that the value at D of the key REF has, which
 * is an attribute of OF.
 */
static int judge_value(struct span__judge *j, struct dec *d, uint64_t key,
		       unsigned of, uint64_t *missing)
{
	struct span_str name = j->f->info.strings[key >> 1];
	struct span_value v = {.type = SPAN_STRING};

	if (key & 1)
		v.str = span__frame_string(j->f, d, dec_uint(d));
	else
		span__frame_value(d, &j->arena, &v);
	for (uint64_t left = d->err ? 0 : *missing | j->filter->everys; left;
	     left &= left - 1) {
		int k = __builtin_ctzll(left), rc;

		if (!span__str_equal(j->filter->tags[k].key, name))
			continue;
		rc = meets(j, k, &v, of);
		if (rc < 0)
			return rc;
		if (rc)
			*missing &= ~(1ull << k);
	}
	return 0;
}

static int walk_attrs(struct span__judge *j, struct dec *d, unsigned of,
		      uint64_t *missing)
{
	const uint8_t *marks = (const uint8_t *)j->marks.p;
	size_t n = dec_array(d) / 2;
	int rc = 0;

	for (; (*missing | j->filter->everys) && !d->err && !rc; n--) {
		uint64_t key;

		n = pass_attrs(j, d, n, JUDGE_KEY);
		if (!n)
			break;
		key = dec_uint(d);
		if (key >> 1 >= j->f->info.n_strings)
			dec_fail(d, SPAN_E_CORRUPT,
				 "a reference outside the string table");
		else if (marks[key >> 1] & JUDGE_KEY)
			rc = judge_value(j, d, key, of, missing);
		else
			skip_value(d);
	}
	return rc;
}

/* Events or references: lists with attributes in place AT of each. */
static int walk_lists(struct span__judge *j, struct dec *d, size_t at,
		      unsigned of, uint64_t *missing)
{
	int rc = 0;

	for (size_t n = dec_array(d);
	     n && !d->err && (*missing | j->filter->everys) && !rc; n--) {
		size_t have = dec_array(d), i = 0;

		for (; i < have && i < at && !d->err; i++)
			skip_value(d);
		if (have <= at)
			continue;
		rc = walk_attrs(j, d, of, missing);
		if ((*missing | j->filter->everys) && !rc)
			skip_rest(d, have, at + 1);
	}
	return rc;
}

/* Is tag K a field of the span itself? */
static bool has_head(const struct span__judge *j, const struct span__raw *r,
		     int k)
{
	const struct span__tag_eq *eq = &j->filter->tags[k];
	unsigned bit;

	switch (eq->derived) {
	case SPAN__DERIVED_ERROR:
		return span__judge_error(j, r) ? eq->is_true : eq->is_false;
	case SPAN__DERIVED_KIND:
		bit = r->kind;
		break;
	case SPAN__DERIVED_STATUS:
	case SPAN__DERIVED_STATUS_CODE:
		bit = r->status;
		break;
	default:
		return false;
	}
	return j->filter->heads[k] >> bit & 1;
}

/* The tags among WANTED that are. */
static uint64_t head_tags(const struct span__judge *j,
			  const struct span__raw *r, uint64_t wanted)
{
	uint64_t tags = 0;

	for (; wanted; wanted &= wanted - 1) {
		int k = __builtin_ctzll(wanted);

		tags |= (uint64_t)has_head(j, r, k) << k;
	}
	return tags;
}

/* Are there tags besides, or among MISSING, that only the whole span tells? */
static bool needs_whole(const struct span__judge *j, uint64_t missing)
{
	if (j->filter->more)
		return true;
	for (; missing; missing &= missing - 1) {
		switch (j->filter->tags[__builtin_ctzll(missing)].derived) {
		case SPAN__DERIVED_EVENT:
		case SPAN__DERIVED_STATUS_MESSAGE:
		case SPAN__DERIVED_TRACE_STATE:
			return true;
		default:
			break;
		}
	}
	return false;
}

/* Decode the span that begins at AT to ask it for all tags. */
static int judge_whole(struct span__judge *j, const unsigned char *at,
		       struct span_error *err)
{
	const struct span_range *r = j->filter->scan.range;
	struct span_frame *f = j->f;
	struct dec next = f->next;
	uint32_t left = f->spans_left;
	struct span s;
	int rc;

	f->next.p = at;
	f->spans_left++;
	rc = span_frame_next(f, &s, err);
	f->next = next;
	f->spans_left = left;
	for (size_t i = 0; i < r->n_tags && rc > 0; i++) {
		struct span__tag_eq eq;

		span__tag_eq_init(&eq, r->tags[i].key, r->tags[i].value);
		rc = span__tag_eq_span(&eq, &s, &j->text);
		if (rc == SPAN_E_NOMEM)
			return out_of_memory(err);
	}
	for (size_t i = 0; i < r->n_tests && rc > 0; i++) {
		rc = span__attr_test_span(&r->tests[i], &s, err);
		j->ended |= rc < 0;
	}
	return rc;
}

static int judge_tags(struct span__judge *j, struct span__raw *r,
		      const unsigned char *at, struct span_error *err)
{
	const struct span__verdict *processes =
		(const struct span__verdict *)(const void *)j->processes.p;
	const struct span__verdict *scopes =
		(const struct span__verdict *)(const void *)j->scopes.p;
	uint64_t missing = all_tags(j->filter) & ~processes[r->process].tags &
			   ~scopes[r->scope].tags;
	int rc = 0;

	missing &= ~head_tags(j, r, missing);
	if (needs_whole(j, missing) ||
	    (processes[r->process].tags & j->filter->elses))
		return judge_whole(j, at, err);
	if (!missing && !j->filter->everys)
		return 1;
	if (!j->has_keys ||
	    (missing & j->searched && !may_have(j->has_tag, last_span(j))))
		return 0;
	span_arena_reset(&j->arena);
	j->failed = 0;
	if (r->n_elements > 10)
		rc = walk_attrs(j, &r->d, SPAN_ATTRS_SPAN, &missing);
	if (!rc && r->n_elements > 11 && (missing | j->filter->everys))
		rc = walk_lists(j, &r->d, 1, SPAN_ATTRS_EVENTS, &missing);
	if (!rc && r->n_elements > 12 && (missing | j->filter->everys))
		rc = walk_lists(j, &r->d, 3, SPAN_ATTRS_REFS, &missing);
	if (j->ended)
		return rc;
	if (rc < 0 || r->d.err == SPAN_E_NOMEM)
		return out_of_memory(err);
	if (r->d.err)
		return span__frame_fail(j->f, &r->d, err);
	return !missing && !j->failed;
}

/* 1, 0, or a negative code. */
static int judge_span(struct span__judge *j, struct span_error *err)
{
	const struct span__filter *filter = j->filter;
	const struct span_range *range = filter->scan.range;
	const struct span__verdict *processes =
		(const struct span__verdict *)(const void *)j->processes.p;
	const unsigned char *at = j->f->next.p;
	struct span__raw r;
	int rc = span__judge_head(j, &r, err);

	if (rc <= 0 || !range)
		return rc;
	if (!processes[r.process].in ||
	    !span__range_times(range, r.start_ns, r.duration_ns))
		return 0;
	rc = judge_name(j, r.name, err);
	if (rc <= 0)
		return rc;
	if (range->error && !span__judge_error(j, &r))
		return 0;
	return filter->n_tags ? judge_tags(j, &r, at, err) : 1;
}

/* Judge all spans; bits are cleared. */
static int judge_all(struct span__judge *j, uint64_t *bits, uint32_t *n,
		     struct span_error *err)
{
	bool skips = j->searched && j->skips;

	for (size_t i = 0; j->f->spans_left; i++) {
		int rc = skips && !may_have(j->has_tag, i)
				 ? span__frame_skip(j->f, err)
				 : judge_span(j, err);

		if (rc < 0)
			return rc;
		bits[i / 64] |= (uint64_t)(rc > 0) << i % 64;
		*n += rc > 0;
	}
	return span__frame_end(j->f, err);
}

int span__judge_frame(struct span__judge *j, struct span_frame *f, uint32_t *n,
		      struct span_error *err)
{
	size_t words = (f->info.n_spans + 63) / 64;
	uint64_t *bits = room(&j->bits, words * sizeof(*bits));
	int rc;

	*n = 0;
	j->f = f;
	if (!bits)
		return out_of_memory(err);
	memset(bits, j->filter->all ? 0xff : 0, words * sizeof(*bits));
	if (j->filter->all) {
		*n = f->info.n_spans;
		return 0;
	}
	rc = span__judge_tables(j, err);
	if (rc > 0 && (j->filter->n_tags || j->filter->errors) &&
	    !span__judge_search(j, j->filter->errors))
		rc = out_of_memory(err);
	if (rc > 0 && !span__judge_rules_out(j))
		rc = judge_all(j, bits, n, err);
	f->failed = 0;
	span_frame_rewind(f);
	return rc < 0 ? rc : 0;
}

int span__judge_begin(struct span__judge *j, struct span_frame *f,
		      struct span_error *err)
{
	int rc;

	j->f = f;
	rc = span__judge_tables(j, err);
	if (rc > 0 && !span__judge_search(j, true))
		rc = out_of_memory(err);
	return rc < 0 ? rc : 0;
}

int span__judge_next(struct span__judge *j, struct span__raw *r,
		     struct span_error *err)
{
	if (!j->f->spans_left)
		return span__frame_end(j->f, err);
	return span__judge_head(j, r, err);
}

void span__judge_release(struct span__judge *j)
{
	span_buf_release(&j->marks);
	span_buf_release(&j->processes);
	span_buf_release(&j->scopes);
	span_buf_release(&j->text);
	span_buf_release(&j->bits);
	span_buf_release(&j->maybe);
	span_arena_release(&j->arena);
}
