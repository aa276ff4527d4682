/* SPDX-License-Identifier: Apache-2.0 */
/* span-store append */
#include "store-cmd.h"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/banned.h"

#define RETRY_MS 200 /* while the disk is full */

enum { ON_FULL_BLOCK, ON_FULL_FAIL };
static const char *const on_full_names[] = {"block", "fail", NULL};

static struct {
	const char *sync, *ack_fd;
	uint64_t max_frame, max_future, min_free, rotate_age, rotate_size;
	int on_full;
	bool require_local, skip_bad;
} opt = {.min_free = 64u << 20};

const struct cmd_option store_append_options[] = {
	{CMD_STRING, 0, "ack-fd", &opt.ack_fd, "N",
	 "tell descriptor N what is durable", NULL},
	{CMD_SIZE, 0, "max-frame", &opt.max_frame, "SIZE",
	 "refuse larger frames (4M)", NULL},
	{CMD_DURATION, 0, "max-future", &opt.max_future, "TIME",
	 "count spans that start later than this from now (2d)", NULL},
	{CMD_SIZE, 0, "min-free", &opt.min_free, "SIZE",
	 "leave this much of the disk free (64M)", NULL},
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
	{CMD_STRING, 0, "sync", &opt.sync, "MODE",
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

/* "200ms,4M": both are needed, and not zero. */
static int parse_group(const char *text, struct span_store_opts *o,
		       struct span_error *err)
{
	const char *comma = strchr(text, ',');
	char *delay;
	int rc;

	if (!comma)
		return span_error_set(err, SPAN_E_INVALID,
				      "no bytes in --sync=group:%s", text);
	delay = strndup(text, (size_t)(comma - text));
	if (!delay)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	rc = cmd_parse_duration(delay, &o->sync_delay_ns, err);
	free(delay);
	if (!rc)
		rc = cmd_parse_size(comma + 1, &o->sync_bytes, err);
	if (!rc && (!o->sync_delay_ns || !o->sync_bytes))
		o->sync = SPAN_SYNC_EACH;
	return rc;
}

static int parse_sync(struct span_store_opts *o, struct span_error *err)
{
	o->sync = SPAN_SYNC_GROUP;
	if (!opt.sync || !strcmp(opt.sync, "group"))
		return 0;
	if (!strncmp(opt.sync, "group:", 6))
		return parse_group(opt.sync + 6, o, err);
	if (!strcmp(opt.sync, "each"))
		o->sync = SPAN_SYNC_EACH;
	else if (!strcmp(opt.sync, "none"))
		o->sync = SPAN_SYNC_NONE;
	else
		cmd_usage("no such mode: --sync=%s", opt.sync);
	return 0;
}

static int ack_fd = -1;

static void parse_ack_fd(void)
{
	struct span_error err = {0};
	uint64_t n;

	if (!opt.ack_fd)
		return;
	if (cmd_parse_int(opt.ack_fd, &n, &err) < 0 || n > INT32_MAX)
		cmd_usage("not a descriptor: --ack-fd=%s", opt.ack_fd);
	if (fcntl((int)n, F_GETFD) < 0)
		cmd_usage("descriptor %s is not open", opt.ack_fd);
	ack_fd = (int)n;
}

static int acknowledge(void *arg, const struct span_store_ack *a,
		       struct span_error *err)
{
	char line[120];
	int len = snprintf(
		line, sizeof(line), "ack %llu %llu %llu %llu\n",
		(unsigned long long)a->segment, (unsigned long long)a->end,
		(unsigned long long)a->first_seq, (unsigned long long)a->count);
	int rc;

	(void)arg;
	if (ack_fd < 0)
		return 0;
	rc = span_write_all(ack_fd, line, (size_t)len, err);
	if (rc < 0 && rc != SPAN_E_PIPE)
		return span_error_set(err, rc, "cannot write acknowledgements");
	return rc;
}

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
	uint64_t due;
	int rc = span_store_tick(arg, &due, err);

	tick_failed = rc < 0;
	if (due < *wait_ns)
		*wait_ns = due;
	show_counts(arg);
	return rc;
}

/*
 * Append, and while the disk is full wait: what was appended before is synced
 * and acknowledged all the same.
 */
static int append(struct span_store *st, struct span_frame *f,
		  struct span_error *err)
{
	bool told = false;
	uint64_t due;
	int rc;

	for (;;) {
		*err = (struct span_error){0};
		rc = span_store_append_frame(st, f, err);
		if (opt.on_full == ON_FULL_FAIL || rc != SPAN_E_FULL)
			break;
		if (!told)
			cmd_warn("%s: waiting until there is room", err->msg);
		told = true;
		rc = span_store_tick(st, &due, err);
		if (rc < 0)
			return rc;
		show_counts(st);
		poll(NULL, 0, RETRY_MS);
	}
	if (told && !rc)
		cmd_warn("there is room again");
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
		.ack = acknowledge,
		.damage = store_damage,
	};
	int rc = parse_sync(&o, err);

	parse_ack_fd();
	if (!rc)
		rc = span_store_open(st, name, &o, err);
	if (rc < 0)
		return rc;
	span_store_counts(*st, &done.store);
	if (cmd_verbose)
		cmd_note("%s: sync %s", name,
			 opt.sync ? opt.sync : "group:200ms,4M");
	if (cmd_verbose && done.store.recovered_frames)
		cmd_note("%s: recovered %llu spans of an unfinished log", name,
			 (unsigned long long)done.store.recovered_spans);
	if (o.sync == SPAN_SYNC_NONE)
		cmd_warn("--sync none: a power cut loses acknowledged spans");
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
	rc = first_error(rc, span_store_close(&st, &why), &why, err);
	report(start_ns);
	return rc;
}
