/* SPDX-License-Identifier: Apache-2.0 */
/* Sealing, merging and copying of segments on a simulated disk. */
#include "seal-logs.h"

#include "store/log_format.h"

static void test_seal(void)
{
	struct simdisk *disk = seal_logs(&m, 5);
	struct span_store *st;
	struct span_store_stat stat;

	ok(!seal_all(disk, &m, &out, &err), "seal: five logs");
	is_uint(out.n_logs, 5, "seal: all of them");
	is_uint(out.n_segments, 1, "seal: into one");
	is_uint(out.n_spans, 101, "seal: with their spans");
	is_uint(simdisk_count(disk, ".log"), 0, "seal: no log is left");
	is_uint(simdisk_count(disk, "00000005.seg"), 1,
		"seal: named by the "
		"last");
	sound(disk, "seal");
	is_uint(t.n, 101, "seal: nothing more");
	st = open_mode(disk, SPAN_STORE_READ);
	ok(!span_store_stat(st, &stat, &err), "seal: stat");
	ok(stat.n_spans == 101 && stat.n_segments == 1 &&
		   stat.sealed_spans == 101 && stat.n_frames == 50 &&
		   stat.n_files == 1 && !stat.missing_frames &&
		   stat.n_traces == 13,
	   "seal: counts it");
	(void)span_store_close(&st, NULL);
	ok(!seal_all(disk, &m, &out, &err) && !out.n_segments,
	   "seal: once is enough");
	add_log(disk, 51, 60);
	is_uint(simdisk_count(disk, "00000006.log"), 1,
		"seal: numbers go on behind it");
	sound(disk, "seal, then a log");
	simdisk_close(&disk);
}

static void test_due(void)
{
	static const struct {
		const char *name;
		struct span_seal_opts opts;
		uint64_t segments, logs;
	} rows[] = {
		{"young and few", {0}, 0, 0},
		{"old", {.max_age_ns = 250 * NS}, 1, 5},
		{"a whole segment", {.max_spans = 50}, 1, 3},
		{"two whole segments", {.max_spans = 39}, 2, 4},
		{"a dry run", {.all = true, .dry_run = true}, 1, 5},
		{"codec none", {.all = true, .codec = "none"}, 1, 5},
		{"codec zlib", {.all = true, .codec = "zlib"}, 1, 5},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct simdisk *disk = seal_logs(&m, 5);

		ok(!seal_with(disk, &m, &rows[i].opts, &out, &err), "due: %s",
		   rows[i].name);
		is_uint(out.n_segments, rows[i].segments, "due: %s: segments",
			rows[i].name);
		is_uint(out.n_logs, rows[i].logs, "due: %s: logs",
			rows[i].name);
		is_uint(simdisk_count(disk, ".seg"),
			rows[i].opts.dry_run ? 0 : rows[i].segments,
			"due: %s: files", rows[i].name);
		sound(disk, rows[i].name);
		simdisk_close(&disk);
	}
}

static void test_refusals(void)
{
	struct simdisk *disk = seal_logs(&m, 1);
	const struct span_seal_opts bad = {.codec = "lzma"};
	struct span_store *st = open_mode(disk, SPAN_STORE_READ);

	is_int(span_store_seal(st, NULL, &out, NULL, NULL, &err),
	       SPAN_E_INVALID, "refusals: a reader does not seal");
	(void)span_store_close(&st, NULL);
	is_int(seal_with(disk, &m, &bad, &out, &err), SPAN_E_INVALID,
	       "refusals: a codec that is none");
	st = open_mode(disk, SPAN_STORE_MAINTAIN);
	is_int(seal_all(disk, &m, &out, &err), SPAN_E_BUSY,
	       "refusals: somebody maintains it");
	(void)span_store_close(&st, NULL);
	ok(!span_store_open(&st, "memory:1M", NULL, &err) &&
		   span_store_seal(st, NULL, &out, NULL, NULL, &err) ==
			   SPAN_E_INVALID,
	   "refusals: memory has nothing to seal");
	(void)span_store_close(&st, NULL);
	simdisk_close(&disk);
}

