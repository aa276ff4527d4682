/* SPDX-License-Identifier: Apache-2.0 */
#include "loki-http.h"

#include <stdlib.h>
#include <string.h>

#include "net/tls_files.h"
#include "send-auth.h"

#include "base/banned.h"

#define SECOND 1000000000ull
#define MOMENT (SECOND / 20)
#define ANSWER_MAX (64u << 20) /* of a query */

static struct {
	struct send_auth auth;
	const char *tenant, *cacert, *cert, *key;
	uint64_t timeout_ns;
	bool gzip, insecure;
} opt = {.timeout_ns = 10 * SECOND, .gzip = true};

const struct cmd_option loki_http_options[] = {
	{CMD_STRING, 0, "tenant", &opt.tenant, "NAME",
	 "whose logs these are, in X-Scope-OrgID (LOKI_ORG_ID)", NULL},
	{CMD_NOFLAG, 0, "no-gzip", &opt.gzip, NULL, "send requests as they are",
	 NULL},
	{CMD_DURATION, 0, "timeout", &opt.timeout_ns, "TIME",
	 "how long to wait for an answer (default 10s)", NULL},
	{CMD_LIST, 0, "header", &opt.auth.headers, "HEADER",
	 "send this header, 'KEY: VALUE' (repeatable)", NULL},
	{CMD_STRING, 0, "header-file", &opt.auth.header_file, "FILE",
	 "send the headers in FILE, one a line", NULL},
	{CMD_STRING, 0, "header-env", &opt.auth.header_env, "NAME",
	 "send the headers in this variable, one a line", NULL},
	{CMD_STRING, 0, "user-file", &opt.auth.user_file, "FILE",
	 "be the user of the line NAME:PASSWORD in FILE", NULL},
	{CMD_STRING, 0, "token-file", &opt.auth.token_file, "FILE",
	 "send the bearer token in FILE", NULL},
	{CMD_STRING, 0, "cacert", &opt.cacert, "FILE",
	 "trust the authorities in FILE, and no others", NULL},
	{CMD_STRING, 0, "cert", &opt.cert, "FILE",
	 "show this certificate to Loki", NULL},
	{CMD_STRING, 0, "key", &opt.key, "FILE", "the key of the certificate",
	 NULL},
	{CMD_FLAG, 0, "insecure", &opt.insecure, NULL,
	 "take any certificate of Loki", NULL},
	{CMD_END, 0, NULL, NULL, NULL, NULL, NULL},
};

struct loki_http {
	struct span__send_url url;
	struct send_headers headers;
	struct span_buf tenant, token;
	struct span__http *http;
	struct span__reply *reply;
	char text[SPAN__REPLY_TEXT];
	bool done;
};

bool loki_http_gzip(void)
{
	return opt.gzip;
}

