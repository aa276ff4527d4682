/* SPDX-License-Identifier: Apache-2.0 */
/* span-store append */
#include "store-cmd.h"
#include "store-durable.h"
#include "store-upkeep.h"

#include <poll.h>
#include <string.h>

#include "base/banned.h"

#define RETRY_MS 200 /* while the disk is full */
#define ROOM_MS 20   /* while retention makes room */
#define ROOM_TRIES (10000 / ROOM_MS)

enum { ON_FULL_BLOCK, ON_FULL_FAIL };
static const char *const on_full_names[] = {"block", "fail", NULL};

static struct {
	uint64_t max_frame, max_future, min_free, rotate_age, rotate_size;
	int on_full;
	bool require_local, seal, skip_bad;
} opt = {.min_free = 64u << 20, .seal = true};

const struct cmd_option store_append_options[] = {
	{CMD_STRING, 0, "ack-fd", &durable.ack_fd, "N",
	 "tell descriptor N what is durable", NULL},
	{CMD_SIZE, 0, "max-frame", &opt.max_frame, "SIZE",
	 "refuse larger frames (4M)", NULL},
	{CMD_DURATION, 0, "max-future", &opt.max_future, "TIME",
	 "count spans that start later than this from now (2d)", NULL},
	{CMD_SIZE, 0, "min-free", &opt.min_free, "SIZE",
	 "leave this much of the disk free (64M)", NULL},
	{CMD_NOFLAG, 0, "no-seal", &opt.seal, NULL, "leave sealing to others",
	 NULL},
	{CMD_CHOICE, 0, "on-full", &opt.on_full, "ACTION",
	 "what to do when there is less", on_full_names},
	{CMD_FLAG, 0, "require-local", &opt.require_local, NULL,
	 "refuse a store on a network file system", NULL},
	{CMD_DURATION, 0, "rotate-age", &opt.rotate_age, "TIME",
	 "close a log after this time (10m)", NULL},
	{CMD_SIZE, 0, "rotate-size", &opt.rotate_size, "SIZE",
	 "close a log before it grows above this (64M)", NULL},
	{CMD_FLAG, 0, "skip-bad", &opt.skip_bad, NULL,
	 "go on after damage in the input", NULL},
	{CMD_STRING, 0, "sync", &durable.sync, "MODE",
	 "group:TIME,BYTES (group:200ms,4M), each, or none", NULL},
	{CMD_GROUP, 0, NULL, (void *)cmd_metrics_options, NULL, "Output", NULL},
	{CMD_END, 0, NULL, NULL, NULL, NULL, NULL},
};

/* What was done, for -v and --metrics-file. */
static struct {
	struct span_store_counts store;
	uint64_t bad_frames, skipped_bytes, skipped_places;
} done;

static const struct cmd_metric metrics[] = {
	{"span_store_spans_total", "", "Spans appended", &done.store.spans,
	 false},
	{"span_store_acknowledged_spans_total", "", "Spans acknowledged",
	 &done.store.acknowledged, false},
	{"span_store_frames_total", "", "Frames appended", &done.store.frames,
	 false},
	{"span_store_frame_bytes_total", "", "Bytes of frames appended",
	 &done.store.bytes, false},
	{"span_store_syncs_total", "", "Syncs of a log", &done.store.syncs,
	 false},
	{"span_store_future_spans_total", "", "Spans dated in the future",
	 &done.store.future, false},
	{"span_store_recovered_spans_total", "",
	 "Spans of an unfinished log that were recovered at the start",
	 &done.store.recovered_spans, false},
	{"span_store_bad_frames_total", "", "Frames that were left out",
	 &done.bad_frames, false},
	{"span_store_skipped_bytes_total", "", "Bytes of input passed over",
	 &done.skipped_bytes, false},
	{NULL, NULL, NULL, NULL, false},
};

static void show_counts(struct span_store *st)
{
	span_store_counts(st, &done.store);
	cmd_metrics_write(metrics, false);
	cmd_progress(done.store.spans, "spans");
}

static bool tick_failed;

