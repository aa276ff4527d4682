/* SPDX-License-Identifier: Apache-2.0 */
/*
 * input.h - a window on the bytes of a descriptor or of memory
 *
 * What span and payload readers share: the bytes not yet taken are always in
 * one piece, the buffer doubles up to a limit, and before a read that may
 * block the tied writer is flushed in time.
 */
#ifndef SPAN_INPUT_H
#define SPAN_INPUT_H

#include <span/stream.h>

struct span__input {
	const unsigned char *p; /* bytes not yet taken */
	size_t len;
	uint64_t pos; /* offset of P in the input */
	size_t max;   /* most bytes that one record may have */
	int fd;	      /* -1: memory */
	bool eof;
	unsigned char *buf;
	size_t cap;
	bool skip_bad;		  /* pass over damage instead of failing */
	bool skipping;		  /* since the last good record */
	uint64_t skipped, places; /* bytes, and how often it began */
	struct span_writer *tie;
	int (*idle)(void *arg, uint64_t *wait_ns, struct span_error *err);
	void *idle_arg;
};

/*
 * Read on. 1 when bytes were added (P may have moved), 0 at the end of the
 * input, or a negative code; SPAN_E_LIMIT when MAX bytes are waiting.
 */
SPAN_NODISCARD int span__input_more(struct span__input *in,
				    struct span_error *err);

/* Bytes that were read already come first; copied. 0 or SPAN_E_NOMEM. */
SPAN_NODISCARD int span__input_head(struct span__input *in,
				    struct span_str head,
				    struct span_error *err);

/* LEN bytes are done with. */
void span__input_take(struct span__input *in, size_t len);

/*
 * Read on until the msgpack value at P is whole. 1; 0 when the input ends
 * before; SPAN_E_CORRUPT, SPAN_E_LIMIT, or the code of a read.
 */
SPAN_NODISCARD int span__input_whole(struct span__input *in,
				     struct span_error *err);

/* True for what skip_bad passes over: the input is at fault. */
bool span__is_damage(int code);

/*
 * A record at P failed with RC. When that is damage and skip_bad is set, go on
 * to the next place, at least one byte from here, where MARK (5 bytes) stands
 * behind the head of an array of MIN_N elements or more, and clear *ERR: 1 to
 * try again there, 0 at the end of the input (nothing is left), or the code of
 * a read. Otherwise RC.
 */
SPAN_NODISCARD int span__input_skip(struct span__input *in, int rc,
				    const char *mark, unsigned min_n,
				    struct span_error *err);

/*
 * True when P begins with an array head of MIN_N or more and MARK, as far as
 * the LEN bytes go.
 */
bool span__marked(const unsigned char *p, size_t len, const char *mark,
		  unsigned min_n);

void span__input_release(struct span__input *in);

#endif
