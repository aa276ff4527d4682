/* SPDX-License-Identifier: Apache-2.0 */
/*
 * send-spool-state.h - what the files of the spool share with each other only
 *
 * The main thread appends through a store of its own, and may have to wait for
 * the disk: it holds no lock then. The sender's thread reads through another
 * one, which sees what was appended as other processes do.
 */
#ifndef SEND_SPOOL_STATE_H
#define SEND_SPOOL_STATE_H

#include <pthread.h>

#include "send-place.h"
#include "send-spool.h"

struct send_spool {
	struct send_spool_opts o;
	char *spans, *sent; /* paths */

	/* the main thread's */
	struct span_store *store;
	struct span_writer *writer;
	struct span_frame *appended; /* for what is appended */
	struct span_buf frames; /* that it wrote and the store has not taken */
	size_t n_put;		/* spans since its last frame */
	uint64_t looked_ns;	/* when sizes were looked at */
	uint64_t used; /* bytes of the store, then and appended since */

	/* the sender's thread's */
	struct span__batch *batch; /* being filled */
	struct span_buf text;	   /* a record of the file SENT */
	struct send_place_file file;

	pthread_mutex_t lock; /* of all below */
	struct span_store *reader;
	struct span_frame *frame; /* for what it reads */
	struct span_store_place taken;
	struct send_place place;
	struct send_spool_counts counts;
};

extern struct send_spool send_spool;

/* Spans of frames that were not settled, as span_store_follow() comes to them.
 */
struct send_spool_counting {
	uint64_t after, last; /* frames behind AFTER, up to LAST */
	uint64_t n, last_seen;
};

/* A span_store_frame_fn; under the lock. */
int send_spool_count(void *arg, struct span_str frame, uint64_t seq,
		     struct span_error *err);

#endif
