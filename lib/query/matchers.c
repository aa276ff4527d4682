/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Selectors, asked of a span: what a label would be, were the span counted.
 *
 * A value fits as it is, or as span-stats(1) shows it, with escapes for what a
 * terminal would act on. Where several attributes become one label, one that
 * fits will do, and those without a value do not count.
 */
#include "query/matchers.h"

#include <span/text.h>

#include <stdlib.h>
#include <string.h>

#include "query/match.h"
#include "text/label.h"

#include "base/banned.h"

struct span__matching {
	struct span_buf text, shown;
};

static int out_of_memory(struct span_error *err)
{
	return span_error_set(err, SPAN_E_NOMEM, "memory is out");
}

/* ---- Compile ---- */

static int compile_regexes(struct span__selector *s, struct span_error *err)
{
	for (size_t i = 0; i < s->n; i++) {
		struct span__matcher *m = &s->v[i];
		struct span_error why = {0};
		size_t pos = m->value_pos;

		if (!m->is_regex ||
		    !span__regex_open_whole(&m->regex, m->value, &why))
			continue;
		if (why.code != SPAN_E_INVALID)
			return span_error_set(err, why.code, "%s", why.msg);
		if (!m->escapes)
			pos += 1 + (size_t)why.pos;
		return span_error_at(err, SPAN_E_INVALID, pos,
				     "matchers, column %zu: %s", pos + 1,
				     why.msg);
	}
	return 0;
}

int span__matchers_compile(struct span__matchers *m, const char *const *v,
			   size_t n, struct span_arena *arena,
			   struct span_error *err)
{
	int rc = 0;

	*m = (struct span__matchers){0};
	if (!n)
		return 0;
	m->v = span_arena_array(arena, n, sizeof(*m->v));
	m->work = calloc(1, sizeof(*m->work));
	if (!m->v || !m->work)
		return out_of_memory(err);
	for (size_t i = 0; i < n && !rc; i++) {
		m->v[i] = (struct span__selector){0};
		m->n = i + 1;
		rc = span__selector_read(&m->v[i], v[i], arena, err);
		if (!rc)
			rc = compile_regexes(&m->v[i], err);
		if (!rc)
			rc = span__selector_resolve(&m->v[i], err);
	}
	return rc;
}

void span__matchers_release(struct span__matchers *m)
{
	for (size_t i = 0; i < m->n; i++)
		for (size_t k = 0; k < m->v[i].n; k++)
			span__regex_close(&m->v[i].v[k].regex);
	if (m->work) {
		span_buf_release(&m->work->text);
		span_buf_release(&m->work->shown);
	}
	free(m->work);
	*m = (struct span__matchers){0};
}

/* ---- Values ---- */

struct asked {
	const struct span__matcher *m;
	struct span__matching *work;
	bool any; /* there was a value */
	struct span_error *err;
};

static int text_fits(const struct asked *a, struct span_str s)
{
	if (a->m->regex)
		return span__regex_match(a->m->regex, s, a->err);
	return span_str_equal(a->m->value, s);
}

static bool is_plain(struct span_str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.p[i] < ' ' || s.p[i] > '~')
			return false;
	return true;
}

static int value_fits(const struct asked *a, struct span_str s)
{
	struct span_buf *shown = &a->work->shown;
	int rc = text_fits(a, s);

	if (rc || is_plain(s))
		return rc;
	shown->len = 0;
	span_text_terminal(shown, s);
	if (shown->failed)
		return out_of_memory(a->err);
	return text_fits(a, (struct span_str){shown->p, shown->len});
}

/* One of the texts that metrics have for the same thing. */
static int one_fits(const struct asked *a, const char *const *texts)
{
	int rc = 0;

	for (; *texts && !rc; texts++)
		rc = text_fits(a, span_str(*texts));
	return rc;
}

#define TEXTS 6

static int kind_fits(const struct asked *a, int kind)
{
	static const char *const texts[][TEXTS] = {
		{"SPAN_KIND_UNSPECIFIED", "unspecified", "UNSPECIFIED",
		 "Unspecified", "", NULL},
		{"SPAN_KIND_INTERNAL", "internal", "INTERNAL", "Internal",
		 NULL},
		{"SPAN_KIND_SERVER", "server", "SERVER", "Server", NULL},
		{"SPAN_KIND_CLIENT", "client", "CLIENT", "Client", NULL},
		{"SPAN_KIND_PRODUCER", "producer", "PRODUCER", "Producer",
		 NULL},
		{"SPAN_KIND_CONSUMER", "consumer", "CONSUMER", "Consumer",
		 NULL},
	};
	bool known = kind > 0 && kind <= SPAN_KIND_CONSUMER;

	return one_fits(a, texts[known ? kind : 0]);
}