static void test_merge(void)
{
	struct simdisk *disk = seal_logs(&m, 2);
	size_t most = 0;

	for (uint64_t i = 2; i < 20; i++) {
		ok(!seal_all(disk, &m, &out, &err), "merge: %d",
		   (int)out.n_merged);
		if (simdisk_count(disk, ".seg") > most)
			most = simdisk_count(disk, ".seg");
		add_log(disk, i * 10 + 1, i * 10 + 10);
	}
	ok(most <= 5, "merge: %zu segments at most", most);
	ok(!seal_all(disk, &m, &out, &err), "merge: the last");
	sound(disk, "merge");
	is_uint(t.n, 401, "merge: all spans");
	simdisk_close(&disk);
}

static int give_up(void *arg, uint64_t spans, uint64_t of)
{
	(void)spans;
	(void)of;
	++*(int *)arg;
	return SPAN_E_PIPE;
}

static void test_progress(void)
{
	struct simdisk *disk = seal_logs(&m, 3);
	int calls = 0;
	const struct span_seal_opts o = {
		.all = true, .progress = give_up, .arg = &calls};
	int rc = seal_with(disk, &m, &o, &out, &err);

	ok(calls == 1 && rc == SPAN_E_PIPE, "progress: can end it");
	is_uint(simdisk_count(disk, ".log"), 3, "progress: nothing is done");
	sound(disk, "progress");
	simdisk_close(&disk);
}

static void test_memory(void)
{
	struct simdisk *disk = seal_logs(&m, 3);
	const struct span_seal_opts o = {.all = true, .memory = 1};

	ok(!seal_with(disk, &m, &o, &out, &err), "memory: too little");
	is_uint(out.n_segments, 0, "memory: nothing is sealed");
	is_uint(m.damage, 3, "memory: which is told of each log");
	is_str(strrchr(m.text, '/') ? strrchr(m.text, '/') + 1 : "",
	       "00000003.log: stays a log: there is not enough memory to "
	       "seal it",
	       "memory: in these words");
	sound(disk, "memory");
	simdisk_close(&disk);
}

/* From too little memory for one log to enough for all: nothing is lost. */
static void test_memory_steps(void)
{
	struct simdisk *base = seal_logs(&m, 0);
	unsigned bad = 0, some = 0;
	bool all = false;

	for (uint64_t i = 0; i < 3; i++)
		add_log(base, i * 1300 + 1, i * 1300 + 1300);
	for (uint64_t memory = 1 << 20; !all && memory < 1u << 30;
	     memory += memory / 24) {
		const struct span_seal_opts o = {.all = true, .memory = memory};
		struct simdisk *disk = simdisk_copy(base);

		bad += seal_with(disk, &m, &o, &out, &err) < 0 ||
		       tally_read(&t, disk, "store", NULL, &err) < 0 ||
		       tally_judge(&t, &m) || out.n_logs > 3 ||
		       simdisk_count(disk, ".tmp");
		all = out.n_logs == 3 && out.n_segments == 1;
		some += out.n_segments && !all;
		simdisk_close(&disk);
	}
	ok(!bad && all, "memory: whatever there is, %u lose something", bad);
	ok(some, "memory: for %u sizes some logs are sealed alone", some);
	simdisk_close(&base);
}

/* A log of another store is read, and left alone. */
static void test_other_log(void)
{
	struct simdisk *other = seal_logs(&m, 2), *disk;
	size_t len;
	uint8_t *p;

	disk = simdisk_copy(other);
	p = simdisk_file(other, "00000002.log", &len);
	simdisk_put(disk, "00000003.log", p, len);
	ok(!seal_all(disk, &m, &out, &err), "other log: sealed");
	is_uint(out.n_logs, 2, "other log: without it");
	is_uint(simdisk_count(disk, "00000003.log"), 1, "other log: it stays");
	simdisk_close(&other);
	simdisk_close(&disk);
}

