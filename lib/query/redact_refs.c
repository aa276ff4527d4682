/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the spans of a frame use of its tables, read from their bytes. Whatever
 * is not quite usual ends it: then the spans are decoded and say what it is.
 */
#include "query/redact_table.h"

#include "base/banned.h"

static const struct {
	enum span__redact_place place;
	struct span_str name;
} fields[REDACT_FIELDS] = {
	[FIELD_NAME] = {REDACT_FIELD, {"name", 4}},
	[FIELD_STATUS] = {REDACT_FIELD, {"status", 6}},
	[FIELD_SERVICE] = {REDACT_FIELD, {"service", 7}},
	[FIELD_EVENT] = {REDACT_FIELD, {"event", 5}},
	[FIELD_SCOPE] = {REDACT_FIELD, {"scope", 5}},
	[FIELD_VERSION] = {REDACT_FIELD, {"version", 7}},
	[FIELD_STATE] = {REDACT_FIELD, {"state", 5}},
	[FIELD_SCHEMA] = {REDACT_FIELD, {"schema", 6}},
	[FIELD_KEY] = {REDACT_FIELD, {"key", 3}},
};

static const enum span__redact_place places[REDACT_OWNERS] = {
	[OF_SPAN] = REDACT_SPAN,   [OF_PROCESS] = REDACT_PROCESS,
	[OF_EVENT] = REDACT_EVENT, [OF_LINK] = REDACT_LINK,
	[OF_SCOPE] = REDACT_SCOPE,
};

/* The rules for KEY, or NULL: also when they take the place of others. */
static const struct span__redact_list *list_of(struct span__redact_table *t,
					       enum span__redact_place place,
					       struct span_str key)
{
	struct span_redact *r = t->r;
	const struct span__redact_list *list = span__redact_cache_list(
		r->cache, r->rules, r->n_rules, place, key);

	return r->cache->evicted == t->evicted ? list : NULL;
}

static bool find_fields(struct span__redact_table *t)
{
	bool found = true;

	for (size_t i = 0; i < REDACT_FIELDS; i++) {
		t->fields[i] = list_of(t, fields[i].place, fields[i].name);
		found = found && t->fields[i];
	}
	return found;
}

void span__redact_flush_uses(struct span__redact_table *t,
			     struct redact_text *m)
{
	for (unsigned i = 0; i < m->done->n_applied; i++)
		t->applied[m->done->applied[i]] += m->uses;
	m->uses = 0;
}

static bool is_same_text(const struct span__redact_done *a,
			 const struct span__redact_done *b)
{
	return a == b || (a && b && span_str_equal(a->text, b->text));
}

/* String REF under LIST, which is not what it was under last, if any. */
static bool judge(struct span__redact_table *t, uint64_t ref,
		  const struct span__redact_list *list)
{
	struct redact_text *m = &t->texts[ref];
	const struct span_str text = t->strings_of[ref];
	const struct span__redact_done *done;
	int rc;

	if (!span__redact_has_room(t->r))
		return false;
	if (!m->rules)
		rc = span__redact_judge(t->r, list, text, &done, &t->why);
	else
		rc = span__redact_known(t->r, list, text, &done, &t->why);
	if (rc < 0 || rc == REDACT_DROPPED ||
	    (m->rules && !is_same_text(m->done, done)))
		return false;
	if (m->uses)
		span__redact_flush_uses(t, m);
	m->rules = list->id;
	m->done = done;
	m->len = (uint32_t)(done ? done->text.len : text.len);
	return true;
}

/* String REF is used under LIST; false: not so here. */
static inline bool use(struct span__redact_table *t, uint64_t ref,
		       const struct span__redact_list *list)
{
	struct redact_text *m;

	if (ref >= t->n)
		return false;
	m = &t->texts[ref];
	if (m->rules != list->id && !judge(t, ref, list))
		return false;
	t->bytes += m->len;
	if (m->done) {
		m->uses += t->weight;
		t->changes = true;
	}
	return true;
}

/* A reference plus one, to a text of FIELD. */
static bool use_field1(struct span__redact_table *t, struct dec *d,
		       enum redact_field field)
{
	uint64_t ref1 = dec_uint(d);

	return !ref1 || use(t, ref1 - 1, t->fields[field]);
}

static bool new_key(struct span__redact_table *t, struct redact_key *k,
		    enum span__redact_place place, uint64_t ref)
{
	const struct span__redact_list *list =
		list_of(t, place, t->strings_of[ref]);
	const struct span__redact_list *own = t->fields[FIELD_KEY];

	if (!list)
		return false;
	if (t->texts[ref].rules != own->id && !judge(t, ref, own))
		return false;
	*k = (struct redact_key){list, t->texts[ref].len, t->texts[ref].done,
				 0};
	return true;
}

