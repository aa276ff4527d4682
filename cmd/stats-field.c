/* SPDX-License-Identifier: Apache-2.0 */
#include "stats-field.h"

#include <string.h>

#include "base/banned.h"

static const struct {
	const char *name;
	enum stats_place place;
} quick[] = {
	{"service", STATS_SERVICE},
	{"resource.service.name", STATS_SERVICE},
	{"operation", STATS_OPERATION},
	{"name", STATS_OPERATION},
	{"span:name", STATS_OPERATION},
	{"kind", STATS_KIND},
	{"span:kind", STATS_KIND},
	{"status", STATS_STATUS},
	{"span:status", STATS_STATUS},
	{"error", STATS_ERROR},
};

/*
 * Columns by other names: those of TraceQL. Durations that are rounded for
 * people would make groups of them.
 */
static const struct {
	const char *name, *column;
} aliases[] = {
	{"duration", "duration_ns"},
	{"span:duration", "duration_ns"},
	{"statusMessage", "status_message"},
	{"span:statusMessage", "status_message"},
	{"span:id", "span_id"},
	{"span:parentID", "parent_id"},
	{"trace:id", "trace_id"},
};

static struct span_str column_of(struct span_str name)
{
	for (size_t i = 0; i < sizeof(aliases) / sizeof(*aliases); i++)
		if (span_str_equal(name, span_str(aliases[i].name)))
			return span_str(aliases[i].column);
	return name;
}

/* The attribute that NAME is by its prefix; or none. */
static bool find_attribute(struct span_str name, struct stats_field *f)
{
	static const struct {
		struct span_str prefix;
		enum stats_place place;
	} scopes[] = {
		{{"span.", 5}, STATS_SPAN},
		{{"resource.", 9}, STATS_PROCESS},
		{{".", 1}, STATS_ANY},
	};

	for (size_t i = 0; i < sizeof(scopes) / sizeof(*scopes); i++) {
		struct span_str p = scopes[i].prefix;

		if (name.len <= p.len || memcmp(name.p, p.p, p.len) != 0)
			continue;
		f->key = (struct span_str){name.p + p.len, name.len - p.len};
		f->place = scopes[i].place;
		return true;
	}
	f->key = name;
	f->place = STATS_ANY;
	return memchr(name.p, '.', name.len);
}

static bool find(struct span_str name, struct stats_field *f)
{
	*f = (struct stats_field){.name = name};
	for (size_t i = 0; i < sizeof(quick) / sizeof(*quick); i++)
		if (span_str_equal(name, span_str(quick[i].name))) {
			f->place = quick[i].place;
			return true;
		}
	if (query_field_find(column_of(name), &f->column)) {
		f->place = STATS_COLUMN;
		return !f->column.field->of_trace;
	}
	return name.len && find_attribute(name, f);
}

void stats_fields_metrics(struct stats_fields *f)
{
	static const char *const names[] = {"service", "operation", "kind",
					    "status"};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		(void)find(span_str(names[i]), &f->v[f->n++]);
	f->n_fixed = f->n;
	f->escape = true;
}

int stats_fields_add(struct stats_fields *f, struct span_str name,
		     struct span_error *err)
{
	int shown = (int)span_text_cut(name, 60);
	struct stats_field new;

	if (!find(name, &new))
		return span_error_set(err, SPAN_E_INVALID,
				      "there is no field '%.*s' of a span; an "
				      "attribute is .%.*s",
				      shown, name.p, shown, name.p);
	for (size_t i = 0; i < f->n; i++) {
		if (i < f->n_fixed && f->v[i].place == new.place)
			return 0;
		if (i >= f->n_fixed && span_str_equal(f->v[i].name, name))
			return span_error_set(err, SPAN_E_INVALID,
					      "'%.*s' is there twice", shown,
					      name.p);
	}
	if (f->n == SPAN_STATS_LABELS)
		return span_error_set(err, SPAN_E_INVALID,
				      "more than %u fields", SPAN_STATS_LABELS);
	f->v[f->n++] = new;
	return 0;
}

int stats_fields_read(struct stats_fields *f, const char *text,
		      struct span_error *err)
{
	const char *p = text;

	for (;;) {
		struct span_str name = {p, strcspn(p, ",")};
		struct span_error why = {0};
		size_t at = (size_t)(p - text);
		int rc = stats_fields_add(f, name, &why);

		if (rc < 0)
			return span_error_at(err, rc, at, "column %zu: %s",
					     at + 1, why.msg);
		p += name.len;
		if (!*p++)
			return 0;
	}
}

void stats_fields_release(struct stats_fields *f)
{
	for (size_t i = 0; i < SPAN_STATS_LABELS; i++)
		span_buf_release(&f->text[i]);
}

bool stats_fields_whole(const struct stats_fields *f)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->v[i].place >= STATS_COLUMN)
			return true;
	return false;
}

bool stats_fields_of_calls(const struct stats_fields *f)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->v[i].place == STATS_STATUS)
			return false;
	return !f->escape && !stats_fields_whole(f);
}

static struct span_str put_column(struct span_buf *b,
				  const struct stats_field *f,
				  const struct span *s)
{
	const struct query_item item = {.span = s};

	b->len = 0;
	query_column_put(b, &f->column, &item, false);
	return (struct span_str){b->p, b->len};
}

static struct span_str put_attribute(struct span_buf *b,
				     const struct stats_field *f,
				     const struct span *s)
{
	const struct span_value *v = NULL;

	if (f->place != STATS_PROCESS)
		v = span_attr_get(&s->attrs, f->key);
	if (!v && f->place != STATS_SPAN)
		v = span_attr_get(&s->process->attrs, f->key);
	if (!v)
		return (struct span_str){0};
	if (v->type == SPAN_STRING)
		return v->str;
	b->len = 0;
	span_text_value(b, v);
	return (struct span_str){b->p, b->len};
}

/* What differs only in what cannot be shown has to become equal here. */
static struct span_str escape(struct span_buf *b, struct span_str s)
{
	struct span_buf text = {0};

	span_text_terminal(&text, s);
	b->len = 0;
	span_buf_put(b, text.p, text.len);
	b->failed |= text.failed;
	span_buf_release(&text);
	return (struct span_str){b->p, b->len};
}

static bool is_plain(struct span_str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.p[i] < ' ' || s.p[i] > '~')
			return false;
	return true;
}

static void values_of(struct stats_fields *f, const struct span *s,
		      struct span_str *out)
{
	for (size_t i = 0; i < f->n; i++)
		switch (f->v[i].place) {
		case STATS_SERVICE:
			out[i] = s->process->service;
			break;
		case STATS_OPERATION:
			out[i] = s->name;
			break;
		case STATS_KIND:
			out[i] = span_str(span_kind_name(s->kind));
			break;
		case STATS_STATUS:
			out[i] = span_str(span_status_name(s->status));
			break;
		case STATS_ERROR:
			out[i] = span_str(span_is_error(s) ? "true" : "false");
			break;
		case STATS_COLUMN:
			out[i] = put_column(&f->text[i], &f->v[i], s);
			break;
		default:
			out[i] = put_attribute(&f->text[i], &f->v[i], s);
		}
}

void stats_fields_of(struct stats_fields *f, const struct span *s,
		     struct span_str *out)
{
	values_of(f, s, out);
	for (size_t i = 0; i < f->n && f->escape; i++)
		if (!is_plain(out[i]))
			out[i] = escape(&f->text[i], out[i]);
}
