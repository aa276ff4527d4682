/* SPDX-License-Identifier: Apache-2.0 */
#include "send-spool.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "send-place.h"

#include "base/banned.h"

#define LOGS 8u /* that max_bytes are about */
#define LOG_MIN (64u << 10)
#define LOG_MAX (64u << 20)
#define SECOND_NS 1000000000ull

static struct {
	struct send_spool_opts o;
	char *spans, *sent; /* paths */

	/* the main thread's */
	struct span_writer *writer;
	struct span_buf frames; /* that it wrote and the store has not taken */
	size_t n_put;		/* spans since its last frame */
	uint64_t looked_ns;	/* when sizes were looked at */
	uint64_t used; /* bytes of the store, then and appended since */

	/* the sender's thread's */
	struct span_frame *frame;
	struct span__batch *batch; /* being filled */
	struct span_buf text;	   /* of the file SENT */

	pthread_mutex_t lock; /* of all below */
	struct span_store *store, *reader;
	struct span_store_place taken;
	struct send_place place;
	struct send_spool_counts counts;
} spool = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void damaged(void *arg, const char *text)
{
	(void)arg;
	cmd_warn("%s", text);
}

/* ---- Opening ---- */

static char *join(const char *dir, const char *name)
{
	struct span_buf b = {0};

	span_buf_printf(&b, "%s/%s", dir, name);
	span_buf_putc(&b, '\0');
	if (b.failed)
		span_buf_release(&b);
	return b.p;
}

static int make_paths(struct span_error *err)
{
	spool.spans = join(spool.o.dir, "spans");
	spool.sent = join(spool.o.dir, "sent");
	if (!spool.spans || !spool.sent)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	if (mkdir(spool.o.dir, 0700) < 0 && errno != EEXIST)
		return span_error_set(err, SPAN_E_IO, "cannot make %s",
				      spool.o.dir);
	return 0;
}

static int open_stores(struct span_error *err)
{
	uint64_t log = spool.o.max_bytes / LOGS;
	struct span_store_opts o = {
		.mode = SPAN_STORE_APPEND,
		.rotate_bytes = log < LOG_MIN	? LOG_MIN
				: log > LOG_MAX ? LOG_MAX
						: log,
		.damage = damaged,
	};
	int rc = span_store_open(&spool.store, spool.spans, &o, err);

	o.mode = SPAN_STORE_READ;
	return rc < 0 ? rc
		      : span_store_open(&spool.reader, spool.spans, &o, err);
}

static int write_place(const struct span_buf *text, struct span_error *err)
{
	return text->failed
		       ? span_error_set(err, SPAN_E_NOMEM, "memory is out")
		       : cmd_file_replace(spool.sent, text->p, text->len, err);
}

/* What another store was sent of says nothing. */
static int read_place(struct span_error *err)
{
	struct send_place *p = &spool.place;
	struct span_store_stat stat;
	struct span_error why = {0};
	int rc = send_place_read(p, spool.sent, &why);

	if (rc == SPAN_E_CORRUPT)
		cmd_warn("%s: all that the spool holds is sent again", why.msg);
	else if (rc < 0)
		*err = why;
	if (rc < 0 && rc != SPAN_E_CORRUPT)
		return rc;
	if (span_store_stat(spool.reader, &stat, err) < 0)
		return err->code;
	if (rc != 1 || memcmp(stat.uuid, p->uuid, sizeof(p->uuid)) != 0)
		send_place_release(p);
	memcpy(p->uuid, stat.uuid, sizeof(p->uuid));
	spool.used = stat.bytes;
	return 0;
}

/* ---- How much there is ---- */

struct counting {
	uint64_t after, last; /* frames behind AFTER, up to LAST */
	uint64_t n, last_seen;
};

static int count_frame(void *arg, struct span_str frame, uint64_t seq,
		       struct span_error *err)
{
	struct counting *c = arg;
	size_t used;

	if (seq > c->last)
		return 1;
	c->last_seen = seq;
	if (seq <= c->after || seq <= spool.place.seq)
		return 0;
	if (span_frame_parse(spool.frame, frame.p, frame.len, &used, err) > 0)
		c->n += send_place_left(&spool.place, seq,
					span_frame_info(spool.frame)->n_spans);
	return 0;
}

/*
 * After a power cut the numbers of frames that were lost come again: what was
 * sent of them must say nothing of the new ones, also when the next power cut
 * comes at once.
 */
static int cut_place(uint64_t last, struct span_error *err)
{
	struct span_buf text = {0};
	int rc;

	if (!send_place_cut(&spool.place, last))
		return 0;
	send_place_put(&spool.place, &text);
	rc = write_place(&text, err);
	span_buf_release(&text);
	return rc;
}

