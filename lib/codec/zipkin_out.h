/* SPDX-License-Identifier: Apache-2.0 */
/*
 * zipkin_out.h - our span as Zipkin has it, before it is written
 *
 * What the readers make of a Zipkin span is undone: a span that came from
 * Zipkin leaves as it came. Of others, names and values are those of
 * OpenTelemetry's exporter to Zipkin.
 */
#ifndef SPAN__ZIPKIN_OUT_H
#define SPAN__ZIPKIN_OUT_H

#include "codec/decoder.h"
#include "codec/repeats.h"

struct span__zipkin_address {
	bool has_service, has_ipv4, has_ipv6;
	struct span_str service;
	uint32_t ipv4; /* as a number; not 0 */
	uint8_t ipv6[16];
	uint16_t port; /* 0: none */
};

/* Zeroed at first but for UTF8; one serves one span after the other, until
 * released. */
struct span__zipkin_out {
	bool utf8; /* keys that differ in bad bytes only are the same */
	const struct span *span;
	uint8_t kind; /* enum span_kind; 0 for what Zipkin has not */
	bool shared, debug;
	bool has_start, has_duration; /* to be written */
	int64_t start_us, duration_us;
	struct span_str name; /* empty: none */
	struct span__zipkin_address local, remote;
	struct span_buf tags;	      /* struct span_attr */
	struct span__repeats repeats; /* of them: those not to be written */
	struct span_arena arena;      /* texts made for them */
	struct span_buf text;	      /* of a value or an event */
	bool failed;		      /* memory was out */
};

/* Fill *O from S, which is borrowed. */
void span__zipkin_out(struct span__zipkin_out *o, const struct span *s);

/* The text of an annotation for E, and its time; valid until the next text. */
struct span_str span__zipkin_out_event(struct span__zipkin_out *o,
				       const struct span_event *e, int64_t *us);

/* The text of a value; valid until the next text. */
struct span_str span__zipkin_out_text(struct span__zipkin_out *o,
				      const struct span_value *v);

void span__zipkin_out_release(struct span__zipkin_out *o);

static inline bool
span__zipkin_has_address(const struct span__zipkin_address *a)
{
	return a->has_service || a->has_ipv4 || a->has_ipv6 || a->port;
}

/*
 * zipkin_out_tags.c: fill the tags, and the endpoint that some of them are;
 * the first N attributes of the span count.
 */
void span__zipkin_out_tags(struct span__zipkin_out *o, size_t n);

/*
 * zipkin_out_address.c: true when the value V of KEY is part of an address,
 * and now in *A: KEY is "ip", "ipv6" or "port" of a process, or "peer.ipv4"
 * and so on of a span.
 */
bool span__zipkin_take_local(struct span__zipkin_address *a,
			     const struct span_attr *v);
bool span__zipkin_take_peer(struct span__zipkin_address *a,
			    const struct span_attr *v);
/* Who a client's span called, by other tags than these. */
void span__zipkin_guess_peer(struct span__zipkin_address *a,
			     const struct span_attrs *attrs);

#endif
