/* SPDX-License-Identifier: Apache-2.0 */
/*
 * zipkin.h - Zipkin's first model, and how it becomes ours
 *
 * Source: openzipkin zipkinCore.thrift. All text borrows the message.
 */
#ifndef SPAN__ZIPKIN_H
#define SPAN__ZIPKIN_H

#include "codec/decoder.h"

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
	uint16_t port;
	int32_t ipv4;
	struct span_str service, ipv6;
};

struct span__zipkin_annotation {
	int64_t us;
	struct span_str value;
	struct span__zipkin_endpoint host;
};

struct span__zipkin_binary {
	struct span_str key, value;
	int32_t type; /* enum span__zipkin_type */
	struct span__zipkin_endpoint host;
};

struct span__zipkin_span {
	uint64_t trace_id, trace_id_high, id, parent_id; /* 0: none */
	struct span_str name;
	int64_t start_us, duration_us; /* 0: not given */
	bool debug;
	const struct span__zipkin_annotation *annotations;
	size_t n_annotations;
	const struct span__zipkin_binary *binaries;
	size_t n_binaries;
};

/*
 * Hand out one span, or two when it holds both a client and a server; memory
 * is the message's arena.
 */
void span__zipkin_hand_out(struct span__message *m,
			   const struct span__zipkin_span *z);

/*
 * Read S as a JSON object whose values are all strings, and which is not
 * empty: true with its members as attributes.
 */
bool span__zipkin_log_fields(struct span__message *m, struct span_str s,
			     struct span_attrs *out);

#endif
