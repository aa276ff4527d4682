/* SPDX-License-Identifier: Apache-2.0 */
#include "stream/frame.h"

#include "base/banned.h"

/* An array in A for the N elements that were announced. */
void *span__frame_array(struct dec *d, struct span_arena *a, size_t n,
			size_t size)
{
	void *p;

	if (d->err || !n)
		return NULL;
	p = span_arena_array(a, n, size);
	if (!p)
		dec_fail(d, SPAN_E_NOMEM, "no memory for a frame");
	return p;
}

struct span_str span__frame_string(const struct span_frame *f, struct dec *d,
				   uint64_t ref)
{
	if (ref < f->info.n_strings)
		return f->info.strings[ref];
	dec_fail(d, SPAN_E_CORRUPT, "a reference outside the string table");
	return (struct span_str){0};
}

/* A reference plus one, 0 for the empty string. */
struct span_str span__frame_string1(const struct span_frame *f, struct dec *d)
{
	uint64_t ref1 = dec_uint(d);

	return ref1 ? span__frame_string(f, d, ref1 - 1) : (struct span_str){0};
}

static void dec_value(struct dec *d, struct span_arena *a, struct span_value *v,
		      unsigned depth);

static void dec_value_array(struct dec *d, struct span_arena *a,
			    struct span_value *v, unsigned depth)
{
	size_t n = dec_array(d);
	struct span_value *items = span__frame_array(d, a, n, sizeof(*items));

	v->type = SPAN_ARRAY;
	v->array.v = items;
	v->array.n = items ? n : 0;
	for (size_t i = 0; i < v->array.n; i++)
		dec_value(d, a, &items[i], depth + 1);
}

static void dec_value_map(struct dec *d, struct span_arena *a,
			  struct span_value *v, unsigned depth)
{
	size_t n = dec_map(d);
	struct span_attr *items = span__frame_array(d, a, n, sizeof(*items));

	v->type = SPAN_MAP;
	v->map.v = items;
	v->map.n = items ? n : 0;
	for (size_t i = 0; i < v->map.n; i++) {
		items[i].key = dec_str(d, SPAN_MAX_STRING);
		dec_value(d, a, &items[i].value, depth + 1);
	}
}

/* A value in place; recursion ends at SPAN_MAX_DEPTH. */
static void dec_value(struct dec *d, struct span_arena *a, struct span_value *v,
		      unsigned depth)
{
	unsigned head = dec_peek(d);

	*v = (struct span_value){0};
	if (depth > SPAN_MAX_DEPTH) {
		dec_fail(d, SPAN_E_LIMIT, "a value nested above its limit");
	} else if (head < 0x80 || head >= 0xe0 ||
		   (head >= 0xcc && head <= 0xd3)) {
		v->type = SPAN_INT;
		v->i = dec_int(d);
	} else if (head < 0x90 || head == 0xde || head == 0xdf) {
		dec_value_map(d, a, v, depth);
	} else if (head < 0xa0 || head == 0xdc || head == 0xdd) {
		dec_value_array(d, a, v, depth);
	} else if (head < 0xc0 || (head >= 0xd9 && head <= 0xdb)) {
		v->type = SPAN_STRING;
		v->str = dec_str(d, SPAN_MAX_STRING);
	} else if (head == 0xc0) {
		d->p++;
	} else if (head == 0xc2 || head == 0xc3) {
		v->type = SPAN_BOOL;
		v->b = dec_bool(d);
	} else if (head >= 0xc4 && head <= 0xc6) {
		v->type = SPAN_BYTES;
		v->str = dec_bin(d, SPAN_MAX_STRING);
	} else {
		v->type = SPAN_DOUBLE;
		v->d = dec_double(d);
	}
}

void span__frame_value(struct dec *d, struct span_arena *a,
		       struct span_value *out)
{
	dec_value(d, a, out, 0);
}

/* An integer of at most 3 bytes, as nearly all references are; else NULL. */
static inline const unsigned char *quick_uint(const unsigned char *p,
					      uint64_t *v)
{
	if (*p < 0x80) {
		*v = *p;
		return p + 1;
	}
	if (*p == 0xcc) {
		*v = p[1];
		return p + 2;
	}
	*v = (uint64_t)p[1] << 8 | p[2];
	return *p == 0xcd ? p + 3 : NULL;
}

/*
 * An attribute whose key and value are such integers: where it ends, or NULL
 * when it is something else. There are QUICK bytes at P.
 */
#define QUICK 6
static inline const unsigned char *quick_attr(const struct span_frame *f,
					      const unsigned char *p,
					      struct span_attr *out)
{
	uint64_t key, ref;

	p = quick_uint(p, &key);
	if (!p || key >> 1 >= f->info.n_strings)
		return NULL;
	out->key = f->info.strings[key >> 1];
	if (!(key & 1)) {
		out->value.type = SPAN_INT;
		p = quick_uint(p, &ref);
		out->value.i = (int64_t)ref;
		return p;
	}
	p = quick_uint(p, &ref);
	if (!p || ref >= f->info.n_strings)
		return NULL;
	out->value.type = SPAN_STRING;
	out->value.str = f->info.strings[ref];
	return p;
}

static void dec_attr(const struct span_frame *f, struct dec *d,
		     struct span_arena *a, struct span_attr *out)
{
	uint64_t key = dec_uint(d);

	out->key = span__frame_string(f, d, key >> 1);
	if (key & 1) {
		out->value.type = SPAN_STRING;
		out->value.str = span__frame_string(f, d, dec_uint(d));
	} else {
		dec_value(d, a, &out->value, 0);
	}
}

