/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/select.h"

#include <string.h>
#include <strings.h>

#include "base/banned.h"

static void add(struct span__select *s, enum span__select_list list,
		const char *text)
{
	span_buf_put(&s->lists[list], &text, sizeof(text));
	s->failed |= !text || s->lists[list].failed;
}

/* A terminated copy of what B has, which is released. */
static const char *take_text(struct span__select *s, struct span_buf *b)
{
	struct span_str copy = {0};

	s->zero |= b->len && memchr(b->p, 0, b->len);
	span_buf_putc(b, 0);
	if (b->failed ||
	    !span_arena_str(&s->arena, (struct span_str){b->p, b->len}, &copy))
		s->failed = true;
	span_buf_release(b);
	return copy.p;
}

void span__select_add(struct span__select *s, enum span__select_list list,
		      struct span_str text)
{
	struct span_buf b = {0};

	span_buf_str(&b, text);
	add(s, list, take_text(s, &b));
}

/* A pattern that fits TEXT alone. */
static void put_pattern(struct span_buf *b, struct span_str text)
{
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.p[i];
		bool plain = c >= 0x80 || (c >= '0' && c <= '9') ||
			     (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			     c == '_' || c <= ' ';

		if (!plain)
			span_buf_putc(b, '\\');
		span_buf_putc(b, (char)c);
	}
}

static bool is_plain(struct span_str name)
{
	for (size_t i = 0; i < name.len; i++)
		if (name.p[i] == '*' || name.p[i] == '?' || name.p[i] == '[')
			return false;
	return !name.len || name.p[0] != '~';
}

void span__select_name(struct span__select *s, enum span__select_list list,
		       struct span_str name)
{
	struct span_buf b = {0};

	if (is_plain(name)) {
		span__select_add(s, list, name);
		return;
	}
	span_buf_puts(&b, "~\\A");
	put_pattern(&b, name);
	span_buf_puts(&b, "\\z");
	add(s, list, take_text(s, &b));
}

void span__select_name_like(struct span__select *s, enum span__select_list list,
			    struct span_str text)
{
	struct span_buf b = {0};

	span_buf_puts(&b, "~(?i)");
	put_pattern(&b, text);
	add(s, list, take_text(s, &b));
}

/* In the quotes of a list of tags; see "Tags" in span-query(1). */
static void put_quoted(struct span_buf *b, struct span_str text)
{
	span_buf_putc(b, '"');
	for (size_t i = 0; i < text.len; i++) {
		if (text.p[i] == '"' || text.p[i] == '\\')
			span_buf_putc(b, '\\');
		span_buf_putc(b, text.p[i]);
	}
	span_buf_putc(b, '"');
}

void span__select_tag(struct span__select *s, struct span_str key,
		      struct span_str value)
{
	struct span_buf b = {0};

	put_quoted(&b, key);
	span_buf_putc(&b, '=');
	put_quoted(&b, value);
	add(s, SELECT_TAGS, take_text(s, &b));
}

/* resource."KEY" = "VALUE", besides what has to hold already. */
static void select_resource(struct span__select *s, struct span_str key,
			    struct span_str value)
{
	struct span_buf b = {0};

	if (s->sel.expression) {
		span_buf_puts(&b, s->sel.expression);
		span_buf_puts(&b, " && ");
	}
	span_buf_puts(&b, "resource.");
	put_quoted(&b, key);
	span_buf_puts(&b, " = ");
	put_quoted(&b, value);
	s->sel.expression = take_text(s, &b);
}

/* The one of NAMES, up to NULL, that TEXT is in upper or lower case. */
static const char *any_case(const char *const *names, struct span_str text)
{
	for (; *names; names++)
		if (strlen(*names) == text.len &&
		    !strncasecmp(*names, text.p, text.len))
			return *names;
	return NULL;
}

void span__select_jaeger_tag(struct span__select *s, struct span_str key,
			     struct span_str value)
{
	static const char *const kinds[] = {"internal", "server",   "client",
					    "producer", "consumer", NULL};
	static const char *const statuses[] = {"unset", "ok", "error", NULL};
	const struct span_str resource = SPAN_STR("resource.");
	const char *name;

	if (key.len > resource.len && !memcmp(key.p, resource.p, resource.len))
		select_resource(s,
				(struct span_str){key.p + resource.len,
						  key.len - resource.len},
				value);
	else if (span_str_equal(key, SPAN_STR("span.status")) &&
		 (name = any_case(statuses, value)))
		span__select_add(s, SELECT_STATUSES, span_str(name));
	else if (span_str_equal(key, SPAN_STR("span.kind")) &&
		 (name = any_case(kinds, value)))
		span__select_tag(s, key, span_str(name));
	else
		span__select_tag(s, key, value);
}

