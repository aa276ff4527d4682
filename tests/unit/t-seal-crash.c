/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sealing, merging, expiry, the policy and copies: whatever call fails, and
 * wherever the process is killed or the power is cut, every acknowledged span
 * is found once, and the next run makes good what this one left.
 *
 * CRASH_SCALE=N tries N times as many power cuts.
 */
#include "make-drafts.h"
#include "seal-model.h"

#include <errno.h>

#define NS 1000000000ull

static struct span_error err;
static unsigned scale = 1, n_bad;

/* What is done to a store, and what may have become of it then. */
struct deed {
	const char *name;
	struct simdisk *(*prepare)(struct model *m);
	int (*act)(struct simdisk *disk, struct model *m);
	/* What a reader may find; DONE: after ACT returned 0. */
	const char *(*judge)(struct simdisk *disk, struct model *m, bool done);
};

static void bad(const struct deed *deed, const char *how, uint64_t call,
		uint64_t seed, const char *why)
{
	if (why && ++n_bad <= 5)
		diag("%s, %s %d/%d: %s", deed->name, how, (int)call, (int)seed,
		     why);
}

static const char *each_once(struct simdisk *disk, struct model *m)
{
	static struct tally t;

	if (tally_read(&t, disk, "store", NULL, &err) < 0)
		return err.msg;
	return tally_judge(&t, m);
}

static bool is_tidy(struct simdisk *disk)
{
	return !simdisk_count(disk, ".tmp") && !simdisk_count(disk, ".del");
}

/* ---- Sealing ---- */

static struct simdisk *prepare_logs(struct model *m)
{
	return seal_logs(m, 3);
}

static int act_seal(struct simdisk *disk, struct model *m)
{
	struct span_sealed out;

	return seal_all(disk, m, &out, &err);
}

static const char *judge_seal(struct simdisk *disk, struct model *m, bool done)
{
	const char *why = each_once(disk, m);

	if (why || !done)
		return why;
	if (simdisk_count(disk, ".log") || simdisk_count(disk, ".seg") != 1 ||
	    !is_tidy(disk))
		return "something is left over";
	if (seal_verify(disk, "store", &err))
		return "it does not verify";
	return NULL;
}

/* ---- Drafts ---- */

static int act_draft(struct simdisk *disk, struct model *m)
{
	struct span_sealed out;

	return seal_with(disk, m, &only_drafts, &out, &err);
}

static const char *judge_draft(struct simdisk *disk, struct model *m, bool done)
{
	const char *why = each_once(disk, m);

	if (why || !done)
		return why;
	if (simdisk_count(disk, ".log") != 3 ||
	    simdisk_count(disk, ".draft") != 3 || !is_tidy(disk))
		return "there are not three logs with drafts";
	return seal_verify(disk, "store", &err) ? "it does not verify" : NULL;
}

static struct simdisk *prepare_drafts(struct model *m)
{
	struct simdisk *disk = seal_logs(m, 3);

	if (act_draft(disk, m) < 0)
		abort();
	return disk;
}

/* Two segments and a log; the last segment keeps its name when all are one. */
static struct simdisk *prepare_segments(struct model *m)
{
	struct simdisk *disk = seal_logs(m, 4);
	struct span_store_opts o = model_opts(m, SPAN_SYNC_EACH);
	const struct span_seal_opts two = {.max_spans = 39};
	struct span_sealed out;

	if (seal_with(disk, m, &two, &out, &err) < 0 || out.n_segments != 2 ||
	    model_run(m, disk, &o, 41, 50, &err) < 0)
		abort();
	return disk;
}

/* ---- A log that is damaged ---- */

static struct simdisk *prepare_damage(struct model *m)
{
	struct simdisk *disk = seal_logs(m, 3), *copy = simdisk_copy(disk);
	size_t len;
	uint8_t *p = simdisk_file(copy, "00000002.log", &len);

	p[m->end[14] + 70] ^= 1;
	m->acked[15] = false;
	simdisk_put(disk, "00000002.log", p, len);
	simdisk_close(&copy);
	return disk;
}

static const char *judge_damage(struct simdisk *disk, struct model *m,
				bool done)
{
	if (simdisk_count(disk, "00000002.bad") +
		    simdisk_count(disk, "00000002.log") !=
	    1)
		return "the damaged log is gone";
	if (done && simdisk_count(disk, ".bad") != 1)
		return "the damaged log was not put aside";
	return judge_seal(disk, m, done);
}