static void test_full(void)
{
	struct simdisk *disk = seal_logs(&m, 5);
	uint64_t used = 0;
	size_t len;

	for (size_t i = 0; simdisk_name(disk, i); i++) {
		simdisk_file(disk, simdisk_name(disk, i), &len);
		used += len;
	}
	simdisk_capacity(disk, used + 2000);
	is_int(seal_all(disk, &m, &out, &err), SPAN_E_FULL,
	       "full: there is no room for a segment");
	is_uint(simdisk_count(disk, ".log"), 5, "full: the logs are there");
	sound(disk, "full");
	simdisk_capacity(disk, 0);
	ok(!seal_all(disk, &m, &out, &err) && out.n_logs == 5,
	   "full: then there is");
	sound(disk, "full, then not");
	simdisk_close(&disk);
}

/* What is open stays as it is, twice, whatever becomes of the files. */
static void test_snapshot(void)
{
	const struct span_store_policy p = {.max_bytes = 1};
	struct simdisk *disk = seal_logs(&m, 4);
	struct span_store *reader = open_mode(disk, SPAN_STORE_READ), *st;
	struct span_store_expired gone;
	struct span_sealed two;

	ok(!seal_with(disk, &m, &(struct span_seal_opts){.max_spans = 39}, &two,
		      &err) &&
		   two.n_segments == 2,
	   "snapshot: sealed");
	ok(!tally_scan(&t, reader, &err), "snapshot: read");
	is_str(tally_judge(&t, &m), NULL, "snapshot: the logs are still there");
	add_log(disk, 41, 50);
	ok(!tally_scan(&t, reader, &err) && t.n == 80,
	   "snapshot: a second time, the same");
	ok(!span_store_refresh(reader, &err) && !tally_scan(&t, reader, &err),
	   "snapshot: refreshed");
	is_str(tally_judge(&t, &m), NULL, "snapshot: the segments and the log");
	ok(!seal_all(disk, &m, &out, &err) && out.n_merged, "snapshot: merged");
	ok(!tally_scan(&t, reader, &err), "snapshot: read");
	is_str(tally_judge(&t, &m), NULL, "snapshot: as before the merge");
	ok(!span_store_refresh(reader, &err) && !tally_scan(&t, reader, &err),
	   "snapshot: refreshed");
	is_str(tally_judge(&t, &m), NULL, "snapshot: what was merged");
	ok(!span_store_refresh(reader, &err) && !tally_scan(&t, reader, &err),
	   "snapshot: refreshed, and nothing is new");
	is_str(tally_judge(&t, &m), NULL, "snapshot: the same");
	st = open_mode(disk, SPAN_STORE_MAINTAIN);
	ok(!span_store_expire(st, &p, &gone, NULL, NULL, &err),
	   "snapshot: expired");
	is_uint(gone.n_spans, t.n, "snapshot: all of it");
	(void)span_store_close(&st, NULL);
	ok(!tally_scan(&t, reader, &err), "snapshot: read");
	is_str(tally_judge(&t, &m), NULL, "snapshot: all is still there");
	ok(!span_store_refresh(reader, &err) && !tally_scan(&t, reader, &err) &&
		   !t.n,
	   "snapshot: refreshed, nothing is left");
	(void)span_store_close(&reader, NULL);
	add_log(disk, 51, 52);
	is_uint(simdisk_count(disk, "00000006.log"), 1,
		"snapshot: numbers are not used again");
	is_uint(simdisk_descriptors(disk), 0, "snapshot: all is closed");
	simdisk_close(&disk);
}

static int export_to(struct simdisk *disk, const char *from, const char *to,
		     uint64_t *n)
{
	const struct span_store_opts o = {.damage = model_damage, .arg = &m};
	struct span_store *st = NULL;
	int rc = span__store_open(&st, from, &o, simdisk_io(disk), &err);

	if (!rc)
		rc = span_store_export(st, to, n, &err);
	(void)span_store_close(&st, NULL);
	return rc;
}

