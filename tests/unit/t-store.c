/* SPDX-License-Identifier: Apache-2.0 */
/* The store on a simulated disk: what it holds, prunes, expires and refuses. */
#include "store-model.h"

#include "base/crc32c.h"
#include "store/log_writer.h"
#include "store/store_dir.h"

#define NS 1000000000ull

static struct model m;
static struct found found;
static struct span_error err;

static void reset(void)
{
	memset(&m, 0, sizeof(m));
	memset(&err, 0, sizeof(err));
}

/* A store of LOGS closed logs with 10 frames each, a minute apart. */
static struct simdisk *make_logs(unsigned logs)
{
	struct span_store_opts o = model_opts(&m, SPAN_SYNC_GROUP);
	struct simdisk *disk = simdisk_open();

	reset();
	for (unsigned i = 0; i < logs; i++) {
		if (model_run(&m, disk, &o, i * 10 + 1, i * 10 + 10, &err) < 0)
			abort();
		simdisk_pass(disk, 60 * NS);
	}
	return disk;
}

static struct span_store *open_mode(struct simdisk *disk,
				    enum span_store_mode mode)
{
	struct span_store_opts o = model_opts(&m, SPAN_SYNC_GROUP);
	struct span_store *st = NULL;

	o.mode = mode;
	if (span__store_open(&st, "store", &o, simdisk_io(disk), &err) < 0)
		diag("%s", err.msg);
	return st;
}

static void test_round_trip(void)
{
	struct simdisk *disk = make_logs(3);

	is_int(model_read(&m, disk, &found, &err), 0, "a store is read");
	is_uint(found.n, 30, "with all frames");
	is_str(model_judge(&m, &found), NULL, "in order and unharmed");
	is_uint(simdisk_count(disk, ".log"), 3, "in three closed logs");
	is_uint(simdisk_count(disk, ".open"), 0, "and no open one");
	is_uint(simdisk_descriptors(disk), 0, "no descriptor stays open");
	simdisk_close(&disk);
}

static size_t scan(struct span_store *st, const struct span_range *r)
{
	struct span_cursor *c = NULL;

	if (span_store_scan(st, r, &c, &err) < 0 ||
	    found_read(&found, c, &err) < 0)
		diag("%s", err.msg);
	span_cursor_close(&c);
	return found.n;
}

static uint64_t start_of(uint64_t n)
{
	return MODEL_TIME + n * 1000000;
}

static void test_ranges(void)
{
	static const struct {
		const char *name;
		struct span_range range;
		size_t want;
	} rows[] = {
		{"since", {.since_ns = MODEL_TIME + 25 * 1000000}, 6},
		{"until", {.until_ns = MODEL_TIME + 5 * 1000000}, 4},
		{"since and until",
		 {.since_ns = MODEL_TIME + 12 * 1000000,
		  .until_ns = MODEL_TIME + 15 * 1000000},
		 3},
		{"nothing before", {.until_ns = MODEL_TIME}, 0},
		{"nothing after", {.since_ns = MODEL_TIME + NS}, 0},
		{"long spans", {.min_duration_ns = 503}, 0},
	};
	struct simdisk *disk = make_logs(3);
	struct span_store *st = open_mode(disk, SPAN_STORE_READ);
	struct span_str names[2] = {{"else", 4}, {"model", 5}};
	struct span_range r = {.services = names, .n_services = 1};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		is_uint(scan(st, &rows[i].range), rows[i].want, "range: %s",
			rows[i].name);
	is_uint(scan(st, &r), 0, "range: another service");
	r.n_services = 2;
	is_uint(scan(st, &r), 30, "range: one of two services");
	r = (struct span_range){.error = true};
	is_uint(scan(st, &r), 0, "range: errors");
	(void)span_store_close(&st, NULL);
	simdisk_close(&disk);
}

