/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A frame names each of its strings once, so that most hashes are taken once a
 * frame; what spans have is gathered in a set, as most of it repeats.
 */
#include "store/log_filters.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/le.h"
#include "store/seg_filter.h"
#include "stream/frame.h"

#include "base/banned.h"

#define FIRST_SLOTS 4096u
#define MAX_SLOTS 16384u /* a frame with half as many is not listed */

/* What is known of a string of the frame. */
struct name {
	uint64_t hash;
	uint64_t last;	/* the hash that was put last with this key */
	uint32_t noted; /* bits of span__log_factor, as a key and as a name */
};

struct span__log_filters {
	struct span__log_list list;
	struct span_frame *frame;
	struct span_buf names; /* of the frame at hand */
	uint64_t longest;      /* duration */
	/* the hashes of what it has; in slots by their product with a number
	 * that nobody else knows */
	uint64_t hashes[MAX_SLOTS / 2];
	size_t n;
	uint64_t *slots, multiplier;
	size_t n_slots;
	bool full;
};

static struct name *name_of(const struct span__log_filters *f, uint64_t ref)
{
	return (struct name *)(void *)f->names.p + ref;
}

/* ---- The set ---- */

static inline uint64_t *first_slot(const struct span__log_filters *f,
				   uint64_t hash)
{
	return &f->slots[(hash * f->multiplier >> 32) & (f->n_slots - 1)];
}

static uint64_t *find_slot(const struct span__log_filters *f, uint64_t hash)
{
	uint64_t *slot = first_slot(f, hash), *end = f->slots + f->n_slots;

	while (*slot && *slot != hash) {
		if (++slot == end)
			slot = f->slots;
	}
	return slot;
}

static bool set_slots(struct span__log_filters *f, size_t n)
{
	uint64_t *slots = calloc(n, sizeof(*slots));

	if (!slots)
		return false;
	free(f->slots);
	f->slots = slots;
	f->n_slots = n;
	return true;
}

static void grow(struct span__log_filters *f)
{
	if (f->n_slots == MAX_SLOTS || !set_slots(f, 2 * f->n_slots)) {
		f->full = true;
		return;
	}
	for (size_t i = 0; i < f->n; i++)
		*find_slot(f, f->hashes[i]) = f->hashes[i];
}

static void put_new(struct span__log_filters *f, uint64_t hash)
{
	uint64_t *slot = find_slot(f, hash);

	if (*slot || f->full)
		return;
	*slot = hash;
	f->hashes[f->n++] = hash;
	if (f->n == f->n_slots / 2)
		grow(f);
}

/* ---- What spans have ---- */

static void put(struct span__log_filters *f, uint64_t hash)
{
	if (*first_slot(f, hash) != hash)
		put_new(f, hash);
}

static void note(struct span__log_filters *f, struct name *name,
		 enum span__log_factor factor)
{
	if (name->noted & 1u << factor)
		return;
	name->noted |= 1u << factor;
	put(f, factor * name->hash);
}

/* A value of KEY that may be new, and that it has some of its kind. */
static void note_new(struct span__log_filters *f, struct name *key,
		     enum span__log_factor factor, uint64_t hash)
{
	note(f, key, factor);
	put_new(f, hash);
}

/* A value of KEY, which often is that of the attribute before. */
static inline void note_pair(struct span__log_filters *f, struct name *key,
			     enum span__log_factor factor, uint64_t hash)
{
	if (key->last == hash)
		return;
	key->last = hash;
	if (*first_slot(f, hash) != hash)
		note_new(f, key, factor, hash);
}

static inline void note_string(struct span__log_filters *f, struct name *key,
			       uint64_t hash)
{
	note_pair(f, key, LOG_HAS_STRING, LOG_IS_STRING * key->hash + hash);
}

static inline void note_int(struct span__log_filters *f, struct name *key,
			    uint64_t v)
{
	uint8_t bytes[8];

	span__put64(bytes, v);
	note_pair(f, key, LOG_HAS_INT,
		  LOG_IS_INT * key->hash + XXH3_64bits(bytes, sizeof(bytes)));
}

/* A value that is written in place. */
static void note_value(struct span__log_filters *f, struct name *key,
		       struct dec *d)
{
	unsigned head = dec_peek(d);
	enum span__log_factor factor = LOG_HAS_ELSE;
	struct span_str s;
	uint64_t v;
	bool neg;

