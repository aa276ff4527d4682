/* SPDX-License-Identifier: Apache-2.0 */
/* All of a span under the rules. */
#include "model/model.h"
#include "query/redact_walk.h"

#include <string.h>

#include "base/banned.h"

#define KEPT_MAX (16u << 20) /* bytes of processes that are remembered */

void span__redact_forget(struct span_redact *r)
{
	memset(r->processes, 0, sizeof(r->processes));
	span_arena_reset(&r->kept);
	/* There will be other texts at the same places. */
	r->frame += r->frame != 0;
}

void span_redact_frame(struct span_redact *r)
{
	r->frame++;
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

static void redact_field(struct pass *p, const char *key, struct span_str *text)
{
	struct span_str out = {0};
	int rc = p->rc;

	if (rc >= 0)
		rc = span__redact_string(p->r, REDACT_FIELD, span_str(key),
					 *text, &out, p->err);
	if (rc < 0)
		p->rc = rc;
	if (rc <= REDACT_SAME)
		return;
	*text = out;
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
	redact_field(p, "service", &process->service);
	redact_field(p, "schema", &process->schema_url);
	redact_list(p, REDACT_PROCESS, &process->attrs);
}

/* The place in which a process with this serial is remembered. */
static struct span__redact_process *place_of(struct span_redact *r,
					     uint64_t serial)
{
	return &r->processes[serial % REDACT_PROCESSES];
}

/* What P becomes, in memory that lasts as long as it is remembered. */
static const struct span_process *keep_process(struct pass *p,
					       const struct span_process *in)
{
	struct span_redact *r = p->r;
	struct span_process *now = span_arena_alloc(&r->kept, sizeof(*now));
	struct pass mine = {r, p->err, 0, false};

	if (now)
		*now = *in;
	if (!now || !span__copy_process(now, &r->kept)) {
		p->rc = span_error_set(p->err, SPAN_E_NOMEM, "memory is out");
		return in;
	}
	r->into = &r->kept;
	redact_process(&mine, now);
	r->into = &r->span;
	p->rc = mine.rc;
	now->serial = r->serial++;
	return mine.changed && !mine.rc ? now : NULL;
}

/*
 * Most spans have a process that was seen before. One without a serial is
 * done each time.
 */
static void use_process(struct pass *p, struct span *s)
{
	struct span_redact *r = p->r;
	struct span__redact_process *known = place_of(r, s->process->serial);
	const struct span_process *now;

	if (!s->process->serial || known->serial != s->process->serial) {
		if (span_arena_size(&r->kept) > KEPT_MAX)
			span__redact_forget(r);
		now = keep_process(p, s->process);
		if (p->rc < 0)
			return;
		*known = (struct span__redact_process){s->process->serial, now};
	}
	if (!known->out)
		return;
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
	redact_field(&mine, "scope", &scope.name);
	redact_field(&mine, "version", &scope.version);
	redact_field(&mine, "schema", &scope.schema_url);
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
		redact_field(p, "event", &events[i].name);
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
		redact_field(p, "state", &refs[i].trace_state);
		redact_list(p, REDACT_LINK, &refs[i].attrs);
	}
	s->refs = refs;
}

int span_redact_span(struct span_redact *r, const struct span *in,
		     struct span *out, struct span_error *err)
{
	struct pass p = {r, err, 0, false};

	span_arena_reset(&r->span);
	r->into = &r->span;
	r->at = in;
	*out = *in;
	use_process(&p, out);
	use_scope(&p, out);
	redact_field(&p, "name", &out->name);
	redact_field(&p, "status", &out->status_message);
	redact_field(&p, "state", &out->trace_state);
	redact_list(&p, REDACT_SPAN, &out->attrs);
	use_events(&p, out);
	use_refs(&p, out);
	return p.rc < 0 ? p.rc : p.changed;
}
