/* SPDX-License-Identifier: Apache-2.0 */
#include "net/http_client.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "net/clock.h"
#include "net/http_headers.h"

#include "base/banned.h"

#define BODY_MAX                                                               \
	65536u /* that is read of a response; the rest is passed over */
#define WAIT_MAX_MS 60000
#define MESSAGE_MAX (3 * SPAN__REPLY_TEXT) /* percent-encoded */

struct slot {
	CURL *easy;
	bool busy;
	char error[CURL_ERROR_SIZE];
	struct span_buf body;
	int grpc;
	char type[64], retry_after[64], message[MESSAGE_MAX],
		details[SPAN__GRPC_DETAILS];
	size_t type_len, retry_after_len, message_len, details_len;
	size_t body_max;
	bool cut;
	struct span_buf url; /* with a query */
};

struct span__http {
	struct span__http_opts o;
	CURLM *multi;
	struct curl_slist *headers;
	struct slot *slots;
};

/* ---- What comes back ---- */

static size_t on_body(char *p, size_t size, size_t n, void *arg)
{
	struct slot *s = arg;
	size_t len = size * n, room = s->body_max - s->body.len;

	span_buf_put(&s->body, p, len < room ? len : room);
	s->cut |= len > room || s->body.failed;
	return len;
}

/* A value, cut where it is longer. */
static void keep(char *to, size_t *to_len, size_t max, struct span_str v)
{
	*to_len = v.len < max ? v.len : max;
	memcpy(to, v.p, *to_len);
}

static bool is_header(struct span_str line, const char *name,
		      struct span_str *value)
{
	size_t len = strlen(name);

	if (line.len <= len || line.p[len] != ':' ||
	    strncasecmp(line.p, name, len) != 0)
		return false;
	len++;
	while (len < line.len && (line.p[len] == ' ' || line.p[len] == '\t'))
		len++;
	while (line.len > len && (unsigned char)line.p[line.len - 1] <= ' ')
		line.len--;
	*value = (struct span_str){line.p + len, line.len - len};
	return true;
}

static void forget(struct slot *s)
{
	s->body.len = 0;
	s->cut = false;
	s->grpc = -1;
	s->type_len = s->retry_after_len = s->message_len = s->details_len = 0;
}

static int status_number(struct span_str v)
{
	int n = 0;

	for (size_t i = 0; i < v.len && n < 1000; i++) {
		if (v.p[i] < '0' || v.p[i] > '9')
			return -1;
		n = n * 10 + (v.p[i] - '0');
	}
	return v.len ? n : -1;
}

/* Headers and, after the body, trailers. */
static size_t on_header(char *p, size_t size, size_t n, void *arg)
{
	struct slot *s = arg;
	struct span_str line = {p, size * n}, v;

	if (line.len > 5 && !memcmp(p, "HTTP/", 5))
		forget(s); /* what came was a 100 */
	else if (is_header(line, "content-type", &v))
		keep(s->type, &s->type_len, sizeof(s->type), v);
	else if (is_header(line, "retry-after", &v))
		keep(s->retry_after, &s->retry_after_len,
		     sizeof(s->retry_after), v);
	else if (is_header(line, "grpc-status", &v))
		s->grpc = status_number(v);
	else if (is_header(line, "grpc-message", &v))
		keep(s->message, &s->message_len, sizeof(s->message), v);
	else if (is_header(line, "grpc-status-details-bin", &v))
		keep(s->details, &s->details_len, sizeof(s->details), v);
	return line.len;
}

/*
 * Another attempt may go better, unless it is us or the certificates that are
 * wrong.
 */
static bool is_retryable(CURLcode code)
{
	switch (code) {
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_URL_MALFORMAT:
	case CURLE_NOT_BUILT_IN:
	case CURLE_OUT_OF_MEMORY:
	case CURLE_BAD_FUNCTION_ARGUMENT:
	case CURLE_UNKNOWN_OPTION:
	case CURLE_SSL_ENGINE_NOTFOUND:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CIPHER:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_ISSUER_ERROR:
	case CURLE_PEER_FAILED_VERIFICATION:
		return false;
	default:
		return true;
	}
}