/* The index must leave out what it may, or the test of time is for nothing. */
static void test_pruning(void)
{
	struct simdisk *disk = make_logs(3);
	struct span_store *st = open_mode(disk, SPAN_STORE_READ);
	struct span_range r = {.since_ns = start_of(14),
			       .until_ns = start_of(15)};
	uint64_t calls, few;

	scan(st, NULL);
	calls = simdisk_calls(disk);
	scan(st, NULL);
	calls = simdisk_calls(disk) - calls;
	few = simdisk_calls(disk);
	is_uint(scan(st, &r), 1, "pruning: the frame is found");
	few = simdisk_calls(disk) - few;
	ok(few < calls, "pruning: %d calls instead of %d", (int)few,
	   (int)calls);
	(void)span_store_close(&st, NULL);
	simdisk_close(&disk);
}

static void test_find(void)
{
	struct simdisk *disk = make_logs(3);
	struct span_store *st = open_mode(disk, SPAN_STORE_READ);
	uint8_t ids[2][16] = {{0}};
	struct span_cursor *c;
	struct span s;
	size_t n = 0;

	ids[0][15] = 2; /* frames 8 to 11 */
	ids[1][15] = 99;
	is_int(span_store_find(st, (const uint8_t(*)[16])ids, 2, &c, &err), 0,
	       "find: begins");
	while (span_cursor_next(c, &s, &err) > 0)
		n += s.trace_id[15] == 2;
	is_uint(n,
		model_spans(8) + model_spans(9) + model_spans(10) +
			model_spans(11),
		"find: the whole trace, out of two logs");
	span_cursor_close(&c);
	(void)span_store_close(&st, NULL);
	simdisk_close(&disk);
}

static void test_snapshot(void)
{
	struct simdisk *disk = make_logs(1);
	struct span_store *writer = open_mode(disk, SPAN_STORE_APPEND);
	struct span_store *reader, *keeper;
	struct span_store_policy p = {.max_bytes = 1};
	struct span_store_expired gone;
	struct span_store_stat st;

	ok(!model_append(&m, writer, 11, 20, &err),
	   "snapshot: frames 11 to 20");
	reader = open_mode(disk, SPAN_STORE_READ);
	ok(!model_append(&m, writer, 21, 30, &err), "snapshot: 21 to 30");
	is_uint(scan(reader, NULL), 20,
		"snapshot: what came later is not seen");
	ok(!span_store_close(&writer, &err), "snapshot: the log is closed");
	is_uint(scan(reader, NULL), 20, "snapshot: the same");
	is_str(model_judge(&(struct model){0}, &found), NULL,
	       "snapshot: in order and unharmed");
	keeper = open_mode(disk, SPAN_STORE_MAINTAIN);
	ok(!span_store_expire(keeper, &p, &gone, NULL, NULL, &err),
	   "snapshot: all is expired");
	is_uint(gone.n_files, 2, "snapshot: both files");
	is_uint(scan(reader, NULL), 20, "snapshot: all of it is still read");
	ok(!span_store_stat(reader, &st, &err) && st.n_frames == 20,
	   "snapshot: stat counts it");
	ok(!span_store_refresh(reader, &err), "snapshot: refresh");
	is_uint(scan(reader, NULL), 0, "snapshot: nothing is left");
	(void)span_store_close(&keeper, NULL);
	(void)span_store_close(&reader, NULL);
	is_uint(simdisk_descriptors(disk), 0, "snapshot: all is closed");
	simdisk_close(&disk);
}

struct race {
	struct span_store *writer;
	struct simdisk *disk;
	uint64_t n;
	uint64_t again; /* calls until it happens a second time; 0: not */
};

/* Two more frames: each is a log of its own, so two are renamed. */
static void rotate_now(void *arg)
{
	struct race *r = arg;
	uint64_t again = r->again;

	if (model_append(&m, r->writer, r->n, r->n + 1, &err) < 0)
		abort();
	r->n += 2;
	r->again = 0;
	if (again)
		simdisk_call(r->disk, simdisk_calls(r->disk) + again,
			     rotate_now, r);
}

