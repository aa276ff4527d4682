/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store-model.h - what a store on a simulated disk should hold
 *
 * Frame number N (from 1) is the same wherever it is made: it has 1 to 3
 * spans, whose span ids are N * 4 + 0, 1, 2, and whose trace id is N / 4. So
 * a scan can be judged by its span ids alone.
 */
#ifndef STORE_MODEL_H
#define STORE_MODEL_H

#include <span/stream.h>

#include <endian.h>

#include "simdisk.h"
#include "store/store_ops.h"
#include "tap.h"

#define MODEL_MAX 4096 /* frames */
#define MODEL_TIME 1795341600000000000ull

struct model {
	bool written[MODEL_MAX]; /* append returned 0 */
	bool acked[MODEL_MAX];
	uint64_t end[MODEL_MAX]; /* what its acknowledgement said */
	uint64_t next_acked;	 /* frame whose acknowledgement is next */
	bool late;		 /* acknowledged after a sync had failed */
	unsigned damage;	 /* reports of it */
	char text[320];		 /* the last one */
	struct simdisk *disk;
};

/* What a scan found. */
struct found {
	uint8_t spans[MODEL_MAX]; /* of each frame */
	uint64_t order[MODEL_MAX];
	size_t n;     /* frames, in order */
	bool strange; /* a span that no frame has, or a frame in pieces */
};

static inline uint32_t model_spans(uint64_t n)
{
	return 1 + (uint32_t)(n % 3);
}

static inline void model_span(uint64_t n, uint32_t i, struct span *out)
{
	static const char pad[] = "some text that makes this span longer";
	static const struct span_process process = {
		.service = {"model", 5},
	};
	uint64_t id = htobe64(n * 4 + i), trace = htobe64(n / 4);

	*out = (struct span){
		.start_ns = MODEL_TIME + n * 1000000,
		.duration_ns = 500 + i,
		.name = {pad, 4 + (n * 7 + i) % (sizeof(pad) - 5)},
		.process = &process,
	};
	memcpy(out->span_id, &id, 8);
	memcpy(out->trace_id + 8, &trace, 8);
}

/* Parse frame N into F; its bytes are in BUF. */
static inline void model_frame(uint64_t n, struct span_frame *f,
			       struct span_buf *buf)
{
	struct span_writer *w;
	struct span s;
	size_t used;

	buf->len = 0;
	if (span_writer_open_mem(&w, buf, NULL) < 0)
		abort();
	for (uint32_t i = 0; i < model_spans(n); i++) {
		model_span(n, i, &s);
		if (span_writer_put(w, &s, NULL) < 0)
			abort();
	}
	if (span_writer_flush(w, NULL) < 0 ||
	    span_frame_parse(f, buf->p, buf->len, &used, NULL) < 0)
		abort();
	span_writer_close(&w);
}

static inline int model_ack(void *arg, const struct span_store_ack *a,
			    struct span_error *err)
{
	struct model *m = arg;
	uint64_t spans = 0;

	(void)err;
	m->late |= simdisk_sync_failed(m->disk);
	while (spans < a->count && m->next_acked < MODEL_MAX) {
		uint64_t n = m->next_acked++;

		m->acked[n] = true;
		m->end[n] = a->end;
		spans += model_spans(n);
	}
	return 0;
}

static inline void model_damage(void *arg, const char *text)
{
	struct model *m = arg;

	m->damage++;
	snprintf(m->text, sizeof(m->text), "%s", text);
}

/* Options to append with; more may be set. */
static inline struct span_store_opts model_opts(struct model *m,
						enum span_sync sync)
{
	return (struct span_store_opts){
		.mode = SPAN_STORE_APPEND,
		.sync = sync,
		.ack = model_ack,
		.damage = model_damage,
		.arg = m,
	};
}

/* Append frames FROM to TO: 0, or the code of the first that fails. */
static inline int model_append(struct model *m, struct span_store *st,
			       uint64_t from, uint64_t to,
			       struct span_error *err)
{
	struct span_frame *f = NULL;
	struct span_buf buf = {0};
	int rc = span_frame_open(&f, NULL);

	for (uint64_t n = from; n <= to && !rc; n++) {
		model_frame(n, f, &buf);
		rc = span_store_append_frame(st, f, err);
		m->written[n] = !rc;
	}
	span_frame_close(&f);
	span_buf_release(&buf);
	return rc;
}

/*
 * Open for append on DISK, append frames FROM to TO, close. The code of the
 * first call that fails.
 */
static inline int model_run(struct model *m, struct simdisk *disk,
			    const struct span_store_opts *o, uint64_t from,
			    uint64_t to, struct span_error *err)
{
	struct span_store *st;
	int rc, closed;

	m->disk = disk;
	m->next_acked = from;
	rc = span__store_open(&st, "store", o, simdisk_io(disk), err);
	if (rc < 0)
		return rc;
	rc = model_append(m, st, from, to, err);
	closed = span_store_close(&st, rc ? NULL : err);
	return rc < 0 ? rc : closed;
}

/* Open for append and close again: recovery. */
static inline int model_recover(struct model *m, struct simdisk *disk,
				struct span_error *err)
{
	struct span_store_opts o = model_opts(m, SPAN_SYNC_GROUP);

	return model_run(m, disk, &o, 1, 0, err);
}

static inline void found_add(struct found *f, const struct span *s)
{
	uint64_t id, n;
	struct span want;

	memcpy(&id, s->span_id, 8);
	id = be64toh(id);
	n = id / 4;
	if (n >= MODEL_MAX || id % 4 != f->spans[n] ||
	    (f->n && f->order[f->n - 1] != n && id % 4)) {
		f->strange = true;
		return;
	}
	model_span(n, (uint32_t)(id % 4), &want);
	f->strange |= !span_equal(s, &want);
	if (!f->spans[n]++)
		f->order[f->n++] = n;
}

static inline int found_read(struct found *f, struct span_cursor *c,
			     struct span_error *err)
{
	struct span s;
	int rc;

	memset(f, 0, sizeof(*f));
	while ((rc = span_cursor_next(c, &s, err)) > 0)
		found_add(f, &s);
	for (size_t i = 0; i < f->n; i++)
		f->strange |= f->spans[f->order[i]] != model_spans(f->order[i]);
	return rc;
}

/* All that a reader finds. M (or NULL) takes reports of damage. */
static inline int model_read(struct model *m, struct simdisk *disk,
			     struct found *f, struct span_error *err)
{
	const struct span_store_opts o = {
		.damage = m ? model_damage : NULL,
		.arg = m,
	};
	struct span_cursor *c = NULL;
	struct span_store *st = NULL;
	int rc = span__store_open(&st, "store", &o, simdisk_io(disk), err);

	memset(f, 0, sizeof(*f));
	if (!rc)
		rc = span_store_scan(st, NULL, &c, err);
	if (!rc)
		rc = found_read(f, c, err);
	span_cursor_close(&c);
	(void)span_store_close(&st, NULL);
	return rc;
}

/* Every acknowledged frame is there, nothing strange, all in order. */
static inline const char *model_judge(const struct model *m,
				      const struct found *f)
{
	if (m->late)
		return "acknowledged after a failed sync";
	if (f->strange)
		return "a frame is torn, doubled or strange";
	for (size_t i = 1; i < f->n; i++) {
		if (f->order[i] <= f->order[i - 1])
			return "frames are out of order";
	}
	for (uint64_t n = 0; n < MODEL_MAX; n++) {
		if (m->acked[n] && !f->spans[n])
			return "an acknowledged frame is lost";
	}
	return NULL;
}

#endif
