/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A path is walked from the directory, a part at a time and without following
 * a link, so that nothing outside of it can be meant, whatever a part is
 * called.
 */
#include "serve/ui.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <span/text.h>

#include "serve/answers.h"
#include "serve/families.h"
#include "serve/params.h"

#include "base/banned.h"

#define FILE_MAX (64 << 20)
#define DEPTH_MAX 16u
#define BASE "<base href=\"/\""
#define BASE_LEN (sizeof(BASE) - 1)

struct span__serve_ui {
	int dir;
	struct span_buf index; /* index.html with all that goes into it */
	size_t base_at;	       /* where it says where it is; 0: nowhere */
};

/* ---- Files ---- */

static const char *type_of(struct span_str path)
{
	static const struct {
		const char *end, *type;
	} types[] = {
		{".html", "text/html; charset=utf-8"},
		{".js", "text/javascript; charset=utf-8"},
		{".mjs", "text/javascript; charset=utf-8"},
		{".css", "text/css; charset=utf-8"},
		{".json", "application/json"},
		{".map", "application/json"},
		{".txt", "text/plain; charset=utf-8"},
		{".svg", "image/svg+xml"},
		{".png", "image/png"},
		{".jpg", "image/jpeg"},
		{".gif", "image/gif"},
		{".webp", "image/webp"},
		{".ico", "image/x-icon"},
		{".woff", "font/woff"},
		{".woff2", "font/woff2"},
		{".ttf", "font/ttf"},
		{".wasm", "application/wasm"},
	};

	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
		size_t len = strlen(types[i].end);

		if (path.len > len &&
		    !memcmp(path.p + path.len - len, types[i].end, len))
			return types[i].type;
	}
	return "application/octet-stream";
}

/* Append all of FD, a file; its size may change meanwhile. */
static int read_all(int fd, struct span_buf *out, struct span_error *err)
{
	struct stat st;
	ssize_t n = 1;

	if (fstat(fd, &st) < 0)
		return span_error_set(err, SPAN_E_IO, "cannot read a file");
	if (!S_ISREG(st.st_mode) || st.st_size > FILE_MAX)
		return span_error_set(err, SPAN_E_NOTFOUND, "no such file");
	while (n > 0 && out->len <= FILE_MAX) {
		char *room = span_buf_reserve(out, 65536);

		if (!room)
			return span_error_set(err, SPAN_E_NOMEM,
					      "out of memory");
		n = read(fd, room, 65536);
		if (n > 0)
			out->len += (size_t)n;
	}
	return n < 0 ? span_error_set(err, SPAN_E_IO, "cannot read a file") : 0;
}

/* A part of a path that a file of a build may have. */
static bool is_plain(const char *name, size_t len)
{
	return len && *name != '.' && !memchr(name, '/', len) &&
	       strlen(name) == len;
}

/* Open the part N of PATH below DIR: -1 when there is none. */
static int open_part(int dir, struct span_str path, size_t n, bool is_last)
{
	int flags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK |
		    (is_last ? 0 : O_DIRECTORY);
	struct span_buf name = {0};
	int fd = -1;

	if (span__serve_segment(path, n, &name, NULL) == 0) {
		size_t len = name.len;

		span_buf_putc(&name, '\0');
		if (!name.failed && is_plain(name.p, len))
			fd = openat(dir, name.p, flags);
	}
	span_buf_release(&name);
	return fd;
}

static size_t count_parts(struct span_str path)
{
	size_t n = 0;

	for (size_t i = 0; i < path.len; i++)
		n += path.p[i] == '/';
	return n;
}

static int open_path(const struct span__serve_ui *ui, struct span_str path)
{
	size_t n = count_parts(path);
	int at = ui->dir;

	if (!n || n > DEPTH_MAX)
		return -1;
	for (size_t i = 0; i < n && at >= 0; i++) {
		int next = open_part(at, path, i, i + 1 == n);

		if (at != ui->dir)
			close(at);
		at = next;
	}
	return at;
}