/* True when all is well: the frames that were there before, and no hole. */
static bool run_race(uint64_t nth, uint64_t again, uint64_t *happened)
{
	struct span_store_opts o = model_opts(&m, SPAN_SYNC_EACH);
	struct race race = {NULL, simdisk_open(), 6, again};
	struct span_store *reader;
	bool good;

	reset();
	m.disk = race.disk;
	o.rotate_bytes = 1;
	if (span__store_open(&race.writer, "store", &o, simdisk_io(race.disk),
			     &err) < 0 ||
	    model_append(&m, race.writer, 1, 5, &err) < 0)
		abort();
	simdisk_call(race.disk, simdisk_calls(race.disk) + nth, rotate_now,
		     &race);
	reader = open_mode(race.disk, SPAN_STORE_READ);
	scan(reader, NULL);
	simdisk_call(race.disk, 0, NULL, NULL);
	good = found.n >= 5 && !found.strange;
	for (size_t i = 0; i < found.n; i++)
		good = good && found.order[i] == i + 1;
	*happened = (race.n - 6) / 2;
	(void)span_store_close(&reader, NULL);
	(void)span_store_close(&race.writer, NULL);
	simdisk_close(&race.disk);
	return good;
}

/*
 * While a reader opens, the writer renames logs before any two of its calls:
 * everything acknowledged before must be seen, and no hole.
 */
static void test_race(void)
{
	unsigned bad = 0, runs = 0;
	uint64_t happened = 1;

	for (uint64_t nth = 1; happened; nth++) {
		for (uint64_t again = 0;; again++) {
			bad += !run_race(nth, again, &happened);
			runs++;
			if (happened < 2 && again)
				break;
		}
	}
	ok(runs > 200 && !bad, "race: %u of %u readers missed a log", bad,
	   runs);
}

static void test_locks(void)
{
	struct span_store_opts o = model_opts(&m, SPAN_SYNC_GROUP);
	struct simdisk *disk = make_logs(1);
	struct span_store *a = open_mode(disk, SPAN_STORE_APPEND), *b = NULL;

	is_int(span__store_open(&b, "store", &o, simdisk_io(disk), &err),
	       SPAN_E_BUSY, "locks: a second appender is refused");
	is_str(err.msg, "store: another process appends to it", "and told why");
	b = open_mode(disk, SPAN_STORE_MAINTAIN);
	ok(b, "locks: expiry runs beside the appender");
	(void)span_store_close(&b, NULL);
	(void)span_store_close(&a, NULL);
	a = open_mode(disk, SPAN_STORE_APPEND);
	ok(a, "locks: the lock ends with the appender");
	(void)span_store_close(&a, NULL);
	simdisk_close(&disk);
}

static void test_groups(void)
{
	struct span_store_opts o = model_opts(&m, SPAN_SYNC_GROUP);
	struct simdisk *disk = simdisk_open();
	struct span_store *st = NULL;
	struct span_store_counts c;
	uint64_t wait;

	reset();
	m.disk = disk;
	m.next_acked = 1;
	o.sync_delay_ns = NS;
	if (span__store_open(&st, "store", &o, simdisk_io(disk), &err) < 0)
		abort();
	ok(!span_store_tick(st, &wait, &err) && wait == UINT64_MAX,
	   "groups: nothing waits");
	ok(!model_append(&m, st, 1, 3, &err), "groups: three frames");
	ok(!m.acked[1], "groups: not yet acknowledged");
	ok(!span_store_tick(st, &wait, &err) && wait <= NS && wait > NS / 2,
	   "groups: tick says when");
	simdisk_pass(disk, wait);
	ok(!span_store_tick(st, &wait, &err), "groups: then");
	ok(m.acked[1] && m.acked[3], "groups: all are acknowledged");
	span_store_counts(st, &c);
	is_uint(c.syncs, 1, "groups: by one sync");
	is_uint(c.acknowledged, 2 + 3 + 1, "groups: with their spans");
	simdisk_pass(disk, 3600 * NS);
	ok(!span_store_tick(st, &wait, &err), "groups: an hour later");
	is_uint(simdisk_count(disk, ".log"), 1, "groups: the log is closed");
	is_uint(simdisk_count(disk, ".open"), 0, "groups: and no new one made");
	(void)span_store_close(&st, NULL);
	simdisk_close(&disk);
}

