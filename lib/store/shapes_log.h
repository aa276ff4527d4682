/* SPDX-License-Identifier: Apache-2.0 */
/*
 * shapes_log.h - the traces of logs, for who asks shapes
 *
 * Each span is asked once, as its frame is read; of it remain what was said,
 * its ids and its trace. What segments have of traces that are in several files
 * comes to it. At the end each trace becomes a shape, unless its tree is not
 * that of its parent ids alone: it is given then.
 */
#ifndef SPAN_STORE_SHAPES_LOG_H
#define SPAN_STORE_SHAPES_LOG_H

#include "store/shapes_judge.h"
#include "store/shapes_tree.h"
#include "store/store_directory.h"
#include "store/trace_set.h"

/* Spans that are kept, 32 bytes each; traces that have more are given. */
#define SHAPES_LOG_SPANS (UINT32_C(1) << 19)

struct span__shapes_log;

/* JUDGE and its sink are borrowed. 0 or a negative code. */
SPAN_NODISCARD int span__shapes_log_open(struct span__shapes_log **out,
					 struct span__shapes_judge *judge,
					 struct span_error *err);
/* A frame of a log, for span__directory_frames(). */
SPAN_NODISCARD int span__shapes_log_frame(void *log, struct span_str frame,
					  struct span_error *err);
/* The traces that there were. */
const struct span__trace_set *
span__shapes_log_traces(const struct span__shapes_log *l);
/*
 * What a segment has of the trace ID, which is in other files, too: N spans; V
 * NULL: a shape does not tell of it. NEEDED as of a span. 0 or a negative code.
 */
SPAN_NODISCARD int span__shapes_log_part(struct span__shapes_log *l,
					 const uint8_t id[16],
					 const struct span__asked *v, size_t n,
					 bool needed, struct span_error *err);
/*
 * After the last frame and part: hand each trace to the sink, as a shape or by
 * its id. 0 or a negative code.
 */
SPAN_NODISCARD int span__shapes_log_finish(struct span__shapes_log *l,
					   struct span_error *err);
void span__shapes_log_close(struct span__shapes_log **l);

#endif
