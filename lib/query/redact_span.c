/* SPDX-License-Identifier: Apache-2.0 */
/* All of a span under the rules. */
#include "model/model.h"
#include "query/redact_walk.h"

#include <string.h>

#include "base/banned.h"

#define KEPT_MAX (16u << 20) /* bytes of processes that are remembered */
#define FRAME_MAX (1u << 20) /* bytes that are not given back */

void span__redact_forget(struct span_redact *r)
{
	memset(r->processes, 0, sizeof(r->processes));
	span_arena_release(&r->kept);
	/* There will be other texts at the same places. */
	span__redact_next_generation(r);
}

static void begin_frame(struct span_redact *r)
{
	if (span_arena_size(&r->frame) > FRAME_MAX)
		span_arena_release(&r->frame);
	span_arena_reset(&r->frame);
	span__redact_next_generation(r);
}

void span_redact_frame(struct span_redact *r)
{
	r->has_frame = true;
	begin_frame(r);
}

/*
 * What goes on after an error does nothing; CHANGED is set when something is
 * not as it was.
 */
struct pass {
	struct span_redact *r;
	struct span_error *err;
	int rc; /* 0 or the first negative code */
	bool changed;
};

static void redact_field(struct pass *p, struct span_str key,
			 struct span_str *text)
{
	struct span__redact_key *k;
	struct span_str out = {0};
	int rc = p->rc;

	if (rc < 0 || !text->len)
		return;
	k = span__redact_key(p->r, REDACT_FIELD, key);
	if (k && span__redact_is_same(p->r, k->list, *text))
		return;
	if (k)
		rc = span__redact_string(p->r, k, key, *text, &out, p->err);
	else
		rc = span_error_set(p->err, SPAN_E_NOMEM, "memory is out");
	if (rc < 0)
		p->rc = rc;
	if (rc <= REDACT_SAME)
		return;
	*text = rc == REDACT_CHANGED ? out : (struct span_str){0};
	p->changed = true;
}

static void redact_list(struct pass *p, enum span__redact_place place,
			struct span_attrs *attrs)
{
	int rc = p->rc;

	if (rc >= 0)
		rc = span__redact_attrs(p->r, place, attrs, attrs, p->err);
	if (rc < 0)
		p->rc = rc;
	p->changed |= rc > 0;
}

static void redact_process(struct pass *p, struct span_process *process)
{
	redact_field(p, SPAN_STR("service"), &process->service);
	redact_field(p, SPAN_STR("schema"), &process->schema_url);
	redact_list(p, REDACT_PROCESS, &process->attrs);
}

/* Which rules applied since NOTED was empty. */
static void keep_noted(struct pass *p, struct span__redact_process *out,
		       struct span_arena *arena)
{
	const struct span_buf *noted = &p->r->noted;
	uint16_t *kept = span_arena_alloc(arena, noted->len);

	if (noted->failed || !kept) {
		p->rc = span_error_set(p->err, SPAN_E_NOMEM, "memory is out");
		return;
	}
	if (noted->len)
		memcpy(kept, noted->p, noted->len);
	out->applied = kept;
	out->n_applied = noted->len / sizeof(*kept);
}

/*
 * What IN becomes. In a frame its texts last as long as what is remembered,
 * else they are copied.
 */
static struct span__redact_process new_process(struct pass *p,
					       const struct span_process *in,
					       struct span_arena *arena)
{
	struct span_redact *r = p->r;
	struct span__redact_process out = {
		.serial = in->serial,
		.generation = r->has_frame ? r->generation : 0};
	struct span_process *now = span_arena_alloc(arena, sizeof(*now));
	struct pass mine = {r, p->err, 0, false};

	if (now)
		*now = *in;
	if (!now || (arena == &r->kept && !span__copy_process(now, &r->kept))) {
		p->rc = span_error_set(p->err, SPAN_E_NOMEM, "memory is out");
		return out;
	}
	r->noted.len = 0;
	r->is_noting = true;
	r->into = arena;
	redact_process(&mine, now);
	r->into = &r->span;
	r->is_noting = false;
	p->rc = mine.rc;
	now->serial = r->serial++;
	if (mine.changed && !p->rc) {
		out.out = now;
		keep_noted(p, &out, arena);
	}
	return out;
}

