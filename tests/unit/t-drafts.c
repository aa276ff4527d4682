/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Drafts of logs: each span is there once whatever becomes of them, and of the
 * logs that they were made of.
 */
#include "make-drafts.h"
#include "seal-logs.h"

/* Drafts of all logs that have grown: how many. */
static uint64_t draft(struct simdisk *disk)
{
	if (seal_with(disk, &m, &only_drafts, &out, &err) < 0) {
		diag("%s", err.msg);
		abort();
	}
	return out.n_drafts;
}

/* The drafts that a reader uses. */
static uint64_t used(struct simdisk *disk)
{
	struct span_store *st = open_mode(disk, SPAN_STORE_READ);
	struct span_store_stat stat = {0};

	if (!st || span_store_stat(st, &stat, &err) < 0)
		abort();
	(void)span_store_close(&st, NULL);
	return stat.n_drafts;
}

static void each_once(struct simdisk *disk, const char *what)
{
	ok(!tally_read(&t, disk, "store", NULL, &err), "%s: is read", what);
	is_str(tally_judge(&t, &m), NULL, "%s: each span once", what);
	is_uint(simdisk_descriptors(disk), 0, "%s: all is closed", what);
}

static void test_made(void)
{
	struct simdisk *disk = seal_logs(&m, 3);
	struct span_seal_opts few = only_drafts, dry = only_drafts;

	dry.dry_run = true;
	ok(!seal_with(disk, &m, &dry, &out, &err) && out.n_drafts == 3,
	   "a dry run tells of three drafts");
	is_uint(simdisk_count(disk, ".draft"), 0, "and makes none");
	dry.all = true;
	ok(!seal_with(disk, &m, &dry, &out, &err) && out.n_logs == 3,
	   "one that would seal the logs tells of them");
	is_uint(out.n_drafts, 0, "and of no drafts, as they would not stay");
	few.draft_bytes = 0;
	ok(!seal_with(disk, &m, &few, &out, &err) && !out.n_drafts,
	   "small logs get none");
	is_uint(draft(disk), 3, "where it is asked for they do");
	is_uint(simdisk_count(disk, ".draft"), 3, "and they are there");
	is_uint(out.draft_spans, 60, "with their spans");
	is_uint(used(disk), 3, "and read");
	sound(disk, "drafts");
	is_uint(draft(disk), 0, "once is enough");
	ok(!seal_all(disk, &m, &out, &err) && out.n_logs == 3,
	   "the logs are sealed");
	is_uint(simdisk_count(disk, ".draft"), 0, "and their drafts gone");
	sound(disk, "sealed");
	simdisk_close(&disk);
}

/* A log that was just begun is sealed before long, when so much comes. */
static void test_young(void)
{
	struct simdisk *disk = seal_logs(&m, 1);
	struct span_store_opts o = model_opts(&m, SPAN_SYNC_EACH);

	if (model_run(&m, disk, &o, 11, 20, &err) < 0)
		abort();
	is_uint(draft(disk), 1, "a log of this second gets no draft");
	simdisk_pass(disk, 6 * NS);
	is_uint(draft(disk), 1, "but it does when it stays");
	each_once(disk, "young");
	simdisk_close(&disk);
}

static void test_open(void)
{
	struct simdisk *disk = seal_logs(&m, 1);
	struct span_store_opts o = model_opts(&m, SPAN_SYNC_EACH);
	struct span_store *st;

	m.disk = disk;
	m.next_acked = 11;
	if (span__store_open(&st, "store", &o, simdisk_io(disk), &err) < 0 ||
	    model_append(&m, st, 11, 15, &err) < 0)
		abort();
	simdisk_pass(disk, 6 * NS);
	is_uint(draft(disk), 2, "the active log gets a draft");
	is_uint(used(disk), 2, "which is read");
	if (model_append(&m, st, 16, 18, &err) < 0)
		abort();
	is_uint(used(disk), 2, "also when the log has grown");
	ok(!tally_read(&t, disk, "store", NULL, &err) && !tally_judge(&t, &m),
	   "with what is behind it");
	is_uint(draft(disk), 1, "it is made anew");
	if (model_append(&m, st, 19, 20, &err) < 0 ||
	    span_store_close(&st, &err) < 0)
		abort();
	is_uint(simdisk_count(disk, ".open"), 0, "the log is closed");
	is_uint(used(disk), 2, "and its draft stays");
	sound(disk, "closed");
	simdisk_close(&disk);
}