	if (head < 0x80 || head >= 0xe0 || (head >= 0xcc && head <= 0xd3)) {
		if (dec_integer(d, &neg, &v))
			note_int(f, key, v);
		return;
	}
	if ((head >= 0xa0 && head < 0xc0) || (head >= 0xd9 && head <= 0xdb)) {
		s = dec_str(d, SPAN_MAX_STRING);
		note_string(f, key, XXH3_64bits(s.p, s.len));
		return;
	}
	if (head == 0xc2)
		factor = LOG_HAS_FALSE;
	else if (head == 0xc3)
		factor = LOG_HAS_TRUE;
	else if (head == 0xca || head == 0xcb)
		factor = LOG_HAS_DOUBLE;
	note(f, key, factor);
	span__dec_skip(d);
}

static struct name *take_name(struct span__log_filters *f, struct dec *d,
			      uint64_t ref)
{
	if (ref < f->frame->info.n_strings)
		return name_of(f, ref);
	dec_fail(d, SPAN_E_CORRUPT, "a reference outside the string table");
	return NULL;
}

/* The next bytes as a number below 2^16: where it ends; NULL: they are not. */
static inline const unsigned char *plain(const unsigned char *p, uint64_t *v)
{
	*v = p[0];
	if (p[0] < 0x80)
		return p + 1;
	*v = p[1];
	if (p[0] == 0xcc)
		return p + 2;
	*v = (uint64_t)p[1] << 8 | p[2];
	return p[0] == 0xcd ? p + 3 : NULL;
}

/*
 * Note attributes whose values are in the table, or small numbers, as nearly
 * all are, N at most. Returns how many are left.
 */
static size_t note_plain(struct span__log_filters *f, struct dec *d, size_t n)
{
	struct name *names = name_of(f, 0);
	size_t n_strings = f->frame->info.n_strings;
	const unsigned char *at = d->p, *end = d->end;

	for (; n && end - at >= 6; n--) {
		const unsigned char *p;
		uint64_t ref, value;
		struct name *key;

		p = plain(at, &ref);
		p = p ? plain(p, &value) : NULL;
		if (!p || ref >> 1 >= n_strings ||
		    (ref & 1 && value >= n_strings))
			break;
		key = &names[ref >> 1];
		if (ref & 1)
			note_string(f, key, names[value].hash);
		else
			note_int(f, key, value);
		at = p;
	}
	d->p = at;
	return n;
}

static void note_attrs(struct span__log_filters *f, struct dec *d)
{
	size_t n = dec_array(d) / 2;

	for (; (n = note_plain(f, d, n)) && !d->err; n--) {
		uint64_t ref = dec_uint(d);
		struct name *key = take_name(f, d, ref >> 1), *value;

		if (!key)
			return;
		if (!(ref & 1)) {
			note_value(f, key, d);
			continue;
		}
		value = take_name(f, d, dec_uint(d));
		if (value)
			note_string(f, key, value->hash);
	}
}

/* Events or references: lists with attributes in place AT of each. */
static void note_lists(struct span__log_filters *f, struct dec *d, size_t at)
{
	for (size_t n = dec_array(d); n && !d->err; n--) {
		size_t have = dec_array(d);

		for (size_t i = 0; i < have && i < at && !d->err; i++)
			span__dec_skip(d);
		if (have <= at)
			continue;
		note_attrs(f, d);
		skip_rest(d, have, at + 1);
	}
}

static bool note_span(struct span__log_filters *f)
{
	struct span__raw r;

	if (span__raw_head(f->frame, &r, NULL) < 0)
		return false;
	note(f, name_of(f, r.name), LOG_NAME_OF_SPAN);
	if (r.duration_ns > f->longest)
		f->longest = r.duration_ns;
	if (r.n_elements > 10)
		note_attrs(f, &r.d);
	if (r.n_elements > 11)
		note_lists(f, &r.d, 1);
	if (r.n_elements > 12)
		note_lists(f, &r.d, 3);
	return !r.d.err;
}

/* ---- What processes and scopes have ---- */