/* Where what becomes of a process is to be remembered. */
static struct span_arena *arena_of(struct span_redact *r)
{
	if (r->has_frame)
		return span__redact_has_room(r) ? &r->frame : &r->span;
	if (span_arena_size(&r->kept) > KEPT_MAX)
		span__redact_forget(r);
	return &r->kept;
}

/*
 * Most spans have a process that was seen before. One without a serial is
 * done each time.
 */
static void use_process(struct pass *p, struct span *s)
{
	struct span_redact *r = p->r;
	uint64_t serial = s->process->serial;
	struct span__redact_process *known =
		&r->processes[serial % REDACT_PROCESSES];
	struct span__redact_process fresh;

	if (!serial || known->serial != serial ||
	    (known->generation && known->generation != r->generation)) {
		struct span_arena *arena = serial ? arena_of(r) : &r->span;

		fresh = new_process(p, s->process, arena);
		if (p->rc < 0)
			return;
		if (arena != &r->span)
			*known = fresh;
		else
			known = &fresh;
	}
	if (!known->out)
		return;
	for (size_t i = 0; i < known->n_applied; i++)
		span__redact_count(r, known->applied[i], 1);
	s->process = known->out;
	p->changed = true;
}

static void use_scope(struct pass *p, struct span *s)
{
	struct pass mine = {p->r, p->err, p->rc, false};
	struct span_scope *now, scope;

	if (!s->scope)
		return;
	scope = *s->scope;
	redact_field(&mine, SPAN_STR("scope"), &scope.name);
	redact_field(&mine, SPAN_STR("version"), &scope.version);
	redact_field(&mine, SPAN_STR("schema"), &scope.schema_url);
	redact_list(&mine, REDACT_SCOPE, &scope.attrs);
	p->rc = mine.rc;
	if (p->rc < 0 || !mine.changed)
		return;
	now = span_arena_alloc(&p->r->span, sizeof(*now));
	if (!now) {
		p->rc = span_error_set(p->err, SPAN_E_NOMEM, "memory is out");
		return;
	}
	*now = scope;
	s->scope = now;
	p->changed = true;
}

/* N elements of SIZE at FROM, to be changed; NULL and an error without. */
static void *copy_of(struct pass *p, const void *from, size_t n, size_t size)
{
	void *copy = span_arena_array(&p->r->span, n, size);

	if (!copy)
		p->rc = span_error_set(p->err, SPAN_E_NOMEM, "memory is out");
	else
		memcpy(copy, from, n * size);
	return copy;
}

static void use_events(struct pass *p, struct span *s)
{
	struct span_event *events;

	if (!s->n_events || p->rc < 0)
		return;
	events = copy_of(p, s->events, s->n_events, sizeof(*events));
	for (size_t i = 0; i < s->n_events && p->rc >= 0; i++) {
		if (p->r->anonymize)
			events[i].time_ns =
				span__redact_move_time(p->r, events[i].time_ns);
		redact_field(p, SPAN_STR("event"), &events[i].name);
		redact_list(p, REDACT_EVENT, &events[i].attrs);
	}
	s->events = events;
}

static void use_refs(struct pass *p, struct span *s)
{
	struct span_ref *refs;

	if (!s->n_refs || p->rc < 0)
		return;
	refs = copy_of(p, s->refs, s->n_refs, sizeof(*refs));
	for (size_t i = 0; i < s->n_refs && p->rc >= 0; i++) {
		if (p->r->anonymize)
			span__redact_move_ref(p->r, &refs[i]);
		redact_field(p, SPAN_STR("state"), &refs[i].trace_state);
		redact_list(p, REDACT_LINK, &refs[i].attrs);
	}
	s->refs = refs;
}

int span_redact_span(struct span_redact *r, const struct span *in,
		     struct span *out, struct span_error *err)
{
	struct pass p = {r, err, 0, false};

	if (!r->has_frame)
		begin_frame(r);
	span_arena_reset(&r->span);
	r->into = &r->span;
	r->at = in;
	*out = *in;
	if (r->anonymize) {
		span__redact_move_span(r, out);
		p.changed = true;
	}
	use_process(&p, out);
	use_scope(&p, out);
	redact_field(&p, SPAN_STR("name"), &out->name);
	redact_field(&p, SPAN_STR("status"), &out->status_message);
	redact_field(&p, SPAN_STR("state"), &out->trace_state);
	redact_list(&p, REDACT_SPAN, &out->attrs);
	use_events(&p, out);
	use_refs(&p, out);
	return p.rc < 0 ? p.rc : p.changed;
}
