/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include <span/text.h>

#include "serve/answers.h"
#include "serve/jaeger.h"
#include "serve/params.h"

#include "base/banned.h"

/* A list of names that a store tells in order of service, name and kind. */
struct names {
	struct span__serve_answer *a;
	const struct span_str *service, *kind; /* NULL: any */
	bool any;			       /* there was a name, this one: */
	struct span_buf last;
	bool no_kind; /* it came without a kind */
	uint64_t n;
};

/* Is NAME the one that came before? */
static bool again(struct names *l, struct span_str name)
{
	bool same =
		l->any &&
		span_str_equal((struct span_str){l->last.p, l->last.len}, name);

	l->any = true;
	l->last.len = 0;
	span_buf_str(&l->last, name);
	return same;
}

static void begin_item(struct names *l)
{
	if (l->n++)
		span_buf_putc(&l->a->body, ',');
}

static int put_service(void *arg, const struct span_store_name *n,
		       struct span_error *err)
{
	struct names *l = arg;

	(void)err;
	if (again(l, n->service))
		return 0;
	begin_item(l);
	span_text_json(&l->a->body, n->service);
	return 0;
}

static int put_operation(void *arg, const struct span_store_name *n,
			 struct span_error *err)
{
	struct names *l = arg;

	(void)err;
	if (!span_str_equal(n->service, *l->service) || again(l, n->operation))
		return 0;
	begin_item(l);
	span_text_json(&l->a->body, n->operation);
	return 0;
}

/* Numbers that are no kind are none, and come last: once is enough. */
static bool kind_again(struct names *l, const struct span_store_name *n,
		       struct span_str kind)
{
	bool before = again(l, n->operation) && l->no_kind;

	l->no_kind = before || !kind.len;
	return before && !kind.len;
}

static int put_kind(void *arg, const struct span_store_name *n,
		    struct span_error *err)
{
	struct names *l = arg;
	struct span_str kind = span_str(span_kind_name(n->kind));

	(void)err;
	if (!span_str_equal(n->service, *l->service) ||
	    kind_again(l, n, kind) ||
	    (l->kind->len && !span_str_equal(kind, *l->kind)))
		return 0;
	begin_item(l);
	span_buf_puts(&l->a->body, "{\"name\":");
	span_text_json(&l->a->body, n->operation);
	span_buf_puts(&l->a->body, ",\"spanKind\":");
	span_text_json(&l->a->body, kind);
	span_buf_putc(&l->a->body, '}');
	return 0;
}

static int answer(const struct span__serve *s, struct names *l,
		  span_store_name_fn *fn, struct span_error *err)
{
	struct span_store *st = NULL;
	int rc = span__serve_take(s->store, &st, err);

	span__serve_data(l->a);
	span_buf_putc(&l->a->body, '[');
	if (rc == 0)
		rc = span_store_names(st, fn, l, err);
	span__serve_give_back(s->store, st);
	span_buf_putc(&l->a->body, ']');
	span__serve_data_end(l->a, l->n, NULL);
	if (rc == 0 && l->last.failed)
		rc = span_error_set(err, SPAN_E_NOMEM, "out of memory");
	span_buf_release(&l->last);
	return rc < 0 ? span__serve_failed(l->a, rc, err) : 0;
}

int span__serve_jaeger_services(const struct span__serve *s,
				const struct span__serve_request *r,
				struct span__serve_answer *a,
				struct span_error *err)
{
	struct names l = {.a = a};

	(void)r;
	return answer(s, &l, put_service, err);
}

int span__serve_jaeger_operations(const struct span__serve *s,
				  const struct span__serve_request *r,
				  struct span__serve_answer *a,
				  struct span_error *err)
{
	struct span_buf text = {0};
	struct span_str service;
	struct names l = {.a = a, .service = &service};
	int rc = span__serve_segment(r->path, 2, &text, err);

	service = (struct span_str){text.p, text.len};
	if (rc == SPAN_E_INVALID)
		rc = span__serve_error(a, 400, "%s", err->msg);
	else if (rc == 0)
		rc = answer(s, &l, put_operation, err);
	span_buf_release(&text);
	return rc;
}

int span__serve_jaeger_operations_by_kind(const struct span__serve *s,
					  const struct span__serve_request *r,
					  struct span__serve_answer *a,
					  struct span_error *err)
{
	struct span_str service = span__serve_value(r, "service");
	struct span_str kind = span__serve_value(r, "spanKind");
	struct names l = {.a = a, .service = &service, .kind = &kind};

	if (!service.len)
		return span__serve_error(a, 400,
					 "parameter 'service' is required");
	return answer(s, &l, put_kind, err);
}
