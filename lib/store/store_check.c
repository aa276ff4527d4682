/* SPDX-License-Identifier: Apache-2.0 */
/* What a directory holds, and whether all of it is as it was written. */
#include "store/store_directory.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/log_hash.h"
#include "store/store_calls.h"
#include "store/store_check_calls.h"
#include "store/store_check_seg.h"

#include "base/banned.h"

void span__directory_describe(const struct span__view_file *f,
			      struct span_store_file *out, char name[LOG_NAME])
{
	span__view_name(f, name);
	*out = (struct span_store_file){
		.segment = f->number,
		.name = name,
		.open = f->kind == FILE_OPEN,
		.bad = f->kind == FILE_BAD,
		.sealed = f->kind == FILE_SEG && !span__is_draft(f),
		.draft = span__is_draft(f),
		.bytes = f->size,
		.n_frames = f->sum.n_frames,
		.n_spans = f->sum.n_spans,
		.first_seq = f->sum.first_seq,
		.last_seq = f->sum.last_seq,
		.min_start_ns = f->sum.min_start_ns,
		.max_end_ns = f->sum.max_end_ns,
		.min_arrival_ns = f->sum.min_arrival_ns,
		.max_arrival_ns = f->sum.max_arrival_ns,
		.n_traces = f->seg ? f->seg->file.header.n_traces : 0,
	};
}

/* Frames that are missing before SUM, whose predecessor ended with *LAST. */
static uint64_t missing(const struct span__log_sum *sum, uint64_t *last)
{
	uint64_t count = 0, there = sum->n_frames;

	if (!there)
		return 0;
	if (*last && sum->first_seq > *last)
		count = sum->first_seq - *last - 1;
	if (sum->last_seq - sum->first_seq >= there)
		count += sum->last_seq - sum->first_seq + 1 - there;
	if (sum->last_seq > *last)
		*last = sum->last_seq;
	return count;
}

/* A foreign segment is alone: what came before it is elsewhere. */
static uint64_t missing_in(const struct span__view_file *f, uint64_t *last)
{
	uint64_t none = 0;

	return missing(&f->sum, f->file.foreign ? &none : last);
}

static void add_sealed(struct span_store_stat *out,
		       const struct span__view_file *f)
{
	if (f->kind != FILE_SEG)
		return;
	out->n_segments++;
	out->sealed_spans += f->sum.n_spans;
	out->sealed_bytes += f->size;
	if (f->seg)
		out->n_traces += f->seg->file.header.n_traces;
}

/*
 * Files that went away since they were listed have expired, and so have all
 * before them: their frames are not missed.
 */
static void expired(struct span__directory *s, uint64_t *last_seq)
{
	s->found.n_expired++;
	*last_seq = 0;
}

/* Size and sum of a file: 1, 0 when it went away. */
static int know(struct span__directory *s, struct span__view_file *f,
		uint64_t *last_seq, struct span_error *err)
{
	int rc = span__view_sum(f, &s->dir, err);

	if (rc != SPAN_E_NOTFOUND)
		return rc < 0 ? rc : 1;
	expired(s, last_seq);
	return 0;
}

int span__directory_stat(struct span_store *st, struct span_store_stat *out,
			 struct span_error *err)
{
	struct span__directory *s = (struct span__directory *)st;
	const struct span__io *io = s->base.io;
	struct span__log_sum sum = {0};
	uint64_t last = 0;
	int rc = span__directory_view(s, err);

