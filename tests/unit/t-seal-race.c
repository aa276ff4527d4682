/* SPDX-License-Identifier: Apache-2.0 */
/* Sealing while others read and append: one comes in before any call. */
#include "seal-logs.h"

struct race {
	struct simdisk *disk;
	struct span_store *writer;
	uint64_t next; /* frame */
	uint64_t again;
	const char *why;
	bool happened;
};

static void seal_now(void *arg)
{
	struct race *r = arg;
	struct span_error why;

	r->happened = true;
	if (seal_all(r->disk, &m, &out, &why) < 0)
		r->why = "sealing fails";
}

/* A log comes in between, too. */
static void seal_and_append(void *arg)
{
	struct race *r = arg;
	uint64_t again = r->again;

	if (model_append(&m, r->writer, r->next, r->next + 1, &err) < 0)
		abort();
	r->next += 2;
	seal_now(r);
	r->again = 0;
	if (again)
		simdisk_call(r->disk, simdisk_calls(r->disk) + again,
			     seal_and_append, r);
}

static void read_now(void *arg)
{
	struct race *r = arg;
	static struct tally now;

	r->happened = true;
	if (tally_read(&now, r->disk, "store", NULL, &err) < 0)
		r->why = err.msg;
	else
		r->why = tally_judge(&now, &m);
}

static void append_now(void *arg)
{
	struct race *r = arg;

	r->happened = true;
	if (model_append(&m, r->writer, r->next, r->next + 1, &err) < 0)
		abort();
	r->next += 2;
}

static bool race_over(struct race *r, unsigned *bad, const char *what,
		      uint64_t nth)
{
	simdisk_call(r->disk, 0, NULL, NULL);
	if (r->why && ++*bad <= 3)
		diag("%s, call %d: %s", what, (int)nth, r->why);
	(void)span_store_close(&r->writer, NULL);
	simdisk_close(&r->disk);
	return !r->happened;
}

/* A reader opens and reads while sealing runs between two of its calls. */
static void test_read_race(void)
{
	unsigned bad = 0, runs = 0;
	bool over = false;

	for (uint64_t nth = 1; !over; nth++, runs++) {
		struct race r = {.disk = seal_logs(&m, 3)};

		simdisk_call(r.disk, simdisk_calls(r.disk) + nth, seal_now, &r);
		if (tally_read(&t, r.disk, "store", NULL, &err) < 0)
			r.why = err.msg;
		else if (!r.why)
			r.why = tally_judge(&t, &m);
		over = race_over(&r, &bad, "read", nth);
	}
	ok(runs > 20 && !bad, "race: %u of %u readers go wrong", bad, runs);
}

/* The same, with an appender that goes on, and once more. */
static void test_reader_writer_race(void)
{
	unsigned bad = 0, runs = 0;
	bool over = false;

	for (uint64_t nth = 1; !over; nth++) {
		for (uint64_t again = 0; again < 40; again += 1 + again / 3) {
			struct race r = {.disk = seal_logs(&m, 2),
					 .next = 21,
					 .again = again};
			static struct model before;
			struct span_store_opts o =
				model_opts(&m, SPAN_SYNC_EACH);

			o.rotate_bytes = 1;
			m.next_acked = 21;
			if (span__store_open(&r.writer, "store", &o,
					     simdisk_io(r.disk), &err) < 0)
				abort();
			before = m;
			simdisk_call(r.disk, simdisk_calls(r.disk) + nth,
				     seal_and_append, &r);
			if (tally_read(&t, r.disk, "store", NULL, &err) < 0)
				r.why = err.msg;
			else if (!r.why)
				r.why = tally_judge(&t, &before);
			over = race_over(&r, &bad, "reader",
					 nth * 1000 + again);
			runs++;
		}
	}
	ok(runs > 200 && !bad,
	   "race: %u of %u readers go wrong while logs come and are sealed",
	   bad, runs);
}

/* While sealing runs a reader comes, or the appender closes logs. */
static void test_seal_race(void (*fn)(void *arg), const char *what)
{
	unsigned bad = 0, runs = 0;
	bool over = false;

	for (uint64_t nth = 1; !over; nth++, runs++) {
		struct race r = {.disk = seal_logs(&m, 3), .next = 31};
		struct span_store_opts o = model_opts(&m, SPAN_SYNC_EACH);

		o.rotate_bytes = 1;
		m.next_acked = 31;
		if (span__store_open(&r.writer, "store", &o, simdisk_io(r.disk),
				     &err) < 0)
			abort();
		simdisk_call(r.disk, simdisk_calls(r.disk) + nth, fn, &r);
		if (seal_all(r.disk, &m, &out, &err) < 0)
			r.why = err.msg;
		simdisk_call(r.disk, 0, NULL, NULL);
		if (tally_read(&t, r.disk, "store", NULL, &err) < 0)
			r.why = err.msg;
		else if (!r.why)
			r.why = tally_judge(&t, &m);
		over = race_over(&r, &bad, what, nth);
	}
	ok(runs > 20 && !bad, "race: %u of %u go wrong when %s", bad, runs,
	   what);
}

int main(void)
{
	test_read_race();
	test_reader_writer_race();
	test_seal_race(read_now, "a reader comes");
	test_seal_race(append_now, "logs are closed");
	return done_testing();
}
