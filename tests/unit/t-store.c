/* SPDX-License-Identifier: Apache-2.0 */
/* The store on a simulated disk: what it holds, prunes and refuses. */
#include "store-logs.h"

#include "base/crc32c.h"
#include "store/log_writer.h"
#include "store/store_dir.h"

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
	test_names();
	test_refusals();
	test_memory();
	return done_testing();
}
