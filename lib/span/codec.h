/* SPDX-License-Identifier: Apache-2.0 */
/*
 * span/codec.h - wire formats to spans, and spans to wire formats
 *
 * A decoder takes one whole message in memory and calls back once a span. It
 * allocates nothing per span but from its own arena and believes no declared
 * count: memory for a message is bounded by a small multiple of its length.
 *
 * Sources: Apache Thrift compact and binary protocol specifications;
 * jaeger-idl jaeger.thrift, zipkincore.thrift; opentelemetry-proto v1;
 * openzipkin zipkin.proto, zipkin2-api.yaml.
 */
#ifndef SPAN_CODEC_H
#define SPAN_CODEC_H

#include <span/model.h>
#include <span/payload.h>

#ifdef __cplusplus
extern "C" {
#endif

enum span_format {
	SPAN_FORMAT_AUTO = 0,	    /* by the bytes */
	SPAN_FORMAT_JAEGER_COMPACT, /* message emitBatch, or a bare Batch */
	SPAN_FORMAT_JAEGER_BINARY,
	SPAN_FORMAT_ZIPKIN_COMPACT, /* message emitZipkinBatch, or a list */
	SPAN_FORMAT_ZIPKIN_BINARY,
	SPAN_FORMAT_ZIPKIN_JSON,  /* v1 or v2: a list of spans, or one */
	SPAN_FORMAT_ZIPKIN_PROTO, /* ListOfSpans */
	SPAN_FORMAT_OTLP_PROTO,	  /* ExportTraceServiceRequest, TracesData */
	SPAN_FORMAT_OTLP_JSON,	  /* the same, or one ResourceSpans */
	SPAN_FORMAT_JAEGER_PROTO, /* api_v2 PostSpansRequest */
	SPAN_FORMAT_JAEGER_JSON,  /* the UI's and the query API's, or a trace */
	SPAN_FORMAT_JSONL,	  /* ours, see span_encode_jsonl() */
	SPAN_FORMAT_CSV,	  /* with a header, see span-decode(1) */
	SPAN_FORMATS		  /* how many there are */
};

/* The format's name in options and messages ("jaeger-compact"), or NULL. */
SPAN_API const char *span_format_name(int format);

/*
 * The format that a payload's path and content type name, as collectors take
 * them: "/v1/traces" with JSON is OTLP's. SPAN_FORMAT_AUTO when they say
 * nothing: then the bytes do.
 */
SPAN_API int span_format_of_payload(const struct span_payload *p);

/*
 * The format of the message that the LEN bytes at P are, or begin; 0 when it is
 * none that is known.
 */
SPAN_API int span_format_detect(const void *p, size_t len);

/* What a decoder did besides the spans it handed out. */
struct span_decode_stats {
	uint64_t messages, spans;
	uint64_t bad_messages; /* nothing, or not everything, was readable */
	uint64_t bad_spans;    /* skipped spans of readable messages */
	uint64_t cut, clamped, renamed; /* spans with such a mark */
	uint64_t client_dropped;	/* spans that clients say they lost */
};

/* Bytes of the longest message that is decoded. */
#define SPAN_MESSAGE_MAX (256u << 20)

struct span_decoder;

struct span_decoder_opts {
	const struct span_attr *process_tags; /* added to each process */
	size_t n_process_tags;		      /* borrowed until close */
};

SPAN_API SPAN_NODISCARD int span_decoder_open(struct span_decoder **out,
					      const struct span_decoder_opts *o,
					      struct span_error *err);

/*
 * What a decoder does to a message, besides what its format says:
 *
 * - A time that does not fit in ns since the epoch is clamped, the span marked
 *   SPAN_MARK_CLAMPED, and the microseconds that were sent kept in a last
 *   attribute "spantools.original_start_us", "spantools.original_duration_us"
 *   or, of an event, "spantools.original_time_us".
 *   Of OTLP, whose times fit, an end before the start makes no duration; it is
 *   kept, in ns, in "spantools.original_end_ns".
 *   Of Zipkin a duration below 0 becomes 1 microsecond, and a text in
 *   "errNegativeDuration"; a parent of 0 in Thrift leaves "errZeroParentID".
 * - What is above a limit of <span/model.h> is cut, and the span marked.
 * - An empty name becomes "empty-service-name" or "empty-span-name", one that
 *   Zipkin does not give "unknown-service-name", one that OTLP does not give
 *   "missing-service-name" or, of another type than text,
 *   "service-name-wrong-type", and the span is marked.
 * - A name that is not UTF-8 becomes "invalid-span-name", that of a service
 *   "InvalidServiceName"; its bytes are kept in a tag of the span with that
 *   key, and the span is marked. Not of Jaeger's JSON, CSV and JSON lines,
 *   which are files and not what clients send.
 * - A span of OTLP has a scope, if an empty one; others have none.
 *
 * Memory is at most 48 times the message's length and 1 MiB, whatever the
 * format; for a message above 1 MiB that of its longest span and of what its
 * spans share.
 */

/*
 * Called for each span; S is valid until it returns. What it returns below 0
 * ends the decoding and is handed to the caller.
 */
typedef int span_decode_fn(void *arg, const struct span *s,
			   struct span_error *err);

/*
 * Decode the message of LEN bytes at P. FORMAT may be SPAN_FORMAT_AUTO. FN may
 * be NULL: the message is checked, and counted as usual.
 *
 * Returns the number of spans handed to FN; or SPAN_E_CORRUPT,
 * SPAN_E_TRUNCATED, SPAN_E_LIMIT when the message is bad, with the offset in
 * err->pos: nothing of it was handed out; or SPAN_E_NOMEM, or what FN
 * returned. The decoder is usable after any of them.
 */
SPAN_API SPAN_NODISCARD int span_decoder_message(struct span_decoder *d,
						 int format, const void *p,
						 size_t len, span_decode_fn *fn,
						 void *arg,
						 struct span_error *err);

/* The format that the last message was found to have. */
SPAN_API int span_decoder_format(const struct span_decoder *d);
/*
 * Why and where the first skipped span of the last message was skipped; NULL
 * when there was none. Valid until the next message.
 */
SPAN_API const struct span_error *
span_decoder_bad_span(const struct span_decoder *d);
SPAN_API const struct span_decode_stats *
span_decoder_stats(const struct span_decoder *d);
SPAN_API void span_decoder_close(struct span_decoder **d);

/*
 * Append to B one message emitBatch with the N spans, which must share one
 * process (spans[0]'s is written). FORMAT is SPAN_FORMAT_JAEGER_COMPACT or
 * _BINARY; SEQNO is Batch.seqNo. 0, SPAN_E_INVALID or SPAN_E_NOMEM.
 */
SPAN_API SPAN_NODISCARD int span_encode_jaeger(struct span_buf *b, int format,
					       const struct span *spans,
					       size_t n, uint64_t seqno,
					       struct span_error *err);

/*
 * Append one message of FORMAT with the N spans, of whatever processes and
 * traces: what span_decoder_message() reads back (of Zipkin's Thrift a list
 * without a message head). What FORMAT cannot hold is left out;
 * span-encode(1) says what that is. 0; SPAN_E_INVALID when the format is not
 * written, or cannot hold spans of several processes; or SPAN_E_NOMEM. After
 * an error B holds what it held before.
 *
 * OTLP: consecutive spans of equal process and scope share their resource and
 * scope; JSON is one line without a newline. A span that has a scope came as
 * OTLP and leaves as it came, but for its marks and, in JSON, bytes of texts
 * that are not UTF-8 (U+FFFD). What others say in tags, logs and references
 * goes to OTLP's fields as OpenTelemetry's translator of Jaeger spans does it:
 * kind, status, trace state and scope leave the tags, a log's field "event" is
 * a name, references but the parent are links with "opentracing.ref_type", the
 * process tag "hostname" is "host.name"; of the flags "sampled" is left.
 */
SPAN_API SPAN_NODISCARD int span_encode_message(struct span_buf *b, int format,
						const struct span *spans,
						size_t n,
						struct span_error *err);

/*
 * Append one span as Zipkin's version 2 has it in JSON, an object, no comma
 * and no newline: an array of such objects is what SPAN_FORMAT_ZIPKIN_JSON is.
 */
SPAN_API void span_encode_zipkin_json(struct span_buf *b, const struct span *s);

/*
 * Append one trace as Jaeger's query API and UI write it, an object with
 * traceID, spans and processes, no newline. int64 beyond 2^53 - 1 are
 * strings, bytes base64, arrays and maps strings of JSON; times are cut to
 * microseconds. Kind, status and parent are written as tags and references
 * only where they are not there already; marks are warnings. What Jaeger's
 * form has no place for (link attributes, scope attributes, dropped counts)
 * is left out.
 */
SPAN_API void span_encode_jaeger_json(struct span_buf *b,
				      const struct span *spans, size_t n);

/*
 * Append a span as one JSON object and a newline: every field of the model,
 * exact but for bytes of texts that are not UTF-8 (U+FFFD). The format
 * "jsonl", for jq and the like; its members, in this order:
 *
 *   trace_id        16 hex digits, or 32 when the high half is not zero
 *   span_id         16 hex digits
 *   parent_id       the same, null for none
 *   service, name   texts; name is the operation
 *   kind            "internal" "server" "client" "producer" "consumer", null
 *                   when unspecified, a number when unknown
 *   start           RFC 3339 in UTC with nine decimals
 *   start_ns        the same, an integer since the Unix epoch
 *   duration_ns     an integer
 *   status          "unset" "ok" "error", a number when unknown
 *   status_message  text
 *   flags           an integer
 *   trace_state     text
 *   tags            an object of the span's attributes
 *   process         an object of the process's (resource's) attributes
 *   events          an array of objects with time, time_ns, name, fields
 *   refs            an array of objects with type ("child_of",
 *                   "follows_from", "link" or a number), trace_id, span_id,
 *                   flags, trace_state, tags
 *   scope           an object with name, version, tags, schema_url
 *   schema_url      of the process
 *   dropped_tags dropped_process dropped_events dropped_refs; dropped_fields
 *                   of an event, dropped_tags of a ref or scope
 *   marks           an array of "cut" "clamped" "renamed"
 *
 * status_message, flags, trace_state, scope, schema_url, dropped_*, marks, the
 * name of an event, and what follows span_id in a ref and name in a scope are
 * left out when they are zero, empty or not there; the rest is always there.
 *
 * Attributes keep their order and types: strings, true and false, integers
 * (no point, no exponent), doubles (a point or an exponent: 5.0), null,
 * arrays, maps as objects. Bytes are {"$bytes":"BASE64"}; doubles that JSON
 * has not are {"$double":"NaN"}, "Infinity" or "-Infinity". Where a key comes
 * twice, the object has the first and a member beside it has all:
 *
 *   "tags":{"k":1},"tags_list":[["k",1],["k",2]]
 *
 * and so process_list and fields_list. A map inside a value that has a key
 * twice, or a first key that begins with $, is {"$map":[["k",1],["k",2]]}.
 */
SPAN_API void span_encode_jsonl(struct span_buf *b, const struct span *s);

/*
 * CSV by RFC 4180 (lines end in CR LF): the header line, and a span's line.
 * SAFE as in span_text_csv(). The columns, named as in jsonl:
 *
 *   trace_id span_id parent_id service name kind start start_ns duration_ns
 *   status status_message tags process events
 *
 * parent_id and kind are empty for none; tags and process are logfmt
 * (http.method=GET http.url="/a b"), in which the types are lost; events is
 * their number. Texts are always quoted, numbers and ids never.
 */
SPAN_API void span_encode_csv_head(struct span_buf *b);
SPAN_API void span_encode_csv(struct span_buf *b, const struct span *s,
			      bool safe);

#ifdef __cplusplus
}
#endif
#endif
