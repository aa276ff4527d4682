/* SPDX-License-Identifier: Apache-2.0 */
/*
 * shapes_log.h - the traces of logs, for who asks shapes
 *
 * Each span is asked once, as its frame is read; of it remain what was said,
 * its ids and its trace. At the end each trace becomes a shape, unless its tree
 * is not that of its parent ids alone, or it is elsewhere, too: it is given
 * then.
 */
#ifndef SPAN_STORE_SHAPES_LOG_H
#define SPAN_STORE_SHAPES_LOG_H

#include "store/store_directory.h"
#include "store/store_shapes.h"
#include "store/trace_set.h"

/* Spans that are kept, 32 bytes each; of more, all traces are given. */
#define SHAPES_LOG_SPANS (UINT32_C(1) << 19)

struct span__shapes_log;

/* SINK is borrowed. 0 or a negative code. */
SPAN_NODISCARD int span__shapes_log_open(struct span__shapes_log **out,
					 struct span__shapes_sink *sink,
					 struct span_error *err);
/* A frame of a log, for span__directory_frames(). */
SPAN_NODISCARD int span__shapes_log_frame(void *log, struct span_str frame,
					  struct span_error *err);
/* The traces that there were. */
const struct span__trace_set *
span__shapes_log_traces(const struct span__shapes_log *l);
/*
 * After the last frame: hand each trace to the sink, as a shape or by its id.
 * Those in SHARED are in segments, too. 0 or a negative code.
 */
SPAN_NODISCARD int span__shapes_log_finish(struct span__shapes_log *l,
					   const struct span__trace_set *shared,
					   struct span_error *err);
void span__shapes_log_close(struct span__shapes_log **l);

#endif