	if (rc < 0)
		return rc;
	*out = s->found;
	for (size_t i = 0; i < s->view.n; i++) {
		struct span__view_file *f = &s->view.v[i];

		rc = know(s, f, &last, err);
		if (rc < 0)
			return rc;
		if (!rc)
			continue;
		out->bytes += f->size;
		if (span__is_draft(f)) {
			out->n_drafts++;
			out->draft_bytes += f->size;
			continue;
		}
		out->n_files++;
		out->n_bad += f->kind == FILE_BAD;
		if (f->kind == FILE_BAD)
			continue;
		out->n_closed += f->kind == FILE_LOG;
		out->missing_frames += missing_in(f, &last);
		add_sealed(out, f);
		span__log_sum_merge(&sum, &f->sum);
		if (f->file.foreign)
			continue;
		if (!out->first_segment)
			out->first_segment = f->first_number;
		out->last_segment = f->number;
	}
	out->n_expired = s->found.n_expired;
	if (io->space(io->self, s->dir.fd, &out->free_bytes) < 0)
		out->free_bytes = UINT64_MAX;
	out->n_spans = sum.n_spans;
	out->n_frames = sum.n_frames;
	out->min_start_ns = sum.min_start_ns;
	out->max_end_ns = sum.max_end_ns;
	out->min_arrival_ns = sum.min_arrival_ns;
	out->max_arrival_ns = sum.max_arrival_ns;
	memcpy(out->uuid, s->dir.uuid, sizeof(out->uuid));
	return 0;
}

static bool is_damaged(const struct span__view_file *f)
{
	return f->kind == FILE_BAD || (f->kind == FILE_SEG && !f->seg);
}

int span__directory_files(struct span_store *st, span_store_file_fn *fn,
			  void *arg, struct span_error *err)
{
	struct span__directory *s = (struct span__directory *)st;
	uint64_t last = 0;
	int rc = span__directory_view(s, err);

	for (size_t i = 0; i < s->view.n && rc >= 0; i++) {
		struct span__view_file *f = &s->view.v[i];
		struct span_store_file file;
		char name[LOG_NAME];

		rc = know(s, f, &last, err);
		if (rc <= 0)
			continue;
		span__directory_describe(f, &file, name);
		rc = fn(arg, &file, is_damaged(f) ? "damaged" : NULL, err);
	}
	return rc < 0 ? rc : 0;
}

struct check {
	struct span__directory *store;
	span_store_file_fn *fn;
	void *arg;
	struct span_error *err;
	struct span_frame *frame;
	struct span__log_walk walk;
	struct span_buf index_buf;
	uint64_t last_seq; /* of the file before */
	bool damage;	   /* in any file */
	/* Of the file at hand: */
	struct span__log log;
	struct span_store_file file;
	char name[LOG_NAME];
	struct span__log_sum sum;
	struct span_str index;
	size_t entry; /* the next one */
	bool bad;
	int rc; /* of FN */
};

static void complain(struct check *c, const char *fmt, ...) SPAN_PRINTF(2, 3);

static void complain(struct check *c, const char *fmt, ...)
{
	char text[320];
	va_list ap;

	c->bad = c->damage = true;
	if (!c->fn || c->rc < 0)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	c->rc = c->fn(c->arg, &c->file, text, c->err);
}

static void check_header(struct check *c)
{
	const struct span__log *l = &c->log;

	/* an open log that is shorter is being created */
	if (c->file.open && l->size < LOG_HEADER)
		return;
	if (!l->header_ok)
		complain(c, "its header is damaged");
	else if (c->store->dir.has_format &&
		 memcmp(l->id.uuid, c->store->dir.uuid, 16))
		complain(c, "it belongs to another store");
	else if (l->id.number != c->file.segment)
		complain(c, "it is log %" PRIu64 " under another name",
			 l->id.number);
}

static void check_order(struct check *c, const struct span__log_record *rec)
{
	uint64_t last = c->sum.n_frames ? c->sum.last_seq : c->last_seq;
	char text[LOG_MISSING];

	if (last && rec->seq > last + 1)
		complain(c, "%s before byte %" PRIu64,
			 span__missing_text(text, last + 1, rec->seq - 1),
			 rec->pos);
	else if (rec->seq <= last)
		complain(c,
			 "frame %" PRIu64 " at byte %" PRIu64
			 " comes after frame %" PRIu64,
			 rec->seq, rec->pos, last);
}