/* libcurl's own words have times in them, and so are never the same twice. */
static void reply_transport(struct slot *s, CURLcode code,
			    struct span__reply *r)
{
	const char *why = s->error[0] ? s->error : curl_easy_strerror(code);
	long error = 0;

	r->got.http = 0;
	r->got.retryable = is_retryable(code);
	curl_easy_getinfo(s->easy, CURLINFO_OS_ERRNO, &error);
	if (code == CURLE_COULDNT_CONNECT && error)
		snprintf(r->cause, sizeof(r->cause), "cannot connect: %s",
			 strerrordesc_np((int)error));
	else if (code == CURLE_OPERATION_TIMEDOUT)
		snprintf(r->cause, sizeof(r->cause), "no answer in time");
	else if (code == CURLE_GOT_NOTHING)
		snprintf(r->cause, sizeof(r->cause),
			 "the connection was closed without an answer");
	else
		snprintf(r->cause, sizeof(r->cause), "%.200s", why);
}

static void reply_grpc(struct slot *s, struct span__reply *r,
		       char text[SPAN__REPLY_TEXT])
{
	const char *name = span__grpc_name(s->grpc);

	span__grpc_message((struct span_str){s->message, s->message_len}, text);
	if (s->details_len)
		r->got.delay_ns = span__grpc_retry_delay(
			(struct span_str){s->details, s->details_len});
	if (name)
		snprintf(r->cause, sizeof(r->cause), "gRPC %s%s%s", name,
			 *text ? ": " : "", text);
	else
		snprintf(r->cause, sizeof(r->cause), "gRPC status %d%s%s",
			 s->grpc, *text ? ": " : "", text);
}

static void reply_http(struct slot *s, struct span__reply *r, bool grpc,
		       char text[SPAN__REPLY_TEXT])
{
	bool silent = grpc && r->got.http == 200;

	span__http_message((struct span_str){s->type, s->type_len},
			   (struct span_str){s->body.p, s->body.len}, text);
	if (s->retry_after_len)
		r->got.delay_ns = span__retry_after(
			(struct span_str){s->retry_after, s->retry_after_len},
			span__epoch_ns());
	snprintf(r->cause, sizeof(r->cause), "HTTP %d%s%s%s", r->got.http,
		 silent ? " without a gRPC status" : "",
		 *text && !silent ? ": " : "", silent ? "" : text);
}

/* An answer that was cut off says nothing, unless it said so already. */
static void reply(struct span__http *h, struct slot *s, CURLcode code,
		  struct span__reply *r, char text[SPAN__REPLY_TEXT])
{
	bool grpc = h->o.url->grpc;
	struct span_str type = {s->type, s->type_len};
	struct span_str body = {s->body.p, s->body.len};
	long status = 0;

	*r = (struct span__reply){
		.got = {.grpc = s->grpc, .delay_ns = SPAN__NO_DELAY}};
	text[0] = '\0';
	r->got.text = text;
	r->body = body;
	r->cut = s->cut;
	curl_easy_getinfo(s->easy, CURLINFO_RESPONSE_CODE, &status);
	if ((code != CURLE_OK && !(grpc && s->grpc > 0)) || !status) {
		reply_transport(s, code, r);
		return;
	}
	r->got.http = (int)status;
	if (grpc && s->grpc >= 0)
		reply_grpc(s, r, text);
	else
		reply_http(s, r, grpc, text);
	if (h->o.url->protocol == SPAN__SEND_OTLP_GRPC)
		span__otlp_partial(type, span__grpc_body(body), &r->partial);
	else if (h->o.url->protocol == SPAN__SEND_OTLP_HTTP)
		span__otlp_partial(type, body, &r->partial);
}

/* ---- What goes out ---- */

static long http_version(const struct span__send_url *u)
{
	if (!u->grpc)
		return u->tls ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1;
	return u->tls ? CURL_HTTP_VERSION_2TLS
		      : CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE;
}

