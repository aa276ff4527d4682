/* SPDX-License-Identifier: Apache-2.0 */
/*
 * send-place.h - how far a spool was sent, in memory and in a file
 *
 * Messages are settled in any order, and need not have whole frames. All
 * frames up to SEQ are settled; behind it, so are those of "done", and of a
 * frame of "part" the spans whose bits are set: its number, how many spans it
 * has, and a bit for each, the first one lowest in the first byte. The file has
 * records of text, of which the last whole one holds:
 *
 *	span-send spool 1
 *	store 4f3c1a529e0b4c7d8a6152d7e9b0c3f4
 *	seq 1234
 *	done 1236 1237
 *	part 1240 10 ff01
 *	end 5d1c0fb2
 *
 * The number at the end is the CRC-32 of what comes before that line; the first
 * record of a file may lack it, as those of earlier versions do.
 */
#ifndef SEND_PLACE_H
#define SEND_PLACE_H

#include "cmd.h"

#define SEND_PLACE_SPANS 256u	 /* most spans of a frame that has parts */
#define SEND_PLACE_FRAMES 65536u /* most that are known behind SEQ */

/* Frames FIRST to LAST, all of them settled, or a single one. */
struct send_range {
	uint64_t first, last;
	uint32_t n_spans, n_left; /* of a single one; none left: settled */
	uint8_t bits[SEND_PLACE_SPANS / 8]; /* of spans that are settled */
};

struct send_place {
	uint8_t uuid[16]; /* of the store */
	uint64_t seq;
	uint64_t begun; /* the last frame that was, in this run; not written */
	struct send_range *ranges; /* ascending, apart */
	size_t n, size;
};

/*
 * A frame of N_SPANS is under way; they come in order. False when there are
 * too many, or no memory.
 */
bool send_place_begin(struct send_place *p, uint64_t seq, uint32_t n_spans);
/* Span INDEX of frame SEQ is settled. False when it was, or none such is. */
bool send_place_settle(struct send_place *p, uint64_t seq, uint32_t index);
/* Is span INDEX of frame SEQ, which has N_SPANS, settled? */
bool send_place_has(const struct send_place *p, uint64_t seq, uint32_t n_spans,
		    uint32_t index);
/* How many of its spans are not. */
uint32_t send_place_left(const struct send_place *p, uint64_t seq,
			 uint32_t n_spans);

/* Forget frames behind LAST. True when there were any. */
bool send_place_cut(struct send_place *p, uint64_t last);

/* One more range, in any order; false when there are too many, or no memory. */
bool send_place_add(struct send_place *p, const struct send_range *r);
/*
 * Put in order what was added: ranges may lie in each other, and behind SEQ;
 * what is settled wins.
 */
void send_place_normalise(struct send_place *p);
/* Move SEQ as far as it can, and make one range of those that touch. */
void send_place_tidy(struct send_place *p);

/*
 * Read the file PATH. 1; 0 when there is none; SPAN_E_CORRUPT, or what reading
 * failed with.
 */
SPAN_NODISCARD int send_place_read(struct send_place *p, const char *path,
				   struct span_error *err);
/* Append a record; SEQ moves as far as it can. */
void send_place_put(struct send_place *p, struct span_buf *b);

/* The file while it is written; FD is -1 at first. */
struct send_place_file {
	const char *path;
	int fd;
	uint64_t len;
	size_t n_more; /* records that it has behind the first one */
};

/*
 * Add to the file the record that is all of TEXT, which is changed, or have it
 * hold nothing else. It is durable then. 0, SPAN_E_IO or SPAN_E_NOMEM, after
 * which the file is not to be written any more.
 */
SPAN_NODISCARD int send_place_save(struct send_place_file *f,
				   struct span_buf *text,
				   struct span_error *err);
SPAN_NODISCARD int send_place_replace(struct send_place_file *f,
				      struct span_buf *text,
				      struct span_error *err);
void send_place_close(struct send_place_file *f);

void send_place_release(struct send_place *p);

#endif
