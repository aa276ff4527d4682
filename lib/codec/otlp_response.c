/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/otlp_response.h"

#include "codec/json.h"
#include "codec/proto.h"

#include "base/banned.h"

#define RETRY_INFO SPAN_STR("type.googleapis.com/google.rpc.RetryInfo")
#define NS_PER_S UINT64_C(1000000000)

typedef struct span__otlp_response response;

static int32_t to_code(int64_t n)
{
	return n >= INT32_MIN && n <= INT32_MAX ? (int32_t)n : 0;
}

static void proto_partial(response *r, struct span__cursor *in)
{
	struct span__proto_field f;

	while (span__proto_next(in, &f))
		switch (PROTO(f.id, f.wire)) {
		case PROTO(1, PROTO_VARINT):
			r->rejected = (int64_t)f.number;
			break;
		case PROTO(2, PROTO_LEN):
			r->message = f.bytes;
			break;
		}
}

static void proto_response(response *r, struct span__cursor *in)
{
	struct span__proto_field f;

	while (span__proto_next(in, &f)) {
		const unsigned char *end;

		if (PROTO(f.id, f.wire) != PROTO(1, PROTO_LEN))
			continue;
		end = proto_enter(in, &f);
		proto_partial(r, in);
		proto_leave(in, end);
	}
}

/* google.protobuf.Duration; one that is negative or absurd is none. */
static void proto_duration(response *r, struct span__cursor *in)
{
	struct span__proto_field f;
	uint64_t s = 0, ns = 0;

	while (span__proto_next(in, &f))
		switch (PROTO(f.id, f.wire)) {
		case PROTO(1, PROTO_VARINT):
			s = f.number;
			break;
		case PROTO(2, PROTO_VARINT):
			ns = f.number;
			break;
		}
	if (s <= UINT32_MAX && ns < NS_PER_S)
		r->retry_ns = s * NS_PER_S + ns;
}

static void proto_retry_info(response *r, struct span__cursor *in)
{
	struct span__proto_field f;

	r->retry = true;
	while (span__proto_next(in, &f)) {
		const unsigned char *end;

		if (PROTO(f.id, f.wire) != PROTO(1, PROTO_LEN))
			continue;
		end = proto_enter(in, &f);
		proto_duration(r, in);
		proto_leave(in, end);
	}
}

/* google.protobuf.Any: its type may stand behind its value. */
static void proto_detail(response *r, struct span__cursor *in)
{
	struct span__proto_field f, value = {0};
	struct span_str type = {0};
	const unsigned char *end;

	while (span__proto_next(in, &f))
		switch (PROTO(f.id, f.wire)) {
		case PROTO(1, PROTO_LEN):
			type = f.bytes;
			break;
		case PROTO(2, PROTO_LEN):
			value = f;
			break;
		}
	if (in->failed || !span_str_equal(type, RETRY_INFO))
		return;
	r->retry = true;
	if (!value.bytes.p)
		return;
	end = proto_enter(in, &value);
	proto_retry_info(r, in);
	proto_leave(in, end);
}

static void proto_status(response *r, struct span__cursor *in)
{
	struct span__proto_field f;
	const unsigned char *end;

	while (span__proto_next(in, &f))
		switch (PROTO(f.id, f.wire)) {
		case PROTO(1, PROTO_VARINT):
			r->code = to_code((int64_t)f.number);
			break;
		case PROTO(2, PROTO_LEN):
			r->message = f.bytes;
			break;
		case PROTO(3, PROTO_LEN):
			end = proto_enter(in, &f);
			proto_detail(r, in);
			proto_leave(in, end);
			break;
		}
}

static bool is(struct span_str key, struct span_str camel,
	       struct span_str snake)
{
	return span_str_equal(key, camel) || span_str_equal(key, snake);
}

static void json_text(struct span__json *j, struct span_str *s)
{
	if (span__json_peek(j) == JSON_STRING)
		*s = span__json_string(j);
	else
		span__json_skip(j);
}

static void json_partial(response *r, struct span__json *j)
{
	struct span_str key;

	if (span__json_peek(j) != JSON_OBJECT) {
		span__json_skip(j);
		return;
	}
	(void)span__json_object(j);
	while (span__json_member(j, &key)) {
		if (is(key, SPAN_STR("rejectedSpans"),
		       SPAN_STR("rejected_spans"))) {
			if (!span__json_int(j, &r->rejected))
				r->rejected = 0;
		} else if (is(key, SPAN_STR("errorMessage"),
			      SPAN_STR("error_message"))) {
			json_text(j, &r->message);
		} else {
			span__json_skip(j);
		}
	}
}

static void json_response(response *r, struct span__json *j)
{
	struct span_str key;

	if (!span__json_object(j))
		return;
	while (span__json_member(j, &key))
		if (is(key, SPAN_STR("partialSuccess"),
		       SPAN_STR("partial_success")))
			json_partial(r, j);
		else
			span__json_skip(j);
}

static void json_status(response *r, struct span__json *j)
{
	struct span_str key;
	int64_t code;

	if (!span__json_object(j))
		return;
	while (span__json_member(j, &key))
		if (span_str_equal(key, SPAN_STR("code")))
			r->code = span__json_int(j, &code) ? to_code(code) : 0;
		else if (span_str_equal(key, SPAN_STR("message")))
			json_text(j, &r->message);
		else
			span__json_skip(j);
}

static int read_body(response *r, const void *p, size_t len,
		     void (*proto)(response *, struct span__cursor *),
		     void (*json)(response *, struct span__json *),
		     struct span_arena *a, struct span_error *err)
{
	struct span__cursor in;
	struct span__json j;

	*r = (response){0};
	cursor_init(&in, p, len);
	if (proto) {
		proto(r, &in);
	} else {
		span__json_init(&j, &in, a);
		json(r, &j);
		span__json_end(&j);
	}
	if (in.failed) {
		*r = (response){0};
		return span_error_at(err, in.code, in.pos, "%s", in.what);
	}
	if (r->rejected < 0)
		r->rejected = 0;
	return 0;
}

int span__otlp_response(struct span__otlp_response *r, bool json, const void *p,
			size_t len, struct span_arena *a,
			struct span_error *err)
{
	return read_body(r, p, len, json ? NULL : proto_response, json_response,
			 a, err);
}

int span__otlp_status(struct span__otlp_response *r, bool json, const void *p,
		      size_t len, struct span_arena *a, struct span_error *err)
{
	return read_body(r, p, len, json ? NULL : proto_status, json_status, a,
			 err);
}
