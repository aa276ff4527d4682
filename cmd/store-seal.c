/* SPDX-License-Identifier: Apache-2.0 */
/* span-store seal */
#include "store-cmd.h"

#include <malloc.h>

#include "base/banned.h"

#define MAX_JOBS 16u

static const char *const codec_names[] = {"zstd", "zlib", "none", NULL};

static struct {
	bool all, drafts, dry_run;
	int codec;
	uint64_t jobs, max_age, memory;
} opt = {.codec = -1, .drafts = true};

const struct cmd_option store_seal_options[] = {
	{CMD_FLAG, 'a', "all", &opt.all, NULL,
	 "seal every closed log, due or not", NULL},
	{CMD_CHOICE, 0, "codec", &opt.codec, "CODEC",
	 "how to compress long texts", codec_names},
	{CMD_INT, 'j', "jobs", &opt.jobs, "N",
	 "use N threads (one a processor)", NULL},
	{CMD_FLAG, 'n', "dry-run", &opt.dry_run, NULL,
	 "print what would be sealed", NULL},
	{CMD_DURATION, 0, "max-age", &opt.max_age, "TIME",
	 "seal logs that are older, however small (2h)", NULL},
	{CMD_SIZE, 0, "memory", &opt.memory, "SIZE",
	 "use at most this much (256M)", NULL},
	{CMD_NOFLAG, 0, "no-drafts", &opt.drafts, NULL,
	 "make no drafts of the logs that stay", NULL},
	{CMD_END, 0, NULL, NULL, NULL, NULL, NULL},
};

static int progress(void *arg, uint64_t spans, uint64_t of)
{
	(void)arg;
	(void)of;
	cmd_progress(spans, "spans");
	return 0;
}

static int tell(void *arg, const struct span_store_file *f, const char *text,
		struct span_error *err)
{
	const char *would = f->draft ? "would draft " : "would seal ";
	const char *did = f->draft ? "draft of " : "";

	(void)err;
	if (!cmd_quiet && (opt.dry_run || cmd_verbose))
		store_put_file(arg, opt.dry_run ? would : did, f, text);
	return 0;
}

/*
 * Whoever seals holds a lock. Where nothing is due nobody needs it, so that a
 * look now and then is in nobody's way.
 */
static int anything_due(const char *name, const struct span_seal_opts *o,
			struct span_error *err)
{
	const struct span_store_opts so = {.mode = SPAN_STORE_READ};
	struct span_seal_opts dry = *o;
	struct span_sealed due = {0};
	struct span_store *st;
	int rc = span_store_open(&st, name, &so, err);

	if (rc < 0)
		return rc;
	dry.dry_run = true;
	dry.progress = NULL;
	rc = span_store_seal(st, &dry, &due, NULL, NULL, err);
	(void)span_store_close(&st, NULL);
	return rc < 0 ? rc : due.n_logs || due.n_merged || due.n_drafts;
}

/* "sealed 12 logs, merged 3 segments: 1,000,000 spans, 131 MiB to 17 MiB" */
static void sum_up(struct span_buf *b, const struct span_sealed *s)
{
	if ((!s->n_logs && !s->n_merged) || opt.dry_run || cmd_quiet)
		return;
	if (s->n_logs) {
		span_buf_puts(b, "sealed ");
		store_put_n(b, s->n_logs, "log");
	}
	if (s->n_merged) {
		span_buf_puts(b, s->n_logs ? ", merged " : "merged ");
		store_put_n(b, s->n_merged, "segment");
	}
	span_buf_puts(b, ": ");
	store_put_n(b, s->n_spans, "span");
	span_buf_puts(b, ", ");
	span_text_size(b, s->bytes_before);
	span_buf_puts(b, " to ");
	span_text_size(b, s->bytes_after);
	span_buf_putc(b, '\n');
}

static void report(const struct span_sealed *s, uint64_t start_ns)
{
	double seconds = (double)(cmd_monotonic_ns() - start_ns) / 1e9;

	cmd_progress_end();
	if (cmd_verbose)
		cmd_note("%llu spans in %llu logs and %llu segments "
			 "(%llu bytes) to %llu segments (%llu bytes), %.1f s",
			 (unsigned long long)s->n_spans,
			 (unsigned long long)s->n_logs,
			 (unsigned long long)s->n_merged,
			 (unsigned long long)s->bytes_before,
			 (unsigned long long)s->n_segments,
			 (unsigned long long)s->bytes_after, seconds);
	if (cmd_verbose && s->n_drafts)
		cmd_note("%llu drafts of %llu spans",
			 (unsigned long long)s->n_drafts,
			 (unsigned long long)s->draft_spans);
}

static int seal(const char *name, const struct span_seal_opts *o,
		struct span_sealed *done, struct span_error *err)
{
	const struct span_store_opts so = {
		.mode = o->dry_run ? SPAN_STORE_READ : SPAN_STORE_MAINTAIN,
		.damage = store_damage,
	};
	struct span_store *st;
	struct span_buf b = {0};
	int rc = span_store_open(&st, name, &so, err);

	if (rc < 0)
		return rc;
	rc = span_store_seal(st, o, done, tell, &b, err);
	if (!rc)
		sum_up(&b, done);
	(void)span_store_close(&st, NULL);
	return store_print(&b, rc, err);
}

int store_seal(int argc, char **argv, struct span_error *err)
{
	const char *name = store_name(&argc, &argv);
	uint64_t start_ns = cmd_monotonic_ns();
	const struct span_seal_opts o = {
		.all = opt.all,
		.dry_run = opt.dry_run,
		.drafts = opt.drafts,
		.memory = opt.memory,
		.jobs = opt.jobs > MAX_JOBS ? MAX_JOBS : (unsigned)opt.jobs,
		.max_age_ns = opt.max_age,
		.codec = opt.codec < 0 ? NULL : codec_names[opt.codec],
		.progress = progress,
	};
	struct span_sealed done = {0};
	int rc;

	if (argc)
		cmd_usage("unexpected argument: '%s'", argv[0]);
	/* what a segment took goes back to the system, however it grew */
	(void)mallopt(M_MMAP_THRESHOLD, 128 << 10);
	rc = opt.dry_run ? 1 : anything_due(name, &o, err);
	if (rc > 0)
		rc = seal(name, &o, &done, err);
	if (!rc)
		report(&done, start_ns);
	return rc;
}