static int status_fits(const struct asked *a, int status)
{
	static const char *const texts[][TEXTS] = {
		{"STATUS_CODE_UNSET", "unset", "UNSET", "Unset", NULL},
		{"STATUS_CODE_OK", "ok", "OK", "Ok", NULL},
		{"STATUS_CODE_ERROR", "error", "ERROR", "Error", NULL},
	};
	bool known = status > 0 && status <= SPAN_STATUS_ERROR;

	return one_fits(a, texts[known ? status : 0]);
}

/* ---- Attributes ---- */

static bool key_fits(const struct span__matcher *m, struct span_str key)
{
	return span__label_is(m->key, key) || span__label_is(m->name, key) ||
	       span_str_equal(m->key, key) || span_str_equal(m->name, key);
}

static bool is_bool(struct span_str s)
{
	return span_str_equal(s, SPAN_STR("true")) ||
	       span_str_equal(s, SPAN_STR("false"));
}

static int attr_value_fits(struct asked *a, const struct span_value *v)
{
	struct span_buf *text = &a->work->text;
	struct span_str s;

	if (v->type == SPAN_STRING) {
		s = v->str;
	} else {
		text->len = 0;
		span_text_value(text, v);
		if (text->failed)
			return out_of_memory(a->err);
		s = (struct span_str){text->p, text->len};
	}
	/* That is told by the span as a whole. */
	if (a->m->label == SPAN__LABEL_ERROR && is_bool(s))
		return 0;
	a->any |= s.len > 0;
	return s.len ? value_fits(a, s) : 0;
}

/* Of several attributes with the same key the first counts. */
static int attrs_fit(struct asked *a, const struct span_attrs *attrs,
		     const struct span_attrs *hidden_by)
{
	int rc = 0;

	for (size_t i = 0; i < attrs->n && !rc; i++) {
		const struct span_attr *attr = &attrs->v[i];

		if (!key_fits(a->m, attr->key) ||
		    span_attr_get(attrs, attr->key) != &attr->value ||
		    (hidden_by && span_attr_get(hidden_by, attr->key)))
			continue;
		rc = attr_value_fits(a, &attr->value);
	}
	return rc;
}

static int attribute_fits(struct asked *a, const struct span *s)
{
	int rc = attrs_fit(a, &s->attrs, NULL);

	if (!rc)
		rc = attrs_fit(a, &s->process->attrs, &s->attrs);
	if (rc || a->any || a->m->label == SPAN__LABEL_ERROR)
		return rc;
	return text_fits(a, SPAN_STR(""));
}

/* ---- A span ---- */

static int id_fits(const struct asked *a, const struct span *s)
{
	char text[SPAN_TRACE_ID_TEXT];

	if (a->m->label == SPAN__LABEL_TRACE_ID)
		span_trace_id_text(s->trace_id, text);
	else
		span_id_text(s->span_id, text);
	return text_fits(a, span_str(text));
}

static int error_fits(struct asked *a, const struct span *s)
{
	int rc = text_fits(a, span_is_error(s) ? SPAN_STR("true")
					       : SPAN_STR("false"));

	return rc ? rc : attribute_fits(a, s);
}

static int label_fits(struct asked *a, const struct span *s)
{
	switch (a->m->label) {
	case SPAN__LABEL_SERVICE:
		return value_fits(a, s->process->service);
	case SPAN__LABEL_OPERATION:
		return value_fits(a, s->name);
	case SPAN__LABEL_KIND:
		return kind_fits(a, s->kind);
	case SPAN__LABEL_STATUS:
		return status_fits(a, s->status);
	case SPAN__LABEL_ERROR:
		return error_fits(a, s);
	case SPAN__LABEL_MESSAGE:
		return value_fits(a, s->status_message);
	case SPAN__LABEL_TRACE_ID:
	case SPAN__LABEL_SPAN_ID:
		return id_fits(a, s);
	case SPAN__LABEL_LE:
		return s->duration_ns <= a->m->most_ns;
	default:
		return attribute_fits(a, s);
	}
}

/* 1 when all of its matchers hold, 0, or a negative code. */
static int selector_holds(const struct span__selector *sel,
			  struct span__matching *work, const struct span *s,
			  struct span_error *err)
{
	for (size_t i = 0; i < sel->n; i++) {
		struct asked a = {&sel->v[i], work, false, err};
		int rc;

		if (a.m->label == SPAN__LABEL_NONE)
			continue;
		rc = label_fits(&a, s);
		if (rc < 0)
			return rc;
		if ((rc > 0) == a.m->negate)
			return 0;
	}
	return 1;
}

int span__matchers_match(const struct span__matchers *m, const struct span *s,
			 struct span_error *err)
{
	int rc = !m->n;

	for (size_t i = 0; i < m->n && !rc; i++)
		rc = selector_holds(&m->v[i], m->work, s, err);
	return rc;
}
