/* SPDX-License-Identifier: Apache-2.0 */
/* Sealing and merging of what is damaged, or was begun by one who died. */
#include "seal-logs.h"

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

int main(void)
{
	test_damaged_log();
	test_damaged_twice();
	test_every_byte();
	test_no_merge();
	test_leftovers();
	test_damaged_segment();
	return done_testing();
}