static void test_limits(void)
{
	struct span_store_opts o = model_opts(&m, SPAN_SYNC_EACH);
	struct simdisk *disk = simdisk_open();
	struct span_store *st = NULL;
	struct span_store_counts c;

	reset();
	m.disk = disk;
	o.max_frame = 50;
	if (span__store_open(&st, "store", &o, simdisk_io(disk), &err) < 0)
		abort();
	is_int(model_append(&m, st, 1, 1, &err), SPAN_E_LIMIT,
	       "limits: a frame above --max-frame");
	(void)span_store_close(&st, NULL);
	o.max_frame = 0;
	simdisk_set_clock(disk, MODEL_TIME - 3 * 24 * 3600 * NS);
	if (span__store_open(&st, "store", &o, simdisk_io(disk), &err) < 0)
		abort();
	ok(!model_append(&m, st, 1, 2, &err), "limits: spans of the future");
	span_store_counts(st, &c);
	is_uint(c.future, 5, "limits: are stored and counted");
	(void)span_store_close(&st, NULL);
	simdisk_close(&disk);
}

static void test_disk_full(void)
{
	struct span_store_opts o = model_opts(&m, SPAN_SYNC_EACH);
	struct simdisk *disk = simdisk_open();
	struct span_store *st = NULL;
	uint64_t n = 1;
	size_t len;
	int rc;

	reset();
	m.disk = disk;
	m.next_acked = 1;
	simdisk_capacity(disk, 3000);
	if (span__store_open(&st, "store", &o, simdisk_io(disk), &err) < 0)
		abort();
	while ((rc = model_append(&m, st, n, n, &err)) == 0 && n < 1000)
		n++;
	is_int(rc, SPAN_E_FULL, "full: says so");
	simdisk_file(disk, "00000001.open", &len);
	is_uint(len, m.end[n - 1], "full: the torn frame was cut off");
	is_int(model_append(&m, st, n, n, &err), SPAN_E_FULL, "full: again");
	model_read(NULL, disk, &found, &err);
	is_uint(found.n, n - 1, "full: what was acknowledged is there");
	simdisk_capacity(disk, 100000);
	ok(!model_append(&m, st, n, n + 5, &err), "full: goes on with room");
	simdisk_capacity(disk, 1);
	ok(!span_store_close(&st, &err), "full: closes without a footer");
	is_uint(simdisk_count(disk, ".open"), 1, "full: leaves the log open");
	is_uint(m.damage, 1, "full: and says it");
	simdisk_capacity(disk, 0);
	ok(!model_recover(&m, disk, &err), "full: recovers");
	model_read(NULL, disk, &found, &err);
	is_str(model_judge(&m, &found), NULL, "full: nothing is lost");
	is_uint(found.n, n + 5, "full: all frames are there");
	simdisk_close(&disk);
	disk = simdisk_open();
	reset();
	m.disk = disk;
	o.min_free = 2000;
	simdisk_capacity(disk, 3000);
	if (span__store_open(&st, "store", &o, simdisk_io(disk), &err) < 0)
		abort();
	for (n = 1; !(rc = model_append(&m, st, n, n, &err)) && n < 1000; n++)
		;
	is_int(rc, SPAN_E_FULL, "full: at --min-free");
	ok(!span_store_close(&st, &err), "full: with room for the footer");
	is_uint(simdisk_count(disk, ".log"), 1, "full: the log is closed");
	simdisk_close(&disk);
}

