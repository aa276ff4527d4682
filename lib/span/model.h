/* SPDX-License-Identifier: Apache-2.0 */
/*
 * span/model.h - the span: everything OpenTelemetry and Jaeger can say
 *
 * A struct span is a view. It owns nothing: its text, attributes, events and
 * references point into the buffer, arena or mapped file of whoever filled
 * it, and are valid as long as that one says. To keep a span, span_copy() it.
 *
 * Attributes keep their order, types and bytes as they were received,
 * duplicates too. Kind, status and parent stand beside them: span_derive()
 * reads them out of the attributes and references of a Jaeger span.
 *
 * Sources: OpenTelemetry trace.proto v1, jaeger-idl jaeger.thrift.
 */
#ifndef SPAN_MODEL_H
#define SPAN_MODEL_H

#include <span/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Limits of one span; a decoder cuts what is longer and marks the span. */
#define SPAN_MAX_STRING (64u << 10) /* bytes of one string or bytes value */
#define SPAN_MAX_BYTES (1u << 20)   /* bytes of one encoded span */
#define SPAN_MAX_ATTRS 1024u	    /* attributes of a span, event, process */
#define SPAN_MAX_EVENTS 1024u
#define SPAN_MAX_REFS 1024u
#define SPAN_MAX_DEPTH 64u /* nesting of arrays and maps in a value */

enum span_type {
	SPAN_NULL = 0, /* OTLP's value that is not set */
	SPAN_STRING,
	SPAN_BOOL,
	SPAN_INT,
	SPAN_DOUBLE,
	SPAN_BYTES,
	SPAN_ARRAY,
	SPAN_MAP,
};

struct span_value {
	enum span_type type;
	union {
		struct span_str str; /* SPAN_STRING, SPAN_BYTES */
		bool b;
		int64_t i;
		double d;
		struct {
			const struct span_value *v;
			size_t n;
		} array;
		struct {
			const struct span_attr *v;
			size_t n;
		} map;
	};
};

struct span_attr {
	struct span_str key;
	struct span_value value;
};

struct span_attrs {
	const struct span_attr *v;
	size_t n;
	uint32_t dropped; /* how many the sender says it left out */
};

/*
 * Who sent the span: Jaeger's process, OpenTelemetry's resource.
 *
 * SERIAL is no part of it: two processes with the same one that is not 0 are
 * equal, which spares comparing them. Decoders and frames number what they
 * hand out, from a random number on; who changes a process sets it to 0.
 */
struct span_process {
	struct span_str service; /* service.name; not among the attributes */
	struct span_attrs attrs;
	struct span_str schema_url;
	uint64_t serial;
};

/* The instrumentation scope. */
struct span_scope {
	struct span_str name, version;
	struct span_attrs attrs;
	struct span_str schema_url;
};

/*
 * A Jaeger log has no name, only fields (its name is the field "event"); an
 * OpenTelemetry event has one. span_event_name() knows both.
 */
struct span_event {
	uint64_t time_ns; /* since the Unix epoch */
	struct span_str name;
	struct span_attrs attrs;
};

enum {
	SPAN_REF_LINK = -1, /* an OpenTelemetry link */
	SPAN_REF_CHILD_OF = 0,
	SPAN_REF_FOLLOWS_FROM = 1,
};

struct span_ref {
	uint8_t trace_id[16];
	uint8_t span_id[8];
	int32_t type; /* SPAN_REF_*, or another number as Jaeger sent it */
	uint32_t flags;
	struct span_str trace_state;
	struct span_attrs attrs;
};

/* Numbers of OpenTelemetry's SpanKind. */
enum span_kind {
	SPAN_KIND_UNSPECIFIED = 0,
	SPAN_KIND_INTERNAL,
	SPAN_KIND_SERVER,
	SPAN_KIND_CLIENT,
	SPAN_KIND_PRODUCER,
	SPAN_KIND_CONSUMER,
};

enum span_status {
	SPAN_STATUS_UNSET = 0,
	SPAN_STATUS_OK,
	SPAN_STATUS_ERROR,
};

/* What a decoder had to do to a span, so that it is never done silently. */
enum span_mark {
	SPAN_MARK_CUT = 1 << 0,	    /* a string, list or nesting was cut */
	SPAN_MARK_CLAMPED = 1 << 1, /* a time did not fit; see its tags */
	SPAN_MARK_RENAMED = 1 << 2, /* a name was missing, empty or not UTF-8 */
};

