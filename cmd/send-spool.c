/* SPDX-License-Identifier: Apache-2.0 */
#include "send-spool.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "send-spool-state.h"

#include "base/banned.h"

#define LOGS 8u /* that max_bytes are about */
#define LOG_MIN (64u << 10)
#define LOG_MAX (64u << 20)

struct send_spool send_spool = {.lock = PTHREAD_MUTEX_INITIALIZER,
				.file.fd = -1};

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
	send_spool.spans = join(send_spool.o.dir, "spans");
	send_spool.sent = join(send_spool.o.dir, "sent");
	send_spool.file.path = send_spool.sent;
	if (!send_spool.spans || !send_spool.sent)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	if (mkdir(send_spool.o.dir, 0700) < 0 && errno != EEXIST)
		return span_error_set(err, SPAN_E_IO, "cannot make %s",
				      send_spool.o.dir);
	return 0;
}

static int open_stores(struct span_error *err)
{
	uint64_t log = send_spool.o.max_bytes / LOGS;
	struct span_store_opts o = {
		.mode = SPAN_STORE_APPEND,
		.rotate_bytes = log < LOG_MIN	? LOG_MIN
				: log > LOG_MAX ? LOG_MAX
						: log,
		.damage = damaged,
	};
	int rc = span_store_open(&send_spool.store, send_spool.spans, &o, err);

	o.mode = SPAN_STORE_READ;
	return rc < 0 ? rc
		      : span_store_open(&send_spool.reader, send_spool.spans,
					&o, err);
}

/* What another store was sent of says nothing. */
static int read_place(struct span_error *err)
{
	struct send_place *p = &send_spool.place;
	struct span_store_stat stat;
	struct span_error why = {0};
	int rc = send_place_read(p, send_spool.sent, &why);

	if (rc == SPAN_E_CORRUPT)
		cmd_warn("%s: all that the spool holds is sent again", why.msg);
	else if (rc < 0)
		*err = why;
	if (rc < 0 && rc != SPAN_E_CORRUPT)
		return rc;
	if (span_store_stat(send_spool.reader, &stat, err) < 0)
		return err->code;
	if (rc != 1 || memcmp(stat.uuid, p->uuid, sizeof(p->uuid)) != 0)
		send_place_release(p);
	memcpy(p->uuid, stat.uuid, sizeof(p->uuid));
	send_spool.used = stat.bytes;
	return 0;
}

/* ---- How much there is ---- */

int send_spool_count(void *arg, struct span_str frame, uint64_t seq,
		     struct span_error *err)
{
	struct send_spool_counting *c = arg;
	size_t used;

	if (seq > c->last)
		return 1;
	c->last_seen = seq;
	if (seq <= c->after || seq <= send_spool.place.seq)
		return 0;
	if (span_frame_parse(send_spool.frame, frame.p, frame.len, &used, err) >
	    0)
		c->n += send_place_left(
			&send_spool.place, seq,
			span_frame_info(send_spool.frame)->n_spans);
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

	if (!send_place_cut(&send_spool.place, last))
		return 0;
	send_place_put(&send_spool.place, &text);
	rc = send_place_replace(&send_spool.file, &text, err);
	span_buf_release(&text);
	return rc;
}

static int count_waiting(struct span_error *err)
{
	struct span_store_place from = {0};
	struct send_spool_counting c = {.last = UINT64_MAX};
	int rc = span_store_follow(send_spool.reader, &from, send_spool_count,
				   &c, err);

	if (rc >= 0)
		rc = cut_place(c.last_seen, err);
	if (rc < 0)
		return rc;
	send_spool.taken.seq = send_spool.place.seq;
	send_spool.counts.found = send_spool.counts.waiting = c.n;
	if (c.n && cmd_verbose)
		cmd_note("%s: %llu span%s waiting", send_spool.o.dir,
			 (unsigned long long)c.n, c.n == 1 ? " is" : "s are");
	return 0;
}

int send_spool_open(const struct send_spool_opts *o, struct span_error *err)
{
	int rc;

	send_spool.o = *o;
	if ((rc = make_paths(err)) < 0 || (rc = open_stores(err)) < 0 ||
	    (rc = span_frame_open(&send_spool.frame, err)) < 0 ||
	    (rc = span_frame_open(&send_spool.appended, err)) < 0 ||
	    (rc = span_writer_open_mem(&send_spool.writer, &send_spool.frames,
				       err)) < 0 ||
	    (rc = read_place(err)) < 0)
		return rc;
	return count_waiting(err);
}

void send_spool_counts(struct send_spool_counts *out)
{
	pthread_mutex_lock(&send_spool.lock);
	*out = send_spool.counts;
	pthread_mutex_unlock(&send_spool.lock);
}

/*
 * Of batches that were under way when their log had to go nothing is left on
 * disk: those that were not settled in the end are lost.
 */
int send_spool_settle_up(struct span_error *err)
{
	struct span_store_place from = {0};
	struct send_spool_counting c = {.last = UINT64_MAX};
	int rc;

	pthread_mutex_lock(&send_spool.lock);
	rc = span_store_follow(send_spool.reader, &from, send_spool_count, &c,
			       err);
	if (rc >= 0 && c.n < send_spool.counts.waiting) {
		send_spool.counts.dropped += send_spool.counts.waiting - c.n;
		send_spool.counts.waiting = c.n;
	}
	pthread_mutex_unlock(&send_spool.lock);
	return rc;
}

/* One record says it as well as many. */
static int tidy_file(struct span_error *err)
{
	int rc = 0;

	if (send_spool.file.n_more) {
		send_spool.text.len = 0;
		send_place_put(&send_spool.place, &send_spool.text);
		rc = send_place_replace(&send_spool.file, &send_spool.text,
					err);
	}
	send_place_close(&send_spool.file);
	return rc;
}

int send_spool_close(struct span_error *err)
{
	int rc = tidy_file(err);

	if (send_spool.store && span_store_close(&send_spool.store, err) < 0)
		rc = err->code;
	if (send_spool.reader)
		(void)span_store_close(&send_spool.reader, NULL);
	span_writer_close(&send_spool.writer);
	span_frame_close(&send_spool.frame);
	span_frame_close(&send_spool.appended);
	span__batch_close(&send_spool.batch);
	span_buf_release(&send_spool.frames);
	span_buf_release(&send_spool.text);
	send_place_release(&send_spool.place);
	free(send_spool.spans);
	free(send_spool.sent);
	return rc;
}