static int count_waiting(struct span_error *err)
{
	struct span_store_place from = {0};
	struct counting c = {.last = UINT64_MAX};
	int rc = span_store_follow(spool.reader, &from, count_frame, &c, err);

	if (rc >= 0)
		rc = cut_place(c.last_seen, err);
	if (rc < 0)
		return rc;
	spool.taken.seq = spool.place.seq;
	spool.counts.found = spool.counts.waiting = c.n;
	if (c.n && cmd_verbose)
		cmd_note("%s: %llu span%s waiting", spool.o.dir,
			 (unsigned long long)c.n, c.n == 1 ? " is" : "s are");
	return 0;
}

int send_spool_open(const struct send_spool_opts *o, struct span_error *err)
{
	int rc;

	spool.o = *o;
	if ((rc = make_paths(err)) < 0 || (rc = open_stores(err)) < 0 ||
	    (rc = span_frame_open(&spool.frame, err)) < 0 ||
	    (rc = span_writer_open_mem(&spool.writer, &spool.frames, err)) <
		    0 ||
	    (rc = read_place(err)) < 0)
		return rc;
	return count_waiting(err);
}

void send_spool_counts(struct send_spool_counts *out)
{
	pthread_mutex_lock(&spool.lock);
	*out = spool.counts;
	pthread_mutex_unlock(&spool.lock);
}

/* ---- Appending ---- */

bool send_spool_has_room(void)
{
	return !spool.o.waits ||
	       spool.used + spool.frames.len <= spool.o.max_bytes;
}

int send_spool_put(const struct span *s, struct span_error *err)
{
	int rc = span_writer_put(spool.writer, s, err);

	if (rc < 0)
		return rc;
	/* No frame has more spans than a message may have. */
	if (++spool.n_put < spool.o.batch)
		return 0;
	spool.n_put = 0;
	return span_writer_flush(spool.writer, err);
}

/* One frame of spool.frames, at AT: its length, or a negative code. */
static int64_t append_frame(struct span_frame *f, size_t at,
			    struct span_error *err)
{
	size_t used;
	int rc = span_frame_parse(f, spool.frames.p + at, spool.frames.len - at,
				  &used, err);

	if (rc >= 0)
		rc = span_frame_validate(f, err);
	if (rc < 0)
		return rc;
	pthread_mutex_lock(&spool.lock);
	rc = span_store_append_frame(spool.store, f, err);
	if (rc >= 0)
		spool.counts.waiting += span_frame_info(f)->n_spans;
	pthread_mutex_unlock(&spool.lock);
	spool.used += rc < 0 ? 0 : used;
	return rc < 0 ? rc : (int64_t)used;
}

int send_spool_flush(struct span_error *err)
{
	struct span_frame *f = NULL;
	size_t at = 0;
	int64_t used = span_writer_flush(spool.writer, err);

	spool.n_put = 0;
	if (used >= 0)
		used = span_frame_open(&f, err);
	while (used >= 0 && at < spool.frames.len) {
		used = append_frame(f, at, err);
		if (used > 0)
			at += (size_t)used;
	}
	if (at) {
		spool.frames.len -= at;
		memmove(spool.frames.p, spool.frames.p + at, spool.frames.len);
	}
	span_frame_close(&f);
	return used < 0 ? (int)used : 0;
}

/* ---- Sending ---- */

/* The spans of the frame that are not settled. */
static int put_spans(struct span__batch *b, uint64_t seq, uint32_t n_spans,
		     struct span_error *err)
{
	uint32_t index = 0;
	struct span s;
	int rc;

	while ((rc = span_frame_next(spool.frame, &s, err)) > 0) {
		struct span__batch_mark mark = {seq, index++};

		if (send_place_has(&spool.place, seq, n_spans, mark.index))
			continue;
		rc = span__batch_put(b, &s, err);
		if (rc < 0)
			break;
		b->marks[b->n - 1] = mark;
	}
	return rc;
}

/* A frame goes into the batch as a whole, or begins the next one. */
static int take_frame(void *arg, struct span_str frame, uint64_t seq,
		      struct span_error *err)
{
	struct span__batch *b = spool.batch;
	uint32_t n_spans, n;
	size_t used;
	int rc;

	(void)arg;
	rc = span_frame_parse(spool.frame, frame.p, frame.len, &used, err);
	if (rc < 0)
		return rc;
	n_spans = (uint32_t)span_frame_info(spool.frame)->n_spans;
	n = send_place_left(&spool.place, seq, n_spans);
	if (!n)
		return 0;
	if (b &&
	    (b->n + n > b->max || span__batch_size(b) >= spool.o.batch_memory))
		return 1;
	if (!send_place_begin(&spool.place, seq, n_spans))
		return 1;
	if (!b) {
		rc = span__batch_open(&spool.batch,
				      n > spool.o.batch ? n : spool.o.batch,
				      err);
		if (rc < 0)
			return rc;
	}
	return put_spans(spool.batch, seq, n_spans, err);
}

