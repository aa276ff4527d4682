/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a later version may write, and what this one does with it: logs with a
 * longer header, records and sections that it does not know, and the three
 * kinds of features, in logs and in FORMAT, for whoever opens the store.
 */
#include "base/crc32c.h"
#include "base/le.h"
#include "store-model.h"
#include "store/log_format.h"
#include "store/log_hash.h"

#define FRAMES 6u
#define FIRST 1u

static struct model m;
static struct found found;
static struct span_error err;

/* A log as a later version would write it. */
struct later {
	const char *name;
	size_t header; /* its length, 0: as ours */
	bool records;  /* of other types between ours */
	bool sections; /* of other types beside the index */
	bool open;
	uint16_t major;
	struct span__features features;
};

static void put_header(struct span_buf *out, const struct later *l,
		       const struct span__log_id *id)
{
	size_t len = l->header ? l->header : LOG_HEADER;
	struct span__log_header h = {
		.id = *id,
		.features = l->features,
		.first_seq = FIRST,
		.created_ns = MODEL_TIME,
	};
	uint8_t *p = (uint8_t *)span_buf_reserve(out, len);

	if (!p)
		abort();
	memset(p, 0xa5, len);
	span__log_header_put(p, &h);
	if (len > LOG_HEADER)
		memset(p + LOG_HEADER - 4, 0x5a, 4);
	span__put16(p + 8, l->major ? l->major : LOG_MAJOR);
	span__put16(p + 10, 3);
	span__put32(p + 12, (uint32_t)len);
	span__put32(p + len - 4, span__crc32c(0, p, len - 4));
	out->len += len;
}

static void put_record(struct span_buf *out, const struct span__log_id *id,
		       struct span__log_record *rec, const char *payload)
{
	static const uint8_t zero[LOG_ALIGN];
	uint8_t header[LOG_RECORD];

	rec->pos = out->len;
	span__log_record_put(header, id, rec, payload);
	span_buf_put(out, header, sizeof(header));
	span_buf_put(out, payload, rec->len);
	span_buf_put(out, zero,
		     span__log_record_size(rec->len) - LOG_RECORD - rec->len);
}

/* A record of another type, which no reader may take for damage. */
static void put_strange(struct span_buf *out, const struct span__log_id *id,
			uint64_t n)
{
	struct span__log_record rec = {
		.len = 10 + (uint32_t)(n % 20),
		.type = (uint16_t)(n % 2 ? 2 : 65535),
		.seq = n % 3 ? 0 : UINT64_MAX,
		.n_spans = UINT32_MAX,
		.max_end_ns = UINT64_MAX,
	};

	put_record(out, id, &rec, "something that this version cannot read");
}

static void put_frame(struct span_buf *out, const struct span__log_id *id,
		      uint64_t n, struct span__log_sum *sum,
		      struct span_buf *index)
{
	const struct span_frame_info *info;
	struct span__log_entry entry;
	struct span__log_record rec;
	uint8_t bytes[LOG_INDEX_ENTRY];
	struct span_buf buf = {0};
	struct span_frame *f;

	if (span_frame_open(&f, NULL) < 0)
		abort();
	model_frame(n, f, &buf);
	info = span_frame_info(f);
	rec = (struct span__log_record){
		.len = (uint32_t)info->bytes.len,
		.type = LOG_TYPE_FRAME,
		.seq = n,
		.arrival_ns = MODEL_TIME,
		.min_start_ns = info->min_start_ns,
		.max_end_ns = info->max_end_ns,
		.n_spans = info->n_spans,
	};
	put_record(out, id, &rec, info->bytes.p);
	span__log_sum_add(sum, &rec);
	entry = (struct span__log_entry){rec.pos, rec.n_spans, rec.min_start_ns,
					 rec.max_end_ns};
	span__log_entry_put(bytes, &entry);
	span_buf_put(index, bytes, sizeof(bytes));
	span_frame_close(&f);
	span_buf_release(&buf);
}

