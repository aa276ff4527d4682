/* SPDX-License-Identifier: Apache-2.0 */
/* The spans of a trace in a log, by its lists of traces or in spite of them. */
#include "store-model.h"

#include "store/log_ids.h"
#include "store/store_dir.h"

#define FRAMES 400u

static struct model m;
static struct found found;
static struct span_error err;

static struct simdisk *make(bool closed, struct span_store **writer)
{
	struct span_store_opts o = model_opts(&m, SPAN_SYNC_GROUP);
	struct simdisk *disk = simdisk_open();

	memset(&m, 0, sizeof(m));
	m.disk = disk;
	m.next_acked = 1;
	if (span__store_open(writer, "store", &o, simdisk_io(disk), &err) < 0 ||
	    model_append(&m, *writer, 1, FRAMES, &err) < 0)
		abort();
	if (closed && span_store_close(writer, &err) < 0)
		abort();
	return disk;
}

/* How many of the traces are found whole and right. */
static unsigned find_all(struct simdisk *disk)
{
	const struct span_store_opts o = {.damage = model_damage, .arg = &m};
	struct span_store *st = NULL;
	struct span_cursor *c;
	unsigned n = 0;

	if (span__store_open(&st, "store", &o, simdisk_io(disk), &err) < 0)
		abort();
	for (uint64_t trace = 1; trace < FRAMES / 4; trace++) {
		uint64_t number = htobe64(trace);
		uint8_t id[1][16] = {{0}};

		memcpy(id[0] + 8, &number, 8);
		if (span_store_find(st, (const uint8_t(*)[16])id, 1, &c, &err) <
			    0 ||
		    found_read(&found, c, &err) < 0)
			abort();
		span_cursor_close(&c);
		n += found.n == 4 && !found.strange &&
		     found.order[0] == 4 * trace;
	}
	(void)span_store_close(&st, NULL);
	return n;
}

/* Break each place where the bytes MARK and then TYPE at OFF are. */
static unsigned break_lists(struct simdisk *disk, const char *name,
			    const char *mark, size_t off, uint8_t type)
{
	size_t len;
	uint8_t *p = simdisk_file(disk, name, &len);
	unsigned n = 0;

	for (size_t i = 0; i + 64 < len; i += LOG_ALIGN) {
		if (memcmp(p + i, mark, 4) || p[i + off] != type)
			continue;
		p[i + 60] ^= 1;
		n++;
	}
	return n;
}

static void test_log(bool closed)
{
	const char *what = closed ? "closed" : "active";
	const char *name = closed ? "00000001.log" : "00000001.open";
	struct span_store *writer = NULL;
	struct simdisk *disk = make(closed, &writer);
	unsigned n;

	is_uint(find_all(disk), FRAMES / 4 - 1, "%s: every trace is found",
		what);
	n = closed ? break_lists(disk, name, "SSEC", 8, LOG_SECTION_IDS)
		   : break_lists(disk, name, "SREC", 12, LOG_TYPE_IDS);
	is_uint(n, closed ? 1 : FRAMES / 32, "%s: the lists are broken", what);
	is_uint(find_all(disk), FRAMES / 4 - 1, "%s: and every trace is found",
		what);
	is_uint(m.damage, 0, "%s: no span is damaged", what);
	(void)span_store_close(&writer, NULL);
	simdisk_close(&disk);
}

/* What is in no list is read. */
static void test_tail(void)
{
	struct span_store *writer = NULL;
	struct simdisk *disk = make(false, &writer);
	uint8_t id[1][16] = {{0}};
	const struct span__log_id fallback = {.number = 1};
	struct span_buf buf = {0};
	struct span_str index;
	struct span__dir dir;
	struct span__log log;

	memset(id[0], 7, 16);
	if (span__dir_open(&dir, simdisk_io(disk), "store", false, &err) < 0 ||
	    span__log_open(&log, dir.io, dir.fd, "00000001.open", &fallback,
			   false, &err) < 0)
		abort();
	is_int(span__log_find(&log, (const uint8_t(*)[16])id, 1, &buf, &index,
			      &err),
	       1, "a trace that is not there");
	is_uint(index.len / LOG_INDEX_ENTRY, FRAMES % 32,
		"only the frames behind the last list are read");
	span__log_close(&log);
	span__dir_close(&dir);
	span_buf_release(&buf);
	(void)span_store_close(&writer, NULL);
	simdisk_close(&disk);
}

int main(void)
{
	test_log(true);
	test_log(false);
	test_tail();
	return done_testing();
}