void span__select_tag_like(struct span__select *s, struct span_str key,
			   struct span_str value)
{
	struct span_buf b = {0}, pattern = {0};

	span_buf_puts(&pattern, "(?i)");
	put_pattern(&pattern, value);
	put_quoted(&b, key);
	span_buf_putc(&b, '~');
	put_quoted(&b, (struct span_str){pattern.p, pattern.len});
	s->failed |= pattern.failed;
	span_buf_release(&pattern);
	add(s, SELECT_TAGS, take_text(s, &b));
}

void span__select_expression(struct span__select *s, struct span_str text)
{
	struct span_buf b = {0};

	span_buf_str(&b, text);
	s->sel.expression = take_text(s, &b);
}

void span__select_trace(struct span__select *s, const uint8_t id[16])
{
	struct span_buf hex = {0};

	span_text_hex(&hex, (struct span_str){(const char *)id, 16});
	span__select_add(s, SELECT_TRACE_IDS,
			 (struct span_str){hex.p, hex.len});
	s->failed |= hex.failed;
	span_buf_release(&hex);
}

static void set_lists(struct span__select *s)
{
	const struct {
		const char *const **v;
		size_t *n;
	} to[SELECT_LISTS] = {
		{&s->sel.services, &s->sel.n_services},
		{&s->sel.operations, &s->sel.n_operations},
		{&s->sel.tags, &s->sel.n_tags},
		{&s->sel.not_tags, &s->sel.n_not_tags},
		{&s->sel.has_tags, &s->sel.n_has_tags},
		{&s->sel.kinds, &s->sel.n_kinds},
		{&s->sel.statuses, &s->sel.n_statuses},
		{&s->sel.trace_ids, &s->sel.n_trace_ids},
		{&s->sel.matchers, &s->sel.n_matchers},
	};

	for (int i = 0; i < SELECT_LISTS; i++) {
		*to[i].v = (const char *const *)(void *)s->lists[i].p;
		*to[i].n = s->lists[i].len / sizeof(const char *);
	}
}

int span__select_compile(struct span__select *s, struct span_query **out,
			 struct span_error *err)
{
	*out = NULL;
	if (s->failed)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	if (s->zero)
		return span_error_set(err, SPAN_E_INVALID,
				      "a text with a zero byte");
	set_lists(s);
	return span_query_compile(out, &s->sel, err);
}

void span__select_release(struct span__select *s)
{
	for (int i = 0; i < SELECT_LISTS; i++)
		span_buf_release(&s->lists[i]);
	span_arena_release(&s->arena);
	*s = (struct span__select){0};
}

int span__found_open(struct span__found *f, struct span__serve_pool *pool,
		     struct span__select *s, const struct span_search_opts *o,
		     struct span_error *err)
{
	int rc = span__select_compile(s, &f->query, err);

	if (!rc)
		rc = span__serve_take(pool, &f->store, err);
	if (rc < 0)
		return rc;
	f->pool = pool;
	return span_search_store(&f->search, f->store, f->query, o, err);
}

void span__found_close(struct span__found *f)
{
	span_search_close(&f->search);
	span_query_close(&f->query);
	if (f->pool)
		span__serve_give_back(f->pool, f->store);
	*f = (struct span__found){0};
}

/* 1 when POOL has spans of it, 0, or a negative code. */
static int has_trace(struct span__serve_pool *pool, const uint8_t id[16],
		     struct span_error *err)
{
	struct span_store *st = NULL;
	struct span_cursor *c = NULL;
	struct span s;
	uint8_t ids[1][16];
	int rc = span__serve_take(pool, &st, err);

	memcpy(ids[0], id, 16);
	if (!rc)
		rc = span_store_find(st, (const uint8_t(*)[16])ids, 1, &c, err);
	if (!rc)
		rc = span_cursor_next(c, &s, err);
	span_cursor_close(&c);
	span__serve_give_back(pool, st);
	return rc;
}

int span__found_where(const struct span__serve *serve, const uint8_t id[16],
		      struct span__serve_pool **pool, struct span_error *err)
{
	int rc = 1;

	*pool = serve->store;
	if (serve->archive)
		rc = has_trace(serve->store, id, err);
	if (rc)
		return rc < 0 ? rc : 0;
	rc = has_trace(serve->archive, id, err);
	if (rc > 0)
		*pool = serve->archive;
	/* An archive that is not there has no traces. */
	return rc < 0 && rc != SPAN_E_NOTFOUND ? rc : 0;
}

unsigned span__found_fault(int rc)
{
	switch (rc) {
	case SPAN_E_INVALID:
	case SPAN_E_AMBIGUOUS:
	case SPAN_E_LIMIT:
		return 400;
	case SPAN_E_FORMAT:
		return 501;
	case SPAN_E_NOTFOUND:
		return 503;
	default:
		return 500;
	}
}