/* Numbers are only looked at when they are long, or by other rules. */
static inline bool is_short(struct dec *d)
{
	unsigned head = dec_peek(d);
	bool neg;
	uint64_t v;

	if (head < 0x80 || head >= 0xe0 || head == 0xc0 || head == 0xc2 ||
	    head == 0xc3) {
		d->p++;
		return true;
	}
	return (head == 0xcc || head == 0xcd || head == 0xd0 || head == 0xd1) &&
	       dec_integer(d, &neg, &v);
}

/* The number of TEXT, a string that is added for K. */
static bool add_string(struct span__redact_table *t, struct redact_key *k,
		       struct span_str text)
{
	size_t n;
	const struct span_str *added = redact_added(t, &n);

	if (k->added1 && span_str_equal(added[k->added1 - 1], text))
		return true;
	if (!span__redact_has_room(t->r) ||
	    !span_arena_str(&t->r->frame, text, &text))
		return false;
	span_buf_put(&t->added, &text, sizeof(text));
	k->added1 = (uint32_t)n + 1;
	return !t->added.failed;
}

/* The value from AT to D, behind its key, becomes TEXT. */
static bool add_edit(struct span__redact_table *t, struct redact_key *k,
		     const unsigned char *at, const struct dec *d,
		     struct span_str text)
{
	const uint16_t *noted = (const void *)t->r->noted.p;
	struct redact_edit e = {at - 1, at, d->p, 0};

	t->changes = true;
	t->bytes += text.len;
	if (!t->weight)
		return true;
	for (size_t i = 0; i < t->r->noted.len / sizeof(*noted); i++)
		t->applied[noted[i]] += t->weight;
	if (t->r->noted.failed || !add_string(t, k, text))
		return false;
	e.string = (uint32_t)t->n + k->added1 - 1;
	span_buf_put(&t->edits, &e, sizeof(e));
	return !t->edits.failed;
}

/* A value that is not in the table, of string REF as a key. */
static bool use_value(struct span__redact_table *t, struct dec *d,
		      enum span__redact_place place, struct redact_key *k,
		      uint64_t ref)
{
	const unsigned char *at = d->p;
	struct span_value v;
	struct span_str text;
	int rc;

	if (!k->list->has_other && is_short(d))
		return true;
	span_arena_reset(&t->r->span);
	t->r->noted.len = 0;
	span__frame_value(d, &t->r->span, &v);
	if (d->err)
		return false;
	rc = span__redact_value(t->r, place, k->list, t->strings_of[ref], &v,
				&text, &t->why);
	return rc >= 0 && t->r->cache->evicted == t->evicted &&
	       (rc == REDACT_SAME || add_edit(t, k, at, d, text));
}

static bool use_attrs(struct span__redact_table *t, struct dec *d,
		      enum redact_owner_of of)
{
	struct redact_key *keys = &t->keys[of * t->n];
	size_t n = dec_array(d);

	if (n & 1 || n / 2 > SPAN_MAX_ATTRS)
		return false;
	for (n /= 2; n; n--) {
		uint64_t key = dec_uint(d), ref = key >> 1;
		struct redact_key *k = &keys[ref < t->n ? ref : 0];

		if (ref >= t->n ||
		    (!k->list && !new_key(t, k, places[of], ref)))
			return false;
		if (!k->changes)
			t->bytes += k->len;
		else if (!use(t, ref, t->fields[FIELD_KEY]))
			return false;
		if (key & 1 ? !use(t, dec_uint(d), k->list)
			    : !use_value(t, d, places[of], k, ref))
			return false;
	}
	return true;
}

static bool use_process(struct span__redact_table *t, struct dec *d)
{
	size_t n = dec_array(d);

	if (n < 1 || n > 4 || !use(t, dec_uint(d), t->fields[FIELD_SERVICE]))
		return false;
	if (n > 1 && !use_attrs(t, d, OF_PROCESS))
		return false;
	if (n > 2)
		dec_u32(d);
	return n <= 3 || use_field1(t, d, FIELD_SCHEMA);
}

static bool use_scope(struct span__redact_table *t, struct dec *d)
{
	size_t n = dec_array(d);

	if (n > 5 || (n > 0 && !use_field1(t, d, FIELD_SCOPE)) ||
	    (n > 1 && !use_field1(t, d, FIELD_VERSION)) ||
	    (n > 2 && !use_attrs(t, d, OF_SCOPE)))
		return false;
	if (n > 3)
		dec_u32(d);
	return n <= 4 || use_field1(t, d, FIELD_SCHEMA);
}

/*
 * All processes and scopes: first to see which of them change; then, when it
 * is known how many spans have each, to COUNT.
 */
static bool use_owners(struct span__redact_table *t, const struct span_frame *f,
		       bool count)
{
	struct span_str bytes = span__frame_owners(f);
	struct dec d = dec_init(bytes.p, bytes.len);

	dec_array(&d);
	for (size_t i = 0; i < t->n_processes + t->n_scopes; i++) {
		struct redact_owner *owner = &t->owners[i];

		if (i == t->n_processes)
			dec_array(&d);
		if (count && !owner->spans)
			return false;
		t->weight = owner->spans;
		t->bytes = 0;
		t->changes = false;
		if (!(i < t->n_processes ? use_process : use_scope)(t, &d) ||
		    t->bytes > SPAN_MAX_BYTES)
			return false;
		owner->changes = t->changes;
	}
	return !d.err;
}