/* ---- Expiry ---- */

/* A segment of logs 1 and 2, one of 3 and 4; the first is old. */
static struct simdisk *prepare_old(struct model *m)
{
	struct simdisk *disk = prepare_segments(m);

	for (uint64_t n = 1; n <= 20; n++)
		m->acked[n] = false;
	return disk;
}

static int act_expire(struct simdisk *disk, struct model *m)
{
	const struct span_store_opts o = {.mode = SPAN_STORE_MAINTAIN};
	const struct span_store_policy p = {.max_age_ns = 150 * NS};
	struct span_store_expired gone;
	struct span_store *st = NULL;
	int rc = span__store_open(&st, "store", &o, simdisk_io(disk), &err);

	(void)m;
	if (!rc)
		rc = span_store_expire(st, &p, &gone, NULL, NULL, &err);
	(void)span_store_close(&st, NULL);
	return rc;
}

static const char *judge_expire(struct simdisk *disk, struct model *m,
				bool done)
{
	const char *why = each_once(disk, m);

	if (why || !done)
		return why;
	if (simdisk_count(disk, ".seg") != 1 || !is_tidy(disk))
		return "something is left over";
	return NULL;
}

/* ---- The policy ---- */

static int set_policy(struct simdisk *disk, uint64_t bytes)
{
	const struct span_store_opts o = {.mode = SPAN_STORE_MAINTAIN};
	const struct span_store_policy p = {.max_bytes = bytes};
	struct span_store *st = NULL;
	int rc = span__store_open(&st, "store", &o, simdisk_io(disk), &err);

	if (!rc)
		rc = span_store_policy_set(st, &p, &err);
	(void)span_store_close(&st, NULL);
	return rc;
}

static struct simdisk *prepare_policy(struct model *m)
{
	struct simdisk *disk = seal_logs(m, 1);

	if (set_policy(disk, 1000) < 0)
		abort();
	return disk;
}

static int act_policy(struct simdisk *disk, struct model *m)
{
	(void)m;
	return set_policy(disk, 2000);
}

static const char *judge_policy(struct simdisk *disk, struct model *m,
				bool done)
{
	struct span_store_policy p = {0};
	struct span_store *st = NULL;
	int rc = span__store_open(&st, "store", NULL, simdisk_io(disk), &err);

	if (!rc)
		rc = span_store_policy_get(st, &p, &err);
	(void)span_store_close(&st, NULL);
	if (rc < 0)
		return err.msg;
	if (p.max_bytes != 2000 && (done || p.max_bytes != 1000))
		return "the policy is neither the old nor the new one";
	return each_once(disk, m);
}

/* ---- Copies ---- */

static struct simdisk *prepare_copy(struct model *m)
{
	struct simdisk *disk = prepare_segments(m);

	if (act_seal(disk, m) < 0)
		abort();
	return disk;
}

static int act_copy(struct simdisk *disk, struct model *m)
{
	struct span_store *st = NULL;
	uint64_t n;
	int rc = span__store_open(&st, "store", NULL, simdisk_io(disk), &err);

	(void)m;
	if (!rc)
		rc = span_store_export(st, "other", &n, &err);
	(void)span_store_close(&st, NULL);
	return rc;
}

static const char *judge_copy(struct simdisk *disk, struct model *m, bool done)
{
	static const struct model nothing;
	static struct tally t;
	const char *why = each_once(disk, m);
	int rc;

	if (why)
		return why;
	rc = tally_read(&t, disk, "other", NULL, &err);
	if (done)
		return rc < 0 ? err.msg : tally_judge(&t, m);
	return tally_judge(&t, &nothing);
}

static const struct deed deeds[] = {
	{"seal", prepare_logs, act_seal, judge_seal},
	{"draft", prepare_logs, act_draft, judge_draft},
	{"seal, with drafts", prepare_drafts, act_seal, judge_seal},
	{"merge", prepare_segments, act_seal, judge_seal},
	{"damage", prepare_damage, act_seal, judge_damage},
	{"expire", prepare_old, act_expire, judge_expire},
	{"policy", prepare_policy, act_policy, judge_policy},
	{"export", prepare_copy, act_copy, judge_copy},
};

