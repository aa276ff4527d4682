/* SPDX-License-Identifier: Apache-2.0 */
/* Sealing, merging and copying of segments on a simulated disk. */
#include "seal-model.h"

#include "store/log_format.h"

#define NS 1000000000ull

static struct model m;
static struct tally t;
static struct span_error err;
static struct span_sealed out;

static struct span_store *open_mode(struct simdisk *disk,
				    enum span_store_mode mode)
{
	struct span_store_opts o = model_opts(&m, SPAN_SYNC_EACH);
	struct span_store *st = NULL;

	o.mode = mode;
	if (span__store_open(&st, "store", &o, simdisk_io(disk), &err) < 0)
		diag("%s", err.msg);
	return st;
}

static void add_log(struct simdisk *disk, uint64_t from, uint64_t to)
{
	struct span_store_opts o = model_opts(&m, SPAN_SYNC_EACH);

	if (model_run(&m, disk, &o, from, to, &err) < 0)
		abort();
	simdisk_pass(disk, 60 * NS);
}

static void sound(struct simdisk *disk, const char *what)
{
	ok(!tally_read(&t, disk, "store", NULL, &err), "%s: is read", what);
	is_str(tally_judge(&t, &m), NULL, "%s: each span once", what);
	is_int(seal_verify(disk, "store", &err), 0, "%s: verifies", what);
	is_uint(simdisk_count(disk, ".tmp") + simdisk_count(disk, ".del"), 0,
		"%s: nothing is left behind", what);
	is_uint(simdisk_descriptors(disk), 0, "%s: all is closed", what);
}

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

/* What is damaged in a log is kept beside the segment. */
static void test_damaged_log(void)
{
	struct simdisk *disk = seal_logs(&m, 3);
	struct span_store_stat stat = {0};
	struct span_store *st;
	size_t len;

	simdisk_file(disk, "00000002.log", &len)[m.end[14] + 70] ^= 1;
	m.acked[15] = false;
	ok(!seal_all(disk, &m, &out, &err), "damage: sealed");
	is_uint(out.n_logs, 3, "damage: with what was readable");
	is_uint(simdisk_count(disk, "00000002.bad"), 1,
		"damage: the log is kept");
	is_uint(simdisk_count(disk, ".log"), 0, "damage: the others are not");
	sound(disk, "damage");
	st = open_mode(disk, SPAN_STORE_READ);
	ok(!span_store_stat(st, &stat, &err), "damage: stat");
	is_uint(stat.missing_frames, 1, "damage: the frame is missed");
	is_uint(stat.n_bad, 1, "damage: a file is bad");
	(void)span_store_close(&st, NULL);
	simdisk_close(&disk);
}