static uint64_t expire(struct simdisk *disk, struct span_store_policy p,
		       struct span_store_expired *gone)
{
	struct span_store *st = open_mode(disk, SPAN_STORE_MAINTAIN);

	if (!st || span_store_expire(st, &p, gone, NULL, NULL, &err) < 0)
		diag("%s", err.msg);
	(void)span_store_close(&st, NULL);
	return gone->n_files;
}

static void test_expire(void)
{
	struct simdisk *disk = make_logs(5); /* aged 5, 4, 3, 2, 1 minutes */
	struct span_store_policy p = {.max_age_ns = 210 * NS, .dry_run = true};
	struct span_store_expired gone;
	size_t len, bytes;

	is_uint(expire(disk, p, &gone), 2, "expire: two logs are old");
	is_uint(simdisk_count(disk, ".log"), 5,
		"expire: a dry run removes none");
	p.dry_run = false;
	is_uint(expire(disk, p, &gone), 2, "expire: they go");
	is_uint(gone.n_spans, 41, "expire: with their spans");
	is_uint(simdisk_count(disk, ".log"), 3, "expire: the others stay");
	is_uint(simdisk_count(disk, ".del"), 0, "expire: no trace is left");
	is_uint(expire(disk, p, &gone), 0, "expire: once");
	model_read(NULL, disk, &found, &err);
	is_uint(found.order[0], 21, "expire: the oldest went");
	simdisk_file(disk, "00000005.log", &bytes);
	p = (struct span_store_policy){.max_bytes = 2 * bytes + bytes / 2};
	is_uint(expire(disk, p, &gone), 1, "expire: by bytes");
	simdisk_put(disk, "00000003.del", "x", 1);
	simdisk_put(disk, "00000004.bad",
		    simdisk_file(disk, "00000004.log", &len), bytes);
	is_uint(expire(disk, p, &gone), 1, "expire: what was set aside counts");
	is_uint(simdisk_count(disk, ".del"), 0,
		"expire: what an earlier run left goes too");
	ok(!simdisk_file(disk, "00000004.log", &len), "expire: oldest first");
	p = (struct span_store_policy){.max_bytes = 1};
	expire(disk, p, &gone);
	is_uint(simdisk_count(disk, ".log"), 0, "expire: all");
	reset();
	model_run(&m, disk,
		  &(struct span_store_opts){.mode = SPAN_STORE_APPEND,
					    .ack = model_ack,
					    .arg = &m},
		  51, 52, &err);
	ok(simdisk_file(disk, "00000006.log", &len),
	   "expire: numbers are not used again");
	simdisk_close(&disk);
}

static void expire_most(void *arg)
{
	const struct span_store_policy p = {.max_bytes = 3000};
	struct span_store_expired gone;

	expire(arg, p, &gone);
}

/* With expiry before call NTH: 1 when frames are missed, -1 after the end. */
static int look_meanwhile(uint64_t nth, bool verify)
{
	struct simdisk *disk = make_logs(5);
	struct span_store *st;
	struct span_store_stat stat = {0};
	uint64_t at = simdisk_calls(disk) + nth;
	int bad;

	simdisk_call(disk, at, expire_most, disk);
	st = open_mode(disk, SPAN_STORE_READ);
	if (verify)
		bad = span_store_verify(st, NULL, NULL, &err) != 0;
	else
		bad = span_store_stat(st, &stat, &err) != 0 ||
		      stat.missing_frames;
	if (simdisk_calls(disk) < at)
		bad = -1;
	simdisk_call(disk, 0, NULL, NULL);
	(void)span_store_close(&st, NULL);
	simdisk_close(&disk);
	return bad;
}

/* Files go away between any two calls of stat and verify: no loss. */
static void test_expiry_meanwhile(void)
{
	for (int verify = 0; verify < 2; verify++) {
		unsigned bad = 0, runs = 0;
		int rc;

		while ((rc = look_meanwhile(runs + 1, verify)) >= 0) {
			bad += (unsigned)rc;
			runs++;
		}
		ok(runs > 20 && !bad, "expire: %u of %u runs of %s miss frames",
		   bad, runs, verify ? "verify" : "stat");
	}
}