/* ---- What happens to them ---- */

static struct model before;
static struct simdisk *base;

static struct simdisk *prepared(struct model *m)
{
	*m = before;
	return simdisk_copy(base);
}

static uint64_t calls_of(const struct deed *deed)
{
	static struct model m;
	struct simdisk *disk = prepared(&m);
	uint64_t calls;

	if (deed->act(disk, &m) < 0)
		diag("%s: %s", deed->name, err.msg);
	calls = simdisk_calls(disk);
	bad(deed, "nothing", 0, 0, deed->judge(disk, &m, true));
	simdisk_close(&disk);
	return calls;
}

/* The next process finds DISK: it reads, appends, and does it again. */
static void go_on(const struct deed *deed, struct model *m,
		  struct simdisk *disk, const char *how, uint64_t k,
		  uint64_t seed)
{
	struct model after = *m;

	bad(deed, how, k, seed, deed->judge(disk, m, false));
	if (model_recover(&after, disk, &err) < 0)
		bad(deed, how, k, seed, err.msg);
	bad(deed, how, k, seed, deed->judge(disk, m, false));
	if (deed->act(disk, m) < 0)
		bad(deed, how, k, seed, err.msg);
	bad(deed, how, k, seed, deed->judge(disk, m, true));
	if (simdisk_descriptors(disk))
		bad(deed, how, k, seed, "a descriptor is left open");
}

static void test_failing_calls(const struct deed *deed, uint64_t calls)
{
	static const int codes[] = {EIO, ENOSPC, EINTR, 0};
	static struct model m;
	unsigned runs = 0;

	n_bad = 0;
	for (uint64_t k = 1; k <= calls; k++) {
		for (size_t i = 0; i < sizeof(codes) / sizeof(*codes); i++) {
			struct simdisk *disk = prepared(&m);
			int rc;

			simdisk_fail(disk, k, codes[i]);
			rc = deed->act(disk, &m);
			bad(deed, "failing call", k, (uint64_t)codes[i],
			    deed->judge(disk, &m, false));
			if (!rc && simdisk_sync_failed(disk))
				bad(deed, "failing call", k, (uint64_t)codes[i],
				    "a sync failed, and it says nothing");
			go_on(deed, &m, disk, "failing call", k,
			      (uint64_t)codes[i]);
			simdisk_close(&disk);
			runs++;
		}
	}
	ok(!n_bad, "%s: %u failing calls: %u go wrong", deed->name, runs,
	   n_bad);
}

static void test_deaths(const struct deed *deed, uint64_t calls)
{
	static struct model m;
	unsigned runs = 0;

	n_bad = 0;
	for (uint64_t k = 1; k <= calls; k++) {
		struct simdisk *disk = prepared(&m), *next;

		simdisk_kill(disk, k);
		(void)deed->act(disk, &m);
		for (uint64_t seed = 0; seed <= 6 * scale; seed++) {
			next = seed ? simdisk_power_cut(disk, k << 32 | seed)
				    : simdisk_copy(disk);
			go_on(deed, &m, next, seed ? "power cut" : "kill", k,
			      seed);
			simdisk_close(&next);
			runs++;
		}
		/* The next run dies as well. */
		next = simdisk_copy(disk);
		simdisk_kill(next, 1 + k * 7 % calls);
		(void)deed->act(next, &m);
		simdisk_close(&disk);
		disk = simdisk_power_cut(next, k);
		go_on(deed, &m, disk, "second death", k, 0);
		simdisk_close(&next);
		simdisk_close(&disk);
		runs++;
	}
	ok(!n_bad, "%s: %u kills and power cuts: %u go wrong", deed->name, runs,
	   n_bad);
}

int main(void)
{
	const char *text = getenv("CRASH_SCALE");

	if (text)
		scale = (unsigned)strtoul(text, NULL, 10);
	for (size_t i = 0; i < sizeof(deeds) / sizeof(*deeds); i++) {
		uint64_t calls;

		n_bad = 0;
		base = deeds[i].prepare(&before);
		calls = calls_of(&deeds[i]);
		ok(calls > 10 && !n_bad, "%s: %d calls", deeds[i].name,
		   (int)calls);
		test_failing_calls(&deeds[i], calls);
		test_deaths(&deeds[i], calls);
		simdisk_close(&base);
	}
	return done_testing();
}
