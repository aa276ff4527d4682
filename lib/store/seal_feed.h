/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seal_feed.h - the frames of a log, read, checked and taken apart
 *
 * By a thread of its own where there is one to spare, so that the caller has
 * the next frame ready while it puts the one before into the segment.
 */
#ifndef SPAN_SEAL_FEED_H
#define SPAN_SEAL_FEED_H

#include <span/stream.h>

#include "store/log_reader.h"

enum span__feed_what {
	FEED_FRAME = 0,
	FEED_LOST, /* a record that is damaged */
	FEED_NONE, /* its frame is, no span of it can be had */
	FEED_ODD,  /* its frame is not valid, which was not expected */
	FEED_SOME, /* the same, looked at with care: spans that it has */
	FEED_END,  /* there is no more, or a failure */
};

/* What is next. It is valid until the next one is asked for. */
struct span__feed_item {
	enum span__feed_what what;
	int rc;	      /* of FEED_END: 0 or a negative code, as is in ERR */
	bool damaged; /* so is the log, before it or here */
	struct span__log_record rec;
	struct span_frame *frame; /* with the tables of SPANS */
	struct span *spans;
	size_t n, cap;
	uint64_t hashes; /* of those of SPANS that count */
	struct span_buf payload;
	struct span_error err;
};

struct span__feed;

struct span__feed_opts {
	const struct span__log *log;
	bool careful; /* frames are validated */
	bool thread;
	/* True when the spans of a trace count for the sum of hashes. */
	bool (*counts)(const void *arg, const uint8_t trace_id[16]);
	const void *arg;
};

/* 0 or SPAN_E_NOMEM. The log stays open until the feed is closed. */
SPAN_NODISCARD int span__feed_open(struct span__feed **out,
				   const struct span__feed_opts *o,
				   struct span_error *err);
/* Never NULL; after FEED_END it is that again. */
struct span__feed_item *span__feed_next(struct span__feed *f);
/* Bytes of memory that it takes. */
size_t span__feed_memory(const struct span__feed *f);
void span__feed_close(struct span__feed **f);

#endif
