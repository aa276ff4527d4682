/* SPDX-License-Identifier: Apache-2.0 */
/*
 * zipkin.h - Zipkin's model, both versions, and how it becomes ours
 *
 * Version 1 (Thrift, JSON) says kind, endpoints and tags in annotations;
 * version 2 (JSON, protobuf) has fields for them. One struct holds either, so
 * that the rules are there once.
 *
 * Sources: openzipkin zipkinCore.thrift, zipkin.proto, zipkin2-api.yaml. All
 * text borrows the message or its arena.
 */
#ifndef SPAN__ZIPKIN_H
#define SPAN__ZIPKIN_H

#include "codec/decoder.h"

#define SPAN__KEY_SHARED SPAN_STR("zipkin.shared")

enum span__zipkin_type {
	ZIPKIN_BOOL,
	ZIPKIN_BYTES,
	ZIPKIN_I16,
	ZIPKIN_I32,
	ZIPKIN_I64,
	ZIPKIN_DOUBLE,
	ZIPKIN_STRING,
};

struct span__zipkin_endpoint {
	bool set, has_ipv6;
	int32_t ipv4; /* 0: none */
	int64_t port; /* 0: none */
	struct span_str service;
	struct span_str ipv6; /* 16 bytes, of Thrift any number */
	/* An address that is none, as it was sent; SPAN_NULL: none. */
	struct span_value odd_address;
};

struct span__zipkin_annotation {
	int64_t us;
	struct span_str value;
	struct span__zipkin_endpoint host; /* version 1 */
};

/* Version 1's binary annotation, and version 2's tag. */
struct span__zipkin_binary {
	struct span_str key, value;
	int32_t type; /* enum span__zipkin_type, or what else was sent */
	bool is_made; /* not of bytes and a type: MADE is the value */
	struct span_value made;
	struct span__zipkin_endpoint host; /* version 1 */
};

struct span__zipkin_span {
	uint64_t trace_id, trace_id_high, id, parent_id; /* 0: none */
	struct span_str name;
	int64_t start_us, duration_us;
	/* Given, though 0; what is not 0 is given anyway. */
	bool has_start, has_duration;
	bool zero_parent; /* a parent's id was given, and is 0 */
	bool debug;
	const struct span__zipkin_annotation *annotations;
	size_t n_annotations;
	const struct span__zipkin_binary *binaries;
	size_t n_binaries;
	/* Version 2: */
	uint8_t kind; /* enum span_kind; 0: as the annotations say */
	bool shared;
	struct span__zipkin_endpoint local, remote;
};

/*
 * Make one span of it, or two when it holds both a client and a server, and
 * collect or hand them out; memory is the message's arena.
 */
void span__zipkin_span(struct span__message *m,
		       const struct span__zipkin_span *z);

/*
 * Read S as a JSON object whose values are all strings, and which is not
 * empty: true with its members as attributes.
 */
bool span__zipkin_log_fields(struct span__message *m, struct span_str s,
			     struct span_attrs *out);

/* Whether it would; texts go to ARENA. */
bool span__zipkin_is_log(struct span_str s, struct span_arena *arena);

/*
 * What the annotation VALUE of version 1 says of the span's kind, enum
 * span_kind, 0 for nothing; and whether it is a client's or a server's.
 */
int span__zipkin_core(struct span_str value);
bool span__zipkin_side(struct span_str value);

/* Attributes of a span of KIND, and its process; memory is the arena's. */
void span__zipkin_tags(struct span__message *m,
		       const struct span__zipkin_span *z, int kind,
		       struct span_attrs *out);
void span__zipkin_process(struct span__message *m,
			  const struct span__zipkin_span *z,
			  struct span_process *p);

#endif
