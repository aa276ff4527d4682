/* SPDX-License-Identifier: Apache-2.0 */
/*
 * span/stream.h - read and write span streams
 *
 * A span stream is a sequence of self-contained frames of up to 256 spans,
 * each one msgpack value, so that streams concatenate with cat(1) and may be
 * cut between any two frames; span-stream(5) is the format.
 *
 * One reader, writer or frame belongs to one thread.
 */
#ifndef SPAN_STREAM_H
#define SPAN_STREAM_H

#include <span/model.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SPAN_FRAME_SPANS 256u	    /* spans that a writer puts in a frame */
#define SPAN_FRAME_MAX_SPANS 65536u /* spans that a reader accepts in one */
#define SPAN_FRAME_SOFT (1u << 20)  /* bytes at which a writer ends a frame */
#define SPAN_FRAME_MAX (64u << 20)  /* bytes that a reader accepts */
#define SPAN_FLUSH_NS 100000000ull  /* how long a span waits for its frame */

/*
 * One frame, decoded: its tables, and a cursor over its spans.
 */
struct span_frame;

struct span_frame_info {
	struct span_str bytes; /* the frame as it was read, borrowed */
	uint32_t n_spans;
	uint64_t min_start_ns;		      /* earliest start of its spans */
	uint64_t max_end_ns;		      /* latest end */
	const struct span_process *processes; /* live until the next parse */
	size_t n_processes;
	const struct span_str *strings; /* every name, key and text, once */
	size_t n_strings;
};

/* An empty frame, ready for span_frame_parse(). 0 or SPAN_E_NOMEM. */
SPAN_API SPAN_NODISCARD int span_frame_open(struct span_frame **out,
					    struct span_error *err);

/*
 * Decode the frame that starts at P; at most LEN bytes belong to it. Checks
 * everything but the spans themselves: mark, limits, checksum, tables.
 *
 * Returns 1 with *USED the frame's length; 0 when LEN is 0; SPAN_E_TRUNCATED
 * when the frame goes on after LEN, SPAN_E_CORRUPT, SPAN_E_LIMIT,
 * SPAN_E_FORMAT or SPAN_E_NOMEM, with the offset from P in err->pos.
 *
 * P is borrowed until the next parse or close.
 */
SPAN_API SPAN_NODISCARD int span_frame_parse(struct span_frame *f,
					     const void *p, size_t len,
					     size_t *used,
					     struct span_error *err);

SPAN_API const struct span_frame_info *
span_frame_info(const struct span_frame *f);

/*
 * The next span of the frame. Returns 1; 0 after the last one; or
 * SPAN_E_CORRUPT, SPAN_E_LIMIT, SPAN_E_NOMEM with the offset in the frame.
 * After an error every further call returns the same code.
 *
 * *OUT is valid until the next call on this frame; out->process and
 * out->scope until the next parse: equal pointers are equal processes.
 */
SPAN_API SPAN_NODISCARD int
span_frame_next(struct span_frame *f, struct span *out, struct span_error *err);

/*
 * The same for the next span of one of the N traces IDS, which are sorted by
 * memcmp(3): the others are passed over by their length, unread. NULL IDS
 * means every span.
 */
SPAN_API SPAN_NODISCARD int span_frame_next_of(struct span_frame *f,
					       const uint8_t (*ids)[16],
					       size_t n, struct span *out,
					       struct span_error *err);

/*
 * The same in two steps, for who judges most spans by what every span has:
 * next_head leaves attributes, events, references, status message, trace
 * state and dropped counts empty; complete fills them in, for the span that
 * next_head returned last, once. 0 or a negative code.
 */
SPAN_API SPAN_NODISCARD int span_frame_next_head(struct span_frame *f,
						 const uint8_t (*ids)[16],
						 size_t n, struct span *out,
						 struct span_error *err);
SPAN_API SPAN_NODISCARD int span_frame_complete(struct span_frame *f,
						struct span *s,
						struct span_error *err);

/*
 * Instead of complete, for who counts: it reads all of the span but attributes
 * and events, which are left empty. When an attribute says that the span
 * failed, as span_is_error() has it, it has one that says so. What is passed
 * over is not checked.
 */
SPAN_API SPAN_NODISCARD int span_frame_outline(struct span_frame *f,
					       struct span *s,
					       struct span_error *err);

/* Go back to the first span. */
SPAN_API void span_frame_rewind(struct span_frame *f);

/*
 * Check every span as span_frame_next() would, and that all lie between the
 * frame's times: 0 or a negative code.
 */
SPAN_API SPAN_NODISCARD int span_frame_validate(struct span_frame *f,
						struct span_error *err);

SPAN_API void span_frame_close(struct span_frame **f);

/*
 * A span writer gathers spans into frames. It writes a frame when it has 256
 * spans or SPAN_FRAME_SOFT bytes, on flush, and on close.
 */
struct span_writer;

/*
 * Write to FD, or to MEM when FD is -1 (the caller's buffer, appended to).
 * FD is borrowed. 0, SPAN_E_INVALID or SPAN_E_NOMEM.
 */
SPAN_API SPAN_NODISCARD int span_writer_open(struct span_writer **out, int fd,
					     struct span_error *err);
SPAN_API SPAN_NODISCARD int span_writer_open_mem(struct span_writer **out,
						 struct span_buf *mem,
						 struct span_error *err);

