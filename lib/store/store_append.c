/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A frame belongs to a group until the next sync; the sync makes the whole
 * group durable and acknowledges it with one line. A log is created when
 * there is a frame for it, so that an idle appender leaves no empty files.
 *
 * After a failed sync the kernel may have dropped the pages and marked them
 * clean, so that a second sync would succeed and prove nothing: whatever was
 * not acknowledged until then never will be, and the appender is at its end.
 * What the log holds is copied by the next one's recovery.
 */
#include "store/store_append.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/banned.h"

#define CHECK_FREE (1u << 20)  /* bytes between looks at free space */
#define RETRY_NS 1000000000ull /* until a rotation is tried again */
#define ROTATE_MAX (LOG_SIZE_MAX / 2)

static uint64_t now(const struct span__appender *a, int id)
{
	return a->dir->io->clock(a->dir->io->self, id);
}

/* Nothing more is taken: RC and what *ERR says is returned from now on. */
static int fail(struct span__appender *a, int rc, const struct span_error *err)
{
	a->failed = rc;
	if (err)
		a->why = *err;
	return rc;
}

static int failed(const struct span__appender *a, struct span_error *err)
{
	if (err)
		*err = a->why;
	return a->failed;
}

/* It may go better next time. */
static bool passing(int rc)
{
	return rc == SPAN_E_FULL || rc == SPAN_E_NOMEM;
}

void span__log_header_now(struct span__log_header *h, const struct span__dir *d,
			  const struct span_store_opts *o, uint64_t number,
			  uint64_t first_seq)
{
	const struct span__io *io = d->io;
	uint64_t delay_us = o->sync_delay_ns / 1000;

	*h = (struct span__log_header){
		.id.number = number,
		.header_len = LOG_HEADER,
		.first_seq = first_seq,
		.created_ns = io->clock(io->self, CLOCK_REALTIME),
		.created_boot_ns = io->clock(io->self, CLOCK_BOOTTIME),
		.sync_mode = (uint32_t)o->sync,
		.sync_delay_us =
			delay_us > UINT32_MAX ? UINT32_MAX : (uint32_t)delay_us,
		.sync_bytes = o->sync_bytes,
	};
	memcpy(h->id.uuid, d->uuid, 16);
	io->boot_id(io->self, h->boot_id);
}

int span__log_rename(const struct span__dir *d, const char *from,
		     uint64_t number, struct span_error *err)
{
	char to[LOG_NAME];

	span__file_name(to, sizeof(to), number, FILE_LOG);
	if (d->io->rename(d->io->self, d->fd, from, to) < 0)
		return span_error_set(err, SPAN_E_IO, "%s: cannot rename",
				      from);
	return span__dir_sync(d, err);
}

static int check_place(const struct span__dir *d,
		       const struct span_store_opts *o, struct span_error *err)
{
	const char *remote = d->io->remote(d->io->self, d->fd);

	if (!remote)
		return 0;
	if (o->require_local)
		return span_error_set(err, SPAN_E_INVALID,
				      "it is on %s, not on a local disk",
				      remote);
	span__store_damage(o,
			   "it is on %s, where locks and syncs may not "
			   "hold what they promise",
			   remote);
	return 0;
}

/* FORMAT, which is written where it is missing or damaged. */
static int prepare(struct span__dir *d, const struct span_store_opts *o,
		   struct span_error *err)
{
	struct span__listing l = {0};
	const char *text;
	int rc;

	rc = span__format_read(d, true, &text, err);
	if (rc)
		return rc < 0 ? rc : 0;
	rc = span__dir_list(d, &l, err);
	if (rc < 0)
		goto done;
	if (l.n)
		span__store_damage(o, "%s; it was written again", text);
	else if (l.strangers) {
		rc = span_error_set(err, SPAN_E_INVALID,
				    "it is no store, and not empty");
		goto done;
	}
	rc = span__format_make(d, &l, err);
done:
	span__listing_release(&l);
	return rc;
}