static void put_footer(struct span_buf *out, const struct span__log_id *id,
		       const struct later *l, struct span__log_trailer *t,
		       const struct span_buf *index)
{
	struct span__log_hash *hash = span__log_hash_open();
	uint8_t trailer[LOG_TRAILER];

	if (!hash)
		abort();
	t->data_end = out->len;
	if (l->sections)
		span__log_section_put(out, id, out->len, 77, "strange", 7);
	span__log_section_put(out, id, out->len, LOG_SECTION_INDEX, index->p,
			      (uint32_t)index->len);
	if (l->sections)
		span__log_section_put(out, id, out->len, UINT32_MAX, "", 0);
	span__log_hash_get(hash, out->p, out->len, t->hash);
	span__log_hash_close(&hash);
	span__log_trailer_put(trailer, id, out->len, t);
	span_buf_put(out, trailer, sizeof(trailer));
}

/* A store of this version whose only log is L. */
static struct simdisk *make(const struct later *l)
{
	struct span__log_id id = {.number = 1};
	struct simdisk *d = simdisk_open();
	struct span__log_trailer t = {0};
	struct span_buf out = {0}, index = {0};
	size_t len;

	memset(&m, 0, sizeof(m));
	if (model_recover(&m, d, &err) < 0)
		abort();
	for (unsigned i = 0; i < 16; i++) {
		char pair[3] = {0};
		const char *text =
			(const char *)simdisk_file(d, "FORMAT", &len) +
			strlen("span-store 1\nuuid ");
		size_t dashes = (i >= 4) + (i >= 6) + (i >= 8) + (i >= 10);

		memcpy(pair, text + 2 * i + dashes, 2);
		id.uuid[i] = (uint8_t)strtoul(pair, NULL, 16);
	}
	put_header(&out, l, &id);
	for (uint64_t n = FIRST; n < FIRST + FRAMES; n++) {
		if (l->records)
			put_strange(&out, &id, n);
		put_frame(&out, &id, n, &t.sum, &index);
	}
	if (l->records)
		put_strange(&out, &id, 100);
	if (!l->open)
		put_footer(&out, &id, l, &t, &index);
	simdisk_put(d, l->open ? "00000001.open" : "00000001.log", out.p,
		    out.len);
	span_buf_release(&out);
	span_buf_release(&index);
	return d;
}

static int file_fn(void *arg, const struct span_store_file *f, const char *text,
		   struct span_error *e)
{
	(void)f;
	(void)e;
	if (text && arg)
		snprintf(arg, 200, "%s", text);
	return 0;
}

/* What verify returns, with its last complaint. */
static int verify(struct simdisk *d, char text[200])
{
	const struct span_store_opts o = {0};
	struct span_store *st;
	int rc = span__store_open(&st, "store", &o, simdisk_io(d), &err);

	*text = '\0';
	if (!rc)
		rc = span_store_verify(st, file_fn, text, &err);
	(void)span_store_close(&st, NULL);
	return rc;
}

static int expire(struct simdisk *d)
{
	const struct span_store_opts o = {.mode = SPAN_STORE_MAINTAIN};
	const struct span_store_policy p = {.max_bytes = 1};
	struct span_store_expired gone;
	struct span_store *st;
	int rc = span__store_open(&st, "store", &o, simdisk_io(d), &err);

	if (!rc)
		rc = span_store_expire(st, &p, &gone, NULL, NULL, &err);
	(void)span_store_close(&st, NULL);
	return rc;
}

static void check_reader(const struct later *l, struct simdisk *d)
{
	char text[200];

	memset(&m, 0, sizeof(m));
	is_int(model_read(&m, d, &found, &err), 0, "%s: is read", l->name);
	ok(found.n == FRAMES && !found.strange && !m.damage,
	   "%s: every frame, and no damage", l->name);
	is_int(verify(d, text), 0, "%s: verify finds nothing", l->name);
	is_str(text, "", "%s: and says nothing", l->name);
}

/* Recovery, an append, and what a reader finds then. */
static void check_appender(const struct later *l, struct simdisk *d)
{
	struct span_store_opts o = model_opts(&m, SPAN_SYNC_EACH);

	memset(&m, 0, sizeof(m));
	is_int(model_run(&m, d, &o, FIRST + FRAMES, FIRST + FRAMES + 2, &err),
	       0, "%s: is appended to", l->name);
	is_uint(m.damage, 0, "%s: without damage", l->name);
	model_read(&m, d, &found, &err);
	ok(found.n == FRAMES + 3 && !found.strange && !m.damage,
	   "%s: old and new are there", l->name);
	is_uint(simdisk_count(d, ".open"), 0, "%s: it was recovered", l->name);
	is_int(expire(d), 0, "%s: expires", l->name);
	is_uint(simdisk_count(d, ".log"), 0, "%s: all of it", l->name);
}

