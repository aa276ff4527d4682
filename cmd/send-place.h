/* SPDX-License-Identifier: Apache-2.0 */
/*
 * send-place.h - how far a spool was sent, in memory and in a file
 *
 * Batches are settled in any order. All frames up to SEQ are; behind it, so are
 * those in RANGES. The file is text:
 *
 *	span-send spool 1
 *	store 4f3c1a529e0b4c7d8a6152d7e9b0c3f4
 *	seq 1234
 *	done 1236 1237
 *	end
 */
#ifndef SEND_PLACE_H
#define SEND_PLACE_H

#include "cmd.h"

/* Settled behind the first one that is not: one a message under way at most. */
#define SEND_PLACE_RANGES 1024u

struct send_range {
	uint64_t first, last;
	bool settled;
};

struct send_place {
	uint8_t uuid[16]; /* of the store */
	uint64_t seq;
	uint64_t begun; /* the last frame that was, in this run; not written */
	struct send_range ranges[SEND_PLACE_RANGES]; /* ascending */
	size_t n;
};

/* Frames FIRST to LAST are under way. False when there are too many. */
bool send_place_begin(struct send_place *p, uint64_t first, uint64_t last);
/* Those that began with FIRST are settled; SEQ moves when it can. */
void send_place_settle(struct send_place *p, uint64_t first);
bool send_place_has(const struct send_place *p, uint64_t seq);

/*
 * Read the file PATH. 1; 0 when there is none; SPAN_E_CORRUPT, or what reading
 * failed with.
 */
SPAN_NODISCARD int send_place_read(struct send_place *p, const char *path,
				   struct span_error *err);
SPAN_NODISCARD int send_place_write(const struct send_place *p,
				    const char *path, struct span_error *err);

#endif