int span__appender_open(struct span__appender *a, struct span__dir *d,
			const struct span_store_opts *o, struct span_error *err)
{
	struct span__recovered r = {0};
	int rc;

	*a = (struct span__appender){.dir = d, .opts = o, .lock_fd = -1};
	rc = check_place(d, o, err);
	if (!rc)
		rc = span__dir_lock(d, "LOCK", &a->lock_fd, err);
	if (!rc)
		rc = prepare(d, o, err);
	if (!rc)
		rc = span__recover(d, o, &r, err);
	if (rc < 0) {
		if (a->lock_fd >= 0)
			d->io->close(d->io->self, a->lock_fd);
		return rc;
	}
	a->next_number = r.next_number;
	a->next_seq = r.next_seq;
	a->counts.recovered_frames = r.frames;
	a->counts.recovered_spans = r.spans;
	return 0;
}

/* The group is durable: say so. */
static int acknowledge(struct span__appender *a, struct span_error *err)
{
	struct span_store_ack ack = {
		.segment = a->log.header.id.number,
		.end = a->log.end,
		.first_seq = a->group.first_seq,
		.count = a->group.spans,
	};
	int rc = 0;

	if (!a->group.frames)
		return 0;
	memset(&a->group, 0, sizeof(a->group));
	if (a->opts->ack)
		rc = a->opts->ack(a->opts->arg, &ack, err);
	if (rc < 0)
		return fail(a, rc, err);
	a->counts.acknowledged += ack.count;
	return 0;
}

int span__appender_sync(struct span__appender *a, struct span_error *err)
{
	int rc;

	if (a->failed)
		return failed(a, err);
	if (!a->group.frames)
		return 0;
	if (a->opts->sync != SPAN_SYNC_NONE) {
		rc = span__log_sync(&a->log, err);
		if (rc < 0)
			return fail(a, rc, err);
		a->counts.syncs++;
	}
	return acknowledge(a, err);
}

/*
 * Close the log. Where the footer does not fit, the log stays open: the
 * caller may go on with it, or leave it to recovery.
 */
static int rotate(struct span__appender *a, struct span_error *err)
{
	int rc = span__log_finish(&a->log, err);

	if (passing(rc))
		return rc;
	if (rc < 0)
		return fail(a, rc, err);
	a->counts.syncs++;
	rc = acknowledge(a, err);
	if (rc < 0)
		return rc;
	a->has_log = false;
	rc = span__log_release(&a->log, err);
	if (!rc)
		rc = span__log_rename(a->dir, a->log.name,
				      a->log.header.id.number, err);
	if (rc < 0)
		return fail(a, rc, err);
	a->counts.closed_logs++;
	return 0;
}

static int create(struct span__appender *a, struct span_error *err)
{
	const struct span__io *io = a->dir->io;
	struct span__log_header h;
	char name[LOG_NAME];
	int rc;

	span__log_header_now(&h, a->dir, a->opts, a->next_number, a->next_seq);
	span__file_name(name, sizeof(name), h.id.number, FILE_OPEN);
	rc = span__log_create(&a->log, io, a->dir->fd, name, &h, err);
	if (rc < 0) {
		(void)span__log_release(&a->log, NULL);
		io->unlink(io->self, a->dir->fd, name);
		return passing(rc) ? rc : fail(a, rc, err);
	}
	a->next_number++;
	a->has_log = true;
	rc = span__dir_sync(a->dir, err);
	if (rc < 0)
		return fail(a, rc, err);
	return 0;
}

/* SPAN_E_FULL when the reserve would be touched. */
static int check_free(struct span__appender *a, uint64_t len,
		      struct span_error *err)
{
	const struct span__io *io = a->dir->io;
	uint64_t bytes;

	if (!a->opts->min_free ||
	    (a->group.frames && a->unchecked + len < CHECK_FREE)) {
		a->unchecked += len;
		return 0;
	}
	if (io->space(io->self, a->dir->fd, &bytes) < 0 ||
	    bytes >= a->opts->min_free + len) {
		a->unchecked = 0;
		return 0;
	}
	return span_error_set(err, SPAN_E_FULL,
			      "only %llu bytes are left on the disk",
			      (unsigned long long)bytes);
}

/* There is a log with room for a record of SIZE bytes. */
static int make_room(struct span__appender *a, uint64_t size, uint64_t mono,
		     struct span_error *err)
{
	uint64_t limit = a->opts->rotate_bytes;
	bool full;
	int rc;

