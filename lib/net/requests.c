/* SPDX-License-Identifier: Apache-2.0 */
#include "net/requests.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "net/address.h"
#include "net/grpc_stream.h"
#include "net/http_stream.h"
#include "net/inflate.h"

#include "base/banned.h"

#define PREFACE (sizeof(SPAN__HTTP2_PREFACE) - 1)
#define SCRATCH_MAX (1u << 20) /* bytes kept for the next body */
#define UNDECIDED_MAX 16u      /* longer than any method */

struct span__requests {
	struct span__requests_sink sink;
	struct span__tcp *tcp;
	struct span__ignored ignored;
	bool by_port;		 /* not just any */
	struct span_buf scratch; /* an inflated body */
};

/* What a client sends over one connection. */
struct requests_stream {
	struct span__requests *requests;
	struct span__tcp_ends ends;
	struct span__http_sink sink;
	struct span__http_stream *http;
	struct span__grpc_stream *grpc; /* in its place */
	bool whole, decided;
	size_t n_preface; /* bytes of HTTP/2's that came, while undecided */
};

static const char *const paths[] = {
	"/api/traces",
	"/api/v1/spans",
	"/api/v2/spans",
	"/v1/traces",
};

static const char *const calls[] = {
	"/opentelemetry.proto.collector.trace.v1.TraceService/Export",
	"/jaeger.api_v2.CollectorService/PostSpans",
};

static bool wants_path(struct span_str path)
{
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		if (span_str_equal(span_str(paths[i]), path))
			return true;
	return false;
}

static bool wants_call(struct span_str path)
{
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (span_str_equal(span_str(calls[i]), path))
			return true;
	return false;
}

static void lost(void *arg, enum span__drop cause)
{
	const struct requests_stream *s = arg;
	const struct span__requests_sink *to = &s->requests->sink;

	if (to->lost) /* not when all is closed */
		to->lost(to->arg, s->ends.target_port, cause);
}

static void ignored(void *arg)
{
	const struct requests_stream *s = arg;

	s->requests->ignored.requests++;
}

/* Returns 1 with the inflated body in *OUT, 0 when it is lost. */
static int inflate_body(struct requests_stream *s,
			const struct span__http_request *q,
			struct span_str *out, struct span_error *err)
{
	struct span_buf *b = &s->requests->scratch;
	int coding = span__coding_of(q->content_encoding);
	int rc = SPAN_E_CORRUPT;

	*out = q->body;
	if (coding == SPAN__CODING_IDENTITY)
		return 1;
	b->len = 0;
	if (coding > 0)
		rc = span__inflate(coding, q->body.p, q->body.len,
				   SPAN_PAYLOAD_MAX, b, err);
	*out = (struct span_str){b->p, b->len};
	if (rc == SPAN_E_NOMEM)
		return rc;
	if (rc < 0)
		lost(s, rc == SPAN_E_LIMIT ? SPAN__DROP_LIMIT
					   : SPAN__DROP_MALFORMED);
	return rc == 0;
}

static int take_request(void *arg, const struct span__http_request *q,
			struct span_error *err)
{
	struct requests_stream *s = arg;
	const struct span__requests_sink *to = &s->requests->sink;
	char peer[SPAN__ADDRESS_TEXT];
	struct span_payload p = {
		.time_ns = q->time_ns,
		.peer.p = peer,
		.port = s->ends.target_port,
		.transport =
			s->grpc ? SPAN_TRANSPORT_GRPC : SPAN_TRANSPORT_HTTP,
		.content_type = q->content_type,
		.path = q->path,
	};
	int rc = inflate_body(s, q, &p.data, err);

	if (rc > 0) {
		p.peer.len = span__address_bytes_text(
			s->ends.family_size == 4 ? AF_INET : AF_INET6,
			s->ends.source, s->ends.source_port, peer);
		rc = to->payload(to->arg, &p, err);
	}
	if (s->requests->scratch.cap > SCRATCH_MAX)
		span_buf_release(&s->requests->scratch);
	return rc;
}

static int open_stream(void *arg, const struct span__tcp_ends *ends, bool whole,
		       void **out, struct span_error *err)
{
	struct requests_stream *s = calloc(1, sizeof(*s));
	int rc;

	*out = NULL;
	if (!s)
		return span_error_set(err, SPAN_E_NOMEM, "out of memory");
	s->requests = arg;
	s->ends = *ends;
	s->whole = whole;
	s->sink = (struct span__http_sink){.arg = s,
					   .wants = wants_path,
					   .request = take_request,
					   .lost = lost,
					   .ignored = ignored};
	rc = span__http_stream_open(&s->http, &s->sink, whole, err);
	if (rc < 0)
		free(s);
	else
		*out = s;
	return rc;
}

/* May be the start of a request line: letters of a method, a space. */
static bool is_undecided(const struct span__tcp_bytes *b)
{
	if (b->len > UNDECIDED_MAX)
		return false;
	for (size_t i = 0; i < b->len; i++)
		if (b->p[i] != ' ' && (b->p[i] < 'A' || b->p[i] > 'Z'))
			return false;
	return true;
}