const char *loki_http_option(void)
{
	const struct {
		bool given;
		const char *name;
	} all[] = {
		{opt.tenant, "--tenant"},
		{!opt.gzip, "--no-gzip"},
		{opt.auth.headers.n, "--header"},
		{opt.auth.header_file, "--header-file"},
		{opt.auth.header_env, "--header-env"},
		{opt.auth.user_file, "--user-file"},
		{opt.auth.token_file, "--token-file"},
		{opt.cacert, "--cacert"},
		{opt.cert, "--cert"},
		{opt.key, "--key"},
		{opt.insecure, "--insecure"},
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (all[i].given)
			return all[i].name;
	return NULL;
}

/* ---- Who we are ---- */

/* A variable that says something. */
static const char *variable(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

/* Add the header "NAME: VALUE", which LINE holds. */
static int add_header(struct loki_http *h, struct span_buf *line,
		      const char *name, const char *value, const char *from,
		      struct span_error *err)
{
	span_buf_printf(line, "%s%s", name, value);
	span_buf_putc(line, '\0');
	if (line->failed)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	return send_headers_add(&h->headers, line->p, from, err);
}

static int add_user(struct loki_http *h, const char *user,
		    struct span_error *err)
{
	const char *password = getenv("LOKI_PASSWORD");
	struct span_buf *b = &h->headers.user;

	span_buf_printf(b, "%s:%s", user, password ? password : "");
	span_buf_putc(b, '\0');
	return b->failed ? span_error_set(err, SPAN_E_NOMEM, "memory is out")
			 : 0;
}

/* What was given counts more than what is in the environment. */
static int read_who(struct loki_http *h, struct span_error *err)
{
	bool given = opt.auth.user_file || opt.auth.token_file;
	const char *user = given ? NULL : variable("LOKI_USERNAME");
	const char *token = given ? NULL : variable("LOKI_BEARER_TOKEN");
	const char *file = given ? NULL : variable("LOKI_BEARER_TOKEN_FILE");
	const char *tenant = opt.tenant ? opt.tenant : variable("LOKI_ORG_ID");
	int rc;

	if (!user && !token && file)
		opt.auth.token_file = file;
	if (user && (token || file))
		return span_error_set(err, SPAN_E_INVALID,
				      "LOKI_USERNAME and a bearer token of "
				      "the environment at once");
	rc = send_headers_read(&h->headers, &opt.auth, err);
	if (!rc && tenant)
		rc = add_header(h, &h->tenant, "X-Scope-OrgID: ", tenant,
				"--tenant", err);
	if (!rc && user)
		rc = add_user(h, user, err);
	else if (!rc && token)
		rc = add_header(h, &h->token, "Authorization: Bearer ", token,
				"LOKI_BEARER_TOKEN", err);
	return rc;
}

/* ---- Requests ---- */

static void check_usage(const struct span__send_url *u)
{
	if (opt.key && !opt.cert)
		cmd_usage("--key goes with --cert");
	if (!u->tls && (opt.cacert || opt.cert || opt.insecure))
		cmd_usage("--cacert, --cert, --key and --insecure go with "
			  "https");
}

static int open_client(struct loki_http *h, bool get, struct span_error *err)
{
	const struct span__http_opts o = {
		.url = &h->url,
		.slots = 1,
		.gzip = opt.gzip && !get,
		.timeout_ns = opt.timeout_ns,
		.headers = h->headers.v,
		.n_headers = h->headers.n,
		.user = h->headers.user.len ? h->headers.user.p : NULL,
		.cacert = opt.cacert,
		.cert = opt.cert,
		.key = opt.key,
		.insecure = opt.insecure,
		.agent = "trace-to-loki",
		.get = get,
		.body_max = get ? ANSWER_MAX : 0,
	};

	return span__http_open(&h->http, &o, err);
}

int loki_http_open(struct loki_http **out, const char *url, const char *path,
		   bool get, struct span_error *err)
{
	struct loki_http *h = calloc(1, sizeof(*h));
	int rc;

	*out = h;
	if (!h)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	rc = span__loki_url_parse(&h->url, url, path, err);
	if (rc >= 0)
		check_usage(&h->url);
	if (rc >= 0)
		rc = read_who(h, err);
	if (rc >= 0)
		rc = span__tls_files_check(opt.cacert, opt.cert, opt.key, err);
	if (rc >= 0)
		rc = open_client(h, get, err);
	if (rc < 0)
		loki_http_close(out);
	return rc;
}

static void on_done(void *arg, unsigned slot, const struct span__reply *r)
{
	struct loki_http *h = arg;

	(void)slot;
	*h->reply = *r;
	h->done = true;
	if (r->got.text)
		memcpy(h->text, r->got.text, strlen(r->got.text) + 1);
	h->reply->got.text = h->text;
}

int loki_http_do(struct loki_http *h, struct span_str body,
		 struct span__reply *out, struct span_error *err)
{
	int rc;

	h->reply = out;
	h->done = false;
	h->text[0] = '\0';
	rc = span__http_start(h->http, 0, body, err);
	while (rc >= 0 && !h->done)
		rc = span__http_turn(h->http, MOMENT, on_done, h, err);
	return rc < 0 ? rc : (int)span__outcome_of(SPAN__SEND_LOKI, &out->got);
}

void loki_http_close(struct loki_http **hp)
{
	struct loki_http *h = *hp;

	if (!h)
		return;
	span__http_close(&h->http);
	send_headers_release(&h->headers);
	span_buf_release(&h->tenant);
	span_buf_release(&h->token);
	free(h);
	*hp = NULL;
}