/* Nothing is lost when the bad log of an earlier time has its name. */
static void test_damaged_twice(void)
{
	struct simdisk *disk = seal_logs(&m, 3);
	struct span_sealed again;
	size_t len;

	simdisk_file(disk, "00000002.log", &len)[m.end[14] + 70] ^= 1;
	m.acked[15] = false;
	simdisk_put(disk, "00000002.bad", "an old one", 10);
	ok(!seal_all(disk, &m, &out, &err), "twice: sealed");
	ok(!seal_all(disk, &m, &again, &err), "twice: and looked at again");
	simdisk_file(disk, "00000002.bad", &len);
	is_uint(len, 10, "twice: the old one is as it was");
	is_uint(simdisk_count(disk, "00000002.log"), 1,
		"twice: the other is still there");
	tally_read(&t, disk, "store", NULL, &err);
	is_str(tally_judge(&t, &m), NULL, "twice: each span once");
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

/* Of a segment that is damaged anywhere nothing strange is read. */
static const char *judge_harm(struct simdisk *disk)
{
	struct model after = {0};
	int rc = tally_read(&t, disk, "store", &after, &err);

	if (rc < 0)
		return err.msg;
	if (t.strange)
		return "a span is strange";
	for (uint64_t n = 0; n < MODEL_MAX; n++) {
		for (uint32_t i = 0; i < model_spans(n); i++) {
			if (t.seen[n][i] > 1)
				return "a span is there twice";
		}
	}
	if (t.n < 101 && !after.damage)
		return "spans are lost and nothing is said";
	return seal_verify(disk, "store", &err) == 1 ? NULL
						     : "verify finds nothing";
}

static void test_every_byte(void)
{
	struct simdisk *disk = seal_logs(&m, 5);
	unsigned bad = 0, runs = 0;
	uint8_t *p, *copy;
	size_t len;

	if (seal_all(disk, &m, &out, &err) < 0)
		abort();
	p = simdisk_file(disk, "00000005.seg", &len);
	copy = malloc(len);
	memcpy(copy, p, len);
	for (size_t at = 0; at < len; at += 1 + at / 4096, runs++) {
		const char *why;

		p = simdisk_file(disk, "00000005.seg", &len);
		p[at] ^= (uint8_t)(1u << at % 8);
		why = judge_harm(disk);
		p[at] ^= (uint8_t)(1u << at % 8);
		if (why && ++bad <= 3)
			diag("byte %d: %s", (int)at, why);
	}
	ok(runs > 1000 && !bad,
	   "harm: %u segments with a bad bit: %u are wrong", runs, bad);
	for (size_t cut = bad = runs = 0; cut < len; cut += 19, runs++) {
		const char *why;

		simdisk_put(disk, "00000005.seg", copy, cut);
		why = judge_harm(disk);
		if (why && ++bad <= 3)
			diag("cut at %d: %s", (int)cut, why);
	}
	ok(runs > 100 && !bad, "harm: %u segments that were cut: %u are wrong",
	   runs, bad);
	free(copy);
	simdisk_close(&disk);
}

/* It stays, and what comes after it is sealed without it. */
static void test_no_merge(void)
{
	struct simdisk *disk = seal_logs(&m, 2);
	uint64_t before;
	size_t len;
	uint8_t *p;

	if (seal_all(disk, &m, &out, &err) < 0)
		abort();
	add_log(disk, 21, 30);
	add_log(disk, 31, 40);
	p = simdisk_file(disk, "00000002.seg", &len);
	p[4096 + (len - 4096) / 2] ^= 1;
	tally_read(&t, disk, "store", NULL, &err);
	before = t.n;
	m.damage = 0;
	ok(!seal_all(disk, &m, &out, &err), "no merge: sealed");
	ok(m.damage > 0, "no merge: the damage is told");
	is_uint(simdisk_count(disk, ".seg"), 2, "no merge: beside it");
	is_uint(out.n_merged, 0, "no merge: nothing was merged");
	tally_read(&t, disk, "store", NULL, &err);
	is_uint(t.n, before, "no merge: what could be read can be read");
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

struct race {
	struct simdisk *disk;
	struct span_store *writer;
	uint64_t next; /* frame */
	uint64_t again;
	const char *why;
	bool happened;
};

static void seal_now(void *arg)
{
	struct race *r = arg;
	struct span_error why;

	r->happened = true;
	if (seal_all(r->disk, &m, &out, &why) < 0)
		r->why = "sealing fails";
}

/* A log comes in between, too. */
static void seal_and_append(void *arg)
{
	struct race *r = arg;
	uint64_t again = r->again;

	if (model_append(&m, r->writer, r->next, r->next + 1, &err) < 0)
		abort();
	r->next += 2;
	seal_now(r);
	r->again = 0;
	if (again)
		simdisk_call(r->disk, simdisk_calls(r->disk) + again,
			     seal_and_append, r);
}

static void read_now(void *arg)
{
	struct race *r = arg;
	static struct tally now;

	r->happened = true;
	if (tally_read(&now, r->disk, "store", NULL, &err) < 0)
		r->why = err.msg;
	else
		r->why = tally_judge(&now, &m);
}

static void append_now(void *arg)
{
	struct race *r = arg;

	r->happened = true;
	if (model_append(&m, r->writer, r->next, r->next + 1, &err) < 0)
		abort();
	r->next += 2;
}

static bool race_over(struct race *r, unsigned *bad, const char *what,
		      uint64_t nth)
{
	simdisk_call(r->disk, 0, NULL, NULL);
	if (r->why && ++*bad <= 3)
		diag("%s, call %d: %s", what, (int)nth, r->why);
	(void)span_store_close(&r->writer, NULL);
	simdisk_close(&r->disk);
	return !r->happened;
}

/* A reader opens and reads while sealing runs between two of its calls. */
static void test_read_race(void)
{
	unsigned bad = 0, runs = 0;
	bool over = false;

	for (uint64_t nth = 1; !over; nth++, runs++) {
		struct race r = {.disk = seal_logs(&m, 3)};

		simdisk_call(r.disk, simdisk_calls(r.disk) + nth, seal_now, &r);
		if (tally_read(&t, r.disk, "store", NULL, &err) < 0)
			r.why = err.msg;
		else if (!r.why)
			r.why = tally_judge(&t, &m);
		over = race_over(&r, &bad, "read", nth);
	}
	ok(runs > 20 && !bad, "race: %u of %u readers go wrong", bad, runs);
}

/* The same, with an appender that goes on, and once more. */
static void test_reader_writer_race(void)
{
	unsigned bad = 0, runs = 0;
	bool over = false;

	for (uint64_t nth = 1; !over; nth++) {
		for (uint64_t again = 0; again < 40; again += 1 + again / 3) {
			struct race r = {.disk = seal_logs(&m, 2),
					 .next = 21,
					 .again = again};
			static struct model before;
			struct span_store_opts o =
				model_opts(&m, SPAN_SYNC_EACH);

			o.rotate_bytes = 1;
			m.next_acked = 21;
			if (span__store_open(&r.writer, "store", &o,
					     simdisk_io(r.disk), &err) < 0)
				abort();
			before = m;
			simdisk_call(r.disk, simdisk_calls(r.disk) + nth,
				     seal_and_append, &r);
			if (tally_read(&t, r.disk, "store", NULL, &err) < 0)
				r.why = err.msg;
			else if (!r.why)
				r.why = tally_judge(&t, &before);
			over = race_over(&r, &bad, "reader",
					 nth * 1000 + again);
			runs++;
		}
	}
	ok(runs > 200 && !bad,
	   "race: %u of %u readers go wrong while logs come and are sealed",
	   bad, runs);
}

/* While sealing runs a reader comes, or the appender closes logs. */
static void test_seal_race(void (*fn)(void *arg), const char *what)
{
	unsigned bad = 0, runs = 0;
	bool over = false;

	for (uint64_t nth = 1; !over; nth++, runs++) {
		struct race r = {.disk = seal_logs(&m, 3), .next = 31};
		struct span_store_opts o = model_opts(&m, SPAN_SYNC_EACH);

		o.rotate_bytes = 1;
		m.next_acked = 31;
		if (span__store_open(&r.writer, "store", &o, simdisk_io(r.disk),
				     &err) < 0)
			abort();
		simdisk_call(r.disk, simdisk_calls(r.disk) + nth, fn, &r);
		if (seal_all(r.disk, &m, &out, &err) < 0)
			r.why = err.msg;
		simdisk_call(r.disk, 0, NULL, NULL);
		if (tally_read(&t, r.disk, "store", NULL, &err) < 0)
			r.why = err.msg;
		else if (!r.why)
			r.why = tally_judge(&t, &m);
		over = race_over(&r, &bad, what, nth);
	}
	ok(runs > 20 && !bad, "race: %u of %u go wrong when %s", bad, runs,
	   what);
}

/* A store whose sealing died with the segment in place and logs left. */
static struct simdisk *half_sealed(void)
{
	struct simdisk *disk = seal_logs(&m, 3), *before = simdisk_copy(disk);
	static const char *const names[] = {"00000001.log", "00000003.log"};

	if (seal_all(disk, &m, &out, &err) < 0)
		abort();
	for (size_t i = 0; i < 2; i++) {
		size_t len;
		uint8_t *p = simdisk_file(before, names[i], &len);

		simdisk_put(disk, names[i], p, len);
	}
	simdisk_put(disk, "00000003.tmp", "unfinished", 10);
	simdisk_close(&before);
	return disk;
}

static void test_leftovers(void)
{
	const struct span_store_policy p = {.max_age_ns = 1};
	struct simdisk *disk = half_sealed();
	struct span_store_expired gone;
	struct span_store *st;

	tally_read(&t, disk, "store", NULL, &err);
	is_str(tally_judge(&t, &m), NULL, "leftovers: are not seen");
	ok(!seal_all(disk, &m, &out, &err) && !out.n_segments,
	   "leftovers: sealing again");
	is_uint(simdisk_count(disk, ".log"), 0, "leftovers: removes them");
	sound(disk, "leftovers");
	simdisk_close(&disk);
	disk = half_sealed();
	st = open_mode(disk, SPAN_STORE_MAINTAIN);
	ok(!span_store_expire(st, &p, &gone, NULL, NULL, &err),
	   "leftovers: expiry");
	(void)span_store_close(&st, NULL);
	tally_read(&t, disk, "store", NULL, &err);
	is_uint(t.n, 0, "leftovers: do not come back");
	simdisk_close(&disk);
	disk = half_sealed();
	add_log(disk, 31, 40);
	is_uint(simdisk_count(disk, "00000004.log"), 1,
		"leftovers: an appender goes on");
	tally_read(&t, disk, "store", NULL, &err);
	is_str(tally_judge(&t, &m), NULL, "leftovers: and still not seen");
	simdisk_close(&disk);
}

/* The segment is damaged, and the logs are still there. */
static void test_damaged_segment(void)
{
	struct simdisk *disk = half_sealed(), *other;
	size_t len;
	uint8_t *p = simdisk_file(disk, "00000003.seg", &len);

	m.damage = 0;
	p[len / 2] ^= 1;
	is_int(seal_verify(disk, "store", &err), 1, "bad segment: verify");
	ok(!seal_all(disk, &m, &out, &err), "bad segment: sealing again");
	is_uint(simdisk_count(disk, ".log"), 2,
		"bad segment: leaves the logs it should have");
	memset(p, 0, len);
	m.damage = 0;
	ok(!tally_read(&t, disk, "store", &m, &err), "bad segment: all of it");
	is_uint(t.n, 20 + 19, "bad segment: then the logs are read");
	is_uint(m.damage, 1, "bad segment: and it is told");
	is_int(seal_verify(disk, "store", &err), 1,
	       "bad segment: verify tells, too");
	other = simdisk_copy(disk);
	ok(!model_recover(&m, other, &err), "bad segment: an appender opens");
	add_log(other, 31, 32);
	is_uint(simdisk_count(other, "00000004.log"), 1,
		"bad segment: with a new number");
	simdisk_close(&other);
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
	test_damaged_log();
	test_damaged_twice();
	test_every_byte();
	test_no_merge();
	test_full();
	test_snapshot();
	test_read_race();
	test_reader_writer_race();
	test_seal_race(read_now, "a reader comes");
	test_seal_race(append_now, "logs are closed");
	test_leftovers();
	test_damaged_segment();
	test_export();
	test_clock();
	return done_testing();
}
