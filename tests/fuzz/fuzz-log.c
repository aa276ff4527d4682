/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A log, closed or not, or FORMAT, through every reader, through recovery, or
 * through expiry, on a simulated disk. The first byte says which, and whether
 * the rest is the file as it is; or a recipe by which records, sections and
 * trailers are put together with checksums that hold, so that what is behind
 * them is reached.
 *
 * What a reader finds in an open log, recovery must find too, twice over.
 */
#include <stdlib.h>

#include "store/log_format.h"
#include "tests/unit/store-model.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);
const char *__asan_default_options(void);

/* Many disks come and go: what is freed need not be kept for long. */
const char *__asan_default_options(void)
{
	return "quarantine_size_mb=16";
}

static void check(bool good)
{
	if (!good)
		abort();
}

struct input {
	const uint8_t *p;
	size_t len;
};

static uint64_t take(struct input *in, size_t n)
{
	uint64_t v = 0;

	for (; n && in->len; n--, in->p++, in->len--)
		v = v << 8 | *in->p;
	return v;
}

/* Up to 255 bytes, as many as the next byte says and there are. */
static struct span_str take_bytes(struct input *in)
{
	size_t n = (size_t)take(in, 1);
	struct span_str s;

	if (n > in->len)
		n = in->len;
	s = (struct span_str){(const char *)in->p, n};
	in->p += n;
	in->len -= n;
	return s;
}

static void put_record(struct span_buf *out, const struct span__log_id *id,
		       struct input *in, uint16_t type, struct span_str payload)
{
	static const uint8_t zero[LOG_ALIGN];
	struct span__log_record rec = {
		.pos = out->len,
		.len = (uint32_t)payload.len,
		.type = type,
		.seq = take(in, 1),
		.arrival_ns = MODEL_TIME + take(in, 2),
		.min_start_ns = MODEL_TIME,
		.max_end_ns = UINT64_MAX >> take(in, 1) % 8,
		.n_spans = (uint32_t)take(in, 1),
	};
	uint8_t header[LOG_RECORD];

	if (!payload.len)
		return;
	span__log_record_put(header, id, &rec, payload.p);
	span_buf_put(out, header, sizeof(header));
	span_buf_put(out, payload.p, payload.len);
	span_buf_put(out, zero,
		     span__log_record_size(payload.len) - LOG_RECORD -
			     payload.len);
}

static void put_frame(struct span_buf *out, const struct span__log_id *id,
		      struct input *in)
{
	struct span_buf bytes = {0};
	struct span_frame *f;

	check(span_frame_open(&f, NULL) == 0);
	model_frame(take(in, 1) + 1, f, &bytes);
	put_record(out, id, in, LOG_TYPE_FRAME,
		   (struct span_str){bytes.p, bytes.len});
	span_frame_close(&f);
	span_buf_release(&bytes);
}

static void put_trailer(struct span_buf *out, const struct span__log_id *id,
			struct input *in)
{
	struct span__log_trailer t = {
		.data_end = take(in, 2) * LOG_ALIGN,
		.sum = {take(in, 1), take(in, 1), take(in, 1), take(in, 1),
			MODEL_TIME + take(in, 2), MODEL_TIME + take(in, 3),
			MODEL_TIME, MODEL_TIME + take(in, 2)},
	};
	uint8_t trailer[LOG_TRAILER];

	span__log_trailer_put(trailer, id, out->len, &t);
	span_buf_put(out, trailer, sizeof(trailer));
}

/* An index of the entries that the input gives. */
static void put_index(struct span_buf *out, const struct span__log_id *id,
		      struct input *in)
{
	struct span_buf index = {0};

	for (uint64_t n = take(in, 1) % 16; n; n--) {
		struct span__log_entry e = {
			take(in, 2) * LOG_ALIGN, (uint32_t)take(in, 1),
			MODEL_TIME + take(in, 2), MODEL_TIME + take(in, 2)};
		uint8_t bytes[LOG_INDEX_ENTRY];

		span__log_entry_put(bytes, &e);
		span_buf_put(&index, bytes, sizeof(bytes));
	}
	span__log_section_put(out, id, out->len, LOG_SECTION_INDEX, index.p,
			      (uint32_t)index.len);
	span_buf_release(&index);
}

