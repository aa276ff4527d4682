/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a store is after damage, and after its recovery was killed too: frames
 * that are whole are found, and it opens again without a flag.
 */
#include "crash-judge.h"

#include "base/le.h"
#include "store/log_format.h"

/* The log that an appender leaves when it is killed after N frames. */
static struct simdisk *active_log(struct model *m, uint64_t n)
{
	struct span_store_opts o = model_opts(m, SPAN_SYNC_EACH);
	struct simdisk *disk = simdisk_open(), *copy;
	struct span_store *st;

	memset(m, 0, sizeof(*m));
	m->disk = disk;
	m->next_acked = 1;
	if (span__store_open(&st, "store", &o, simdisk_io(disk), &err) < 0 ||
	    model_append(m, st, 1, n, &err) < 0)
		abort();
	copy = simdisk_copy(disk);
	(void)span_store_close(&st, NULL);
	simdisk_close(&disk);
	m->disk = copy;
	return copy;
}

/* The disk, with the first LEN bytes of its log, then ZEROS more. */
static struct simdisk *with_prefix(struct simdisk *disk, size_t len,
				   size_t zeros)
{
	struct simdisk *copy = simdisk_copy(disk);
	size_t all;
	uint8_t *p = simdisk_file(disk, "00000001.open", &all);
	uint8_t *q = calloc(1, len + zeros + 1);

	memcpy(q, p, len);
	simdisk_put(copy, "00000001.open", q, len + zeros);
	free(q);
	return copy;
}

/*
 * Where frame I ends: a list of traces may come after it, which its
 * acknowledgement covers, too.
 */
static size_t frame_end(const struct model *m, const uint8_t *log, uint64_t i)
{
	size_t pos = i > 1 ? (size_t)m->end[i - 1] : LOG_HEADER;

	return pos + (size_t)span__log_record_size(span__get32(log + pos + 8));
}

/*
 * Of a log that was cut, the frames that are still whole (their padding is
 * zeros) and nothing else, silently.
 */
static const char *judge_prefix(const struct model *m, struct simdisk *whole,
				struct simdisk *disk, uint64_t n)
{
	static struct found found;
	static struct model after, want;
	size_t len, cut;
	const uint8_t *p = simdisk_file(whole, "00000001.open", &len);
	const uint8_t *q = simdisk_file(disk, "00000001.open", &cut);

	memset(&after, 0, sizeof(after));
	want = *m;
	for (uint64_t i = 1; i <= n; i++) {
		size_t end = frame_end(m, p, i);

		want.acked[i] = end <= cut && !memcmp(p, q, end);
	}
	/* Before recovery, as a reader sees it. */
	if (model_read(&after, disk, &found, &err) < 0)
		return err.msg;
	for (uint64_t i = 1; i <= n; i++) {
		if (!found.spans[i] != !want.acked[i])
			return "a reader sees something else";
	}
	if (model_recover(&after, disk, &err) < 0 ||
	    model_read(&after, disk, &found, &err) < 0)
		return err.msg;
	for (uint64_t i = 1; i <= n; i++) {
		if (!found.spans[i] != !want.acked[i])
			return "recovery finds something else";
	}
	if (after.damage || simdisk_count(disk, ".bad"))
		return "a torn tail is taken for damage";
	return model_judge(&want, &found);
}

static void test_every_prefix(void)
{
	const uint64_t n = 12 * (scale > 8 ? 8 : scale);
	static struct model m;
	struct simdisk *disk = active_log(&m, n);
	unsigned runs = 0;
	size_t len;

	n_bad = 0;
	simdisk_file(disk, "00000001.open", &len);
	for (size_t cut = 0; cut <= len; cut++) {
		struct simdisk *a = with_prefix(disk, cut, 0);
		struct simdisk *b = with_prefix(disk, cut, 1 + cut * 13 % 900);

		judge(judge_prefix(&m, disk, a, n), "prefix", cut, 0);
		judge(judge_prefix(&m, disk, b, n), "zeros after", cut, 0);
		simdisk_close(&a);
		simdisk_close(&b);
		runs += 2;
	}
	ok(!n_bad, "%u prefixes of a log, with zeros too: %u are wrong", runs,
	   n_bad);
	simdisk_close(&disk);
}

/* Which frame has byte POS of the log; 0 for the header. */
static uint64_t frame_at(const struct model *m, size_t pos, uint64_t n)
{
	if (pos < LOG_HEADER)
		return 0;
	for (uint64_t i = 1; i <= n; i++) {
		if (pos < m->end[i])
			return i;
	}
	return n;
}

static const char *judge_flip(const struct model *m, struct simdisk *disk,
			      uint64_t hit, uint64_t n)
{
	static struct found found;
	static struct model after, want;
	const char *why;

	memset(&after, 0, sizeof(after));
	want = *m;
	if (hit)
		want.acked[hit] = false;
	if (model_recover(&after, disk, &err) < 0 ||
	    model_read(NULL, disk, &found, &err) < 0)
		return err.msg;
	why = model_judge(&want, &found);
	if (why)
		return why;
	if (hit && found.spans[hit])
		return "a damaged frame is returned";
	if (hit == n)
		return after.damage ? "a torn tail is damage" : NULL;
	if (!after.damage || simdisk_count(disk, ".bad") != 1)
		return "damage is not reported, or its file not kept";
	return NULL;
}