/*
 * libcurl before 8.0 (seen with 7.88.1) fails each request but the first on a
 * connection that speaks HTTP/2 without having negotiated it.
 */
static bool single_use(const struct span__send_url *u)
{
	return u->grpc && !u->tls &&
	       curl_version_info(CURLVERSION_NOW)->version_num < 0x080000;
}

/*
 * Setting an option fails where this libcurl has no TLS or HTTP/2, or without
 * memory; 0 when all went well.
 */
static CURLcode set_options(const struct span__http *h, struct slot *s)
{
	const struct span__http_opts *o = &h->o;
	long timeout_ms = (long)(o->timeout_ns / 1000000);
	CURL *e = s->easy;
	CURLcode rc;

#define SET(option, value)                                                     \
	do {                                                                   \
		rc = curl_easy_setopt(e, option, value);                       \
		if (rc)                                                        \
			return rc;                                             \
	} while (0)
	SET(CURLOPT_URL, o->url->http);
	SET(CURLOPT_PROTOCOLS_STR, "http,https");
	SET(CURLOPT_HTTP_VERSION, http_version(o->url));
	SET(CURLOPT_HTTPHEADER, h->headers);
	SET(CURLOPT_POST, (long)!o->get);
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_TCP_KEEPALIVE, 1L);
	SET(CURLOPT_PIPEWAIT, (long)(o->url->grpc && !single_use(o->url)));
	SET(CURLOPT_FORBID_REUSE, (long)single_use(o->url));
	SET(CURLOPT_FRESH_CONNECT, (long)single_use(o->url));
	SET(CURLOPT_TIMEOUT_MS, timeout_ms > 0 ? timeout_ms : 1L);
	SET(CURLOPT_ERRORBUFFER, s->error);
	SET(CURLOPT_PRIVATE, s);
	SET(CURLOPT_WRITEFUNCTION, on_body);
	SET(CURLOPT_WRITEDATA, s);
	SET(CURLOPT_HEADERFUNCTION, on_header);
	SET(CURLOPT_HEADERDATA, s);
	if (o->user) {
		SET(CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
		SET(CURLOPT_USERPWD, o->user);
	}
	if (!o->url->tls)
		return CURLE_OK;
	SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	SET(CURLOPT_SSL_VERIFYPEER, (long)!o->insecure);
	SET(CURLOPT_SSL_VERIFYHOST, o->insecure ? 0L : 2L);
	if (o->cacert)
		SET(CURLOPT_CAINFO, o->cacert);
	if (o->cert)
		SET(CURLOPT_SSLCERT, o->cert);
	if (o->key)
		SET(CURLOPT_SSLKEY, o->key);
#undef SET
	return CURLE_OK;
}

static int open_slots(struct span__http *h, struct span_error *err)
{
	for (unsigned i = 0; i < h->o.slots; i++) {
		struct slot *s = &h->slots[i];
		CURLcode rc;

		s->body_max = h->o.body_max ? h->o.body_max : BODY_MAX;
		s->easy = curl_easy_init();
		if (!s->easy)
			return span_error_set(err, SPAN_E_NOMEM,
					      "memory is out");
		rc = set_options(h, s);
		if (rc)
			return span_error_set(err, SPAN_E_INVALID,
					      "libcurl: %s",
					      curl_easy_strerror(rc));
	}
	return 0;
}

int span__http_open(struct span__http **out, const struct span__http_opts *o,
		    struct span_error *err)
{
	struct span__http *h = calloc(1, sizeof(*h));
	int rc = SPAN_E_NOMEM;

	*out = NULL;
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK || !h)
		goto done;
	h->o = *o;
	h->multi = curl_multi_init();
	h->slots = calloc(o->slots, sizeof(*h->slots));
	if (!h->multi || !h->slots || !span__http_headers(&h->headers, o))
		goto done;
	curl_multi_setopt(h->multi, CURLMOPT_MAXCONNECTS, (long)o->slots);
	rc = open_slots(h, err);