/* Before a read that may block: what is due. */
static int idle(void *arg, uint64_t *wait_ns, struct span_error *err)
{
	uint64_t due, look = upkeep_look();
	int rc = span_store_tick(arg, &due, err);

	tick_failed = rc < 0;
	if (look < due)
		due = look;
	if (due < *wait_ns)
		*wait_ns = due;
	show_counts(arg);
	return rc;
}

/* What is due while the disk is full, and a pause. */
static int pause_full(struct span_store *st, int ms, struct span_error *err)
{
	uint64_t due;
	int rc = span_store_tick(st, &due, err);

	if (rc < 0)
		return rc;
	show_counts(st);
	poll(NULL, 0, ms);
	return 0;
}

/*
 * The disk is full. First retention may make room, and only after it did not
 * does --on-full count: 1 to try again, 0 to give up.
 */
static int wait_for_room(struct span_store *st, unsigned tries, bool *told,
			 struct span_error *err)
{
	bool busy = upkeep_make_room(opt.min_free) && tries < ROOM_TRIES;
	int rc;

	if (!busy && opt.on_full == ON_FULL_FAIL)
		return 0;
	if (!busy && !*told) {
		cmd_warn("%s: waiting until there is room", err->msg);
		*told = true;
	}
	rc = pause_full(st, busy ? ROOM_MS : RETRY_MS, err);
	return rc < 0 ? rc : 1;
}

/*
 * Append, and while the disk is full wait: what was appended before is synced
 * and acknowledged all the same.
 */
static int append(struct span_store *st, struct span_frame *f,
		  struct span_error *err)
{
	bool told = false;
	int rc, again;

	for (unsigned tries = 0;; tries++) {
		*err = (struct span_error){0};
		rc = span_store_append_frame(st, f, err);
		if (rc != SPAN_E_FULL)
			break;
		again = wait_for_room(st, tries, &told, err);
		if (again <= 0)
			return again < 0 ? again : rc;
	}
	if (told && !rc)
		cmd_warn("there is room again");
	(void)upkeep_look();
	return rc;
}

/* The frame cannot be stored: the end, or with --skip-bad one less. */
static int refuse(const char *name, uint64_t end, struct span_frame *f, int rc,
		  struct span_error *err)
{
	uint64_t at = end - span_frame_info(f)->bytes.len;
	char msg[sizeof(err->msg)];

	memcpy(msg, err->msg, sizeof(msg));
	span_error_set(err, rc, "%s: the frame at byte %llu: %s", name,
		       (unsigned long long)at, msg);
	if (!opt.skip_bad || (rc != SPAN_E_CORRUPT && rc != SPAN_E_LIMIT))
		return rc;
	if (!done.bad_frames++)
		cmd_warn("%s", err->msg);
	return 0;
}

/* Put the file's name before what its reader says. */
static int next_frame(struct span_reader *in, const char *name,
		      struct span_frame **frame, struct span_error *err)
{
	struct span_error why = {0};
	int rc = span_reader_next_frame(in, frame, &why);

	if (rc >= 0)
		return rc;
	if (tick_failed)
		*err = why;
	else
		span_error_set(err, rc, "%s: %s", name, why.msg);
	err->sys = why.sys;
	return rc;
}

static int append_stream(struct span_store *st, const char *name, int fd,
			 struct span_error *err)
{
	const struct span_reader_opts ro = {
		.skip_bad = opt.skip_bad,
		.idle = idle,
		.idle_arg = st,
	};
	struct span_reader *in = NULL;
	struct span_frame *frame;
	struct span_error why = {0};
	uint64_t places;
	int rc = span_reader_open(&in, fd, &ro, err);