static void test_later_logs(void)
{
	static const struct later rows[] = {
		{.name = "as ours"},
		{.name = "a longer header", .header = 136},
		{.name = "the longest header", .header = 4096},
		{.name = "other records", .records = true},
		{.name = "other sections", .sections = true},
		{.name = "compat", .features.compat = UINT64_MAX},
		{.name = "all of it",
		 .header = 1000,
		 .records = true,
		 .sections = true,
		 .features.compat = 2},
	};

	for (size_t i = 0; i < 2 * sizeof(rows) / sizeof(*rows); i++) {
		struct later l = rows[i / 2];
		struct simdisk *d;
		char name[80];

		l.open = i % 2;
		snprintf(name, sizeof(name), "%s%s", l.name,
			 l.open ? ", open" : "");
		l.name = name;
		d = make(&l);
		check_reader(&l, d);
		check_appender(&l, d);
		simdisk_close(&d);
	}
}

/* What is not a header that can be accepted, with records that can. */
static void test_bad_headers(void)
{
	static const struct later rows[] = {
		{.name = "a header of 4104 bytes", .header = 4104},
		{.name = "a header of 132 bytes", .header = 132},
	};
	char text[200];

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct simdisk *d = make(&rows[i]);

		memset(&m, 0, sizeof(m));
		is_int(model_read(&m, d, &found, &err), 0, "%s: is read",
		       rows[i].name);
		/* records of the second are at no multiple of 8 */
		is_uint(found.n, i ? 0 : FRAMES, "%s: where that is possible",
			rows[i].name);
		is_uint(m.damage, 1, "%s: and told", rows[i].name);
		is_int(verify(d, text), 1, "%s: verify tells, too",
		       rows[i].name);
		simdisk_close(&d);
	}
}

/* Files of the disk, to see that nobody wrote. */
static uint32_t content(struct simdisk *d)
{
	uint32_t crc = 0;
	size_t len;

	for (size_t i = 0; simdisk_name(d, i); i++) {
		const char *name = simdisk_name(d, i);
		const uint8_t *p = simdisk_file(d, name, &len);

		if (strcmp(name, "LOCK") && strcmp(name, "MAINT"))
			crc ^= span__crc32c(span__crc32c(0, name, strlen(name)),
					    p, len);
	}
	return crc;
}

static void check_refusals(const char *name, struct simdisk *d, int reader,
			   int writer)
{
	struct span_store_opts o = model_opts(&m, SPAN_SYNC_EACH);
	uint32_t before = content(d);
	char text[200];

	memset(&m, 0, sizeof(m));
	memset(&err, 0, sizeof(err));
	is_int(model_read(&m, d, &found, &err), reader, "%s: a reader", name);
	is_uint(found.n, reader ? 0 : FRAMES, "%s: has all or nothing", name);
	if (reader)
		ok(strstr(err.msg, "later version") != NULL, "%s: and says %s",
		   name, err.msg);
	is_int(verify(d, text), reader, "%s: verify", name);
	memset(&err, 0, sizeof(err));
	is_int(model_run(&m, d, &o, 50, 51, &err), writer, "%s: an appender",
	       name);
	ok(strstr(err.msg, "later version") != NULL, "%s: says %s", name,
	   err.msg);
	is_uint(content(d), before, "%s: nothing was written", name);
	is_uint(simdisk_descriptors(d), 0, "%s: all is closed", name);
}

static void test_features(void)
{
	static const struct {
		struct later later;
		int reader;
	} rows[] = {
		{{.name = "ro-compat", .features.ro_compat = 1ull << 63}, 0},
		{{.name = "incompat", .features.incompat = 1}, SPAN_E_FORMAT},
		{{.name = "incompat and longer",
		  .header = 512,
		  .features.incompat = 1ull << 40},
		 SPAN_E_FORMAT},
		{{.name = "version 2", .major = 2}, SPAN_E_FORMAT},
	};

	for (size_t i = 0; i < 2 * sizeof(rows) / sizeof(*rows); i++) {
		struct later l = rows[i / 2].later;
		struct simdisk *d;
		char name[80];

		l.open = i % 2;
		snprintf(name, sizeof(name), "%s%s", l.name,
			 l.open ? ", open" : "");
		l.name = name;
		d = make(&l);
		check_refusals(name, d, rows[i / 2].reader, SPAN_E_FORMAT);
		simdisk_close(&d);
	}
}

