/* SPDX-License-Identifier: Apache-2.0 */
/*
 * writer.h - a frame that is being written
 *
 * encode.c turns spans into the frame's body and tables; writer.c decides
 * when a frame ends and where it goes.
 */
#ifndef SPAN_WRITER_H
#define SPAN_WRITER_H

#include "stream/strings.h"

#include <span/stream.h>

/*
 * Which string stood last at the same place of a span with the same name:
 * most attributes repeat, and comparing is cheaper than hashing.
 */
#define GUESS_NAMES 64u
#define GUESS_PLACES 32u
struct span__guess {
	uint32_t key1, value1; /* number plus one, 0: unknown */
};

struct span__guesses {
	uint32_t names1[GUESS_NAMES];
	struct span__guess attrs[GUESS_NAMES][GUESS_PLACES];
	struct span__guess fields[GUESS_NAMES][GUESS_PLACES]; /* of events */
};

/* Processes or scopes: packed, and the hash of each to find it again. */
struct span__owners {
	struct span_buf packed;
	struct span__owner *v;
	uint32_t n, cap;
};

struct span__building {
	struct span__strings strings;
	struct span__owners processes, scopes;
	struct span_arena arena; /* holds the last process */
	struct span_process last_process;
	uint32_t last_process_number;
	bool has_last_process;
	struct span_buf body;
	struct span_buf scratch;
	struct span__guesses *guesses;
	uint64_t base_ns, min_start_ns, max_end_ns;
	uint32_t n_spans;
	const char *refused; /* why the last span was not taken */
};

SPAN_NODISCARD int span__building_init(struct span__building *b,
				       struct span_error *err);
void span__building_reset(struct span__building *b);
void span__building_release(struct span__building *b);

/*
 * Add a span. 0; SPAN_E_LIMIT (b->refused says which) or SPAN_E_INVALID with
 * the body as it was; SPAN_E_NOMEM.
 */
SPAN_NODISCARD int span__building_add(struct span__building *b,
				      const struct span *s);

/* Bytes that the frame would have now, about. */
size_t span__building_size(const struct span__building *b);

/* Append the frame to OUT, which fails when memory is out. */
void span__building_finish(struct span__building *b, struct span_buf *out);

/*
 * Append a frame put together from packed parts: TABLES as it stands in a
 * frame, BODY of N spans.
 */
#define SPAN__TABLES 7u
struct span__parts {
	uint32_t n_spans;
	uint64_t base_ns, min_start_ns, max_end_ns;
	struct span_str tables[SPAN__TABLES]; /* one after another */
	struct span_str body;
};
void span__frame_compose(struct span_buf *out, const struct span__parts *parts);

/*
 * As span_writer_put_frame(), but with these in the place of the frame's own
 * strings (packed, with the head of their array), processes and scopes, and
 * body.
 */
SPAN_NODISCARD int
span__writer_put_parts(struct span_writer *w, const struct span_frame *f,
		       struct span_str strings, struct span_str owners,
		       struct span_str body, struct span_error *err);

#endif