static void compose(struct span_buf *out, struct input *in)
{
	struct span__log_header h = {
		.id = {.number = take(in, 1)},
		.features.compat = take(in, 1),
		.first_seq = take(in, 1),
		.created_ns = MODEL_TIME,
	};
	uint8_t header[LOG_HEADER];
	struct span_str s;

	span__log_header_put(header, &h);
	span_buf_put(out, header, sizeof(header));
	while (in->len) {
		switch (take(in, 1) % 8) {
		case 0:
		case 1:
		case 2:
			put_frame(out, &h.id, in);
			break;
		case 3:
			s = take_bytes(in);
			put_record(out, &h.id, in, (uint16_t)(1 + s.len % 3),
				   s);
			break;
		case 4:
			put_index(out, &h.id, in);
			break;
		case 5:
			put_trailer(out, &h.id, in);
			break;
		case 6: /* damage of what is there */
			out->p[take(in, 2) % out->len] ^= (char)take(in, 1);
			break;
		default:
			s = take_bytes(in);
			span_buf_str(out, s);
		}
	}
}

static size_t count(struct span_store *st, const struct span_range *r)
{
	struct span_cursor *c = NULL;
	struct span s;
	size_t n = 0;

	check(span_store_scan(st, r, &c, NULL) == 0);
	while (span_cursor_next(c, &s, NULL) > 0)
		n++;
	span_cursor_close(&c);
	return n;
}

/* Everything that reads; how many spans there are. */
static size_t read_all(struct simdisk *disk)
{
	const struct span_range range = {.since_ns = MODEL_TIME + 3000000,
					 .until_ns = MODEL_TIME + 100000000};
	const struct span_str service = SPAN_STR("nobody");
	const struct span_tag_eq tag = {service, service};
	const struct span_range filtered = {.services = &service,
					    .n_services = 1,
					    .min_duration_ns = 1u << 20,
					    .tags = &tag,
					    .n_tags = 1};
	const struct span_store_opts o = {0};
	static const uint8_t ids[1][16];
	struct span_store_stat stat;
	struct span_cursor *c = NULL;
	struct span_store *st;
	struct span s;
	size_t n;

	if (span__store_open(&st, "store", &o, simdisk_io(disk), NULL) < 0)
		return 0;
	n = count(st, NULL);
	check(count(st, NULL) == n);
	check(count(st, &range) <= n);
	check(count(st, &filtered) == 0);
	check(span_store_find(st, ids, 1, &c, NULL) == 0);
	while (span_cursor_next(c, &s, NULL) > 0)
		;
	span_cursor_close(&c);
	check(span_store_stat(st, &stat, NULL) == 0);
	check(span_store_verify(st, NULL, NULL, NULL) >= 0);
	check(span_store_close(&st, NULL) == 0);
	return n;
}

static int append(struct simdisk *disk, uint64_t from, uint64_t to)
{
	static struct model m;
	struct span_store_opts o = model_opts(&m, SPAN_SYNC_GROUP);
	int rc = model_run(&m, disk, &o, from, to, NULL);

	check(simdisk_descriptors(disk) == 0);
	return rc;
}

static void expire(struct simdisk *disk)
{
	const struct span_store_opts o = {.mode = SPAN_STORE_MAINTAIN};
	const struct span_store_policy p = {.max_bytes = 1, .max_age_ns = 1};
	struct span_store_expired gone;
	struct span_store *st;

	if (span__store_open(&st, "store", &o, simdisk_io(disk), NULL) < 0)
		return;
	check(span_store_expire(st, &p, &gone, NULL, NULL, NULL) == 0);
	check(span_store_close(&st, NULL) == 0);
}

/* Recovery finds what a reader finds, again and again, and goes on. */
static void recover(struct simdisk *disk, bool open)
{
	size_t n = read_all(disk);

	if (append(disk, 1, 0) < 0)
		return;
	check(!open || read_all(disk) == n);
	check(append(disk, 1, 2) == 0);
	check(simdisk_count(disk, ".open") == 0);
	check(read_all(disk) >= model_spans(1) + model_spans(2));
}

static void use(struct simdisk *disk, uint64_t how)
{
	switch (how >> 3 & 3) {
	case 0:
		(void)read_all(disk);
		break;
	case 1:
		expire(disk);
		break;
	default:
		recover(disk, how & 1);
	}
	check(simdisk_descriptors(disk) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	struct simdisk *disk = simdisk_open();
	struct input in = {p, len};
	struct span_buf composed = {0};
	uint64_t how = take(&in, 1);
	const char *name = how & 1 ? "00000001.open" : "00000001.log";

	switch (how >> 1 & 3) {
	case 0:
		simdisk_put(disk, name, in.p, in.len);
		break;
	case 1:
		(void)!append(disk, 1, 3);
		simdisk_put(disk, how & 1 ? "FORMAT" : "MAINT", in.p, in.len);
		break;
	default:
		compose(&composed, &in);
		simdisk_put(disk, name, composed.p, composed.len);
	}
	use(disk, how);
	span_buf_release(&composed);
	simdisk_close(&disk);
	return 0;
}
