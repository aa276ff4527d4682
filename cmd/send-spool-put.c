/* SPDX-License-Identifier: Apache-2.0 */
/* The spool as the main thread sees it: what is appended, and what has to go.
 */
#include "send-spool-state.h"

#include <string.h>

#include "base/banned.h"

#define SECOND_NS 1000000000ull
#define WHOLE_MIN 64u /* spans of a frame that is not written anew */

bool send_spool_has_room(void)
{
	return !send_spool.o.waits || send_spool.used + send_spool.frames.len <=
					      send_spool.o.max_bytes;
}

int send_spool_put(const struct span *s, struct span_error *err)
{
	int rc = span_writer_put(send_spool.writer, s, err);

	if (rc < 0)
		return rc;
	/* No frame has more spans than a message may have. */
	if (++send_spool.n_put < send_spool.o.batch)
		return 0;
	send_spool.n_put = 0;
	return span_writer_flush(send_spool.writer, err);
}

/*
 * A frame of the input that is about as large as ours would be goes on as it
 * is; of those that are much smaller the tables would take more than the spans.
 */
static bool is_fit(uint32_t n_spans)
{
	return n_spans >= WHOLE_MIN && n_spans <= send_spool.o.batch &&
	       n_spans <= SEND_PLACE_SPANS;
}

int send_spool_put_slice(struct span_frame *f, const uint8_t *keep,
			 size_t n_kept, struct span_error *err)
{
	uint32_t n_spans = span_frame_info(f)->n_spans;
	struct span s;
	int rc;

	if (n_kept == n_spans && is_fit(n_spans)) {
		rc = span_frame_validate(f, err);
		if (rc < 0)
			return rc;
		send_spool.n_put = 0;
		return span_writer_put_frame(send_spool.writer, f, err);
	}
	span_frame_rewind(f);
	for (uint32_t i = 0; (rc = span_frame_next(f, &s, err)) > 0; i++)
		if (keep[i / 8] >> i % 8 & 1 &&
		    (rc = send_spool_put(&s, err)) < 0)
			break;
	return rc;
}

/* It counts before it can be settled. */
static void count_waiting(uint32_t n_spans, bool comes)
{
	pthread_mutex_lock(&send_spool.lock);
	send_spool.counts.waiting += comes ? n_spans : 0;
	send_spool.counts.waiting -= comes ? 0 : n_spans;
	pthread_mutex_unlock(&send_spool.lock);
}

/*
 * One frame of send_spool.frames, at AT: its length, or a negative code. Its
 * spans are those that a writer wrote, or were validated before it took them.
 */
static int64_t append_frame(size_t at, struct span_error *err)
{
	struct span_frame *f = send_spool.appended;
	size_t used;
	uint32_t n_spans;
	int rc = span_frame_parse(f, send_spool.frames.p + at,
				  send_spool.frames.len - at, &used, err);

	if (rc < 0)
		return rc;
	n_spans = span_frame_info(f)->n_spans;
	count_waiting(n_spans, true);
	rc = span_store_append_frame(send_spool.store, f, err);
	if (rc < 0)
		count_waiting(n_spans, false);
	send_spool.used += rc < 0 ? 0 : used;
	return rc < 0 ? rc : (int64_t)used;
}

int send_spool_flush(struct span_error *err)
{
	size_t at = 0;
	int64_t used = span_writer_flush(send_spool.writer, err);

	send_spool.n_put = 0;
	while (used >= 0 && at < send_spool.frames.len) {
		used = append_frame(at, err);
		if (used > 0)
			at += (size_t)used;
	}
	if (at) {
		send_spool.frames.len -= at;
		memmove(send_spool.frames.p, send_spool.frames.p + at,
			send_spool.frames.len);
	}
	return used < 0 ? (int)used : 0;
}

/* ---- Room ---- */

struct sizes {
	uint64_t total, sent; /* bytes; of closed logs that were sent */
};

static int add_size(void *arg, const struct span_store_file *f,
		    const char *text, struct span_error *err)
{
	struct sizes *s = arg;

	(void)text;
	(void)err;
	s->total += f->bytes;
	if (!f->open && f->last_seq <= send_spool.place.seq)
		s->sent += f->bytes;
	return 0;
}

/* A log goes: what was not taken from it will never be sent. */
static int count_dropped(void *arg, const struct span_store_file *f,
			 const char *text, struct span_error *err)
{
	struct send_spool_counting c = {.after = send_spool.taken.seq,
					.last = f->last_seq};
	struct span_store_place from = {.log = f->segment};
	int rc = 0;

	(void)arg;
	(void)text;
	if (f->last_seq > send_spool.taken.seq)
		rc = span_store_follow(send_spool.reader, &from,
				       send_spool_count, &c, err);
	send_spool.counts.dropped += c.n;
	send_spool.counts.waiting -= c.n;
	return rc;
}

/* Of TOTAL, what remains: without what was sent, and the oldest if need be. */
static uint64_t most_bytes(const struct sizes *s)
{
	uint64_t unsent = s->total - s->sent;

	if (!send_spool.o.waits && unsent > send_spool.o.max_bytes)
		unsent = send_spool.o.max_bytes;
	return unsent ? unsent : 1;
}

static int make_room(struct span_error *err)
{
	struct span_store_opts o = {.mode = SPAN_STORE_MAINTAIN};
	struct span_store_expired gone = {0};
	struct span_store_policy p = {.trust_clock = true};
	struct span_store *st;
	struct sizes s = {0};
	int rc = span_store_open(&st, send_spool.spans, &o, err);

	if (rc == SPAN_E_BUSY)
		return 0;
	if (rc >= 0)
		rc = span_store_files(st, add_size, &s, err);
	p.max_bytes = most_bytes(&s);
	if (rc >= 0 && p.max_bytes < s.total)
		rc = span_store_expire(st, &p, &gone, count_dropped, NULL, err);
	if (rc >= 0)
		send_spool.used = s.total - gone.bytes;
	if (rc >= 0 || st)
		(void)span_store_close(&st, NULL);
	return rc;
}

int send_spool_tick(uint64_t *wait_ns, bool hurry, struct span_error *err)
{
	uint64_t due_ns = UINT64_MAX, now = cmd_monotonic_ns();
	int rc;

	rc = span_store_tick(send_spool.store, &due_ns, err);
	if (rc >= 0 && (hurry || now - send_spool.looked_ns >= SECOND_NS)) {
		send_spool.looked_ns = now;
		pthread_mutex_lock(&send_spool.lock);
		rc = make_room(err);
		pthread_mutex_unlock(&send_spool.lock);
	}
	if (due_ns < *wait_ns)
		*wait_ns = due_ns;
	return rc;
}