int send_spool_more(void *arg, struct span__batch **b, struct span_error *err)
{
	int rc;

	pthread_mutex_lock(&spool.lock);
	rc = span_store_follow(spool.reader, &spool.taken, take_frame, arg,
			       err);
	pthread_mutex_unlock(&spool.lock);
	if (rc < 0)
		return rc;
	*b = spool.batch;
	spool.batch = NULL;
	return *b != NULL;
}

void send_spool_settle(void *arg, const struct span__batch *b, size_t first,
		       size_t n)
{
	(void)arg;
	pthread_mutex_lock(&spool.lock);
	for (size_t i = first; i < first + n; i++)
		if (send_place_settle(&spool.place, b->marks[i].seq,
				      b->marks[i].index))
			spool.counts.waiting--;
	pthread_mutex_unlock(&spool.lock);
}

int send_spool_save(void *arg, struct span_error *err)
{
	(void)arg;
	spool.text.len = 0;
	pthread_mutex_lock(&spool.lock);
	send_place_put(&spool.place, &spool.text);
	pthread_mutex_unlock(&spool.lock);
	return write_place(&spool.text, err);
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
	if (!f->open && f->last_seq <= spool.place.seq)
		s->sent += f->bytes;
	return 0;
}

/* A log goes: what was not taken from it will never be sent. */
static int count_dropped(void *arg, const struct span_store_file *f,
			 const char *text, struct span_error *err)
{
	struct counting c = {.after = spool.taken.seq, .last = f->last_seq};
	struct span_store_place from = {.log = f->segment};
	int rc = 0;

	(void)arg;
	(void)text;
	if (f->last_seq > spool.taken.seq)
		rc = span_store_follow(spool.reader, &from, count_frame, &c,
				       err);
	spool.counts.dropped += c.n;
	spool.counts.waiting -= c.n;
	return rc;
}

/*
 * Of batches that were under way when their log had to go nothing is left on
 * disk: those that were not settled in the end are lost.
 */
int send_spool_settle_up(struct span_error *err)
{
	struct span_store_place from = {0};
	struct counting c = {.last = UINT64_MAX};
	int rc;

	pthread_mutex_lock(&spool.lock);
	rc = span_store_follow(spool.reader, &from, count_frame, &c, err);
	if (rc >= 0 && c.n < spool.counts.waiting) {
		spool.counts.dropped += spool.counts.waiting - c.n;
		spool.counts.waiting = c.n;
	}
	pthread_mutex_unlock(&spool.lock);
	return rc;
}

/* Of TOTAL, what remains: without what was sent, and the oldest if need be. */
static uint64_t most_bytes(const struct sizes *s)
{
	uint64_t unsent = s->total - s->sent;

	if (!spool.o.waits && unsent > spool.o.max_bytes)
		unsent = spool.o.max_bytes;
	return unsent ? unsent : 1;
}

static int make_room(struct span_error *err)
{
	struct span_store_opts o = {.mode = SPAN_STORE_MAINTAIN};
	struct span_store_expired gone = {0};
	struct span_store_policy p = {.trust_clock = true};
	struct span_store *st;
	struct sizes s = {0};
	int rc = span_store_open(&st, spool.spans, &o, err);

	if (rc == SPAN_E_BUSY)
		return 0;
	if (rc >= 0)
		rc = span_store_files(st, add_size, &s, err);
	p.max_bytes = most_bytes(&s);
	if (rc >= 0 && p.max_bytes < s.total)
		rc = span_store_expire(st, &p, &gone, count_dropped, NULL, err);
	if (rc >= 0)
		spool.used = s.total - gone.bytes;
	if (rc >= 0 || st)
		(void)span_store_close(&st, NULL);
	return rc;
}

int send_spool_tick(uint64_t *wait_ns, bool hurry, struct span_error *err)
{
	uint64_t due_ns, now = cmd_monotonic_ns();
	int rc;

	pthread_mutex_lock(&spool.lock);
	rc = span_store_tick(spool.store, &due_ns, err);
	if (rc >= 0 && (hurry || now - spool.looked_ns >= SECOND_NS)) {
		spool.looked_ns = now;
		rc = make_room(err);
	}
	pthread_mutex_unlock(&spool.lock);
	if (due_ns < *wait_ns)
		*wait_ns = due_ns;
	return rc;
}

int send_spool_close(struct span_error *err)
{
	int rc = 0;

	if (spool.store)
		rc = span_store_close(&spool.store, err);
	if (spool.reader)
		(void)span_store_close(&spool.reader, NULL);
	span_writer_close(&spool.writer);
	span_frame_close(&spool.frame);
	span__batch_close(&spool.batch);
	span_buf_release(&spool.frames);
	span_buf_release(&spool.text);
	send_place_release(&spool.place);
	free(spool.spans);
	free(spool.sent);
	return rc;
}
