/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seg_build.h - build a segment from spans
 *
 * Spans are taken in any order, and kept as rows of their types; when all are
 * there they are put in order by trace, and the columns are written. Memory is
 * linear in what is put, whatever it is.
 */
#ifndef SPAN_SEG_BUILD_H
#define SPAN_SEG_BUILD_H

#include <span/stream.h>

#include "store/seg_chunks.h"
#include "store/seg_file.h"

#define SEG_BLOCK_SPANS 16384u /* spans after which a block ends */

struct span__seg_builder;

SPAN_NODISCARD int span__seg_builder_open(struct span__seg_builder **out,
					  enum span__seg_codec codec,
					  struct span_error *err);

/*
 * Take at most MEMORY bytes (0: any), and write with THREADS threads, fewer
 * where memory is short; what is written is the same with any number.
 */
void span__seg_builder_bound(struct span__seg_builder *b, size_t memory,
			     unsigned threads);

/*
 * Add a span, which is copied. 0, SPAN_E_NOMEM; SPAN_E_LIMIT after 2^31 spans.
 */
SPAN_NODISCARD int span__seg_builder_put(struct span__seg_builder *b,
					 const struct span *s,
					 struct span_error *err);

/*
 * Add all spans of a frame that passed span_frame_validate(): the same, but
 * each string and process of the frame is looked up once.
 */
SPAN_NODISCARD int span__seg_builder_put_frame(struct span__seg_builder *b,
					       struct span_frame *f,
					       struct span_error *err);

/* The same with the N spans of F that were decoded already. */
SPAN_NODISCARD int span__seg_builder_put_spans(struct span__seg_builder *b,
					       const struct span_frame *f,
					       const struct span *v, size_t n,
					       struct span_error *err);

uint64_t span__seg_builder_spans(const struct span__seg_builder *b);
/*
 * Bytes of memory it holds and will hold while one thread writes. How long
 * texts compress is not known before: the rest is seen while it writes.
 */
size_t span__seg_builder_memory(const struct span__seg_builder *b);

/*
 * Write all of it as NAME. H gives the origin, cover, stamps and sums of logs
 * (min_start_ns, max_end_ns and n_spans too are taken from the spans); the
 * rest is filled in. Nothing can be put afterwards. SPAN_E_LIMIT when it takes
 * more memory than it may, or more strings than a segment can have.
 */
SPAN_NODISCARD int span__seg_builder_finish(struct span__seg_builder *b,
					    const struct span__io *io,
					    int dirfd, const char *name,
					    struct span__seg_header *h,
					    uint64_t *size,
					    struct span_error *err);
void span__seg_builder_close(struct span__seg_builder **b);

#endif