/* Does the value say yes? KEY tells what it is. */
static bool dec_yes(const struct span_frame *f, struct dec *d, uint64_t key)
{
	unsigned head = dec_peek(d);

	if (key & 1)
		return span_str_equal(span__frame_string(f, d, dec_uint(d)),
				      SPAN_STR("true"));
	if ((head & 0xe0) == 0xa0 || (head >= 0xd9 && head <= 0xdb))
		return span_str_equal(dec_str(d, SPAN_MAX_STRING),
				      SPAN_STR("true"));
	span__dec_skip(d);
	return head == 0xc3;
}

/*
 * Bytes of a value whose head is not below 0x80, 0: ask span__dec_skip(). The
 * last byte of an integer is the lowest.
 */
static const unsigned char lengths[128] = {
	[0xa0 - 0x80] = 1, [0xc0 - 0x80] = 1, [0xc2 - 0x80] = 1,
	[0xc3 - 0x80] = 1, [0xca - 0x80] = 5, [0xcb - 0x80] = 9,
	[0xcc - 0x80] = 2, [0xcd - 0x80] = 3, [0xce - 0x80] = 5,
	[0xcf - 0x80] = 9, [0xd0 - 0x80] = 2, [0xd1 - 0x80] = 3,
	[0xd2 - 0x80] = 5, [0xd3 - 0x80] = 9,
};

static inline size_t length_of(unsigned char head)
{
	return head < 0x80 ? 1 : lengths[head - 0x80];
}

/*
 * Pass over those of *N attributes whose keys cannot be "error", while it is
 * easy.
 */
static void skip_others(const struct span_frame *f, struct dec *d, size_t *n)
{
	unsigned char low = (unsigned char)(f->error << 1);
	const unsigned char *p = d->p, *end = d->end;

	for (; *n && p < end; --*n) {
		size_t left = (size_t)(end - p), value;
		size_t key = length_of(*p);

		if (!key || key >= left)
			break;
		value = length_of(p[key]);
		if (!value || value > left - key || (p[key - 1] & 0xfe) == low)
			break;
		p += key + value;
	}
	d->p = p;
}

bool span__frame_skip_attrs(const struct span_frame *f, struct dec *d)
{
	size_t n = dec_array(d) / 2;
	bool found = false, yes = false;
	uint64_t key;

	for (; !d->err; n--) {
		skip_others(f, d, &n);
		if (!n)
			break;
		key = dec_uint(d);
		if (found || !f->n_errors || key >> 1 != f->error) {
			span__dec_skip(d);
			continue;
		}
		found = true;
		yes = dec_yes(f, d, key);
	}
	return yes;
}

/* Do bytes of what is left look like the last ones of the number KEY? */
static bool may_have(const struct dec *d, uint64_t key)
{
	const unsigned char *p = d->p;

	while (p < d->end && (p = memchr(p, (unsigned char)key,
					 dec_left(d) - (size_t)(p - d->p)))) {
		if (key < 256 || p[-1] == (unsigned char)(key >> 8))
			return true;
		p++;
	}
	return false;
}

bool span__frame_may_fail(const struct span_frame *f, const struct dec *d)
{
	return f->n_errors &&
	       (may_have(d, f->error << 1) || may_have(d, f->error << 1 | 1));
}

void span__frame_attrs(const struct span_frame *f, struct dec *d,
		       struct span_arena *a, struct span_attrs *out)
{
	size_t n = dec_array(d);
	struct span_attr *v;

	if (n & 1)
		dec_fail(d, SPAN_E_CORRUPT, "a key without a value");
	n /= 2;
	if (n > SPAN_MAX_ATTRS)
		dec_fail(d, SPAN_E_LIMIT, "too many attributes");
	v = span__frame_array(d, a, n, sizeof(*v));
	out->v = v;
	out->n = v ? n : 0;
	for (size_t i = 0; i < out->n; i++) {
		const unsigned char *end = NULL;

		if (dec_left(d) >= QUICK)
			end = quick_attr(f, d->p, &v[i]);
		if (end)
			d->p = end;
		else
			dec_attr(f, d, a, &v[i]);
	}
}

/*
 * Pass over attributes whose keys are not marked, N at most, while it is easy.
 * Returns how many are left.
 */
static size_t pass_unmarked(const struct span_frame *f, struct dec *d, size_t n,
			    const uint8_t *marks)
{
	const unsigned char *p = d->p, *end = d->end;

	for (; n && end - p > 3; n--) {
		uint64_t key;
		const unsigned char *value = quick_uint(p, &key);
		size_t len = value ? length_of(*value) : 0;

		if (!len || len > (size_t)(end - value) ||
		    key >> 1 >= f->info.n_strings || marks[key >> 1])
			break;
		p = value + len;
	}
	d->p = p;
	return n;
}

void span__frame_attrs_of(const struct span_frame *f, struct dec *d,
			  const uint8_t *marks, struct span_arena *a,
			  struct span_attrs *out)
{
	size_t n = dec_array(d) / 2;
	struct span_attr *v = NULL;

	*out = (struct span_attrs){0};
	for (; (n = pass_unmarked(f, d, n, marks)) && !d->err; n--) {
		const unsigned char *at = d->p;
		uint64_t ref = dec_uint(d) >> 1;

		if (ref < f->info.n_strings && !marks[ref]) {
			span__dec_skip(d);
			continue;
		}
		if (!v)
			v = span__frame_array(d, a, n, sizeof(*v));
		if (!v)
			break;
		d->p = at;
		dec_attr(f, d, a, &v[out->n++]);
	}
	out->v = v;
}
