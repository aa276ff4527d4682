/* SPDX-License-Identifier: Apache-2.0 */
#include "store/store_directory.h"

#include "store/draft_fit.h"
#include "store/store_shapes.h"
#include "store/store_traces.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

static struct span__directory *directory(struct span_store *st)
{
	return (struct span__directory *)st;
}

static int append(struct span_store *st, const struct span_frame_info *info,
		  uint32_t future, struct span_error *err)
{
	return span__appender_put(&directory(st)->appender, info, future, err);
}

static int sync_group(struct span_store *st, struct span_error *err)
{
	if (st->opts.mode != SPAN_STORE_APPEND)
		return 0;
	return span__appender_sync(&directory(st)->appender, err);
}

static int tick(struct span_store *st, uint64_t *wait_ns,
		struct span_error *err)
{
	if (st->opts.mode != SPAN_STORE_APPEND)
		return 0;
	return span__appender_tick(&directory(st)->appender, wait_ns, err);
}

static void counts(const struct span_store *st, struct span_store_counts *out)
{
	*out = ((const struct span__directory *)st)->appender.counts;
}

/* Count and tell what the view could not show. */
static void look_back(struct span__directory *s)
{
	s->found.n_expired += s->view.n_expired;
	for (size_t i = 0; i < s->view.n; i++) {
		struct span__view_file *f = &s->view.v[i];
		char name[LOG_NAME];

		if (f->kind != FILE_SEG || f->seg || f->told)
			continue;
		f->told = true;
		s->found.damaged_places++;
		s->found.damaged_bytes += f->size;
		span__view_name(f, name);
		span__store_damage(&s->base.opts,
				   "%s/%s: its head is damaged, nothing of it "
				   "can be read",
				   s->base.name, name);
	}
}

static void count_work(struct span__directory *s)
{
	for (size_t i = 0; i < s->view.n; i++)
		if (s->view.v[i].seg)
			s->view.v[i].seg->file.work = &s->base.work;
}

int span__directory_view(struct span__directory *s, struct span_error *err)
{
	int rc;

	if (s->has_view)
		return 0;
	rc = span__view_open(&s->view, &s->dir, err);
	s->has_view = !rc;
	if (rc)
		return rc;
	span__drafts_verify(&s->view);
	look_back(s);
	count_work(s);
	return 0;
}

int span__directory_refresh(struct span_store *st, struct span_error *err)
{
	struct span__directory *s = directory(st);
	struct span__view old = s->view;
	int rc;

	if (!s->has_view)
		return span__directory_view(s, err);
	rc = span__view_open(&s->view, &s->dir, err);
	if (rc < 0) {
		s->view = old;
		return rc;
	}
	span__view_inherit(&s->view, &old);
	span__view_release(&old);
	span__drafts_verify(&s->view);
	look_back(s);
	count_work(s);
	return 0;
}

/*
 * Whoever does not append needs FORMAT, or at least one file that names the
 * store; to read, a copied segment is enough.
 */
static int check_format(struct span__directory *s, struct span_error *err)
{
	bool writer = s->base.opts.mode != SPAN_STORE_READ;
	struct span__listing l = {0};
	const char *text;
	int rc = span__format_read(&s->dir, writer, &text, err);

	if (rc)
		return rc < 0 ? rc : 0;
	rc = span__dir_list(&s->dir, &l, err);
	if (!rc && !span__format_guess(&s->dir, &l) &&
	    (writer || !l.n || !l.v[0].foreign))
		rc = span_error_set(err, SPAN_E_NOTFOUND, "it is no store");
	if (!rc)
		span__store_damage(&s->base.opts, "%s", text);
	span__listing_release(&l);
	return rc;
}

static int policy_get(struct span_store *st, struct span_store_policy *out,
		      struct span_error *err)
{
	return span__format_policy(&directory(st)->dir, out, err);
}

static int policy_set(struct span_store *st, const struct span_store_policy *p,
		      struct span_error *err)
{
	return span__format_set_policy(&directory(st)->dir, p, err);
}

static int close_directory(struct span_store *st, struct span_error *err)
{
	struct span__directory *s = directory(st);
	const struct span__io *io = st->io;
	int rc = 0;

	if (st->opts.mode == SPAN_STORE_APPEND)
		rc = span__appender_close(&s->appender, err);
	if (s->maint_fd >= 0)
		io->close(io->self, s->maint_fd);
	span__view_release(&s->view);
	span_buf_release(&s->told);
	span__dir_close(&s->dir);
	free(s);
	return rc;
}

static const struct span__store_ops ops = {
	.append = append,
	.sync = sync_group,
	.tick = tick,
	.counts = counts,
	.scan = span__directory_scan,
	.since = span__directory_since,
	.follow = span__directory_follow,
	.refresh = span__directory_refresh,
	.stat = span__directory_stat,
	.files = span__directory_files,
	.parts = span__directory_parts,
	.verify = span__directory_verify,
	.expire = span__directory_expire,
	.calls = span__directory_calls,
	.calls_width = span__directory_calls_width,
	.names = span__directory_names,
	.shapes = span__directory_shapes,
	.traces = span__directory_traces,
	.seal = span__directory_seal,
	.export_to = span__directory_export,
	.policy_get = policy_get,
	.policy_set = policy_set,
	.close = close_directory,
};

static int open_mode(struct span__directory *s, struct span_error *err)
{
	enum span_store_mode mode = s->base.opts.mode;
	int rc;

	if (mode == SPAN_STORE_APPEND)
		return span__appender_open(&s->appender, &s->dir, &s->base.opts,
					   err);
	rc = check_format(s, err);
	if (!rc && mode == SPAN_STORE_MAINTAIN)
		rc = span__dir_maintain(&s->dir, s->base.opts.wait_ns,
					&s->maint_fd, err);
	return rc < 0 ? rc : span__directory_view(s, err);
}

int span__store_open_dir(struct span_store **out, const char *name,
			 const struct span_store_opts *o,
			 const struct span__io *io, struct span_error *err)
{
	struct span__directory *s = calloc(1, sizeof(*s));
	int rc;

	if (!s)
		return span_error_set(err, SPAN_E_NOMEM, "out of memory");
	s->base = (struct span_store){
		.ops = &ops, .io = io, .opts = *o, .name = strdup(name)};
	s->maint_fd = -1;
	rc = s->base.name ? span__dir_open(&s->dir, io, name,
					   o->mode == SPAN_STORE_APPEND, err)
			  : span_error_set(err, SPAN_E_NOMEM, "out of memory");
	if (rc < 0)
		goto failed;
	rc = open_mode(s, err);
	if (rc < 0) {
		if (s->maint_fd >= 0)
			io->close(io->self, s->maint_fd);
		span__dir_close(&s->dir);
		goto failed;
	}
	*out = &s->base;
	return 0;
failed:
	free(s->base.name);
	free(s);
	return rc;
}
