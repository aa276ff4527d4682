/* SPDX-License-Identifier: Apache-2.0 */
/*
 * zipkin_read.h - what the readers of Zipkin's JSON and protobuf share
 *
 * Annotations and tags of a span are gathered in buffers that serve one span
 * after the other. A span that is bad is read to its end; the first reason
 * is kept.
 */
#ifndef SPAN__ZIPKIN_READ_H
#define SPAN__ZIPKIN_READ_H

#include "codec/zipkin.h"

struct span__zipkin_reader {
	struct span__message *m;
	struct span__zipkin_span span;
	struct span_buf annotations, binaries;
	const unsigned char *bad_at; /* NULL: the span is good */
	const char *bad;	     /* static text */
};

/* Begin a span. */
void span__zipkin_begin(struct span__zipkin_reader *r);

/* The span is bad: WHAT, at AT. */
void span__zipkin_bad(struct span__zipkin_reader *r, const unsigned char *at,
		      const char *what);

/* Keep a copy, up to the limits of <span/model.h>. */
void span__zipkin_annotate(struct span__zipkin_reader *r,
			   const struct span__zipkin_annotation *a);
void span__zipkin_add(struct span__zipkin_reader *r,
		      const struct span__zipkin_binary *b);

/* The span, which began at AT, has been read: make ours of it. */
void span__zipkin_end(struct span__zipkin_reader *r, const unsigned char *at);

void span__zipkin_release(struct span__zipkin_reader *r);

/* Cut and mark what is above SPAN_MAX_STRING. */
struct span_str span__zipkin_text(struct span__message *m, struct span_str s);

#endif