	if (limit > ROTATE_MAX)
		limit = ROTATE_MAX;
	full = a->has_log && a->log.sum.n_frames &&
	       (a->log.end + size > limit ||
		mono - a->log_since >= a->opts->rotate_age_ns);
	if (full) {
		rc = rotate(a, err);
		if (rc < 0)
			return rc;
	}
	if (!a->has_log) {
		rc = create(a, err);
		if (rc < 0)
			return rc;
	}
	if (!a->log.sum.n_frames)
		a->log_since = mono;
	return 0;
}

static int commit(struct span__appender *a, uint64_t mono,
		  struct span_error *err)
{
	bool due = a->opts->sync != SPAN_SYNC_GROUP ||
		   a->group.bytes >= a->opts->sync_bytes ||
		   mono - a->group.since >= a->opts->sync_delay_ns;

	return due ? span__appender_sync(a, err) : 0;
}

int span__appender_put(struct span__appender *a,
		       const struct span_frame_info *info, uint32_t future,
		       struct span_error *err)
{
	uint64_t mono = now(a, CLOCK_MONOTONIC);
	struct span__log_record rec = {
		.len = (uint32_t)info->bytes.len,
		.type = LOG_TYPE_FRAME,
		.flags = future ? LOG_FLAG_FUTURE : 0,
		.seq = a->next_seq,
		.arrival_ns = now(a, CLOCK_REALTIME),
		.min_start_ns = info->min_start_ns,
		.max_end_ns = info->max_end_ns,
		.n_spans = info->n_spans,
	};
	uint64_t size = span__log_record_size(rec.len);
	int rc;

	if (a->failed)
		return failed(a, err);
	rc = check_free(a, size, err);
	if (rc < 0)
		return rc;
	rc = make_room(a, size, mono, err);
	if (rc < 0)
		return rc;
	rc = span__log_put(&a->log, &rec, info->bytes.p, err);
	if (passing(rc))
		return rc;
	if (rc < 0)
		return fail(a, rc, err);
	a->next_seq++;
	if (!a->group.frames++) {
		a->group.first_seq = rec.seq;
		a->group.since = mono;
	}
	a->group.spans += rec.n_spans;
	a->group.bytes += size;
	a->counts.frames++;
	a->counts.spans += rec.n_spans;
	a->counts.bytes += rec.len;
	a->counts.future += future;
	return commit(a, mono, err);
}

int span__appender_tick(struct span__appender *a, uint64_t *wait_ns,
			struct span_error *err)
{
	uint64_t mono = now(a, CLOCK_MONOTONIC), passed, wait = UINT64_MAX;
	int rc;

	if (a->failed)
		return failed(a, err);
	if (a->has_log && a->log.sum.n_frames) {
		passed = mono - a->log_since;
		rc = passed < a->opts->rotate_age_ns ? 0 : rotate(a, err);
		if (rc < 0 && a->failed)
			return rc;
		if (a->has_log)
			wait = rc < 0 ? RETRY_NS
				      : a->opts->rotate_age_ns - passed;
	}
	if (a->group.frames) {
		passed = mono - a->group.since;
		if (passed >= a->opts->sync_delay_ns) {
			rc = span__appender_sync(a, err);
			if (rc < 0)
				return rc;
		} else if (a->opts->sync_delay_ns - passed < wait) {
			wait = a->opts->sync_delay_ns - passed;
		}
	}
	*wait_ns = wait;
	return 0;
}

/* A log without frames is of no use to anybody. */
static int finish(struct span__appender *a, struct span_error *err)
{
	const struct span__io *io = a->dir->io;
	int rc;

	if (!a->log.sum.n_frames) {
		a->has_log = false;
		rc = span__log_release(&a->log, err);
		io->unlink(io->self, a->dir->fd, a->log.name);
		return rc;
	}
	rc = rotate(a, err);
	if (rc < 0 && !a->failed) {
		span__store_damage(a->opts,
				   "%s: stays open, there is no room for its "
				   "footer",
				   a->log.name);
		rc = span__appender_sync(a, err);
	}
	return rc;
}

int span__appender_close(struct span__appender *a, struct span_error *err)
{
	const struct span__io *io = a->dir->io;
	int rc = 0;

	if (a->failed)
		rc = failed(a, err);
	else if (a->has_log)
		rc = finish(a, err);
	if (a->has_log && span__log_release(&a->log, rc ? NULL : err) < 0 &&
	    !rc)
		rc = SPAN_E_IO;
	io->close(io->self, a->lock_fd);
	return rc;
}
