/* SPDX-License-Identifier: Apache-2.0 */
/* How far a spool was sent, against a plain table of spans. */
#include "cmd/send-place.h"

#include <unistd.h>

#include "tests/unit/tap.h"

#define FRAMES 200u
#define SPANS 11u /* most of a frame */
#define UNDER_WAY 5u
#define NAME "t-send-place.sent"

static bool is_settled[FRAMES + 1][SPANS];

static uint32_t n_spans(uint64_t seq)
{
	return 1 + (uint32_t)(seq * 7 % SPANS);
}

static bool agrees(const struct send_place *p)
{
	for (uint64_t seq = 1; seq <= FRAMES; seq++) {
		uint32_t left = 0;

		for (uint32_t i = 0; i < n_spans(seq); i++) {
			left += !is_settled[seq][i];
			if (send_place_has(p, seq, n_spans(seq), i) !=
			    is_settled[seq][i])
				return false;
		}
		if (send_place_left(p, seq, n_spans(seq)) != left)
			return false;
	}
	return true;
}

/* Settle some spans of a frame; is it done? */
static bool settle_some(struct send_place *p, uint64_t seq)
{
	uint32_t left = 0;

	for (uint32_t i = 0; i < n_spans(seq); i++) {
		if (!is_settled[seq][i] && rand() % 2) {
			if (!send_place_settle(p, seq, i))
				return false;
			is_settled[seq][i] = true;
		}
		left += !is_settled[seq][i];
	}
	return !left;
}

/* Frames begin in order, and their spans end in any. */
static bool run(struct send_place *p, unsigned steps)
{
	uint64_t open[UNDER_WAY], next = p->seq + 1;
	size_t n = 0;

	while (steps--) {
		while (next <= FRAMES &&
		       !send_place_left(p, next, n_spans(next)))
			next++;
		if (n < UNDER_WAY && next <= FRAMES) {
			if (!send_place_begin(p, next, n_spans(next)))
				return false;
			open[n++] = next++;
		}
		if (n) {
			size_t i = (size_t)rand() % n;

			if (settle_some(p, open[i]))
				open[i] = open[--n];
		}
		if (!agrees(p))
			return false;
	}
	return true;
}

static bool write_file(const char *text, size_t len)
{
	return !cmd_file_replace(NAME, text, len, NULL);
}

/* Each time it is killed: what is under way begins again. */
static void test_runs(void)
{
	struct send_place p = {.uuid = {1, 2, 3}}, got;
	struct span_buf text = {0};
	bool good = true;

	for (int i = 0; i < 12 && good; i++) {
		good = run(&p, 40);
		text.len = 0;
		send_place_put(&p, &text);
		good &= write_file(text.p, text.len) &&
			send_place_read(&got, NAME, NULL) == 1 &&
			agrees(&got) && got.seq == p.seq &&
			!memcmp(got.uuid, p.uuid, 16);
		send_place_release(&p);
		p = got;
	}
	ok(good, "what is settled is known, also when it was read again");
	ok(p.seq > 50, "it comes forward");
	ok(!send_place_settle(&p, 100000, 0), "what nobody began cannot end");
	ok(agrees(&p), "and changes nothing");
	ok(send_place_cut(&p, p.seq - 1), "the last frames are forgotten");
	ok(!p.n && !send_place_has(&p, p.seq + 1, 1, 0), "with all parts");
	ok(!send_place_cut(&p, p.seq), "or there is nothing to forget");
	send_place_release(&p);
	span_buf_release(&text);
}

#define STORE "store 4f3c1a529e0b4c7d8a6152d7e9b0c3f4\n"

/* What is read, as it is written again; NULL: damaged. */
static const struct {
	const char *text, *want;
} files[] = {
	{"seq 5\nend\n", "seq 5\nend\n"},
	{"seq 5\ndone 8 9\nend\n", "seq 5\ndone 8 9\nend\n"},
	{"seq 5\ndone 6 9\nend\n", "seq 9\nend\n"},
	{"seq 5\ndone 3 9\nend\n", "seq 9\nend\n"},
	{"seq 5\ndone 1 4\nend\n", "seq 5\nend\n"},
	{"seq 5\ndone 8 9\ndone 10 12\nend\n", "seq 5\ndone 8 12\nend\n"},
	{"seq 5\ndone 8 20\ndone 9 12\nend\n", "seq 5\ndone 8 20\nend\n"},
	{"seq 5\ndone 9 12\ndone 8 20\nend\n", "seq 5\ndone 8 20\nend\n"},
	{"seq 5\ndone 8 10\ndone 9 12\nend\n", "seq 5\ndone 8 12\nend\n"},
	{"seq 5\ndone 8 9\ndone 8 9\nend\n", "seq 5\ndone 8 9\nend\n"},
	{"seq 5\ndone 20 21\ndone 8 9\nend\n",
	 "seq 5\ndone 8 9\ndone 20 21\nend\n"},
	{"seq 5\npart 7 10 ff01\nend\n", "seq 5\npart 7 10 ff01\nend\n"},
	{"seq 5\npart 7 10 ff03\nend\n", "seq 5\ndone 7 7\nend\n"},
	/* Bits of spans that are none. */
	{"seq 5\npart 7 3 f1\nend\n", "seq 5\npart 7 3 f1\nend\n"},
	{"seq 5\npart 7 3 00\nend\n", "seq 5\nend\n"},
	{"seq 5\npart 4 3 01\nend\n", "seq 5\nend\n"},
	{"seq 5\npart 8 3 01\ndone 7 9\nend\n", "seq 5\ndone 7 9\nend\n"},
	{"seq 5\npart 8 3 01\npart 8 3 01\nend\n", "seq 5\npart 8 3 01\nend\n"},
	{"seq 18446744073709551615\ndone 1 18446744073709551615\nend\n",
	 "seq 18446744073709551615\nend\n"},
	/* What follows the last record that is whole was being written. */
	{"seq 5\nend\nend\n", "seq 5\nend\n"},
	{"seq 5\ndone 9 8\nend\n", NULL},
	{"seq 5\ndone 8\nend\n", NULL},
	{"seq 5\npart 7 10 ff\nend\n", NULL},
	{"seq 5\npart 7 10 ff011\nend\n", NULL},
	{"seq 5\npart 7 10 fg01\nend\n", NULL},
	{"seq 5\npart 7 0 \nend\n", NULL},
	{"seq 5\npart 7 257 00\nend\n", NULL},
	{"seq 18446744073709551616\nend\n", NULL},
	{"seq 5\n", NULL},
	{"", NULL},
};

