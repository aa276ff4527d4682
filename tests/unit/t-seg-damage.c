/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A store whose segment is damaged: bytes changed, blocks of zeros, cut short,
 * gone. Readers find what is not damaged, nothing that was never there, and
 * say that something is missing; verify names the segment; recovery, appends,
 * sealing and expiry go on.
 */
#include "store-model.h"

#define SEALED 4000u /* frames in the segment */
#define LOGGED 20u   /* frames in a log behind it */
#define LAST (SEALED + LOGGED)
#define SMALL 12u /* frames in the segment whose every byte is changed */

static struct model m;
static struct span_error err;

static void must(bool good)
{
	if (!good) {
		diag("%s", err.msg);
		abort();
	}
}

static int seal(struct simdisk *d)
{
	const struct span_store_opts o = {.mode = SPAN_STORE_MAINTAIN};
	const struct span_seal_opts so = {.all = true};
	struct span_sealed done;
	struct span_store *st;
	int rc = span__store_open(&st, "store", &o, simdisk_io(d), &err);

	if (!rc)
		rc = span_store_seal(st, &so, &done, NULL, NULL, &err);
	(void)span_store_close(&st, NULL);
	return rc;
}

/* Frames 1 to N sealed, LOGGED more in a log; *NAME is the segment's. */
static struct simdisk *make(unsigned n, char name[48])
{
	struct span_store_opts o = model_opts(&m, SPAN_SYNC_GROUP);
	struct simdisk *d = simdisk_open();

	memset(&m, 0, sizeof(m));
	o.rotate_bytes = 20000;
	must(model_run(&m, d, &o, 1, n, &err) == 0);
	must(seal(d) == 0 && simdisk_count(d, ".seg") == 1);
	for (size_t i = 0; simdisk_name(d, i); i++) {
		if (strstr(simdisk_name(d, i), ".seg"))
			snprintf(name, 48, "%s", simdisk_name(d, i));
	}
	must(simdisk_count(d, ".log") == 0);
	must(model_run(&m, d, &o, n + 1, n + LOGGED, &err) == 0);
	return d;
}

/* What a scan of all, or a search for ids, has returned. */
struct seen {
	uint8_t spans[LAST + 3][4];
	unsigned n, strange, doubled;
	int rc;
};

static void look_at(struct seen *seen, const struct span *s)
{
	struct span want;
	uint64_t id, n;

	memcpy(&id, s->span_id, 8);
	id = be64toh(id);
	n = id / 4;
	if (n < 1 || n > LAST + 2 || id % 4 >= model_spans(n)) {
		seen->strange++;
		return;
	}
	model_span(n, (uint32_t)(id % 4), &want);
	seen->strange += !span_equal(s, &want);
	seen->doubled += seen->spans[n][id % 4]++ > 0;
	seen->n++;
}

static void take_all(struct seen *seen, struct span_cursor *c, int rc)
{
	struct span s;

	memset(seen, 0, sizeof(*seen));
	if (!rc)
		while ((rc = span_cursor_next(c, &s, &err)) > 0)
			look_at(seen, &s);
	seen->rc = rc;
	span_cursor_close(&c);
}

static unsigned count_spans(unsigned from, unsigned to)
{
	unsigned n = 0;

	for (; from <= to; from++)
		n += model_spans(from);
	return n;
}

/* Of the spans of frames FROM to TO, how many were seen. */
static unsigned seen_of(const struct seen *seen, unsigned from, unsigned to)
{
	unsigned n = 0;

	for (; from <= to; from++)
		for (unsigned i = 0; i < model_spans(from); i++)
			n += seen->spans[from][i] > 0;
	return n;
}

struct verdict {
	unsigned wrong;	   /* spans that are not what was stored */
	unsigned lost_log; /* spans of the log that were not read */
	unsigned silent;   /* less than all, and nobody said so */
	unsigned unnamed;  /* verify finds nothing, or not the segment */
	unsigned failed;   /* calls that returned an error */
	uint64_t salvaged, of;
	unsigned runs;
};

struct place {
	const char *name;
	bool named;
};

static int name_place(void *arg, const struct span_store_file *f,
		      const char *text, struct span_error *e)
{
	struct place *p = arg;

	(void)e;
	p->named |= text && !strcmp(f->name, p->name);
	return 0;
}

static void search(struct span_store *st, struct verdict *v, unsigned last)
{
	struct span_cursor *c = NULL;
	struct seen seen;
	uint8_t ids[3][16] = {{0}};
	uint64_t id;

	id = htobe64(1);
	memcpy(ids[0] + 8, &id, 8);
	id = htobe64((last - LOGGED) / 4 - 1);
	memcpy(ids[1] + 8, &id, 8);
	id = htobe64((last - 1) / 4);
	memcpy(ids[2] + 8, &id, 8);
	take_all(&seen, c,
		 span_store_find(st, (const uint8_t(*)[16])ids, 3, &c, &err));
	v->failed += seen.rc < 0;
	v->wrong += seen.strange + seen.doubled;
}

/* All that a reader does. NAME's frames go to LAST - LOGGED. */
static void read_store(struct simdisk *d, const char *name, unsigned last,
		       struct verdict *v)
{
	const struct span_store_opts o = {.damage = model_damage, .arg = &m};
	unsigned sealed = last - LOGGED, all = count_spans(1, sealed), got;
	struct span_store *st = NULL;
	struct span_cursor *c = NULL;
	struct place place = {.name = name};
	struct span_store_stat stat;
	struct seen seen;

