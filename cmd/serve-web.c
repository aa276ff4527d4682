/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "serve-cmd.h"

#include "base/banned.h"

#define SECOND_NS UINT64_C(1000000000)
#define TARGET_MAX 600u /* bytes of a line, which has room for 1024 */

static struct {
	const char *base_path, *cert, *key, *auth;
	struct cmd_list cors, hosts;
	uint64_t threads, max_queue, max_body, max_connections, max_per_peer;
	uint64_t timeout_ns;
} opt = {
	.threads = 4,
	.max_queue = 1024,
	.max_body = 32u << 20,
	.max_connections = 1024,
	.timeout_ns = 60 * SECOND_NS,
};

const struct cmd_option serve_web_options[] = {
	{CMD_STRING, 0, "base-path", &opt.base_path, "PATH",
	 "serve below PATH, as /jaeger, for who stands behind a proxy", NULL},
	{CMD_INT, 0, "threads", &opt.threads, "N",
	 "make so many answers at once (default 4)", NULL},
	{CMD_INT, 0, "max-queue", &opt.max_queue, "N",
	 "refuse requests when so many wait for a thread (default 1024)", NULL},
	{CMD_DURATION, 0, "timeout", &opt.timeout_ns, "TIME",
	 "give up an answer that has not begun after TIME (default 1m)", NULL},
	{CMD_SIZE, 0, "max-body", &opt.max_body, "SIZE",
	 "refuse larger bodies (default 32M)", NULL},
	{CMD_INT, 0, "max-connections", &opt.max_connections, "N",
	 "refuse further connections (default 1024)", NULL},
	{CMD_INT, 0, "max-connections-per-peer", &opt.max_per_peer, "N",
	 "... of one host (default: half of them, this host: all)", NULL},
	{CMD_END, 0, NULL, NULL, NULL, NULL, NULL},
};

const struct cmd_option serve_access_options[] = {
	{CMD_STRING, 0, "tls-cert", &opt.cert, "FILE",
	 "speak TLS, with this certificate (PEM)", NULL},
	{CMD_STRING, 0, "tls-key", &opt.key, "FILE", "its private key (PEM)",
	 NULL},
	{CMD_STRING, 0, "auth", &opt.auth, "FILE",
	 "ask for a name and a password, as FILE has them: user:hash", NULL},
	{CMD_LIST, 0, "cors-origin", &opt.cors, "ORIGIN",
	 "let pages of ORIGIN read answers (repeatable; *: all)", NULL},
	{CMD_LIST, 0, "allow-host", &opt.hosts, "NAME",
	 "a name by which the loopback may be called (repeatable)", NULL},
	{CMD_END, 0, NULL, NULL, NULL, NULL, NULL},
};

static struct {
	struct span__web_auth *auth;
	char *base_path;
} web;

static void check_base_path(void)
{
	size_t len = opt.base_path ? strlen(opt.base_path) : 0;

	if (!len)
		return;
	if (*opt.base_path != '/' || strpbrk(opt.base_path, "?#% \"<>\\"))
		cmd_usage(
			"--base-path begins with a slash, and has no escapes");
	while (len && opt.base_path[len - 1] == '/')
		len--;
	web.base_path = strndup(opt.base_path, len);
}

void serve_web_check(void)
{
	if (!opt.cert != !opt.key)
		cmd_usage("--tls-cert and --tls-key go together");
	if (!opt.threads || opt.threads > 256)
		cmd_usage("--threads is 1 at least and 256 at most");
	if (!opt.max_queue || opt.max_queue > 1000000)
		cmd_usage("--max-queue is 1 at least and 1M at most");
	if (opt.max_body < 1024 || opt.max_body > UINT64_C(1) << 30)
		cmd_usage("--max-body is 1K at least and 1G at most");
	if (!opt.timeout_ns)
		cmd_usage("--timeout is more than 0");
	if (!opt.max_connections || opt.max_connections > 1000000)
		cmd_usage("--max-connections is 1 at least and 1M at most");
	if (opt.max_per_peer > opt.max_connections)
		cmd_usage("--max-connections-per-peer is more than "
			  "--max-connections");
	check_base_path();
}

const char *serve_base_path(void)
{
	return web.base_path ? web.base_path : "";
}

size_t serve_threads(void)
{
	return opt.threads;
}

bool serve_has_tls(void)
{
	return opt.cert;
}

static void wipe(struct span_buf *b)
{
	if (b->p)
		explicit_bzero(b->p, b->len);
	span_buf_release(b);
}

/* The file of passwords, for the first time or again. */
static int read_auth(struct span_error *err)
{
	struct span_error why = {0};
	struct span_buf b = {0};
	int rc = cmd_file_read(opt.auth, &b, err);
	const struct span_str text = {b.p, b.len};

	if (rc < 0)
		return rc;
	rc = web.auth ? span__web_auth_replace(web.auth, text, &why)
		      : span__web_auth_open(&web.auth, text, &why);
	wipe(&b);
	return rc < 0 ? span_error_set(err, rc, "%s: %s", opt.auth, why.msg)
		      : 0;
}

