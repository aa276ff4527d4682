/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jaeger_extra.h - what Jaeger's formats say only in tags and warnings
 *
 * Kind, status, scope and trace state have no fields there. They are written
 * as tags, unless the span's tags say it already: a span that came from a
 * Jaeger client leaves as it came. Where a tag denies what the field says, one
 * that says it comes before it. Names and order of these tags are those of
 * OpenTelemetry's mapping to Jaeger; the warnings are kept in the attribute
 * that Jaeger 2 has for them.
 */
#ifndef SPAN__JAEGER_EXTRA_H
#define SPAN__JAEGER_EXTRA_H

#include "codec/decoder.h"

/* Scope name and version, kind, status twice, description, trace state. */
#define SPAN__MAX_EXTRA 7

struct span__extra {
	struct span_attr v[SPAN__MAX_EXTRA];
	size_t n, n_before; /* how many go before the span's own tags */
};

/* What a reader of the span's tags alone would not know; borrows S. */
void span__extra_find(const struct span *s, struct span__extra *x);

/* Those of OTLP have W3C's bits: none but "sampled" means the same here. */
uint32_t span__extra_flags(const struct span *s);

/* Links came from OpenTracing too, which left their type in an attribute. */
int32_t span__extra_ref_type(const struct span_ref *r);

/*
 * True when no reference but a link names the parent: one to it is to be
 * written before the others. *LINK is that link, or NULL; it says the type,
 * and is not to be written again.
 */
bool span__extra_parent(const struct span *s, const struct span_ref **link);

/* The attribute with warnings as Jaeger 2 keeps them: an array of texts. */
#define SPAN__KEY_WARNINGS SPAN_STR("@jaeger@warnings")
bool span__extra_is_warnings(const struct span_attr *a);

/* A mark as a warning; the array ends with mark 0. */
struct span__warning {
	uint16_t mark;
	struct span_str text;
};
extern const struct span__warning span__warnings[];

#endif