/* The disk is nearly full: what is left of it is for spans. */
static void test_room(void)
{
	struct simdisk *disk = seal_logs(&m, 1);
	const struct span_store_policy little = {.min_free = 1 << 20};
	struct span_store *st;

	simdisk_capacity(disk, 60 << 20);
	is_uint(draft(disk), 0, "where little is free no draft is made");
	is_uint(simdisk_count(disk, ".tmp"), 0, "nor begun");
	st = open_mode(disk, SPAN_STORE_MAINTAIN);
	ok(st && !span_store_policy_set(st, &little, &err),
	   "but when the policy leaves less");
	(void)span_store_close(&st, NULL);
	is_uint(draft(disk), 1, "it is");
	simdisk_close(&disk);
}

/* What comes while the draft of another log is made. */
struct growing {
	struct simdisk *disk;
	struct span_store *st;
	bool grown;
};

static int grow(void *arg, uint64_t spans, uint64_t of)
{
	struct growing *g = arg;

	(void)spans;
	(void)of;
	if (g->grown)
		return 0;
	g->grown = true;
	if (model_append(&m, g->st, 16, 20, &err) < 0)
		abort();
	simdisk_pass(g->disk, 1 * NS);
	return 0;
}

static void test_growing(void)
{
	struct growing g = {.disk = seal_logs(&m, 1)};
	struct span_store_opts o = model_opts(&m, SPAN_SYNC_EACH);
	struct span_seal_opts how = only_drafts;
	struct span_store_stat stat;

	m.disk = g.disk;
	m.next_acked = 11;
	if (span__store_open(&g.st, "store", &o, simdisk_io(g.disk), &err) <
		    0 ||
	    model_append(&m, g.st, 11, 15, &err) < 0)
		abort();
	simdisk_pass(g.disk, 6 * NS);
	how.progress = grow;
	how.arg = &g;
	ok(!seal_with(g.disk, &m, &how, &out, &err) && out.n_drafts == 2,
	   "growing: two drafts");
	if (span_store_close(&g.st, &err) < 0)
		abort();
	g.st = open_mode(g.disk, SPAN_STORE_READ);
	if (!g.st || span_store_stat(g.st, &stat, &err) < 0)
		abort();
	(void)span_store_close(&g.st, NULL);
	is_uint(out.draft_spans, stat.n_spans,
		"growing: the second has what came during the first");
	each_once(g.disk, "growing");
	simdisk_close(&g.disk);
}

/* Each byte of a draft is damaged in turn: the log is read instead. */
static void test_harm(void)
{
	struct simdisk *disk = seal_logs(&m, 1), *copy;
	size_t len, bad = 0, unused = 0;

	(void)draft(disk);
	simdisk_file(disk, "00000001.draft", &len);
	for (size_t at = 0; at < len; at += at < 400 ? 1 : 37) {
		copy = simdisk_copy(disk);
		simdisk_file(copy, "00000001.draft", &len)[at] ^= 0x10;
		bad += tally_read(&t, copy, "store", NULL, &err) < 0 ||
		       tally_judge(&t, &m);
		unused += !used(copy);
		simdisk_close(&copy);
	}
	is_uint(bad, 0, "harm: each span once");
	ok(unused > 400, "harm: as the log is read");
	for (size_t cut = 0; cut < len; cut += 1 + len / 50) {
		uint8_t *p;

		copy = simdisk_copy(disk);
		p = simdisk_file(copy, "00000001.draft", &len);
		simdisk_put(disk, "00000001.draft", p, cut);
		bad += tally_read(&t, disk, "store", NULL, &err) < 0 ||
		       tally_judge(&t, &m);
		simdisk_put(disk, "00000001.draft", p, len);
		simdisk_close(&copy);
	}
	is_uint(bad, 0, "harm: cut ones too");
	simdisk_close(&disk);
}