static void check_entry(struct check *c, const struct span__log_record *rec)
{
	struct span__log_entry e = {0};

	if (!c->index.len)
		return;
	/* entries of records that are damaged are passed over */
	for (; e.pos < rec->pos && c->entry < c->index.len;
	     c->entry += LOG_INDEX_ENTRY)
		span__log_entry_get(&e, (const uint8_t *)c->index.p + c->entry);
	if (e.pos != rec->pos || e.n_spans != rec->n_spans ||
	    e.min_start_ns != rec->min_start_ns ||
	    e.max_end_ns != rec->max_end_ns)
		complain(c, "the index is wrong for the frame at byte %" PRIu64,
			 rec->pos);
}

static void check_frame(struct check *c, const struct span__log_record *rec,
			const uint8_t *p)
{
	const struct span_frame_info *info = span_frame_info(c->frame);
	struct span_error why = {0};
	size_t used = 0;
	int rc = span_frame_parse(c->frame, p, rec->len, &used, &why);

	if (rc > 0)
		rc = span_frame_validate(c->frame, &why);
	if (rc < 0)
		complain(c, "bad frame at byte %" PRIu64 ": %s",
			 rec->pos + LOG_RECORD + why.pos, why.msg);
	else if (used != rec->len || info->n_spans != rec->n_spans ||
		 info->min_start_ns != rec->min_start_ns ||
		 info->max_end_ns != rec->max_end_ns)
		complain(c,
			 "the record at byte %" PRIu64
			 " does not fit its frame",
			 rec->pos);
}

static void tell_gap(struct check *c)
{
	const struct span__log_walk *w = &c->walk;

	if (w->bad_len)
		complain(c, "damaged at byte %" PRIu64 ", %" PRIu64 " bytes",
			 w->bad_pos, w->bad_len);
}

static int check_records(struct check *c)
{
	struct span__log_record rec;
	const uint8_t *p;
	int rc;

	c->sum = (struct span__log_sum){0};
	span__log_walk_begin(&c->walk, &c->log, true);
	while ((rc = span__log_walk_next(&c->walk, &rec, c->err)) > 0) {
		uint64_t bad_len = c->walk.bad_len;

		rc = span__log_walk_payload(&c->walk, &rec, &p, c->err);
		if (rc < 0)
			return rc;
		if (!rc)
			continue;
		if (bad_len)
			tell_gap(c);
		check_order(c, &rec);
		check_entry(c, &rec);
		check_frame(c, &rec, p);
		span__log_sum_add(&c->sum, &rec);
		if (c->rc < 0)
			return c->rc;
	}
	/* what follows the last record of an open log is in flight */
	if (!rc && !c->file.open)
		tell_gap(c);
	return rc;
}

static int check_hash(struct check *c)
{
	struct span__log_hash *h = span__log_hash_open();
	const struct span__log *l = &c->log;
	uint8_t buf[64u << 10], hash[16];
	uint64_t end = l->size - LOG_TRAILER;
	int rc = 0;

	if (!h)
		return span_error_set(c->err, SPAN_E_NOMEM, "out of memory");
	for (uint64_t pos = 0; pos < end && !rc; pos += sizeof(buf)) {
		size_t len = end - pos < sizeof(buf) ? (size_t)(end - pos)
						     : sizeof(buf);

		rc = span__log_read(l, buf, len, pos, c->err);
		if (!rc)
			span__log_hash_add(h, buf, len);
	}
	if (!rc) {
		span__log_hash_get(h, NULL, 0, hash);
		if (memcmp(hash, l->trailer.hash, sizeof(hash)))
			complain(c, "the hash of the file is wrong");
	}
	span__log_hash_close(&h);
	return rc;
}

static int check_footer(struct check *c)
{
	if (c->file.open && !c->log.closed)
		return 0;
	if (!c->log.closed) {
		complain(c, "its footer is missing or damaged");
		return 0;
	}
	if (memcmp(&c->sum, &c->log.trailer.sum, sizeof(c->sum)))
		complain(c, "its footer counts other frames than it has");
	return check_hash(c);
}