struct span {
	uint8_t trace_id[16]; /* big-endian; a 64-bit id has 8 zeros first */
	uint8_t span_id[8];
	uint8_t parent_id[8]; /* zero: none */
	uint64_t start_ns;    /* since the Unix epoch */
	uint64_t duration_ns;
	struct span_str name;		    /* Jaeger's operation */
	const struct span_process *process; /* never NULL */
	const struct span_scope *scope;	    /* NULL: none */
	uint8_t kind;			    /* enum span_kind */
	uint8_t status;			    /* enum span_status */
	uint16_t marks;			    /* SPAN_MARK_* */
	/*
	 * Verbatim: with a scope OTLP's (bits 0-7 are W3C's), else Jaeger's
	 * (bit 0 is "sampled", 1 "debug").
	 */
	uint32_t flags;
	struct span_str status_message;
	struct span_str trace_state;
	struct span_attrs attrs;
	const struct span_event *events;
	size_t n_events;
	const struct span_ref *refs; /* as received, parent or not */
	size_t n_refs;
	uint32_t dropped_events, dropped_refs;
};

/*
 * Deep copy of *SRC into *DST, all of it in ARENA, process and scope too.
 * Returns 0 or SPAN_E_NOMEM.
 */
SPAN_API SPAN_NODISCARD int span_copy(struct span *dst, const struct span *src,
				      struct span_arena *arena);

/*
 * True when A and B are equal in every field, marks too: such spans are
 * duplicates. Doubles are compared as bits, attributes in order.
 */
SPAN_API bool span_equal(const struct span *a, const struct span *b);

/* A hash of every field, equal for equal spans, the same in every process. */
SPAN_API uint64_t span_hash(const struct span *s);

SPAN_API bool span_value_equal(const struct span_value *a,
			       const struct span_value *b);

/*
 * Derive what Jaeger says in attributes and references, where the field is
 * not set yet: kind from "span.kind", status from "otel.status_code" or a
 * true "error", message from "otel.status_description", and the parent from
 * the first CHILD_OF, else the first FOLLOWS_FROM reference into the same
 * trace. Attributes and references stay as they are.
 */
SPAN_API void span_derive(struct span *s);

/* Status error, or an attribute "error" that is true (or the text "true"). */
SPAN_API bool span_is_error(const struct span *s);

/* True when the span names no parent, or itself. */
SPAN_API bool span_is_root(const struct span *s);

/* start_ns + duration_ns, UINT64_MAX when that does not fit. */
SPAN_API uint64_t span_end_ns(const struct span *s);

/* The first attribute called KEY, or NULL. */
SPAN_API const struct span_value *span_attr_get(const struct span_attrs *a,
						struct span_str key);

/* The event's name: its own, else the text of its field "event", else "". */
SPAN_API struct span_str span_event_name(const struct span_event *e);

/* "internal" ... "consumer"; "" for unspecified and for unknown numbers. */
SPAN_API const char *span_kind_name(int kind);
/* The number of a kind's name in any case, or -1. */
SPAN_API int span_kind_parse(struct span_str name);
/* "unset", "ok", "error". */
SPAN_API const char *span_status_name(int status);
SPAN_API int span_status_parse(struct span_str name);

/* Sizes of the printed ids, terminator included. */
#define SPAN_TRACE_ID_TEXT 33
#define SPAN_ID_TEXT 17

/* Lower-case hex: 16 digits when the high half is zero, else 32. Returns OUT.
 */
SPAN_API char *span_trace_id_text(const uint8_t id[16],
				  char out[SPAN_TRACE_ID_TEXT]);
SPAN_API char *span_id_text(const uint8_t id[8], char out[SPAN_ID_TEXT]);

/*
 * Read 1 to 32 (1 to 16) hex digits of any case, padded with zeros on the
 * left. Returns 0 or SPAN_E_INVALID.
 */
SPAN_API SPAN_NODISCARD int span_trace_id_parse(struct span_str text,
						uint8_t out[16]);
SPAN_API SPAN_NODISCARD int span_id_parse(struct span_str text, uint8_t out[8]);

#ifdef __cplusplus
}
#endif
#endif