static bool begins(struct span_str path, const char *with)
{
	size_t len = strlen(with);

	return path.len >= len && !memcmp(path.p, with, len);
}

/* From PATH up to where the UI is, which proxies may call differently. */
static void put_base(struct span_buf *b, struct span_str path)
{
	span_buf_puts(b, "./");
	for (size_t n = count_parts(path); n > 1; n--)
		span_buf_puts(b, "../");
}

static int answer_index(const struct span__serve_ui *ui, struct span_str path,
			struct span__serve_answer *a)
{
	struct span_buf *b = &a->body;

	a->type = "text/html; charset=utf-8";
	a->revalidate = true;
	span_buf_put(b, ui->index.p, ui->base_at);
	if (ui->base_at)
		put_base(b, path);
	/* There it was in the root. */
	span_buf_put(b, ui->index.p + ui->base_at + !!ui->base_at,
		     ui->index.len - ui->base_at - !!ui->base_at);
	return 0;
}

static int answer_ui(const struct span__serve *s,
		     const struct span__serve_request *r,
		     struct span__serve_answer *a, struct span_error *err)
{
	int fd, rc;

	if (begins(r->path, "/api/"))
		return span__serve_plain(a, 404, "404 page not found");
	if (span_str_equal(r->path, SPAN_STR("/index.html")))
		return answer_index(s->ui, r->path, a);
	fd = open_path(s->ui, r->path);
	rc = fd < 0 ? SPAN_E_NOTFOUND : read_all(fd, &a->body, err);
	if (fd >= 0)
		close(fd);
	if (rc == 0) {
		a->type = type_of(r->path);
		a->revalidate = true;
		return 0;
	}
	if (rc != SPAN_E_NOTFOUND)
		return span__serve_failed(a, rc, err);
	if (begins(r->path, "/static/"))
		return span__serve_plain(a, 404, "404 page not found");
	return answer_index(s->ui, r->path, a);
}

const struct span__serve_route span__serve_ui_routes[] = {
	{"GET", "/**", answer_ui, .quick = true},
};
const size_t span__serve_ui_n_routes = 1;

/* ---- index.html ---- */

/* JSON in a script: a < can only be in a string there. */
static void put_json(struct span_buf *b, struct span_str json)
{
	for (size_t i = 0; i < json.len; i++)
		if (json.p[i] == '<')
			span_buf_puts(b, "\\u003c");
		else
			span_buf_putc(b, json.p[i]);
}

/* Put TEXT where FIND is, each time. How often that was. */
static size_t replace(struct span_buf *b, const char *find,
		      const struct span_buf *text)
{
	struct span_buf out = {0};
	struct span_str rest = {b->p, b->len};
	size_t n = 0, len = strlen(find);
	const char *at;

	while (rest.len && (at = memmem(rest.p, rest.len, find, len))) {
		size_t before = (size_t)(at - rest.p);

		span_buf_put(&out, rest.p, before);
		span_buf_put(&out, text->p, text->len);
		rest.p += before + len;
		rest.len -= before + len;
		n++;
	}
	span_buf_str(&out, rest);
	span_buf_release(b);
	*b = out;
	return n;
}

static size_t replace_by(struct span_buf *b, const char *find,
			 const char *before, struct span_str json)
{
	struct span_buf text = {0};
	size_t n;

	span_buf_puts(&text, before);
	put_json(&text, json);
	span_buf_putc(&text, ';');
	n = replace(b, find, &text);
	b->failed |= text.failed;
	span_buf_release(&text);
	return n;
}

static size_t put_config(struct span_buf *b,
			 const struct span__serve_ui_opts *o)
{
	struct span_buf script = {0};
	size_t n = 0;

	if (!o->config.len)
		return 0;
	if (!o->is_script)
		return replace_by(b, "JAEGER_CONFIG = DEFAULT_CONFIG;",
				  "JAEGER_CONFIG = ", o->config);
	span_buf_str(&script, o->config);
	n = replace(b, "// JAEGER_CONFIG_JS", &script);
	span_buf_release(&script);
	return n;
}