done:
	if (rc == SPAN_E_NOMEM)
		span_error_set(err, rc, "memory is out");
	if (rc < 0)
		span__http_close(&h);
	*out = h;
	return rc;
}

/* The URL with a query; false: memory is out. */
static bool put_query(struct span__http *h, struct slot *s,
		      struct span_str query)
{
	s->url.len = 0;
	span_buf_puts(&s->url, h->o.url->http);
	span_buf_putc(&s->url, strchr(h->o.url->http, '?') ? '&' : '?');
	span_buf_str(&s->url, query);
	span_buf_putc(&s->url, '\0');
	return !s->url.failed &&
	       curl_easy_setopt(s->easy, CURLOPT_URL, s->url.p) == CURLE_OK;
}

static bool put_body(struct slot *s, struct span_str body)
{
	curl_easy_setopt(s->easy, CURLOPT_POSTFIELDSIZE_LARGE,
			 (curl_off_t)body.len);
	return curl_easy_setopt(s->easy, CURLOPT_POSTFIELDS, body.p) ==
	       CURLE_OK;
}

int span__http_start(struct span__http *h, unsigned slot, struct span_str body,
		     struct span_error *err)
{
	struct slot *s = &h->slots[slot];

	forget(s);
	s->error[0] = '\0';
	if (!(h->o.get ? put_query(h, s, body) : put_body(s, body)))
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	if (curl_multi_add_handle(h->multi, s->easy) != CURLM_OK)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	s->busy = true;
	return 0;
}

static void finish(struct span__http *h, CURLMsg *m, span__http_done_fn *fn,
		   void *arg)
{
	CURLcode code = m->data.result;
	char text[SPAN__REPLY_TEXT], *private = NULL;
	struct span__reply r;
	struct slot *s;

	curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &private);
	s = (struct slot *)(void *)private;
	reply(h, s, code, &r, text);
	curl_multi_remove_handle(h->multi, s->easy);
	s->busy = false;
	fn(arg, (unsigned)(s - h->slots), &r);
}

int span__http_turn(struct span__http *h, uint64_t wait_ns,
		    span__http_done_fn *fn, void *arg, struct span_error *err)
{
	uint64_t ms = wait_ns / 1000000 + (wait_ns % 1000000 != 0);
	int running, left;
	CURLMcode rc;
	CURLMsg *m;

	rc = curl_multi_perform(h->multi, &running);
	m = curl_multi_info_read(h->multi, &left);
	if (!rc && !m && ms) {
		rc = curl_multi_poll(h->multi, NULL, 0,
				     ms < WAIT_MAX_MS ? (int)ms : WAIT_MAX_MS,
				     NULL);
		if (!rc)
			rc = curl_multi_perform(h->multi, &running);
		m = curl_multi_info_read(h->multi, &left);
	}
	for (; m; m = curl_multi_info_read(h->multi, &left))
		if (m->msg == CURLMSG_DONE)
			finish(h, m, fn, arg);
	if (rc != CURLM_OK)
		return span_error_set(err, SPAN_E_NOMEM, "libcurl: %s",
				      curl_multi_strerror(rc));
	return 0;
}

void span__http_wake(struct span__http *h)
{
	curl_multi_wakeup(h->multi);
}

void span__http_abort(struct span__http *h)
{
	for (unsigned i = 0; h->slots && i < h->o.slots; i++) {
		struct slot *s = &h->slots[i];

		if (s->busy)
			curl_multi_remove_handle(h->multi, s->easy);
		s->busy = false;
	}
}

void span__http_close(struct span__http **hp)
{
	struct span__http *h = *hp;

	if (!h)
		return;
	span__http_abort(h);
	for (unsigned i = 0; h->slots && i < h->o.slots; i++) {
		curl_easy_cleanup(h->slots[i].easy);
		span_buf_release(&h->slots[i].body);
		span_buf_release(&h->slots[i].url);
	}
	free(h->slots);
	curl_multi_cleanup(h->multi);
	curl_slist_free_all(h->headers);
	curl_global_cleanup();
	free(h);
	*hp = NULL;
}
