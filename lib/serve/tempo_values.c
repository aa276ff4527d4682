/* SPDX-License-Identifier: Apache-2.0 */
/* Which values a field or attribute has, by their types. */
#include "serve/tempo_tags.h"

#include <string.h>

#include <span/text.h>

#include "serve/answers.h"
#include "serve/params.h"

#include "base/banned.h"

#define N_ELEMENTS(v) (sizeof(v) / sizeof(*(v)))

/* Groups of values, by what they are. */
enum type { STRINGS, INTS, DOUBLES, BOOLS, KEYWORDS };
static const char *const types[] = {"string", "int", "float", "bool",
				    "keyword"};

static void add_attribute(struct span__tempo_seen *t,
			  const struct span_attrs *attrs)
{
	for (size_t i = 0; i < attrs->n; i++) {
		const struct span_value *v = &attrs->v[i].value;
		enum type type = STRINGS;

		if (!span_str_equal(attrs->v[i].key, t->key) ||
		    v->type == SPAN_NULL)
			continue;
		if (v->type == SPAN_INT)
			type = INTS;
		else if (v->type == SPAN_DOUBLE)
			type = DOUBLES;
		else if (v->type == SPAN_BOOL)
			type = BOOLS;
		span__seen_add(&t->seen, type, span__seen_value(&t->text, v));
	}
}

static void add_span_values(void *arg, const struct span *s)
{
	struct span__tempo_seen *t = arg;

	if (t->wanted & 1u << SEEN_RESOURCE)
		add_attribute(t, &s->process->attrs);
	if (t->wanted & 1u << SEEN_SPAN)
		add_attribute(t, &s->attrs);
	for (size_t i = 0; i < s->n_events && t->wanted & 1u << SEEN_EVENT; i++)
		add_attribute(t, &s->events[i].attrs);
	for (size_t i = 0; i < s->n_refs && t->wanted & 1u << SEEN_LINK; i++)
		add_attribute(t, &s->refs[i].attrs);
	if (s->scope && t->wanted & 1u << SEEN_SCOPE)
		add_attribute(t, &s->scope->attrs);
}

static void add_text(void *arg, struct span_str text)
{
	struct span__tempo_seen *t = arg;

	if (text.len)
		span__seen_add(&t->seen, STRINGS, text);
}

static void add_service(void *arg, const struct span *s)
{
	add_text(arg, s->process->service);
}

static void add_name(void *arg, const struct span *s)
{
	add_text(arg, s->name);
}

static void add_root_service(void *arg, const struct span *s)
{
	if (span_is_root(s))
		add_service(arg, s);
}

static void add_root_name(void *arg, const struct span *s)
{
	if (span_is_root(s))
		add_name(arg, s);
}

static void add_message(void *arg, const struct span *s)
{
	add_text(arg, s->status_message);
}

static void add_event_names(void *arg, const struct span *s)
{
	for (size_t i = 0; i < s->n_events; i++)
		add_text(arg, span_event_name(&s->events[i]));
}

static void add_scope_name(void *arg, const struct span *s)
{
	if (s->scope)
		add_text(arg, s->scope->name);
}

static void add_scope_version(void *arg, const struct span *s)
{
	if (s->scope)
		add_text(arg, s->scope->version);
}

static const struct {
	const char *name;
	span__seen_fn *fn;
} fields[] = {
	{"service.name", add_service},
	{".service.name", add_service},
	{"resource.service.name", add_service},
	{"name", add_name},
	{"span:name", add_name},
	{"rootServiceName", add_root_service},
	{"trace:rootService", add_root_service},
	{"root.service.name", add_root_service},
	{"rootName", add_root_name},
	{"trace:rootName", add_root_name},
	{"root.name", add_root_name},
	{"statusMessage", add_message},
	{"span:statusMessage", add_message},
	{"event:name", add_event_names},
	{"instrumentation:name", add_scope_name},
	{"instrumentation:version", add_scope_version},
};

/* The few values that a field can have at all. True when NAME is one. */
static bool add_keywords(struct span__tempo_seen *t, struct span_str name)
{
	bool kinds = span_str_equal(name, SPAN_STR("kind")) ||
		     span_str_equal(name, SPAN_STR("span:kind"));
	bool statuses = span_str_equal(name, SPAN_STR("status")) ||
			span_str_equal(name, SPAN_STR("span:status"));

	for (int i = SPAN_KIND_INTERNAL; kinds && i <= SPAN_KIND_CONSUMER; i++)
		span__seen_add(&t->seen, KEYWORDS, span_str(span_kind_name(i)));
	if (kinds)
		span__seen_add(&t->seen, KEYWORDS, SPAN_STR("unspecified"));
	for (int i = SPAN_STATUS_UNSET; statuses && i <= SPAN_STATUS_ERROR; i++)
		span__seen_add(&t->seen, KEYWORDS,
			       span_str(span_status_name(i)));
	return kinds || statuses;
}