	v->runs++;
	m.damage = 0;
	if (span__store_open(&st, "store", &o, simdisk_io(d), &err) < 0) {
		v->failed++;
		return;
	}
	take_all(&seen, c, span_store_scan(st, NULL, &c, &err));
	v->failed += seen.rc < 0;
	v->wrong += seen.strange + seen.doubled;
	v->lost_log += count_spans(sealed + 1, last) -
		       seen_of(&seen, sealed + 1, last);
	got = seen_of(&seen, 1, sealed);
	v->silent += got < all && !m.damage;
	v->salvaged += got;
	v->of += all;
	search(st, v, last);
	v->failed += span_store_stat(st, &stat, &err) < 0;
	v->unnamed += span_store_verify(st, name_place, &place, &err) != 1 ||
		      !place.named;
	(void)span_store_close(&st, NULL);
	v->failed += simdisk_descriptors(d) != 0;
}

/* Recovery, an append, sealing, expiry: of a copy. */
static void go_on(struct simdisk *d, unsigned last, struct verdict *v)
{
	struct span_store_opts o = model_opts(&m, SPAN_SYNC_EACH);
	const struct span_store_opts maintain = {.mode = SPAN_STORE_MAINTAIN};
	const struct span_store_policy p = {.max_bytes = 1};
	struct simdisk *copy = simdisk_copy(d);
	struct span_store_expired gone;
	struct span_cursor *c = NULL;
	struct span_store *st = NULL;
	struct seen seen;

	v->failed += model_run(&m, copy, &o, last + 1, last + 2, &err) < 0;
	v->failed += seal(copy) < 0;
	must(!span__store_open(&st, "store", &maintain, simdisk_io(copy),
			       &err));
	take_all(&seen, c, span_store_scan(st, NULL, &c, &err));
	v->wrong += seen.strange + seen.doubled;
	v->lost_log += count_spans(last - LOGGED + 1, last + 2) -
		       seen_of(&seen, last - LOGGED + 1, last + 2);
	v->failed += span_store_expire(st, &p, &gone, NULL, NULL, &err) < 0;
	(void)span_store_close(&st, NULL);
	v->failed += simdisk_count(copy, ".seg") + simdisk_count(copy, ".log") +
			     simdisk_count(copy, ".bad") >
		     0;
	simdisk_close(&copy);
}

static void judge(const struct verdict *v, const char *name)
{
	is_uint(v->failed, 0, "%s: no call fails", name);
	is_uint(v->wrong, 0, "%s: no span is wrong or twice there", name);
	is_uint(v->lost_log, 0, "%s: the log is read whole", name);
	is_uint(v->silent, 0, "%s: what is missing is told", name);
	is_uint(v->unnamed, 0, "%s: verify names the segment", name);
	diag("%u runs, %.1f %% of the sealed spans were read", v->runs,
	     100.0 * (double)v->salvaged / (double)(v->of ? v->of : 1));
}

/* Every byte of a small one. */
static void test_bytes(void)
{
	struct verdict v = {0};
	char name[48];
	struct simdisk *d = make(SMALL, name);
	size_t len;
	uint8_t *p = simdisk_file(d, name, &len);

	for (size_t i = 0; i < len; i++) {
		/* of the first page little is not zero */
		if (i > 900 && i < 4096 && i % 64)
			continue;
		p[i] ^= (uint8_t)(1u << i % 8);
		read_store(d, name, SMALL + LOGGED, &v);
		if (i % 97 == 0)
			go_on(d, SMALL + LOGGED, &v);
		p[i] ^= (uint8_t)(1u << i % 8);
	}
	judge(&v, "bytes");
	simdisk_close(&d);
}

/* Blocks that the disk lost. */
static void test_blocks(void)
{
	static const struct {
		size_t size;
		uint8_t with;
	} rows[] = {{512, 0}, {4096, 0}, {4096, 0xff}};
	char name[48];
	struct simdisk *d = make(SEALED, name);
	size_t len;
	uint8_t *p = simdisk_file(d, name, &len), *was = malloc(len);

	memcpy(was, p, len);
	for (size_t r = 0; r < sizeof(rows) / sizeof(*rows); r++) {
		struct verdict v = {0};
		char text[40];

		for (size_t i = 0; i < len; i += rows[r].size) {
			size_t n =
				len - i < rows[r].size ? len - i : rows[r].size;

			memset(p + i, rows[r].with, n);
			if (memcmp(p, was, len))
				read_store(d, name, LAST, &v);
			if (i % 8192 == 0)
				go_on(d, LAST, &v);
			memcpy(p, was, len);
		}
		snprintf(text, sizeof(text), "%zu bytes of %02x", rows[r].size,
			 rows[r].with);
		judge(&v, text);
		ok(v.salvaged, "%s: something is read", text);
	}
	free(was);
	simdisk_close(&d);
}

static void test_cuts(void)
{
	struct verdict v = {0};
	char name[48];
	struct simdisk *d = make(SEALED, name);
	size_t len;
	uint8_t *p = simdisk_file(d, name, &len), *was = malloc(len);

	memcpy(was, p, len);
	for (size_t i = 0; i < len; i += i % 4096 ? 4095 : 1) {
		simdisk_put(d, name, was, i);
		read_store(d, name, LAST, &v);
		if (i % 4096 == 0)
			go_on(d, LAST, &v);
	}
	judge(&v, "cuts");
	free(was);
	simdisk_close(&d);
}

int main(void)
{
	test_bytes();
	test_blocks();
	test_cuts();
	return done_testing();
}
