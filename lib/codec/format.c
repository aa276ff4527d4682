/* SPDX-License-Identifier: Apache-2.0 */
/* The formats, and what can be done with each. */
#include "codec/decoder.h"
#include "codec/jaeger_proto.h"
#include "codec/lines.h"
#include "codec/otlp_model.h"

#include "base/banned.h"

static int encode_jsonl(struct span_buf *b, const struct span *spans, size_t n,
			struct span_error *err)
{
	for (size_t i = 0; i < n; i++)
		span_encode_jsonl(b, &spans[i]);
	return b->failed ? span_error_set(err, SPAN_E_NOMEM, "out of memory")
			 : 0;
}

static int encode_csv(struct span_buf *b, const struct span *spans, size_t n,
		      struct span_error *err)
{
	span_encode_csv_head(b);
	for (size_t i = 0; i < n; i++)
		span_encode_csv(b, &spans[i], false);
	return b->failed ? span_error_set(err, SPAN_E_NOMEM, "out of memory")
			 : 0;
}

static const struct span__format formats[SPAN_FORMATS] = {
	[SPAN_FORMAT_AUTO] = {"auto", NULL, NULL},
	[SPAN_FORMAT_JAEGER_COMPACT] = {"jaeger-compact", NULL,
					span__jaeger_encode_compact},
	[SPAN_FORMAT_JAEGER_BINARY] = {"jaeger-binary", NULL,
				       span__jaeger_encode_binary},
	[SPAN_FORMAT_ZIPKIN_COMPACT] = {"zipkin-compact", NULL,
					span__zipkin_encode_compact},
	[SPAN_FORMAT_ZIPKIN_BINARY] = {"zipkin-binary", NULL,
				       span__zipkin_encode_binary},
	[SPAN_FORMAT_ZIPKIN_JSON] = {"zipkin-json", span__zipkin_read_json,
				     span__zipkin_encode_json},
	[SPAN_FORMAT_ZIPKIN_PROTO] = {"zipkin-proto", span__zipkin_read_proto,
				      span__zipkin_encode_proto},
	[SPAN_FORMAT_OTLP_PROTO] = {"otlp-proto", span__otlp_proto_read,
				    span__otlp_proto_write},
	[SPAN_FORMAT_OTLP_JSON] = {"otlp-json", span__otlp_json_read,
				   span__otlp_json_write},
	[SPAN_FORMAT_JAEGER_PROTO] = {"jaeger-proto", span__jaeger_proto_read,
				      span__jaeger_proto_encode},
	[SPAN_FORMAT_JAEGER_JSON] = {"jaeger-json", span__jaeger_json_read,
				     span__jaeger_json_encode},
	[SPAN_FORMAT_CSV] = {"csv", span__csv_read, encode_csv},
	[SPAN_FORMAT_JSONL] = {"jsonl", span__jsonl_read, encode_jsonl},
};

const struct span__format *span__format_of(int format)
{
	return format >= 0 && format < SPAN_FORMATS ? &formats[format] : NULL;
}

const char *span_format_name(int format)
{
	const struct span__format *f = span__format_of(format);

	return f ? f->name : NULL;
}

int span_encode_message(struct span_buf *b, int format,
			const struct span *spans, size_t n,
			struct span_error *err)
{
	const struct span__format *f = span__format_of(format);
	size_t len = b->len;
	int rc;

	if (!f || !f->encode)
		return span_error_set(err, SPAN_E_INVALID,
				      "the format %s is not written",
				      f ? f->name : "of this number");
	rc = f->encode(b, spans, n, err);
	if (rc < 0)
		b->len = len;
	return rc;
}
