/* SPDX-License-Identifier: Apache-2.0 */
#include "send-auth.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/banned.h"

#define OTHERS (S_IRWXG | S_IRWXO)

/* Arguments are seen by everybody on the host. */
static const char *const secret[] = {"authorization", "cookie",	  "token",
				     "secret",	      "api-key",  "apikey",
				     "api_key",	      "password", NULL};
/* What the protocol says, not the user. */
static const char *const ours[] = {"content-type",	"content-length",
				   "content-encoding",	"grpc-encoding",
				   "grpc-timeout",	"te",
				   "transfer-encoding", NULL};

/* A pipe, as of <(...), is nobody else's either. */
static int read_secret(const char *path, struct span_buf *out,
		       struct span_error *err)
{
	struct stat st;
	int rc = cmd_file_read(path, out, err);

	if (rc < 0)
		return rc;
	if (!stat(path, &st) && S_ISREG(st.st_mode) && (st.st_mode & OTHERS))
		return span_error_set(err, SPAN_E_INVALID,
				      "%s is not for you alone: chmod 600 %s",
				      path, path);
	if (memchr(out->p ? out->p : "", 0, out->len))
		return span_error_set(err, SPAN_E_INVALID,
				      "%s is not a text file", path);
	span_buf_putc(out, '\0');
	return out->failed ? span_error_set(err, SPAN_E_NOMEM, "memory is out")
			   : 0;
}

/* The first line, without its end, which has to be the only one. */
static int read_line(const char *path, const char *what, struct span_buf *out,
		     struct span_error *err)
{
	int rc = read_secret(path, out, err);
	size_t len;

	if (rc < 0)
		return rc;
	len = strcspn(out->p, "\r\n");
	if (!len || out->p[len + strspn(out->p + len, "\r\n")])
		return span_error_set(err, SPAN_E_INVALID,
				      "%s is not one line with %s", path, what);
	out->p[len] = '\0';
	out->len = len + 1;
	return 0;
}

/* Is there a word of a secret anywhere in its name? */
static bool is_secret(const char *header)
{
	size_t len = strcspn(header, ":");

	for (const char *const *word = secret; *word; word++)
		for (size_t at = 0; at + strlen(*word) <= len; at++)
			if (!strncasecmp(header + at, *word, strlen(*word)))
				return true;
	return false;
}

static bool is_one_of(const char *header, size_t len, const char *const *names)
{
	for (; *names; names++)
		if (strlen(*names) == len && !strncasecmp(header, *names, len))
			return true;
	return false;
}

/* A name of HTTP's token characters, a colon, a value without controls. */
static bool is_header(const char *text, size_t *name_len)
{
	static const char marks[] = "!#$%&'*+-.^_`|~0123456789"
				    "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

	*name_len = strspn(text, marks);
	if (!*name_len || text[*name_len] != ':')
		return false;
	for (const char *p = text; *p; p++)
		if (((unsigned char)*p < ' ' && *p != '\t') || *p == 127)
			return false;
	return true;
}

int send_headers_add(struct send_headers *h, const char *text, const char *from,
		     struct span_error *err)
{
	const char **more;
	size_t len;

	if (!is_header(text, &len))
		return span_error_set(err, SPAN_E_INVALID,
				      "%s: a header is 'KEY: VALUE'", from);
	if (is_one_of(text, len, ours))
		return span_error_set(err, SPAN_E_INVALID,
				      "%s: %.*s is not yours to set", from,
				      (int)len, text);
	more = realloc(h->v, (h->n + 1) * sizeof(*h->v));
	if (!more)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	h->v = more;
	h->v[h->n++] = text;
	return 0;
}

static int add_arguments(struct send_headers *h, const struct cmd_list *list,
			 struct span_error *err)
{
	int rc = 0;

	for (size_t i = 0; i < list->n && !rc; i++) {
		if (is_secret(list->v[i]))
			cmd_usage("--header: a secret in an argument is seen "
				  "by everybody: --header-file, --header-env, "
				  "--user-file, --token-file");
		rc = send_headers_add(h, list->v[i], "--header", err);
	}
	return rc;
}

/* A header a line; empty lines and those with # first say nothing. */
static int add_lines(struct send_headers *h, char *text, const char *path,
		     struct span_error *err)
{
	char *line;
	int rc = 0;

	while (!rc && (line = strsep(&text, "\n"))) {
		line[strcspn(line, "\r")] = '\0';
		if (*line && *line != '#')
			rc = send_headers_add(h, line, path, err);
	}
	return rc;
}

static int add_env(struct send_headers *h, const char *name,
		   struct span_error *err)
{
	const char *value = getenv(name);

	if (!value)
		return span_error_set(err, SPAN_E_INVALID,
				      "--header-env: there is no variable %s",
				      name);
	span_buf_puts(&h->env, value);
	span_buf_putc(&h->env, '\0');
	if (h->env.failed)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	return add_lines(h, h->env.p, name, err);
}

/* "Authorization: Bearer TOKEN", behind what the header file holds. */
static int add_token(struct send_headers *h, struct span_buf *line,
		     const char *path, struct span_error *err)
{
	struct span_buf token = {0};
	int rc = read_line(path, "a token", &token, err);

	if (!rc) {
		span_buf_puts(line, "Authorization: Bearer ");
		span_buf_put(line, token.p, token.len);
		rc = line->failed ? span_error_set(err, SPAN_E_NOMEM,
						   "memory is out")
				  : send_headers_add(h, line->p, path, err);
	}
	span_buf_release(&token);
	return rc;
}

int send_headers_read(struct send_headers *h, const struct send_auth *a,
		      struct span_error *err)
{
	int rc;

	*h = (struct send_headers){0};
	if (a->user_file && a->token_file)
		cmd_usage("--user-file and --token-file at once");
	rc = add_arguments(h, &a->headers, err);
	if (!rc && a->header_file) {
		rc = read_secret(a->header_file, &h->text, err);
		if (!rc)
			rc = add_lines(h, h->text.p, a->header_file, err);
	}
	if (!rc && a->header_env)
		rc = add_env(h, a->header_env, err);
	if (!rc && a->user_file) {
		rc = read_line(a->user_file, "NAME:PASSWORD", &h->user, err);
		if (!rc && !strchr(h->user.p, ':'))
			rc = span_error_set(err, SPAN_E_INVALID,
					    "%s is not NAME:PASSWORD",
					    a->user_file);
	}
	if (!rc && a->token_file)
		rc = add_token(h, &h->token, a->token_file, err);
	return rc;
}

void send_headers_release(struct send_headers *h)
{
	free(h->v);
	span_buf_release(&h->text);
	span_buf_release(&h->env);
	span_buf_release(&h->token);
	span_buf_release(&h->user);
}