static void test_clock(void)
{
	struct simdisk *disk = make_logs(5);
	struct span_store_policy p = {.max_age_ns = 3600 * NS};
	struct span_store_expired gone;

	simdisk_set_clock(disk, MODEL_TIME + 10ull * 365 * 86400 * NS);
	is_uint(expire(disk, p, &gone), 0, "clock: ten years at once");
	ok(gone.clock_doubt, "clock: are doubted");
	p.max_bytes = 1;
	p.dry_run = true;
	is_uint(expire(disk, p, &gone), 5, "clock: bytes count all the same");
	p.dry_run = false;
	p.max_bytes = 0;
	simdisk_set_clock(disk, MODEL_TIME - 86400 * NS);
	is_uint(expire(disk, p, &gone), 0, "clock: files of the future");
	ok(gone.clock_doubt, "clock: are doubted too");
	simdisk_set_clock(disk, MODEL_TIME + 10ull * 365 * 86400 * NS);
	p.trust_clock = true;
	is_uint(expire(disk, p, &gone), 5, "clock: unless it is trusted");
	simdisk_close(&disk);
}

static void test_names(void)
{
	static const struct {
		const char *name;
		bool ours;
		struct span__file want;
	} rows[] = {
		{"00000001.seg", true, {.number = 1, .kind = FILE_SEG}},
		{"123456789.tmp",
		 true,
		 {.number = 123456789, .kind = FILE_TMP}},
		{"1.seg", false, {0}},
		{"000000001.seg", false, {0}},
		{"00000001.segm", false, {0}},
		{"00000001.", false, {0}},
		{"000102030405060708090a0b0c0d0eff-00000007.seg",
		 true,
		 {true,
		  {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 255},
		  7,
		  FILE_SEG}},
		{"000102030405060708090A0b0c0d0eff-00000007.seg", false, {0}},
		{"000102030405060708090a0b0c0d0ef-00000007.seg", false, {0}},
		{"000102030405060708090a0b0c0d0eff-00000007.log", false, {0}},
		{"000102030405060708090a0b0c0d0eff-7.seg", false, {0}},
		{"000102030405060708090a0b0c0d0eff", false, {0}},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct simdisk *disk = simdisk_open();
		struct span__listing l = {0};
		struct span__dir d;
		char name[LOG_NAME] = "";

		simdisk_put(disk, rows[i].name, "", 0);
		if (span__dir_open(&d, simdisk_io(disk), "store", false,
				   &err) ||
		    span__dir_list(&d, &l, &err))
			abort();
		ok(l.n == rows[i].ours && l.strangers == !rows[i].ours,
		   "names: %s is%s ours", rows[i].name,
		   rows[i].ours ? "" : " not");
		if (l.n) {
			span__file_name_of(name, sizeof(name), &l.v[0]);
			ok(!span__file_order(&l.v[0], &rows[i].want) &&
				   !strcmp(name, rows[i].name),
			   "names: %s, there and back", name);
		}
		span__listing_release(&l);
		span__dir_close(&d);
		simdisk_close(&disk);
	}
}

static bool set_policy(struct simdisk *disk, struct span_store_policy p)
{
	struct span_store *st = open_mode(disk, SPAN_STORE_MAINTAIN);
	bool good = st && !span_store_policy_set(st, &p, &err);

	(void)span_store_close(&st, NULL);
	return good;
}

static struct span_store_policy get_policy(struct simdisk *disk)
{
	struct span_store *st = open_mode(disk, SPAN_STORE_READ);
	struct span_store_policy p = {0};

	if (!st || span_store_policy_get(st, &p, &err) < 0)
		diag("%s", err.msg);
	(void)span_store_close(&st, NULL);
	return p;
}