/* The files of TLS, as texts, which wipe() releases; empty without TLS. */
static int read_tls(struct span_buf *cert, struct span_buf *key,
		    struct span_error *err)
{
	int rc = 0;

	if (opt.cert)
		rc = cmd_file_text(opt.cert, cert, err);
	if (rc >= 0 && opt.key)
		rc = cmd_file_text(opt.key, key, err);
	return rc;
}

static int reload_tls(struct span__web_server *w, struct span_error *err)
{
	struct span_buf cert = {0}, key = {0};
	int rc = read_tls(&cert, &key, err);

	if (rc >= 0)
		rc = span__web_server_replace_tls(w, cert.p, key.p, err);
	wipe(&cert);
	wipe(&key);
	return rc;
}

static void tell_reload(const char *what, int rc, const struct span_error *err)
{
	if (rc < 0)
		cmd_warn("%s%s%s; the %s stay as they were", err->msg,
			 err->sys ? ": " : "",
			 err->sys ? strerror(err->sys) : "", what);
	else if (cmd_verbose)
		cmd_note("read the %s again", what);
}

void serve_web_reload(struct span__web_server *w)
{
	struct span_error err = {0};

	if (opt.cert)
		tell_reload("certificate and its key", reload_tls(w, &err),
			    &err);
	err = (struct span_error){0};
	if (opt.auth)
		tell_reload("passwords", read_auth(&err), &err);
}

/* As much as leaves room for what comes of it. */
static void put_target(struct span_buf *b, struct span_str target)
{
	struct span_buf text = {0};
	struct span_str s;

	span_text_terminal(&text, target);
	s = (struct span_str){text.p, text.len};
	s.len = span_text_cut(s, TARGET_MAX);
	span_buf_str(b, s);
	if (s.len < text.len)
		span_buf_puts(b, "...");
	span_buf_release(&text);
}

static void access_log(void *arg, const struct span__web_line *l)
{
	struct span_buf b = {0};

	(void)arg;
	span_buf_puts(&b, l->peer);
	span_buf_putc(&b, ' ');
	span_text_terminal(&b, l->method);
	span_buf_putc(&b, ' ');
	put_target(&b, l->target);
	if (l->status)
		span_buf_printf(&b, " %u %llu B ", l->status,
				(unsigned long long)l->bytes);
	else
		span_buf_puts(&b, " cancelled ");
	span_text_duration(&b, l->duration_ns);
	if (*l->error)
		span_buf_printf(&b, " (%s%s%s)", l->error, l->sys ? ": " : "",
				l->sys ? strerror(l->sys) : "");
	cmd_note("%.*s", (int)b.len, b.p ? b.p : "");
	span_buf_release(&b);
}

int serve_web_open(struct span__web_server **out,
		   const struct span__serve *serve, struct span_error *err)
{
	struct span__web_opts o = {
		.serve = serve,
		.base_path = serve_base_path(),
		.threads = opt.threads,
		.max_queue = opt.max_queue,
		.max_connections = opt.max_connections,
		.max_per_peer = opt.max_per_peer,
		.max_body = opt.max_body,
		.cors = opt.cors.v,
		.n_cors = opt.cors.n,
		.hosts = opt.hosts.v,
		.n_hosts = opt.hosts.n,
		.request_ns = opt.timeout_ns,
		.log = cmd_verbose ? access_log : NULL,
	};
	struct span_buf cert = {0}, key = {0};
	int rc = read_tls(&cert, &key, err);

	if (rc >= 0 && opt.auth)
		rc = read_auth(err);
	o.cert = cert.p;
	o.key = key.p;
	o.auth = web.auth;
	if (rc >= 0) {
		/* Of answers that have begun, and of idle ones. */
		cmd_allow_files(opt.max_connections,
				(SPAN__WEB_OPEN + 1) * opt.threads);
		rc = span__web_server_open(out, &o, err);
	}
	wipe(&cert);
	wipe(&key);
	return rc;
}

void serve_web_note(struct span__web_server *w, uint64_t duration_ns)
{
	struct span__web_sum sum;

	if (!cmd_verbose)
		return;
	span__web_server_sum(w, &sum);
	cmd_note("%llu requests, %llu failed, %llu cancelled, %llu bytes, "
		 "%llu connections refused, %.1f s",
		 (unsigned long long)sum.requests,
		 (unsigned long long)sum.failed,
		 (unsigned long long)sum.cancelled,
		 (unsigned long long)sum.bytes, (unsigned long long)sum.refused,
		 (double)duration_ns / 1e9);
}

void serve_web_close(void)
{
	span__web_auth_close(&web.auth);
	free(web.base_path);
}