static void test_export(void)
{
	struct simdisk *disk = seal_logs(&m, 4);
	const struct span_seal_opts two = {.max_spans = 39};
	struct span_store_expired gone;
	struct span_store_policy p = {.max_age_ns = 150 * NS, .dry_run = true};
	struct span_store_opts o = {.mode = SPAN_STORE_MAINTAIN};
	struct span_store *st = NULL;
	uint64_t n;
	size_t len;
	uint8_t *b;

	ok(!seal_with(disk, &m, &two, &out, &err) && out.n_segments == 2,
	   "export: two segments");
	ok(!export_to(disk, "store", "other", &n) && n == 2,
	   "export: both are copied");
	is_uint(simdisk_count_other(disk, ".seg"), 2, "export: and are there");
	tally_read(&t, disk, "other", NULL, &err);
	is_str(tally_judge(&t, &m), NULL, "export: the other store has all");
	is_int(seal_verify(disk, "other", &err), 0, "export: and verifies");
	ok(!export_to(disk, "store", "other", &n) && n == 0,
	   "export: what is there is not copied");
	if (span__store_open(&st, "other", &o, simdisk_io(disk), &err) < 0)
		abort();
	ok(!span_store_expire(st, &p, &gone, NULL, NULL, &err) &&
		   gone.n_files == 1,
	   "export: arrival is what it was");
	(void)span_store_close(&st, NULL);
	add_log(disk, 41, 50);
	ok(!seal_all(disk, &m, &out, &err) && out.n_merged == 2,
	   "export: they are merged with a log");
	ok(!export_to(disk, "store", "other", &n) && n == 1,
	   "export: and is copied again");
	tally_read(&t, disk, "other", NULL, &err);
	is_str(tally_judge(&t, &m), NULL, "export: each span once");
	ok(!export_to(disk, "other", "store", &n) && n == 0,
	   "export: back to where they come from: nothing to do");
	sound(disk, "export");
	if (span__store_open(&st, "other", &o, simdisk_io(disk), &err) < 0)
		abort();
	ok(!span_store_seal(st, NULL, &out, NULL, NULL, &err) &&
		   !out.n_segments,
	   "export: what is foreign is not merged");
	is_uint(simdisk_count_other(disk, ".seg"), 1,
		"export: but what it covers goes");
	p = (struct span_store_policy){.max_bytes = 1};
	ok(!span_store_expire(st, &p, &gone, NULL, NULL, &err) &&
		   gone.n_files == 1,
	   "export: foreign segments expire");
	is_uint(simdisk_count_other(disk, ".seg"), 0, "export: and are gone");
	(void)span_store_close(&st, NULL);
	b = simdisk_file(disk, "00000005.seg", &len);
	b[len / 2] ^= 1;
	m.damage = 0;
	ok(!export_to(disk, "store", "other", &n) && n == 0 && m.damage == 1,
	   "export: what is damaged is not copied, and told");
	is_uint(simdisk_descriptors(disk), 0, "export: all is closed");
	simdisk_close(&disk);
	disk = seal_logs(&m, 1);
	simdisk_put(disk, "other/letter.txt", "dear", 4);
	is_int(export_to(disk, "store", "other", &n), SPAN_E_INVALID,
	       "export: not into a directory of other things");
	is_str(err.msg, "other: it is no store, and not empty",
	       "export: says why");
	simdisk_close(&disk);
}

/* Clocks: as with logs, from what a segment knows of its youngest one. */
static void test_clock(void)
{
	struct simdisk *disk = seal_logs(&m, 4);
	struct span_store_policy p = {.max_age_ns = 3600 * NS};
	struct span_store_expired gone;
	struct span_store *st;

	ok(!seal_all(disk, &m, &out, &err), "clock: sealed");
	simdisk_set_clock(disk, MODEL_TIME + 10ull * 365 * 86400 * NS);
	st = open_mode(disk, SPAN_STORE_MAINTAIN);
	ok(!span_store_expire(st, &p, &gone, NULL, NULL, &err) &&
		   gone.clock_doubt && !gone.n_files,
	   "clock: a clock that was set is doubted");
	p.trust_clock = true;
	ok(!span_store_expire(st, &p, &gone, NULL, NULL, &err) &&
		   gone.n_files == 1,
	   "clock: unless it is trusted");
	(void)span_store_close(&st, NULL);
	simdisk_close(&disk);
}

int main(void)
{
	test_seal();
	test_due();
	test_refusals();
	test_merge();
	test_progress();
	test_memory();
	test_memory_steps();
	test_other_log();
	test_full();
	test_snapshot();
	test_export();
	test_clock();
	return done_testing();
}