/*
 * Add a span; it is copied before this returns. 0; SPAN_E_LIMIT when it is
 * above SPAN_MAX_BYTES (nothing is added, the writer goes on); SPAN_E_PIPE,
 * SPAN_E_IO, SPAN_E_NOMEM (every further call returns the same).
 */
SPAN_API SPAN_NODISCARD int span_writer_put(struct span_writer *w,
					    const struct span *s,
					    struct span_error *err);

/* Forward a whole frame as it is, after what was put before it. */
SPAN_API SPAN_NODISCARD int span_writer_put_frame(struct span_writer *w,
						  const struct span_frame *f,
						  struct span_error *err);

/*
 * Forward those spans of the frame whose bit is set in KEEP (span 0 is bit 0
 * of byte 0). The spans are not encoded again while at least half are kept;
 * below that they are put one by one, so that the tables shrink too.
 */
SPAN_API SPAN_NODISCARD int span_writer_put_slice(struct span_writer *w,
						  struct span_frame *f,
						  const uint8_t *keep,
						  struct span_error *err);

/*
 * The same with other trace states: STATE is given the one that a span has,
 * which may be empty, and replaces it; it may be asked once for many spans that
 * have the same. What it returns has to last until its next call; below 0 ends
 * this with that code. A span that is as large as can be stays what it is. The
 * spans are patched while at least a third of them are kept.
 */
typedef int (*span_trace_state_fn)(void *arg, struct span_str *state,
				   struct span_error *err);
SPAN_API SPAN_NODISCARD int
span_writer_put_slice_states(struct span_writer *w, struct span_frame *f,
			     const uint8_t *keep, span_trace_state_fn state,
			     void *arg, struct span_error *err);

/* Write what is waiting. 0, SPAN_E_PIPE or SPAN_E_IO. */
SPAN_API SPAN_NODISCARD int span_writer_flush(struct span_writer *w,
					      struct span_error *err);

/* Spans put so far, and bytes written so far. */
SPAN_API uint64_t span_writer_spans(const struct span_writer *w);
SPAN_API uint64_t span_writer_bytes(const struct span_writer *w);

/*
 * How many nanoseconds from now the oldest waiting span may still wait until
 * a flush is due; UINT64_MAX when nothing waits.
 */
SPAN_API uint64_t span_writer_due_ns(const struct span_writer *w);

/* Closes without flushing; NULL is fine. */
SPAN_API void span_writer_close(struct span_writer **w);

/*
 * A span reader reads frames from a descriptor or from memory.
 */
struct span_reader;

struct span_reader_opts {
	/*
	 * A writer to flush before a read that would block longer than the
	 * writer's spans may wait; NULL: none. Two filters in a pipe then
	 * pass a lone span on within 100 ms.
	 */
	struct span_writer *tie;
	bool skip_bad; /* after damage go on at the next good frame */
	/*
	 * Called before a read that would block, with *WAIT_NS the time it may
	 * wait until it is called again; may lower it. Below 0 ends the read
	 * with that code. NULL: none.
	 */
	int (*idle)(void *arg, uint64_t *wait_ns, struct span_error *err);
	void *idle_arg;
};

/* Read FD, which is borrowed. O may be NULL. 0 or SPAN_E_NOMEM. */
SPAN_API SPAN_NODISCARD int span_reader_open(struct span_reader **out, int fd,
					     const struct span_reader_opts *o,
					     struct span_error *err);
/* Read LEN bytes at P, borrowed until close. */
SPAN_API SPAN_NODISCARD int
span_reader_open_mem(struct span_reader **out, const void *p, size_t len,
		     const struct span_reader_opts *o, struct span_error *err);

/*
 * Decode the next span into *SPAN.
 *
 * Returns 1 with *SPAN filled, 0 at the end of input between two frames, or
 * a negative code: SPAN_E_TRUNCATED when the input ends inside a frame,
 * SPAN_E_CORRUPT, SPAN_E_LIMIT, SPAN_E_FORMAT, SPAN_E_IO, SPAN_E_NOMEM. After
 * an error every further call returns the same code. With skip_bad, damage
 * is passed over and counted instead, a cut last frame too.
 *
 * *SPAN borrows the reader's buffer until the next call on this reader.
 */
SPAN_API SPAN_NODISCARD int span_reader_next(struct span_reader *r,
					     struct span *span,
					     struct span_error *err);

/* The same, in outline: see span_frame_outline(). */
SPAN_API SPAN_NODISCARD int span_reader_next_outline(struct span_reader *r,
						     struct span *span,
						     struct span_error *err);

/*
 * The same for a whole frame, which stays the reader's and is valid until
 * the next call on it. Its spans were not checked yet: use it with
 * span_frame_next() or, to forward it, span_frame_validate().
 */
SPAN_API SPAN_NODISCARD int span_reader_next_frame(struct span_reader *r,
						   struct span_frame **frame,
						   struct span_error *err);

/* Offset in the input just after the last frame that was returned. */
SPAN_API uint64_t span_reader_pos(const struct span_reader *r);

/* Bytes passed over by skip_bad so far, and in how many places. */
SPAN_API uint64_t span_reader_skipped(const struct span_reader *r,
				      uint64_t *places);

SPAN_API void span_reader_close(struct span_reader **r);

/*
 * Where spans come from: a reader, a store's cursor, a generator. NEXT has
 * the contract of span_reader_next().
 */
struct span_source {
	int (*next)(void *self, struct span *out, struct span_error *err);
	void *self;
};

#ifdef __cplusplus
}
#endif
#endif
