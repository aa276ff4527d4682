/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a store is after any call has failed, after its process was killed and
 * after a power cut at any call: every acknowledged frame is found, each frame
 * is whole or absent, and it opens again without a flag.
 */
#include "crash-judge.h"

/*
 * A life of a store: two appenders, rotations, group commits, a retention in
 * between. Frames 1 to 24; expiry removes the first log.
 */
static void live(struct model *m, struct simdisk *disk, enum span_sync sync)
{
	struct span_store_opts o = model_opts(m, sync);

	o.sync_bytes = 500;
	o.rotate_bytes = 1500;
	if (model_run(m, disk, &o, 1, 14, &err) < 0)
		return;
	simdisk_pass(disk, 3600 * NS);
	o.rotate_bytes = 0;
	(void)model_run(m, disk, &o, 15, 24, &err);
}

static void expire_first(struct simdisk *disk)
{
	const struct span_store_opts o = {.mode = SPAN_STORE_MAINTAIN};
	const struct span_store_policy p = {.max_age_ns = 1800 * NS};
	struct span_store_expired gone;
	struct span_store *st = NULL;

	if (!span__store_open(&st, "store", &o, simdisk_io(disk), &err))
		(void)!span_store_expire(st, &p, &gone, NULL, NULL, &err);
	(void)span_store_close(&st, NULL);
}

static uint64_t calls_of_life(enum span_sync sync)
{
	struct simdisk *disk = simdisk_open();
	struct model m = {0};
	uint64_t n;

	live(&m, disk, sync);
	n = simdisk_calls(disk);
	simdisk_close(&disk);
	return n;
}

/* Call K of a life fails; then the process ends, or the power too. */
static void test_failing_calls(void)
{
	static const int sys[] = {EIO, ENOSPC, EDQUOT, EINTR, EAGAIN, 0};
	static struct model m;
	uint64_t calls = calls_of_life(SPAN_SYNC_GROUP);
	unsigned runs = 0;

	n_bad = 0;
	for (size_t e = 0; e < sizeof(sys) / sizeof(*sys); e++) {
		for (uint64_t k = 1; k <= calls; k++) {
			struct simdisk *disk = simdisk_open(), *next;

			memset(&m, 0, sizeof(m));
			simdisk_fail(disk, k, sys[e]);
			live(&m, disk, SPAN_SYNC_GROUP);
			next = simdisk_copy(disk);
			judge(recover_and_judge(&m, next), "errno, call",
			      (uint64_t)sys[e], k);
			simdisk_close(&next);
			next = simdisk_power_cut(disk, k);
			judge(recover_and_judge(&m, next), "power, call",
			      (uint64_t)sys[e], k);
			simdisk_close(&next);
			simdisk_close(&disk);
			runs += 2;
		}
	}
	ok(!n_bad, "%u runs with a call that fails: %u lost", runs, n_bad);
}

static void test_kills(enum span_sync sync, const char *name)
{
	static struct model m;
	uint64_t calls = calls_of_life(sync);
	unsigned runs = 0;

	n_bad = 0;
	for (uint64_t k = 1; k <= calls; k++) {
		struct simdisk *disk = simdisk_open(), *dead;

		memset(&m, 0, sizeof(m));
		simdisk_kill(disk, k);
		live(&m, disk, sync);
		dead = simdisk_copy(disk);
		simdisk_close(&disk);
		/* The recovery is killed as well, at each of its calls. */
		for (uint64_t j = 1;; j++) {
			struct simdisk *second = simdisk_copy(dead), *third;
			struct model after = {0};
			bool killed;

			simdisk_kill(second, j);
			(void)!model_recover(&after, second, &err);
			killed = simdisk_dead(second);
			third = simdisk_copy(second);
			judge(recover_and_judge(&m, third), "kill, call", k, j);
			simdisk_close(&third);
			simdisk_close(&second);
			runs++;
			if (!killed)
				break;
		}
		simdisk_close(&dead);
	}
	ok(!n_bad, "%u kills, and kills of recovery, sync %s: %u lost", runs,
	   name, n_bad);
}

static void test_power_cuts(enum span_sync sync, const char *name)
{
	static struct model m;
	uint64_t calls = calls_of_life(sync);
	unsigned runs = 0;

	n_bad = 0;
	for (uint64_t k = 1; k <= calls; k++) {
		struct simdisk *disk = simdisk_open();

		memset(&m, 0, sizeof(m));
		simdisk_kill(disk, k);
		live(&m, disk, sync);
		for (uint64_t seed = 0; seed < 20 * scale; seed++) {
			struct simdisk *cut, *again;
			struct model after = {0};

			cut = simdisk_power_cut(disk, k << 32 | seed);
			simdisk_kill(cut, 1 + seed * 7 % 60);
			(void)!model_recover(&after, cut, &err);
			again = simdisk_power_cut(cut, seed);
			judge(recover_and_judge(&m, again), "cut, call", k,
			      seed);
			simdisk_close(&again);
			simdisk_close(&cut);
			cut = simdisk_power_cut(disk, k << 32 | seed);
			judge(recover_and_judge(&m, cut), "cut, call", k, seed);
			simdisk_close(&cut);
			runs += 2;
		}
		simdisk_close(&disk);
	}
	ok(!n_bad, "%u power cuts, sync %s: %u lost", runs, name, n_bad);
}

/* Expiry dies, by a kill or a power cut: only the first logs may be gone. */
static void test_expiry_dies(void)
{
	struct simdisk *disk = simdisk_open();
	static struct model m;
	unsigned runs = 0;

	n_bad = 0;
	live(&m, disk, SPAN_SYNC_GROUP);
	simdisk_pass(disk, 60 * NS);
	for (uint64_t n = 1; n <= 14; n++)
		m.acked[n] = false;
	for (uint64_t k = 1;; k++) {
		struct simdisk *second = simdisk_copy(disk), *third;
		bool killed;

		simdisk_kill(second, k);
		expire_first(second);
		killed = simdisk_dead(second);
		for (uint64_t seed = 0; seed < 10; seed++) {
			third = seed ? simdisk_power_cut(second, seed)
				     : simdisk_copy(second);
			judge(recover_and_judge(&m, third), "expire, call", k,
			      seed);
			expire_first(third);
			if (simdisk_count(third, ".del"))
				judge(".del is left", "expire, call", k, seed);
			simdisk_close(&third);
			runs++;
		}
		simdisk_close(&second);
		if (!killed)
			break;
	}
	ok(!n_bad, "%u deaths of expiry: %u lost", runs, n_bad);
	simdisk_close(&disk);
}

int main(void)
{
	read_scale();
	test_failing_calls();
	test_kills(SPAN_SYNC_GROUP, "group");
	test_kills(SPAN_SYNC_NONE, "none");
	test_power_cuts(SPAN_SYNC_GROUP, "group");
	test_power_cuts(SPAN_SYNC_EACH, "each");
	test_expiry_dies();
	return done_testing();
}