static int open_grpc(struct requests_stream *s, struct span_error *err)
{
	span__http_stream_close(&s->http);
	s->sink.wants = wants_call;
	s->decided = true;
	return span__grpc_stream_open(&s->grpc, &s->sink, err);
}

/* Take B off the front of the preface. Returns how much of it. */
static size_t match_preface(struct requests_stream *s,
			    const struct span__tcp_bytes *b)
{
	static const char preface[] = SPAN__HTTP2_PREFACE;
	size_t n = 0;

	while (n < b->len && s->n_preface + n < PREFACE &&
	       (char)b->p[n] == preface[s->n_preface + n])
		n++;
	return n;
}

/*
 * The first bytes of a connection say what it speaks. Returns 1 when that is
 * nothing to us; 0 with *B less what was taken of it.
 */
static int decide(struct requests_stream *s, struct span__tcp_bytes *b,
		  struct span_error *err)
{
	size_t n = match_preface(s, b);
	struct span__tcp_bytes front = {
		.p = (const uint8_t *)SPAN__HTTP2_PREFACE,
		.len = s->n_preface,
		.time_ns = b->time_ns,
		.begins = true,
	};

	if (s->n_preface + n == PREFACE || n == b->len) {
		s->n_preface += n;
		b->p += n;
		b->len -= n;
		return s->n_preface == PREFACE ? open_grpc(s, err) : 0;
	}
	s->decided = true;
	/* "P" is how POST begins, too. */
	if (front.len)
		return span__http_stream_put(s->http, &front, err);
	if (span__http_stream_begins(b->p, b->len) || is_undecided(b))
		return 0;
	s->requests->ignored.connections++;
	return 1;
}

static int take_bytes(void *stream, const struct span__tcp_bytes *b,
		      struct span_error *err)
{
	struct requests_stream *s = stream;
	struct span__tcp_bytes rest = *b;
	int rc = 0;

	if (!s->decided && s->whole)
		rc = decide(s, &rest, err);
	else if (!s->decided)
		s->decided =
			b->begins && span__http_stream_begins(b->p, b->len);
	if (rc || !rest.len)
		return rc;
	return s->grpc ? span__grpc_stream_put(s->grpc, &rest, err)
		       : span__http_stream_put(s->http, &rest, err);
}

static int take_gap(void *stream, uint32_t len, enum span__drop cause)
{
	struct requests_stream *s = stream;

	if (s->whole)
		s->decided = true; /* too late to tell by the beginning */
	if (s->grpc)
		return span__grpc_stream_gap(s->grpc, len, cause);
	span__http_stream_gap(s->http, cause);
	return 0;
}

static size_t stream_memory(const void *stream)
{
	const struct requests_stream *s = stream;

	return sizeof(*s) + (s->grpc ? span__grpc_stream_memory(s->grpc)
				     : span__http_stream_memory(s->http));
}

/*
 * Of a connection that was seen from its middle on, and never found to be
 * HTTP/1, nothing is known. Without ports it may be anything.
 */
static void close_stream(void *stream)
{
	struct requests_stream *s = stream;

	if (!s->decided && !s->whole && s->requests->by_port)
		s->requests->ignored.connections++;
	span__http_stream_close(&s->http);
	span__grpc_stream_close(&s->grpc);
	free(s);
}

int span__requests_open(struct span__requests **out, const uint16_t *ports,
			size_t n_ports, const struct span__requests_sink *sink,
			struct span_error *err)
{
	struct span__requests *r = calloc(1, sizeof(*r));
	const struct span__tcp_sink streams = {.arg = r,
					       .open = open_stream,
					       .bytes = take_bytes,
					       .gap = take_gap,
					       .memory = stream_memory,
					       .close = close_stream};
	int rc;

	*out = NULL;
	if (!r)
		return span_error_set(err, SPAN_E_NOMEM, "out of memory");
	r->sink = *sink;
	r->by_port = n_ports > 0;
	rc = span__tcp_open(&r->tcp, ports, n_ports, &streams, err);
	if (rc < 0)
		span__requests_close(&r);
	*out = r;
	return rc;
}

int span__requests_put(struct span__requests *r,
		       const struct span__tcp_packet *p, struct span_error *err)
{
	return span__tcp_put(r->tcp, p, err);
}

int span__requests_finish(struct span__requests *r, struct span_error *err)
{
	return span__tcp_finish(r->tcp, err);
}

const struct span__ignored *
span__requests_ignored(const struct span__requests *r)
{
	return &r->ignored;
}

size_t span__requests_memory(const struct span__requests *r)
{
	return span__tcp_memory(r->tcp) + r->scratch.cap;
}

void span__requests_close(struct span__requests **rp)
{
	struct span__requests *r = *rp;

	*rp = NULL;
	if (!r)
		return;
	r->sink.lost = NULL;
	span__tcp_close(&r->tcp);
	span_buf_release(&r->scratch);
	free(r);
}
