/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a head must be before a route sees the request.
 *
 * A page of anybody can have a browser ask a server on the loopback, and read
 * the answers once it has made its own name stand for 127.0.0.1. So who comes
 * to a loopback must call it by an address or a name that is its own; and what
 * a page sends must be of the same origin, or of one that may.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "net/web_state.h"
#include "serve/params.h"

#include "base/banned.h"

#define NAME_MAX_LEN 255u

static const char *header(struct MHD_Connection *mhd, const char *name)
{
	return MHD_lookup_connection_value(mhd, MHD_HEADER_KIND, name);
}

struct heads {
	unsigned lengths, hosts, authorizations;
	bool is_coded; /* it has a Transfer-Encoding */
	bool bad;
};

/* libmicrohttpd takes "Content-Length :" for another header. */
static bool is_name(const char *s)
{
	const char *p = s;

	while (*p > ' ' && *p < 0x7f && !strchr("\"(),/:;<=>?@[\\]{}", *p))
		p++;
	return p != s && !*p;
}

static bool is_value(const char *s)
{
	while (*s && ((unsigned char)*s >= ' ' || *s == '\t') && *s != 0x7f)
		s++;
	return !*s;
}

static enum MHD_Result look_at_head(void *cls, enum MHD_ValueKind kind,
				    const char *key, const char *value)
{
	struct heads *h = cls;
	bool is_coding = !strcasecmp(key, "Transfer-Encoding");

	(void)kind;
	h->lengths += is_coding || !strcasecmp(key, "Content-Length");
	h->hosts += !strcasecmp(key, "Host");
	h->authorizations += !strcasecmp(key, "Authorization");
	h->is_coded |= is_coding;
	/* Nobody else knows where a body of another coding ends. */
	h->bad |=
		(is_coding && (!value || strcasecmp(value, "chunked") != 0)) ||
		!is_name(key) || (value && !is_value(value));
	return MHD_YES;
}

/* Is it another request, or two, to whoever reads it in another way? */
static bool is_ambiguous(struct MHD_Connection *mhd, const char *version)
{
	struct heads h = {0};

	MHD_get_connection_values(mhd, MHD_HEADER_KIND, look_at_head, &h);
	return h.bad || h.lengths > 1 || h.hosts > 1 || h.authorizations > 1 ||
	       (h.is_coded && strcmp(version, "HTTP/1.1") != 0);
}

/* Who is in the target before the path: not a user, and not nobody. */
static bool is_bad_authority(const char *authority)
{
	return authority && (!*authority || strchr(authority, '@'));
}

/* The name in "name:port" or "[address]:port" to OUT. */
static bool host_name(const char *host, char *out)
{
	size_t len = *host == '[' ? strcspn(host, "]") : strcspn(host, ":");

	if (*host == '[') {
		host++;
		len -= len > 0;
	}
	if (!len || len > NAME_MAX_LEN)
		return false;
	memcpy(out, host, len);
	out[len] = '\0';
	return true;
}

static bool is_address(const char *name)
{
	unsigned char bytes[16];

	return inet_pton(AF_INET, name, bytes) == 1 ||
	       inet_pton(AF_INET6, name, bytes) == 1;
}

static bool is_good_host(const struct span__web_job *j, const char *host)
{
	const struct span__web_opts *o = &j->web->opts;
	char name[NAME_MAX_LEN + 1];

	if (!j->conn->loopback || !host)
		return true;
	if (!host_name(host, name))
		return false;
	if (is_address(name) || !strcasecmp(name, "localhost"))
		return true;
	for (size_t i = 0; i < o->n_hosts; i++)
		if (!strcasecmp(name, o->hosts[i]))
			return true;
	return false;
}

bool span__web_allows(const struct span__web_opts *o, const char *origin)
{
	for (size_t i = 0; i < o->n_cors; i++)
		if (!strcmp(o->cors[i], "*") || !strcasecmp(o->cors[i], origin))
			return true;
	return false;
}

/* Whatever changes something, or only takes long, is not for other pages. */
static bool is_good_origin(const struct span__web_job *j, const char *origin,
			   const char *host)
{
	const char *rest = origin ? strstr(origin, "://") : NULL;

	if (!origin || span__web_allows(&j->web->opts, origin))
		return true;
	return rest && host && !strcasecmp(rest + 3, host);
}

/* The target without the base path. */
static enum span__web_refusal strip_base(const struct span__web_job *j,
					 struct span_str *target)
{
	const struct span_str base = span_str(j->web->opts.base_path);
	const struct span_str t = span_str(j->target);