static void test_policy(void)
{
	const struct span_store_policy want = {
		.max_age_ns = 210 * NS,
		.max_bytes = 1 << 30,
		.min_free = 12345,
	};
	struct simdisk *disk = make_logs(5); /* aged 5, 4, 3, 2, 1 minutes */
	struct span_store_expired gone;
	struct span_store_policy p = get_policy(disk);
	struct span_store *st;
	size_t len, before;

	ok(!p.max_age_ns && !p.max_bytes && !p.min_free,
	   "policy: none at first");
	st = open_mode(disk, SPAN_STORE_READ);
	is_int(span_store_policy_set(st, &want, &err), SPAN_E_INVALID,
	       "policy: a reader sets none");
	(void)span_store_close(&st, NULL);
	simdisk_file(disk, "FORMAT", &before);
	ok(set_policy(disk, want), "policy: set");
	p = get_policy(disk);
	ok(p.max_age_ns == want.max_age_ns && p.max_bytes == want.max_bytes &&
		   p.min_free == want.min_free,
	   "policy: remembered");
	is_uint(expire(disk, (struct span_store_policy){0}, &gone), 2,
		"policy: holds when no limit is given");
	p = (struct span_store_policy){.max_bytes = 1 << 30};
	is_uint(expire(disk, p, &gone), 0, "policy: not when one is");
	ok(set_policy(disk, (struct span_store_policy){0}), "policy: cleared");
	simdisk_file(disk, "FORMAT", &len);
	is_uint(len, before, "policy: FORMAT is as it was");
	model_read(NULL, disk, &found, &err);
	is_uint(found.n, 30, "policy: the store is read as before");
	is_uint(simdisk_count(disk, "FORMAT.tmp"), 0,
		"policy: nothing is left");
	simdisk_close(&disk);
}

/* A later version's line in FORMAT stays there. */
static void test_policy_lines(void)
{
	struct simdisk *disk = make_logs(1);
	struct span_store_policy p = {.max_age_ns = 7};
	char text[512];
	uint8_t *format;
	size_t len;

	format = simdisk_file(disk, "FORMAT", &len);
	len -= 16; /* the checksum's line */
	snprintf(text, sizeof(text), "%.*scolour green\n", (int)len,
		 (const char *)format);
	len = strlen(text);
	snprintf(text + len, sizeof(text) - len, "crc32c %08x\n",
		 span__crc32c(0, text, len));
	simdisk_put(disk, "FORMAT", text, strlen(text));
	ok(set_policy(disk, p), "policy: beside a line that is unknown");
	is_uint(get_policy(disk).max_age_ns, 7, "policy: is found");
	format = simdisk_file(disk, "FORMAT", &len);
	ok(format && memmem(format, len, "\ncolour green\n", 14),
	   "policy: the line is still there");
	simdisk_file(disk, "FORMAT", &len)[3] ^= 1;
	is_uint(get_policy(disk).max_age_ns, 0,
		"policy: none where FORMAT is damaged");
	ok(set_policy(disk, p) && get_policy(disk).max_age_ns == 7,
	   "policy: which is mended by setting it");
	ok(!model_recover(&m, disk, &err), "policy: the store is appended to");
	is_uint(get_policy(disk).max_age_ns, 7, "policy: and keeps it");
	simdisk_close(&disk);
}

static void test_min_free(void)
{
	struct simdisk *disk = make_logs(5);
	struct span_store_policy p = {.min_free = 5000};
	struct span_store_expired gone;
	uint64_t used = 0;
	size_t len;

	for (size_t i = 0; simdisk_name(disk, i); i++) {
		simdisk_file(disk, simdisk_name(disk, i), &len);
		used += len;
	}
	simdisk_capacity(disk, used + 5000);
	is_uint(expire(disk, p, &gone), 0, "min-free: there is enough");
	p.min_free = 5000 + 1;
	is_uint(expire(disk, p, &gone), 1, "min-free: one byte too little");
	p.min_free = 1 << 30;
	is_uint(expire(disk, p, &gone), 4, "min-free: all that can go");
	simdisk_close(&disk);
}

