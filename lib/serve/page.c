/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The page for people: one document for all of its addresses, a style and a
 * script, which ask the other handlers. What is below which path a proxy or
 * --base-path has put the server it does not need to know: what the document
 * refers to is relative to its own address.
 */
#include <string.h>

#include <span/text.h>

#include "serve/families.h"
#include "serve/page_files.inc"
#include "serve/params.h"

#include "base/banned.h"

/* Scripts and styles of this server, requests to it, and nothing else. */
static const struct span__serve_header policy = {
	"Content-Security-Policy",
	"default-src 'none'; script-src 'self'; style-src 'self'; "
	"img-src data:; connect-src 'self'; form-action 'self'; "
	"base-uri 'none'; frame-ancestors 'none'"};
static const struct span__serve_header referrer = {"Referrer-Policy",
						   "same-origin"};

static int whole(struct span__serve_answer *a)
{
	return a->body.failed ? SPAN_E_NOMEM : 0;
}

/* The way from PATH to the root of the server: "../" for "/trace/1". */
static void put_root(struct span_buf *b, struct span_str path)
{
	for (size_t i = 1; i < path.len; i++)
		if (path.p[i] == '/')
			span_buf_puts(b, "../");
}

static bool begins(const char *p, size_t len, const char *with)
{
	size_t n = strlen(with);

	return len >= n && !memcmp(p, with, n);
}

static int answer_page(const struct span__serve *s,
		       const struct span__serve_request *r,
		       struct span__serve_answer *a, struct span_error *err)
{
	const char *p = page_html, *end = p + sizeof(page_html);

	(void)err;
	a->type = "text/html; charset=utf-8";
	a->headers[a->n_headers++] = policy;
	a->headers[a->n_headers++] = referrer;
	while (p < end) {
		const char *at = memchr(p, '@', (size_t)(end - p));
		size_t left;

		if (!at)
			at = end;
		span_buf_put(&a->body, p, (size_t)(at - p));
		left = (size_t)(end - at);
		p = at;
		if (begins(at, left, "@ROOT@")) {
			put_root(&a->body, r->path);
			p += strlen("@ROOT@");
		} else if (begins(at, left, "@STORE@")) {
			span_text_html(&a->body, span_str(s->dir));
			p += strlen("@STORE@");
		} else if (left) {
			span_buf_putc(&a->body, *p++);
		}
	}
	return whole(a);
}

/*
 * A file of the page. Its address has a hash of it as the only parameter, so
 * that it may be kept; for another hash it may not.
 */
static int answer_file(const struct span__serve_request *r,
		       struct span__serve_answer *a, const char *type,
		       const char *file, size_t len, const char *tag)
{
	a->type = type;
	a->immutable = r->n_params == 1 &&
		       span_str_equal(r->params[0].name, span_str(tag));
	span_buf_put(&a->body, file, len);
	return whole(a);
}

static int answer_css(const struct span__serve *s,
		      const struct span__serve_request *r,
		      struct span__serve_answer *a, struct span_error *err)
{
	(void)s;
	(void)err;
	return answer_file(r, a, "text/css; charset=utf-8", page_css,
			   sizeof(page_css), PAGE_TAG_css);
}

static int answer_js(const struct span__serve *s,
		     const struct span__serve_request *r,
		     struct span__serve_answer *a, struct span_error *err)
{
	(void)s;
	(void)err;
	return answer_file(r, a, "text/javascript; charset=utf-8", page_js,
			   sizeof(page_js), PAGE_TAG_js);
}

/* The addresses are those of Jaeger's user interface; page_main.js has them. */
const struct span__serve_route span__serve_page_routes[] = {
	{"GET", "/", answer_page, .quick = true},
	{"GET", "/search", answer_page, .quick = true},
	{"GET", "/trace/*", answer_page, .quick = true},
	{"GET", "/dependencies", answer_page, .quick = true},
	{"GET", "/monitor", answer_page, .quick = true},
	{"GET", "/upload", answer_page, .quick = true},
	{"GET", "/static/page.css", answer_css, .quick = true},
	{"GET", "/static/page.js", answer_js, .quick = true},
};
const size_t span__serve_page_n_routes =
	sizeof(span__serve_page_routes) / sizeof(span__serve_page_routes[0]);
