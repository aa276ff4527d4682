/* SPDX-License-Identifier: Apache-2.0 */
/* What goes from a store by age and size, and what it remembers to let go. */
#include "store-logs.h"

#include "base/crc32c.h"
#include "store/store_dir.h"

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

int main(void)
{
	test_expire();
	test_expiry_meanwhile();
	test_clock();
	test_policy();
	test_policy_lines();
	test_min_free();
	return done_testing();
}