/* The draft of another log, and of a log that is not what it was. */
static void test_strangers(void)
{
	struct simdisk *disk = seal_logs(&m, 2), *copy;
	size_t len;
	uint8_t *p;

	(void)draft(disk);
	copy = simdisk_copy(disk);
	p = simdisk_file(copy, "00000001.draft", &len);
	simdisk_put(disk, "00000002.draft", p, len);
	is_uint(used(disk), 1, "the draft of another log is not read");
	each_once(disk, "strangers");
	simdisk_file(disk, "00000001.log", &len)[m.end[10] - 20] ^= 1;
	is_uint(used(disk), 1, "what is in the log does not matter");
	each_once(disk, "the draft has it");
	p = simdisk_file(disk, "00000001.log", &len);
	p[m.end[9] + 16] ^= 1; /* the last record's sequence number */
	is_uint(used(disk), 0, "but where it ends must be there");
	simdisk_remove(disk, "00000001.log");
	is_uint(used(disk), 0, "without a log it is nothing");
	ok(!tally_read(&t, disk, "store", NULL, &err) && t.n && !t.seen[1][0],
	   "and its spans are gone");
	simdisk_put(disk, "00000007.draft", "none", 4);
	(void)draft(disk);
	is_uint(simdisk_count(disk, "00000001.draft") +
			simdisk_count(disk, "00000007.draft"),
		0, "what is left behind is removed");
	simdisk_close(&copy);
	simdisk_close(&disk);
}

/* The machine died, and what was in the log but not on the disk is lost. */
static void test_power_cut(void)
{
	for (uint64_t seed = 1; seed < 40; seed++) {
		struct simdisk *disk = seal_logs(&m, 1), *after;
		struct span_store_opts o = model_opts(&m, SPAN_SYNC_NONE);
		struct span_store *st;
		struct span_error why;
		bool good;

		m.disk = disk;
		m.next_acked = 11;
		if (span__store_open(&st, "store", &o, simdisk_io(disk), &err) <
			    0 ||
		    model_append(&m, st, 11, 17, &err) < 0)
			abort();
		simdisk_pass(disk, 6 * NS);
		(void)draft(disk);
		after = simdisk_power_cut(disk, seed);
		(void)span_store_close(&st, NULL);
		good = !tally_read(&t, after, "store", NULL, &why) &&
		       !t.strange;
		for (uint64_t n = 1; n <= 17 && good; n++)
			good = t.seen[n][0] <= 1 && (n > 10 || t.seen[n][0]);
		good = good && model_recover(&m, after, &why) == 0 &&
		       model_run(&m, after, &o, 18, 20, &why) == 0 &&
		       !tally_read(&t, after, "store", NULL, &why);
		for (uint64_t n = 1; n <= 20 && good; n++)
			good = t.seen[n][0] <= 1 &&
			       ((n > 10 && n < 18) || t.seen[n][0]);
		ok(good, "power cut %d: nothing twice, nothing lost",
		   (int)seed);
		simdisk_close(&after);
		simdisk_close(&disk);
	}
}

/* Retention counts drafts, and takes them with their logs. */
static void test_expire(void)
{
	struct simdisk *disk = seal_logs(&m, 3);
	const struct span_store_policy p = {.max_bytes = 1};
	struct span_store_expired gone = {0};
	struct span_store_stat stat;
	struct span_store *st;

	(void)draft(disk);
	st = open_mode(disk, SPAN_STORE_MAINTAIN);
	ok(st && !span_store_stat(st, &stat, &err) && stat.draft_bytes &&
		   !span_store_expire(st, &p, &gone, NULL, NULL, &err),
	   "expire: done");
	is_uint(gone.n_files, 3, "expire: three logs");
	is_uint(gone.n_spans, 60, "expire: whose spans count once");
	is_uint(gone.bytes, stat.bytes, "expire: and drafts by their bytes");
	is_uint(simdisk_count(disk, ".draft") + simdisk_count(disk, ".log"), 0,
		"expire: nothing is left");
	(void)span_store_close(&st, NULL);
	simdisk_close(&disk);
}

int main(void)
{
	test_made();
	test_young();
	test_open();
	test_room();
	test_growing();
	test_harm();
	test_strangers();
	test_power_cut();
	test_expire();
	return done_testing();
}