/* FORMAT with its lines changed and a checksum that holds. */
static void change_format(struct simdisk *d, const char *from, const char *to)
{
	char old[500] = {0}, text[600], *at, *crc;
	size_t len, n;
	const uint8_t *p = simdisk_file(d, "FORMAT", &len);

	memcpy(old, p, len);
	at = strstr(old, from);
	crc = strstr(old, "crc32c ");
	if (!at || !crc)
		abort();
	*crc = '\0';
	n = (size_t)snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - old),
			     old, to, at + strlen(from));
	n += (size_t)snprintf(text + n, sizeof(text) - n, "crc32c %08x\n",
			      span__crc32c(0, text, n));
	simdisk_put(d, "FORMAT", text, n);
}

static void test_format(void)
{
	static const struct {
		const char *name, *from, *to;
		int reader, writer;
	} rows[] = {
		{"FORMAT: as ours", "\ncompat 0\n", "\ncompat 0\n", 0, 0},
		{"FORMAT: other keys", "\ncompat 0\n",
		 "\ncompat 0\ncolour blue\n", 0, 0},
		{"FORMAT: compat", "\ncompat 0\n", "\ncompat ffff\n", 0, 0},
		{"FORMAT: ro-compat", "ro-compat 0\n",
		 "ro-compat 8000000000000000\n", 0, SPAN_E_FORMAT},
		{"FORMAT: incompat", "\nincompat 0\n", "\nincompat 1\n",
		 SPAN_E_FORMAT, SPAN_E_FORMAT},
		{"FORMAT: version 2", "span-store 1\n", "span-store 2\n",
		 SPAN_E_FORMAT, SPAN_E_FORMAT},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		static const struct later plain = {.name = "plain"};
		struct simdisk *d = make(&plain);

		change_format(d, rows[i].from, rows[i].to);
		if (rows[i].writer) {
			check_refusals(rows[i].name, d, rows[i].reader,
				       rows[i].writer);
			is_int(expire(d), rows[i].writer, "%s: expiry",
			       rows[i].name);
			is_uint(simdisk_count(d, ".log"), 1,
				"%s: removes nothing", rows[i].name);
		} else {
			struct later l = {.name = rows[i].name};

			check_reader(&l, d);
			check_appender(&l, d);
		}
		simdisk_close(&d);
	}
}

static void test_remote(void)
{
	static const struct later plain = {.name = "plain"};
	struct span_store_opts o = model_opts(&m, SPAN_SYNC_EACH);
	struct simdisk *d = make(&plain);

	simdisk_remote(d, "NFS");
	memset(&m, 0, sizeof(m));
	is_int(model_run(&m, d, &o, FIRST + FRAMES, FIRST + FRAMES, &err), 0,
	       "remote: appends");
	is_uint(m.damage, 1, "remote: with a warning");
	ok(strstr(m.text, "NFS") != NULL, "remote: %s", m.text);
	memset(&m, 0, sizeof(m));
	o.require_local = true;
	is_int(model_run(&m, d, &o, 50, 50, &err), SPAN_E_INVALID,
	       "remote: not when it must be local");
	is_str(err.msg, "store: it is on NFS, not on a local disk",
	       "remote: says so");
	is_int(model_read(&m, d, &found, &err), 0,
	       "remote: readers do not ask");
	is_uint(found.n, FRAMES + 1, "remote: and find all");
	simdisk_remote(d, NULL);
	is_int(model_run(&m, d, &o, FIRST + FRAMES + 1, FIRST + FRAMES + 1,
			 &err),
	       0, "local: appends");
	is_uint(m.damage, 0, "local: without a warning");
	simdisk_close(&d);
}

int main(void)
{
	test_later_logs();
	test_bad_headers();
	test_features();
	test_format();
	test_remote();
	return done_testing();
}