	*target = t;
	if (!base.len || t.len < base.len || memcmp(t.p, base.p, base.len) != 0)
		return SPAN__WEB_GOOD;
	if (t.len == base.len || t.p[base.len] == '?')
		return SPAN__WEB_REDIRECT;
	if (t.p[base.len] == '/')
		*target = (struct span_str){t.p + base.len, t.len - base.len};
	return SPAN__WEB_GOOD;
}

static bool is_below_base(const struct span__web_job *j,
			  const struct span_str *target)
{
	return target->p != j->target || !*j->web->opts.base_path;
}

bool span__web_is_health(const struct span__web_job *j)
{
	return span_str_equal(j->r.path, SPAN_STR("/healthz"));
}

static enum span__web_refusal find_route(struct span__web_job *j)
{
	struct span_error err = {0};
	struct span_str target;
	enum span__web_refusal refusal = strip_base(j, &target);
	int rc;

	if (refusal != SPAN__WEB_GOOD)
		return refusal;
	rc = span__serve_target(&j->r, target, &j->arena, &err);
	if (rc < 0)
		return rc == SPAN_E_NOMEM ? SPAN__WEB_NO_ROOM : SPAN__WEB_BAD;
	if (is_below_base(j, &target) || span__web_is_health(j))
		j->route =
			span__serve_route(j->web->opts.serve, &j->r, &j->allow);
	return j->allow && !j->route ? SPAN__WEB_NO_METHOD : SPAN__WEB_GOOD;
}

/* A copy, as the header's own memory goes away before the answer is made. */
static bool keep_header(struct span__web_job *j, struct MHD_Connection *mhd,
			const char *name, struct span_str *out)
{
	const char *text = header(mhd, name);

	return !text || span_arena_str(&j->arena, span_str(text), out);
}

static enum span__web_refusal check_body(const struct span__web_job *j,
					 struct MHD_Connection *mhd)
{
	const char *coding = header(mhd, "Content-Encoding");
	const char *length = header(mhd, "Content-Length");

	if (coding && strcasecmp(coding, "identity") != 0)
		return SPAN__WEB_BAD_CODING;
	if (length && strtoull(length, NULL, 10) > j->web->opts.max_body)
		return SPAN__WEB_TOO_LARGE;
	return SPAN__WEB_GOOD;
}

static bool is_read(const struct span__web_job *j)
{
	return !strcmp(j->method, "GET") || !strcmp(j->method, "HEAD");
}

/* "gzip" with any weight but 0, or a star. */
static bool accepts_gzip(const char *accept)
{
	while (accept && *accept) {
		size_t len = strcspn(accept, ",");
		size_t name = strcspn(accept, ",; \t");
		const char *q = memchr(accept, ';', len);

		if ((name == 4 && !strncasecmp(accept, "gzip", 4)) ||
		    (name == 1 && *accept == '*')) {
			q = q ? strstr(q, "q=") : NULL;
			return !q || q > accept + len ||
			       strtod(q + 2, NULL) > 0;
		}
		accept += len;
		accept += strspn(accept, ", \t");
	}
	return false;
}

enum span__web_refusal span__web_check(struct span__web_job *j,
				       struct MHD_Connection *mhd,
				       const char *method, const char *version)
{
	const char *host = j->authority ? j->authority : header(mhd, "Host");
	const char *origin = header(mhd, "Origin");
	enum span__web_refusal refusal;

	snprintf(j->method, sizeof(j->method), "%s", method);
	j->r.method = span_str(j->method);
	j->may_gzip = accepts_gzip(header(mhd, "Accept-Encoding"));
	if (header(mhd, "If-None-Match"))
		j->wanted = strdup(header(mhd, "If-None-Match"));
	if (is_ambiguous(mhd, version) || is_bad_authority(j->authority))
		return SPAN__WEB_BAD;
	if (!is_good_host(j, host))
		return SPAN__WEB_BAD_HOST;
	if (!strcmp(method, "OPTIONS") && !strcmp(j->target, "*"))
		return SPAN__WEB_OPTIONS;
	if (!strcmp(method, "OPTIONS") && j->web->opts.n_cors && origin &&
	    header(mhd, "Access-Control-Request-Method"))
		return SPAN__WEB_PREFLIGHT;
	if (!is_read(j) && !is_good_origin(j, origin, host))
		return SPAN__WEB_BAD_ORIGIN;
	if (!keep_header(j, mhd, "Accept", &j->r.accept) ||
	    !keep_header(j, mhd, "Content-Type", &j->r.content_type))
		return SPAN__WEB_NO_ROOM;
	refusal = find_route(j);
	return refusal == SPAN__WEB_GOOD && !is_read(j) ? check_body(j, mhd)
							: refusal;
}
