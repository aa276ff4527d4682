/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seg_pack.h - what has no column of its own, as msgpack
 *
 * Values, processes, scopes, references, and the rest of a loose span, with
 * their strings in place. Drawn in span-store(5).
 */
#ifndef SPAN_SEG_PACK_H
#define SPAN_SEG_PACK_H

#include <span/model.h>

/* What is nested deeper than SPAN_MAX_DEPTH, which no frame has, is null. */
void span__pack_value(struct span_buf *out, const struct span_value *v);
/* Attributes and schema URL; the service is stored apart. */
void span__pack_process(struct span_buf *out, const struct span_process *p);
void span__pack_scope(struct span_buf *out, const struct span_scope *s);
void span__pack_refs(struct span_buf *out, const struct span_ref *v, size_t n);
/*
 * All of S that a loose type and its other slots do not state: marks, flags,
 * message, trace state, tags, events with their times from the span's start,
 * references, dropped counts, and SCOPE, its number + 1.
 */
void span__pack_rest(struct span_buf *out, const struct span *s,
		     uint32_t scope);

/*
 * The inverse. What they fill points into P and into ARENA. 0, SPAN_E_CORRUPT,
 * SPAN_E_LIMIT or SPAN_E_NOMEM; hostile bytes are expected.
 */
SPAN_NODISCARD int span__unpack_value(struct span_value *out, struct span_str p,
				      struct span_arena *arena,
				      struct span_error *err);
SPAN_NODISCARD int span__unpack_process(struct span_process *out,
					struct span_str p,
					struct span_arena *arena,
					struct span_error *err);
SPAN_NODISCARD int span__unpack_scope(struct span_scope *out, struct span_str p,
				      struct span_arena *arena,
				      struct span_error *err);
SPAN_NODISCARD int span__unpack_refs(const struct span_ref **out, size_t *n,
				     struct span_str p,
				     struct span_arena *arena,
				     struct span_error *err);
/* S->start_ns must be set. */
SPAN_NODISCARD int span__unpack_rest(struct span *s, uint32_t *scope,
				     struct span_str p,
				     struct span_arena *arena,
				     struct span_error *err);

#endif