static void test_file(const char *text, const char *want)
{
	struct span_buf b = {0}, all = {0};
	struct send_place p;
	int rc;

	span_buf_printf(&b, "span-send spool 1\n" STORE "%s", text);
	rc = write_file(b.p, b.len) ? send_place_read(&p, NAME, NULL) : 0;
	b.len = 0;
	if (!want) {
		is_int(rc, SPAN_E_CORRUPT, "damaged: %s", text);
	} else if (is_int(rc, 1, "read: %s", text)) {
		span_buf_printf(&all, "span-send spool 1\n" STORE "%s", want);
		send_place_put(&p, &b);
		is_mem(b.p, b.len, all.p, all.len, "and is what it says");
	}
	send_place_release(&p);
	span_buf_release(&b);
	span_buf_release(&all);
}

/* One record after the other, and a torn one at last: the last whole one is. */
static void test_records(void)
{
	struct send_place_file f = {.path = NAME, .fd = -1};
	struct send_place p = {.uuid = {9}}, got;
	struct span_buf text = {0}, all = {0};
	size_t begins[4], n = 0, wrong = 0;
	bool good = true;

	unlink(NAME);
	for (; n < 4; n++) {
		p.seq = 10 * n + 1;
		begins[n] = (size_t)f.len;
		text.len = 0;
		send_place_put(&p, &text);
		good &= !send_place_save(&f, &text, NULL);
	}
	ok(good && f.n_more == 3, "records are appended");
	ok(!cmd_file_read(NAME, &all, NULL) && all.len == f.len, "as text");
	for (size_t len = begins[1]; len <= all.len; len++) {
		n = len == all.len     ? 4
		    : len >= begins[3] ? 3
		    : len >= begins[2] ? 2
				       : 1;
		good = write_file(all.p, len) &&
		       send_place_read(&got, NAME, NULL) == 1;
		wrong += !good || got.seq != 10 * (n - 1) + 1;
		send_place_release(&got);
	}
	is_uint(wrong, 0, "wherever it is torn, the last whole one is read");
	wrong = 0;
	for (size_t at = begins[1]; at < all.len; at++) {
		all.p[at] ^= 1;
		n = at >= begins[3] ? 3 : at >= begins[2] ? 2 : 1;
		good = write_file(all.p, all.len) &&
		       send_place_read(&got, NAME, NULL) == 1;
		wrong += !good || got.seq != 10 * (n - 1) + 1;
		send_place_release(&got);
		all.p[at] ^= 1;
	}
	is_uint(wrong, 0, "and whatever bit is wrong");
	text.len = 0;
	send_place_put(&p, &text);
	ok(!send_place_replace(&f, &text, NULL) && !f.n_more &&
		   f.len == text.len,
	   "one takes the place of all");
	f.len = 2u << 20;
	text.len = 0;
	send_place_put(&p, &text);
	ok(!send_place_save(&f, &text, NULL) && f.len == text.len,
	   "and does when they are many");
	send_place_close(&f);
	span_buf_release(&text);
	span_buf_release(&all);
}

int main(void)
{
	struct send_place p = {0};
	bool good = true;

	srand(7);
	test_runs();
	test_records();
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		test_file(files[i].text, files[i].want);
	for (uint64_t i = 0; i < SEND_PLACE_FRAMES; i++)
		good &= send_place_begin(&p, 1000 + 2 * i, 1);
	ok(good && !send_place_begin(&p, 1000000, 1),
	   "there is an end of frames under way");
	for (uint64_t i = 0; i < SEND_PLACE_FRAMES; i++)
		good &= send_place_settle(&p, 1000 + 2 * i, 0);
	ok(good && send_place_left(&p, 1002, 1) == 0, "that end again");
	send_place_release(&p);
	unlink(NAME);
	is_int(send_place_read(&p, NAME, NULL), 0, "no file");
	return done_testing();
}