/* Nothing can be put into the archive: its button would only fail. */
static size_t put_capabilities(struct span_buf *b)
{
	const struct span_str json =
		SPAN_STR("{\"archiveStorage\":false,\"metricsStorage\":true,"
			 "\"searchWithoutServiceName\":true,"
			 "\"aiAssistant\":false}");
	size_t n;

	n = replace_by(b,
		       "JAEGER_STORAGE_CAPABILITIES = "
		       "DEFAULT_STORAGE_CAPABILITIES;",
		       "JAEGER_STORAGE_CAPABILITIES = ", json);
	n += replace_by(b,
			"JAEGER_BACKEND_CAPABILITIES = "
			"DEFAULT_BACKEND_CAPABILITIES;",
			"JAEGER_BACKEND_CAPABILITIES = ", json);
	return n;
}

static size_t put_version(struct span_buf *b)
{
	struct span_buf json = {0};
	size_t n;

	span_buf_printf(&json,
			"{\"gitCommit\":\"\",\"gitVersion\":\"spantools %s\","
			"\"buildDate\":\"\"}",
			span_version());
	n = replace_by(
		b, "JAEGER_VERSION = DEFAULT_VERSION;",
		"JAEGER_VERSION = ", (struct span_str){json.p, json.len});
	b->failed |= json.failed;
	span_buf_release(&json);
	return n;
}

/*
 * Older builds have a place for where they are; newer ones find that out by a
 * script, after the browser has begun to ask for files in wrong places.
 */
static void find_base(struct span__serve_ui *ui)
{
	const struct span_str made = SPAN_STR("<head><base href=\"/\" />");
	const struct span_buf head = {.p = (char *)(uintptr_t)made.p,
				      .len = made.len};
	const char *at = memmem(ui->index.p, ui->index.len, BASE, BASE_LEN);

	if (!at && replace(&ui->index, "<head>", &head))
		at = memmem(ui->index.p, ui->index.len, BASE, BASE_LEN);
	ui->base_at = at ? (size_t)(at - ui->index.p) + BASE_LEN - 2 : 0;
}

static int read_index(struct span__serve_ui *ui, const char *dir,
		      const struct span__serve_ui_opts *o,
		      struct span_error *err)
{
	int fd = openat(ui->dir, "index.html", O_RDONLY | O_CLOEXEC);
	size_t config, places;
	int rc;

	if (fd < 0)
		return span_error_set(err, SPAN_E_IO,
				      "cannot open %s/index.html", dir);
	rc = read_all(fd, &ui->index, err);
	close(fd);
	if (rc < 0)
		return rc;
	places = put_version(&ui->index);
	places += put_capabilities(&ui->index);
	config = put_config(&ui->index, o);
	find_base(ui);
	if (ui->index.failed)
		return span_error_set(err, SPAN_E_NOMEM, "out of memory");
	if (!places)
		return span_error_set(err, SPAN_E_INVALID,
				      "%s/index.html is none of a build of "
				      "Jaeger UI",
				      dir);
	if (o->config.len && !config)
		return span_error_set(err, SPAN_E_INVALID,
				      "%s/index.html has no place for a "
				      "configuration",
				      dir);
	return 0;
}

int span__serve_ui_open(struct span__serve_ui **out, const char *dir,
			const struct span__serve_ui_opts *o,
			struct span_error *err)
{
	struct span__serve_ui *ui = calloc(1, sizeof(*ui));
	int rc;

	*out = ui;
	if (!ui)
		return span_error_set(err, SPAN_E_NOMEM, "out of memory");
	ui->dir = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	rc = ui->dir < 0 ? span_error_set(err, SPAN_E_IO, "cannot open %s", dir)
			 : read_index(ui, dir, o, err);
	if (rc < 0)
		span__serve_ui_close(out);
	return rc;
}

void span__serve_ui_close(struct span__serve_ui **out)
{
	struct span__serve_ui *ui = *out;

	if (!ui)
		return;
	if (ui->dir >= 0)
		close(ui->dir);
	span_buf_release(&ui->index);
	free(ui);
	*out = NULL;
}