static void test_every_flip(void)
{
	const uint64_t n = 6;
	static struct model m;
	struct simdisk *disk = active_log(&m, n);
	unsigned runs = 0;
	size_t len, dummy;

	n_bad = 0;
	simdisk_file(disk, "00000001.open", &len);
	for (size_t bit = 0; bit < len * 8; bit++) {
		struct simdisk *flipped = with_prefix(disk, len, 0);
		uint8_t *p = simdisk_file(flipped, "00000001.open", &dummy);

		p[bit / 8] ^= (uint8_t)(1 << bit % 8);
		judge(judge_flip(&m, flipped, frame_at(&m, bit / 8, n), n),
		      "bit", bit, 0);
		simdisk_close(&flipped);
		runs++;
	}
	ok(!n_bad, "%u logs with a flipped bit: %u are wrong", runs, n_bad);
	simdisk_close(&disk);
}

static uint64_t draw(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

/* Overwrite, swap, copy and cut pieces of P; what is touched is told. */
static size_t harm(uint8_t *p, size_t len, uint64_t *seed, bool *touched)
{
	size_t a = draw(seed) % len, b = draw(seed) % len;
	size_t n = 1 + draw(seed) % (draw(seed) % 2 ? 600 : 20);

	if (n > len - a)
		n = len - a;
	if (n > len - b)
		n = len - b;
	memset(touched + a, 1, n);
	switch (draw(seed) % 4) {
	case 0:
		for (size_t i = 0; i < n; i++)
			p[a + i] = (uint8_t)draw(seed);
		return len;
	case 1:
		memset(p + a, 0, n);
		return len;
	case 2: /* a piece of the log where it does not belong */
		memmove(p + a, p + b, n);
		return len;
	default:
		memset(touched + a, 1, len - a);
		return a;
	}
}

static const char *judge_harm(const struct model *m, struct simdisk *disk,
			      const bool *touched, uint64_t n)
{
	static struct model want;
	uint64_t start = LOG_HEADER;

	want = *m;
	for (uint64_t i = 1; i <= n; i++) {
		for (uint64_t pos = start; pos < m->end[i]; pos++)
			want.acked[i] &= !touched[pos];
		start = m->end[i];
	}
	return recover_and_judge(&want, disk);
}

static void test_harm(void)
{
	const uint64_t n = 20;
	static struct model m;
	struct simdisk *disk = active_log(&m, n);
	unsigned runs = 3000 * scale;
	size_t len;

	n_bad = 0;
	simdisk_file(disk, "00000001.open", &len);
	for (uint64_t run = 0; run < runs; run++) {
		struct simdisk *harmed = with_prefix(disk, len, 0);
		bool *touched = calloc(len, sizeof(*touched));
		uint64_t seed = run;
		size_t dummy, rest = len;
		uint8_t *p = simdisk_file(harmed, "00000001.open", &dummy);

		for (uint64_t i = draw(&seed) % 3; i < 3 && rest; i++)
			rest = harm(p, rest, &seed, touched);
		if (rest < len) {
			struct simdisk *cut = simdisk_copy(harmed);

			simdisk_put(cut, "00000001.open", p, rest);
			simdisk_close(&harmed);
			harmed = cut;
		}
		judge(judge_harm(&m, harmed, touched, n), "harm", run, 0);
		simdisk_close(&harmed);
		free(touched);
	}
	ok(!n_bad, "%u damaged logs: %u lost a frame that was whole", runs,
	   n_bad);
	simdisk_close(&disk);
}

/* The recovery of a damaged log is killed: the log must be kept all the same.
 */
static void test_damage_and_kills(void)
{
	static struct model m;
	struct simdisk *disk = active_log(&m, 6);
	unsigned runs = 0;
	size_t len;

	n_bad = 0;
	simdisk_file(disk, "00000001.open", &len)[m.end[2] + 80] ^= 1;
	m.acked[3] = false;
	for (uint64_t k = 1;; k++) {
		struct simdisk *second = simdisk_copy(disk), *third;
		struct model after = {0};
		bool killed;

		simdisk_kill(second, k);
		(void)!model_recover(&after, second, &err);
		killed = simdisk_dead(second);
		third = simdisk_copy(second);
		judge(recover_and_judge(&m, third), "damage, kill", k, 0);
		if (simdisk_count(third, ".bad") != 1)
			judge("the damaged log is gone", "kill", k, 0);
		simdisk_close(&third);
		simdisk_close(&second);
		runs++;
		if (!killed)
			break;
	}
	ok(!n_bad, "%u kills in the recovery of a damaged log: %u lost", runs,
	   n_bad);
	simdisk_close(&disk);
}

/* Closed logs: what is whole is read on both sides, and verify tells. */
static void test_closed_harm(void)
{
	static struct model m, after;
	static struct found found;
	struct span_store_opts o = model_opts(&m, SPAN_SYNC_EACH);
	struct simdisk *disk = simdisk_open();
	unsigned runs = 0;
	size_t len;

	n_bad = 0;
	memset(&m, 0, sizeof(m));
	if (model_run(&m, disk, &o, 1, 6, &err) < 0)
		abort();
	simdisk_file(disk, "00000001.log", &len);
	for (size_t pos = 0; pos < len; pos++) {
		struct simdisk *copy = simdisk_copy(disk);
		uint8_t *p = simdisk_file(copy, "00000001.log", &len);
		uint64_t hit = frame_at(&m, pos, 6);
		struct span_store *st = NULL;
		const struct span_store_opts ro = {0};
		struct model want = m;

		p[pos] ^= 0x40;
		if (hit && pos < m.end[6])
			want.acked[hit] = false;
		memset(&after, 0, sizeof(after));
		judge(model_read(&after, copy, &found, &err) < 0 ? err.msg
								 : NULL,
		      "closed, read", pos, 0);
		judge(model_judge(&want, &found), "closed", pos, 0);
		if (span__store_open(&st, "store", &ro, simdisk_io(copy),
				     &err) < 0 ||
		    span_store_verify(st, NULL, NULL, &err) != 1)
			judge("verify finds nothing", "closed", pos, 0);
		(void)span_store_close(&st, NULL);
		simdisk_close(&copy);
		runs++;
	}
	ok(!n_bad, "%u closed logs with a damaged byte: %u are wrong", runs,
	   n_bad);
	simdisk_close(&disk);
}

/* A frame whose tag holds a whole log, header and all, is just a frame. */
static void test_embedded_log(void)
{
	static struct model m;
	static struct found found;
	struct simdisk *disk = active_log(&m, 5);
	struct span_store_opts o = model_opts(&m, SPAN_SYNC_EACH);
	struct span_writer *w;
	struct span_buf buf = {0};
	struct span_frame *f = NULL;
	struct span_store *st = NULL;
	struct span_attr tag = {.key = {"log", 3}};
	struct simdisk *copy;
	struct span s;
	size_t len, used;

	model_span(6, 0, &s);
	tag.value.type = SPAN_BYTES;
	tag.value.str.p =
		(const char *)simdisk_file(disk, "00000001.open", &len);
	tag.value.str.len = len;
	s.attrs = (struct span_attrs){&tag, 1, 0};
	if (span_writer_open_mem(&w, &buf, &err) < 0 ||
	    span_writer_put(w, &s, &err) < 0 ||
	    span_writer_flush(w, &err) < 0 || span_frame_open(&f, &err) < 0 ||
	    span_frame_parse(f, buf.p, buf.len, &used, &err) < 0 ||
	    span__store_open(&st, "store", &o, simdisk_io(disk), &err) < 0 ||
	    span_store_append_frame(st, f, &err) < 0)
		diag("%s", err.msg);
	copy = simdisk_copy(disk);
	/* Its header is damaged, so that the search goes through the log. */
	simdisk_file(copy, "00000002.open", &len)[LOG_HEADER + 20] ^= 1;
	ok(!model_recover(&m, copy, &err), "an embedded log: recovered");
	model_read(NULL, copy, &found, &err);
	is_uint(found.n, 5, "an embedded log: is never taken for one");
	span_writer_close(&w);
	span_frame_close(&f);
	span_buf_release(&buf);
	(void)span_store_close(&st, NULL);
	simdisk_close(&copy);
	simdisk_close(&disk);
}

/* Any file may be missing, empty or of another store. */
static void test_files(void)
{
	static const char *const names[] = {
		"FORMAT",	"LOCK",		"MAINT",      "00000002.log",
		"00000003.new", "00000001.bad", "FORMAT.new",
	};
	static struct model m;
	struct simdisk *disk = simdisk_open();
	struct span_store_opts o = model_opts(&m, SPAN_SYNC_EACH);

	n_bad = 0;
	memset(&m, 0, sizeof(m));
	if (model_run(&m, disk, &o, 1, 10, &err) < 0)
		abort();
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		for (uint64_t how = 0; how < 3; how++) {
			struct simdisk *copy = simdisk_copy(disk);

			if (how)
				simdisk_put(copy, names[i], "garbage",
					    how == 1 ? 0 : 7);
			else
				simdisk_remove(copy, names[i]);
			judge(recover_and_judge(&m, copy), names[i], how, 0);
			simdisk_close(&copy);
		}
	}
	ok(!n_bad, "missing, empty and damaged files: %u lost frames", n_bad);
	simdisk_close(&disk);
}

int main(void)
{
	read_scale();
	test_every_prefix();
	test_every_flip();
	test_harm();
	test_damage_and_kills();
	test_closed_harm();
	test_embedded_log();
	test_files();
	return done_testing();
}