static int check_log(struct check *c)
{
	int rc;

	c->bad = false;
	check_header(c);
	c->index = (struct span_str){0};
	c->entry = 0;
	rc = span__log_index(&c->log, &c->index_buf, &c->index, c->err);
	if (rc < 0)
		return rc;
	if (!rc && c->log.closed)
		complain(c, "its index is missing or damaged");
	if (!rc)
		c->index = (struct span_str){0};
	rc = check_records(c);
	if (!rc)
		rc = check_footer(c);
	if (rc < 0)
		return rc;
	if (c->sum.last_seq > c->last_seq)
		c->last_seq = c->sum.last_seq;
	if (!c->bad && c->fn)
		c->rc = c->fn(c->arg, &c->file, NULL, c->err);
	return c->rc;
}

static int complain_of_segment(void *arg, const char *text)
{
	struct check *c = arg;

	complain(c, "%s", text);
	return c->rc;
}

/* The edges between this segment, which is sound else, and the others. */
static int check_edges(struct check *c, struct span__view_file *f)
{
	const struct span__view *view = &c->store->view;
	struct span__seg **others = calloc(view->n + 1, sizeof(*others));
	size_t n = 0;
	int rc;

	if (!others)
		return span_error_set(c->err, SPAN_E_NOMEM, "out of memory");
	for (size_t i = 0; i < view->n; i++)
		if (view->v[i].kind == FILE_SEG && &view->v[i] != f &&
		    view->v[i].seg && !span__is_draft(&view->v[i]))
			others[n++] = view->v[i].seg;
	rc = span__edges_check(f->seg, others, n, complain_of_segment, c,
			       c->err);
	free(others);
	return rc;
}

static int check_segment(struct check *c, struct span__view_file *f)
{
	const uint8_t *origin =
		f->file.foreign ? f->file.uuid : c->store->dir.uuid;
	int rc = 0;

	span__directory_describe(f, &c->file, c->name);
	c->bad = false;
	if (!f->seg)
		complain(c, "its head is damaged");
	else if (f->number != f->file.number || memcmp(f->origin, origin, 16))
		complain(c, "it is another segment under this name");
	if (f->seg)
		rc = span__segment_verify(f->seg, complain_of_segment, c,
					  c->err);
	if (!rc && !c->bad)
		rc = check_edges(c, f);
	span__calls_unload(f);
	if (rc < 0)
		return rc;
	if (!f->file.foreign && !span__is_draft(f) &&
	    f->sum.last_seq > c->last_seq)
		c->last_seq = f->sum.last_seq;
	if (!c->bad && c->fn)
		c->rc = c->fn(c->arg, &c->file, NULL, c->err);
	return c->rc;
}

static int check_file(struct check *c, struct span__view_file *f)
{
	int rc;

	if (f->kind == FILE_SEG)
		return check_segment(c, f);
	if (f->kind == FILE_BAD)
		return 0;
	rc = know(c->store, f, &c->last_seq, c->err);
	if (rc <= 0)
		return rc;
	rc = span__view_whole_log(f, &c->store->dir, &c->log, c->err);
	if (rc == SPAN_E_NOTFOUND) {
		expired(c->store, &c->last_seq);
		return 0;
	}
	if (rc < 0)
		return rc;
	span__directory_describe(f, &c->file, c->name);
	rc = check_log(c);
	span__view_done(f, &c->log);
	return rc;
}

int span__directory_verify(struct span_store *st, span_store_file_fn *fn,
			   void *arg, struct span_error *err)
{
	struct check c = {
		.store = (struct span__directory *)st,
		.fn = fn,
		.arg = arg,
		.err = err,
	};
	const struct span__view *view = &c.store->view;
	int rc = span__directory_view(c.store, err);

	if (!rc)
		rc = span_frame_open(&c.frame, err);
	for (size_t i = 0; !rc && i < view->n; i++)
		rc = check_file(&c, &view->v[i]);
	span__log_walk_release(&c.walk);
	span_buf_release(&c.index_buf);
	span_frame_close(&c.frame);
	return rc < 0 ? rc : c.damage;
}