static void note_decoded(struct span__log_filters *f,
			 const struct span_attr *attr)
{
	static const uint8_t factors[] = {
		[SPAN_DOUBLE] = LOG_HAS_DOUBLE, [SPAN_BYTES] = LOG_HAS_ELSE,
		[SPAN_ARRAY] = LOG_HAS_ELSE,	[SPAN_MAP] = LOG_HAS_ELSE,
		[SPAN_NULL] = LOG_HAS_ELSE,
	};
	struct name key = {.hash = XXH3_64bits(attr->key.p, attr->key.len)};
	const struct span_value *v = &attr->value;

	if (v->type == SPAN_STRING)
		note_string(f, &key, XXH3_64bits(v->str.p, v->str.len));
	else if (v->type == SPAN_INT)
		note_int(f, &key, (uint64_t)v->i);
	else if (v->type == SPAN_BOOL)
		note(f, &key, v->b ? LOG_HAS_TRUE : LOG_HAS_FALSE);
	else
		note(f, &key, factors[v->type]);
}

static void note_tables(struct span__log_filters *f)
{
	const struct span_frame *frame = f->frame;

	for (size_t i = 0; i < frame->info.n_processes; i++) {
		const struct span_process *p = &frame->info.processes[i];

		put(f, LOG_SERVICE * XXH3_64bits(p->service.p, p->service.len));
		for (size_t k = 0; k < p->attrs.n; k++)
			note_decoded(f, &p->attrs.v[k]);
	}
	for (size_t i = 0; i < frame->n_scopes; i++) {
		const struct span_attrs *a = &frame->scopes[i].attrs;

		for (size_t k = 0; k < a->n; k++)
			note_decoded(f, &a->v[k]);
	}
}

/* ---- A frame ---- */

static bool begin_frame(struct span__log_filters *f)
{
	const struct span_frame_info *info = &f->frame->info;
	size_t len = info->n_strings * sizeof(struct name);

	memset(f->slots, 0, f->n_slots * sizeof(*f->slots));
	f->n = 0;
	f->longest = 0;
	f->full = false;
	f->names.len = 0;
	if (!span_buf_reserve(&f->names, len + 1)) {
		f->names.failed = false;
		return false;
	}
	for (size_t i = 0; i < info->n_strings; i++)
		*name_of(f, i) = (struct name){
			.hash = XXH3_64bits(info->strings[i].p,
					    info->strings[i].len)};
	return true;
}

/* All that the spans of the frame have. False: it cannot be told. */
static bool note_frame(struct span__log_filters *f)
{
	struct span_frame *frame = f->frame;

	if (!begin_frame(f))
		return false;
	note_tables(f);
	while (frame->spans_left && !f->full) {
		if (!note_span(f))
			return false;
	}
	return !f->full;
}

static bool put_frame(struct span__log_filters *f)
{
	size_t len = span__filter_len(f->n);
	uint64_t longest = f->longest >> LOG_DURATION_SHIFT;
	uint8_t *p = (uint8_t *)span_buf_reserve(&f->list.bytes, 4 + len);

	if (!p)
		return false;
	span__put32(p, longest > UINT32_MAX ? UINT32_MAX : (uint32_t)longest);
	memset(p + 4, 0, len);
	for (size_t i = 0; i < f->n; i++)
		span__filter_put_hash(p + 4, len, f->hashes[i]);
	f->list.bytes.len += 4 + len;
	return true;
}

void span__log_filters_add(struct span__log_filters *f, uint64_t pos,
			   const void *p, size_t len)
{
	size_t used;
	bool good;

	span__log_list_begin(&f->list, pos);
	good = span__frame_parse_sound(f->frame, p, len, &used, NULL) > 0 &&
	       note_frame(f) && put_frame(f);
	span__log_list_end(&f->list, good);
}

struct span__log_list *span__log_filters_list(struct span__log_filters *f)
{
	return &f->list;
}

struct span__log_filters *span__log_filters_open(void)
{
	struct span__log_filters *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	if (span_frame_open(&f->frame, NULL) < 0 ||
	    span__serial_init(&f->multiplier, NULL) < 0 ||
	    !set_slots(f, FIRST_SLOTS)) {
		span__log_filters_close(&f);
		return NULL;
	}
	f->multiplier |= 1;
	return f;
}

void span__log_filters_close(struct span__log_filters **fp)
{
	struct span__log_filters *f = *fp;

	if (!f)
		return;
	span__log_list_release(&f->list);
	span_frame_close(&f->frame);
	span_buf_release(&f->names);
	free(f->slots);
	free(f);
	*fp = NULL;
}