/* Number I of N owners. */
static bool use_owner(struct span__redact_table *t, struct redact_owner *owners,
		      size_t n, uint64_t i)
{
	if (i >= n)
		return false;
	owners[i].spans++;
	t->changes |= owners[i].changes;
	return true;
}

static bool use_events(struct span__redact_table *t, struct dec *d)
{
	size_t n_events = dec_array(d);

	if (n_events > SPAN_MAX_EVENTS)
		return false;
	while (n_events--) {
		size_t n = dec_array(d);

		if (n < 1 || n > 4)
			return false;
		span__frame_time(d);
		if ((n > 1 && !use_attrs(t, d, OF_EVENT)) ||
		    (n > 2 && !use_field1(t, d, FIELD_EVENT)))
			return false;
		if (n > 3)
			dec_u32(d);
	}
	return true;
}

static bool use_refs(struct span__redact_table *t, struct dec *d)
{
	size_t n_refs = dec_array(d);
	uint8_t id[16];

	if (n_refs > SPAN_MAX_REFS)
		return false;
	while (n_refs--) {
		size_t n = dec_array(d);
		int64_t type = dec_int(d);

		if (n < 3 || n > 7 || type < INT32_MIN || type > INT32_MAX)
			return false;
		if (dec_peek(d) == 0xc0)
			d->p++;
		else
			span__frame_trace_id(d, id);
		dec_uint(d);
		if ((n > 3 && !use_attrs(t, d, OF_LINK)) ||
		    (n > 4 && !use_field1(t, d, FIELD_STATE)))
			return false;
		if (n > 5)
			dec_u32(d);
		if (n > 6)
			dec_u32(d);
	}
	return true;
}

static bool use_extra(struct span__redact_table *t, struct dec *d)
{
	size_t n = dec_array(d);

	if (n > 5 || (n > 0 && !use_field1(t, d, FIELD_STATUS)) ||
	    (n > 1 && !use_field1(t, d, FIELD_STATE)))
		return false;
	for (; n > 2; n--)
		dec_u32(d);
	return true;
}

/* What follows the trace id, up to the flags. */
static bool use_head(struct span__redact_table *t, const struct span_frame *f,
		     struct dec *d)
{
	uint64_t process, scope1, name, start_ns, duration_ns, end_ns;

	dec_uint(d);
	dec_uint(d);
	process = dec_uint(d);
	scope1 = dec_uint(d);
	name = dec_uint(d);
	if (!use_owner(t, t->owners, t->n_processes, process) ||
	    (scope1 && !use_owner(t, t->owners + t->n_processes, t->n_scopes,
				  scope1 - 1)) ||
	    !use(t, name, t->fields[FIELD_NAME]))
		return false;
	start_ns = f->base_ns + span__frame_time(d);
	duration_ns = span__frame_time(d);
	if (__builtin_add_overflow(start_ns, duration_ns, &end_ns))
		end_ns = UINT64_MAX;
	dec_uint_max(d, 0xffffff, "bits out of range");
	dec_u32(d);
	return start_ns >= f->info.min_start_ns && end_ns <= f->info.max_end_ns;
}

static bool use_span(struct span__redact_table *t, const struct span_frame *f,
		     struct dec *d)
{
	size_t n = dec_array(d);
	uint8_t id[16];

	if (n < SPAN__SPAN_ELEMENTS || n > 14)
		return false;
	span__frame_trace_id(d, id);
	return use_head(t, f, d) && (n <= 10 || use_attrs(t, d, OF_SPAN)) &&
	       (n <= 11 || use_events(t, d)) && (n <= 12 || use_refs(t, d)) &&
	       (n <= 13 || use_extra(t, d)) && !d->err && !dec_left(d);
}

static bool use_spans(struct span__redact_table *t, struct span_frame *f)
{
	struct dec d;

	t->weight = 1;
	span_frame_rewind(f);
	while (f->spans_left) {
		if (!span__frame_take(f, &d))
			return false;
		t->bytes = 0;
		t->changes = false;
		if (!use_span(t, f, &d) || t->bytes > SPAN_MAX_BYTES)
			return false;
		t->n_changed += t->changes;
	}
	return !dec_left(&f->next);
}

bool span__redact_look(struct span__redact_table *t, struct span_frame *f)
{
	bool good;

	t->evicted = t->r->cache->evicted;
	t->r->into = &t->r->span;
	t->r->is_noting = true;
	good = find_fields(t) && use_owners(t, f, false) && use_spans(t, f);
	redact_edits(t, &t->n_body_edits);
	good = good && use_owners(t, f, true);
	t->r->is_noting = false;
	span_frame_rewind(f);
	return good;
}