	if (rc < 0)
		return rc;
	while ((rc = next_frame(in, name, &frame, &why)) > 0) {
		rc = span_frame_validate(frame, &why);
		if (!rc)
			rc = append(st, frame, &why);
		if (rc == SPAN_E_CORRUPT || rc == SPAN_E_LIMIT)
			rc = refuse(name, span_reader_pos(in), frame, rc, &why);
		if (rc < 0)
			break;
	}
	if (!rc)
		rc = cmd_input_check(&why);
	if (rc < 0)
		*err = why;
	done.skipped_bytes += span_reader_skipped(in, &places);
	done.skipped_places += places;
	if (places)
		cmd_warn("%s: %llu bytes passed over in %llu place%s", name,
			 (unsigned long long)span_reader_skipped(in, NULL),
			 (unsigned long long)places, store_s(places));
	span_reader_close(&in);
	return rc;
}

static int append_file(struct span_store *st, const char *name,
		       struct span_error *err)
{
	int fd, rc = cmd_input_open(&fd, name, err);

	if (rc < 0)
		return rc;
	cmd_signals_drain(fd);
	rc = append_stream(st, strcmp(name, "-") ? name : "standard input", fd,
			   err);
	cmd_input_close(&fd);
	return rc;
}

static void report(uint64_t start_ns)
{
	const struct span_store_counts *c = &done.store;
	double seconds = (double)(cmd_monotonic_ns() - start_ns) / 1e9;

	cmd_progress_end();
	cmd_metrics_write(metrics, true);
	if (done.bad_frames)
		cmd_warn("%llu frame%s left out",
			 (unsigned long long)done.bad_frames,
			 done.bad_frames == 1 ? " was" : "s were");
	if (c->future)
		cmd_warn("%llu span%s dated in the future",
			 (unsigned long long)c->future,
			 c->future == 1 ? " is" : "s are");
	if (cmd_verbose)
		cmd_note("%llu spans in %llu frames (%llu bytes), "
			 "%llu spans acknowledged, %llu syncs, %.1f s",
			 (unsigned long long)c->spans,
			 (unsigned long long)c->frames,
			 (unsigned long long)c->bytes,
			 (unsigned long long)c->acknowledged,
			 (unsigned long long)c->syncs, seconds);
}

static int open_store(struct span_store **st, const char *name,
		      struct span_error *err)
{
	struct span_store_opts o = {
		.mode = SPAN_STORE_APPEND,
		.max_frame = opt.max_frame,
		.rotate_bytes = opt.rotate_size,
		.rotate_age_ns = opt.rotate_age,
		.max_future_ns = opt.max_future,
		.min_free = opt.min_free,
		.require_local = opt.require_local,
		.damage = store_damage,
	};
	int rc = durable_parse(&o, err);

	if (!rc)
		rc = span_store_open(st, name, &o, err);
	if (rc < 0)
		return rc;
	span_store_counts(*st, &done.store);
	if (cmd_verbose)
		cmd_note("%s: sync %s", name,
			 durable.sync ? durable.sync : "group:200ms,4M");
	if (cmd_verbose && done.store.recovered_frames)
		cmd_note("%s: recovered %llu spans of an unfinished log", name,
			 (unsigned long long)done.store.recovered_spans);
	if (o.sync == SPAN_SYNC_NONE)
		cmd_warn("--sync none: a power cut loses acknowledged spans");
	upkeep_start(*st, name, opt.seal);
	cmd_sd_notify("READY=1");
	return 0;
}

static int first_error(int rc, int next, const struct span_error *why,
		       struct span_error *err)
{
	if (rc < 0 || next >= 0)
		return rc;
	*err = *why;
	return next;
}

int store_append(int argc, char **argv, struct span_error *err)
{
	static char *standard[] = {(char *)"-"};
	uint64_t start_ns = cmd_monotonic_ns();
	const char *name = store_name(&argc, &argv);
	struct span_error why = {0};
	struct span_store *st;
	int rc = open_store(&st, name, err);

	if (rc < 0)
		return rc;
	if (!argc) {
		argc = 1;
		argv = standard;
	}
	for (int i = 0; i < argc && rc >= 0; i++)
		rc = append_file(st, argv[i], err);
	/* What came before an error is made durable too. */
	rc = first_error(rc, span_store_sync(st, &why), &why, err);
	span_store_counts(st, &done.store);
	upkeep_stop();
	rc = first_error(rc, span_store_close(&st, &why), &why, err);
	report(start_ns);
	return rc;
}