static void test_refusals(void)
{
	struct span_store_opts o = model_opts(&m, SPAN_SYNC_GROUP);
	struct simdisk *disk = simdisk_open();
	struct span_store *st = NULL;
	static const char later[] = "span-store 2\nuuid "
				    "00000000-0000-4000-8000-000000000000\n";

	reset();
	o.mode = SPAN_STORE_READ;
	is_int(span__store_open(&st, "store", &o, simdisk_io(disk), &err),
	       SPAN_E_NOTFOUND, "refusals: no store to read");
	simdisk_put(disk, "letter.txt", "dear", 4);
	is_int(span__store_open(&st, "store", &o, simdisk_io(disk), &err),
	       SPAN_E_NOTFOUND, "refusals: not a store to read");
	o.mode = SPAN_STORE_APPEND;
	is_int(span__store_open(&st, "store", &o, simdisk_io(disk), &err),
	       SPAN_E_INVALID, "refusals: a directory of other things");
	is_str(err.msg, "store: it is no store, and not empty",
	       "refusals: says why");
	simdisk_close(&disk);
	disk = simdisk_open();
	simdisk_put(disk, "FORMAT", later, sizeof(later) - 1);
	ok(!span__store_open(&st, "store", &o, simdisk_io(disk), &err),
	   "refusals: a FORMAT without its checksum is just damaged");
	(void)span_store_close(&st, NULL);
	is_uint(simdisk_descriptors(disk), 0, "refusals: all is closed");
	simdisk_close(&disk);
}

static void test_memory(void)
{
	struct span_store_opts o = model_opts(&m, SPAN_SYNC_GROUP);
	struct simdisk *disk = simdisk_open();
	struct span_store *st = NULL;
	struct span_store_stat stat;
	struct span_cursor *c = NULL;
	struct span s;
	unsigned left = 0;
	int rc;

	reset();
	m.disk = disk;
	m.next_acked = 1;
	is_int(span_store_open(&st, "memory:lots", &o, &err), SPAN_E_INVALID,
	       "memory: a size is needed");
	ok(!span_store_open(&st, "memory:4K", &o, &err), "memory: opens");
	ok(!model_append(&m, st, 1, 300, &err), "memory: takes 300 frames");
	ok(m.acked[300], "memory: acknowledges");
	ok(!span_store_stat(st, &stat, &err) && stat.bytes <= 4096 &&
		   stat.bytes > 3500,
	   "memory: keeps to its size");
	scan(st, NULL);
	is_uint(found.n, stat.n_frames, "memory: has the newest");
	is_uint(found.order[found.n - 1], 300, "memory: to the last one");
	ok(!found.strange, "memory: unharmed");
	ok(!span_store_scan(st, NULL, &c, &err) &&
		   span_cursor_next(c, &s, &err) > 0,
	   "memory: a cursor begins");
	ok(!model_append(&m, st, 301, 600, &err), "memory: all is replaced");
	while ((rc = span_cursor_next(c, &s, &err)) > 0)
		left++;
	ok(!rc && left < 3, "memory: it ends with its frame");
	span_cursor_close(&c);
	ok(!span_store_refresh(st, &err), "memory: refresh");
	scan(st, NULL);
	is_uint(found.order[found.n - 1], 600, "memory: shows the new ones");
	(void)span_store_close(&st, NULL);
	simdisk_close(&disk);
}

int main(void)
{
	test_round_trip();
	test_ranges();
	test_pruning();
	test_find();
	test_snapshot();
	test_race();
	test_locks();
	test_groups();
	test_limits();
	test_disk_full();
	test_expire();
	test_expiry_meanwhile();
	test_clock();
	test_names();
	test_policy();
	test_policy_lines();
	test_min_free();
	test_refusals();
	test_memory();
	return done_testing();
}