/* Where the attribute NAME is, and its key. */
static void find_attribute(struct span__tempo_seen *t, struct span_str name)
{
	t->wanted = 1u << SEEN_SPAN | 1u << SEEN_RESOURCE;
	t->key = name;
	if (name.len && name.p[0] == '.')
		t->key = (struct span_str){name.p + 1, name.len - 1};
	for (unsigned i = 0; i < SEEN_INTRINSIC; i++) {
		size_t len = strlen(span__tempo_scopes[i]);

		if (name.len <= len + 1 ||
		    memcmp(name.p, span__tempo_scopes[i], len) ||
		    name.p[len] != '.')
			continue;
		t->wanted = 1u << i;
		t->key =
			(struct span_str){name.p + len + 1, name.len - len - 1};
	}
}

static int add_stored_name(void *arg, const struct span_store_name *n,
			   struct span_error *err)
{
	struct span__tempo_seen *t = arg;

	(void)err;
	add_text(t, t->field == add_service ? n->service : n->operation);
	return 0;
}

static int add_stored_names(const struct span__serve *serve,
			    struct span__tempo_seen *t, struct span_error *err)
{
	struct span_store *st;
	int rc = span__serve_take(serve->store, &st, err);

	if (rc < 0)
		return rc;
	rc = span_store_names(st, add_stored_name, t, err);
	span__serve_give_back(serve->store, st);
	return rc;
}

static int find_values(const struct span__serve *serve,
		       struct span__tempo_seen *t, struct span_str name,
		       struct span_error *err)
{
	bool all = !t->select.sel.since_ns && !t->select.sel.until_ns &&
		   !t->select.sel.expression;

	if (add_keywords(t, name))
		return 0;
	for (size_t i = 0; i < N_ELEMENTS(fields) && !t->field; i++)
		if (span_str_equal(name, span_str(fields[i].name)))
			t->field = fields[i].fn;
	if (all && (t->field == add_service || t->field == add_name))
		return add_stored_names(serve, t, err);
	if (t->field)
		return span__tempo_tags_look(serve, t, t->field, err);
	find_attribute(t, name);
	return span__tempo_tags_look(serve, t, add_span_values, err);
}

static void put_values(struct span_buf *out, const struct span__seen *seen,
		       bool typed)
{
	span_buf_puts(out, "{\"tagValues\":[");
	for (size_t i = 0; i < seen->n; i++) {
		if (i)
			span_buf_putc(out, ',');
		if (typed)
			span_buf_printf(out, "{\"type\":\"%s\",\"value\":",
					types[seen->v[i].group]);
		span_text_json(out, seen->v[i].text);
		if (typed)
			span_buf_putc(out, '}');
	}
	span_buf_puts(out, "],\"metrics\":{}}");
}

/*
 * The name of the tag, which Grafana escapes twice: "span%253Aname". No tag
 * that is asked for has a text like that in its name.
 */
static int read_name(const struct span__serve_request *r, size_t segment,
		     struct span_buf *name, struct span_error *err)
{
	struct span_buf once = {0};
	int rc = span__serve_segment(r->path, segment, &once, err);

	if (!rc)
		rc = span__serve_unescape((struct span_str){once.p, once.len},
					  name);
	if (rc == SPAN_E_INVALID && once.len) {
		span_buf_str(name, (struct span_str){once.p, once.len});
		rc = 0;
	}
	if (once.failed || name->failed)
		rc = span_error_set(err, SPAN_E_NOMEM, "memory is out");
	span_buf_release(&once);
	return rc;
}

static int values(const struct span__serve *serve,
		  const struct span__serve_request *r, bool v2,
		  struct span__serve_answer *a, struct span_error *err)
{
	struct span__tempo_seen t = {0};
	struct span_buf name = {0};
	int rc = span__tempo_tags_read(r, &t, a);

	if (!rc)
		rc = read_name(r, v2 ? 4 : 3, &name, err);
	if (rc == SPAN_E_INVALID && !a->status)
		rc = span__tempo_refuse(a, "tag name", err);
	if (!rc) {
		rc = find_values(serve, &t, (struct span_str){name.p, name.len},
				 err);
		if (rc < 0)
			rc = span__tempo_failed(a, rc, err);
	}
	if (!rc && !a->status) {
		a->type = SPAN__SERVE_JSON;
		put_values(&a->body, &t.seen, v2);
	}
	span_buf_release(&name);
	span__tempo_tags_release(&t);
	return rc == SPAN_E_INVALID ? 0 : rc;
}

int span__tempo_values(const struct span__serve *serve,
		       const struct span__serve_request *r,
		       struct span__serve_answer *a, struct span_error *err)
{
	return values(serve, r, false, a, err);
}

int span__tempo_values_v2(const struct span__serve *serve,
			  const struct span__serve_request *r,
			  struct span__serve_answer *a, struct span_error *err)
{
	return values(serve, r, true, a, err);
}
