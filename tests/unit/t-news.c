/* SPDX-License-Identifier: Apache-2.0 */
/*
 * New traces, each once: of a store that is written, sealed, merged, expired
 * and loses power meanwhile, against a list of what arrived when.
 *
 * Frames and traces are those of store-model.h: trace T has the frames 4 T to
 * 4 T + 3. Spans match when they are the second or third of their frame.
 */
#include <span/query.h>

#include <time.h>

#include "query/news.h"
#include "random-span.h"
#include "seal-model.h"

#define SECOND UINT64_C(1000000000)
#define WINDOW (5 * SECOND)
#define FRAMES 400u
#define MIXED 24u /* frames that may overtake each other */
#define TRACES (FRAMES / 4 + 1)

static struct span_error err;
static struct model model;

struct world {
	struct simdisk *disk;
	struct span_store *appender, *reader;
	struct span_query *q;
	struct span_news *news;
	struct rnd r;
	bool written[FRAMES + 1];
	uint64_t last[TRACES]; /* when a span of it arrived; 0: none */
	unsigned told[TRACES]; /* how often */
	bool matches[TRACES];  /* a span that was written does */
	bool sealed;	       /* what arrived when is not known exactly */
	const char *wrong;
};

static uint64_t now(const struct world *w)
{
	const struct span__io *io = simdisk_io(w->disk);

	return io->clock(io->self, CLOCK_REALTIME);
}

static void open_appender(struct world *w)
{
	struct span_store_opts o = model_opts(&model, SPAN_SYNC_EACH);

	o.rotate_bytes = 4096;
	(void)span_store_close(&w->appender, NULL);
	if (span__store_open(&w->appender, "store", &o, simdisk_io(w->disk),
			     &err) < 0)
		abort();
}

/* A new process: what was saved is loaded. */
static void open_reader(struct world *w, const struct span_buf *saved)
{
	const struct span_search_opts o = {.window_ns = WINDOW};

	span_news_close(&w->news);
	(void)span_store_close(&w->reader, NULL);
	if (span__store_open(&w->reader, "store", NULL, simdisk_io(w->disk),
			     &err) < 0 ||
	    span_news_open(&w->news, w->reader, w->q, &o, &err) < 0)
		abort();
	if (saved && span_news_load(w->news, saved->p, saved->len, &err) < 0)
		w->wrong = err.msg;
}

static void save_and_load(struct world *w)
{
	struct span_buf saved = {0};

	if (span_news_save(w->news, &saved, &err) < 0)
		abort();
	open_reader(w, &saved);
	span_buf_release(&saved);
}

static void write_frame(struct world *w, uint64_t n)
{
	if (model_append(&model, w->appender, n, n, &err) < 0)
		abort();
	w->written[n] = true;
	w->last[n / 4] = now(w);
	w->matches[n / 4] |= model_spans(n) > 1;
}

/* One of the next frames that were not written. */
static void write_one(struct world *w)
{
	uint64_t n = 1, tries = rnd_below(&w->r, MIXED);

	while (n <= FRAMES && w->written[n])
		n++;
	for (; tries; tries--)
		if (n + tries <= FRAMES && !w->written[n + tries])
			break;
	if (n <= FRAMES)
		write_frame(w, n + tries);
}

static size_t n_written(const struct world *w, uint64_t trace)
{
	size_t spans = 0;

	for (uint64_t n = trace * 4; n < trace * 4 + 4 && n <= FRAMES; n++)
		spans += w->written[n] ? model_spans(n) : 0;
	return spans;
}

static void judge(struct world *w, const struct span_trace *t,
		  const uint8_t *matched)
{
	uint64_t trace;

	memcpy(&trace, t->trace_id + 8, 8);
	trace = be64toh(trace);
	if (trace >= TRACES || w->told[trace]++)
		w->wrong = "a trace is told twice";
	else if (!w->matches[trace])
		w->wrong = "a trace does not match";
	else if (now(w) - w->last[trace] < WINDOW)
		w->wrong = "a trace is not complete";
	else if (t->n != n_written(w, trace))
		w->wrong = "a trace is not whole";
	for (size_t i = 0; i < t->n; i++)
		if (matched[i] != (t->spans[i].duration_ns > 500))
			w->wrong = "the wrong span matches";
}

static void look(struct world *w)
{
	const uint8_t *matched;
	struct span_trace t;
	int rc = span_store_refresh(w->reader, &err);

	if (!rc)
		rc = span_news_look(w->news, now(w), &err);
	while (!rc && (rc = span_news_next(w->news, &t, &matched, &err)) > 0) {
		judge(w, &t, matched);
		rc = 0;
	}
	if (rc < 0)
		w->wrong = err.msg;
	for (size_t i = 0; i < TRACES && !w->sealed; i++)
		if (w->matches[i] && !w->told[i] &&
		    now(w) - w->last[i] >= WINDOW)
			w->wrong = "a complete trace is not told";
}

static void seal(struct world *w)
{
	const struct span_seal_opts o = {
		.all = true, .max_spans = 20 + rnd_below(&w->r, 200)};
	struct span_sealed out;

	w->sealed = true;
	if (seal_with(w->disk, &model, &o, &out, &err) < 0)
		w->wrong = err.msg;
}

static void world_open(struct world *w, uint64_t seed, uint64_t min_ns)
{
	const struct span_select sel = {.min_duration_ns = min_ns};

	memset(&model, 0, sizeof(model));
	*w = (struct world){.disk = simdisk_open(), .r = {seed, NULL}};
	model.disk = w->disk;
	if (span_query_compile(&w->q, &sel, &err) < 0)
		abort();
	open_appender(w);
	open_reader(w, NULL);
}

static void world_close(struct world *w)
{
	span_news_close(&w->news);
	(void)span_store_close(&w->reader, NULL);
	(void)span_store_close(&w->appender, NULL);
	span_query_close(&w->q);
	simdisk_close(&w->disk);
}

static void step(struct world *w, bool seals)
{
	uint64_t what = rnd_below(&w->r, 20);

	if (what < 10)
		write_one(w);
	else if (what < 13)
		simdisk_pass(w->disk, rnd_below(&w->r, 3 * SECOND));
	else if (what < 16)
		look(w);
	else if (what < 18)
		save_and_load(w);
	else if (what == 18)
		open_appender(w);
	else if (seals)
		seal(w);
}

/* In the end every trace that matches was told, and once. */
static bool round_is_good(uint64_t seed, bool seals)
{
	struct world w;

	world_open(&w, seed, 501);
	for (int i = 0; i < 900 && !w.wrong; i++)
		step(&w, seals);
	/* A trace may be told late that a segment holds with newer ones. */
	simdisk_pass(w.disk, 2 * WINDOW);
	look(&w);
	for (size_t i = 0; i < TRACES && !w.wrong; i++)
		if (w.told[i] != w.matches[i])
			w.wrong = "a trace that matches was not told";
	if (w.wrong)
		diag("seed %" PRIu64 ": %s", seed, w.wrong);
	world_close(&w);
	return !w.wrong;
}

static void test_random(void)
{
	unsigned bad[2] = {0};

	for (uint64_t seed = 1; seed <= 30; seed++) {
		bad[0] += !round_is_good(seed, false);
		bad[1] += !round_is_good(seed + 100, true);
	}
	is_uint(bad[0], 0, "30 stores tell each trace once, when it is due");
	is_uint(bad[1], 0, "30 stores that are sealed meanwhile, too");
}

/* Frames that were seen are lost, and their numbers given to others. */
static void test_power_cut(void)
{
	struct span_buf saved = {0};
	struct world w;
	unsigned bad = 0;

	for (uint64_t seed = 1; seed <= 20; seed++) {
		struct span_store_opts o = model_opts(&model, SPAN_SYNC_NONE);
		struct simdisk *cut;

		world_open(&w, seed, 501);
		for (uint64_t n = 1; n < 8; n++)
			write_frame(&w, n);
		(void)span_store_close(&w.appender, NULL);
		o.sync_bytes = UINT64_MAX;
		if (span__store_open(&w.appender, "store", &o,
				     simdisk_io(w.disk), &err) < 0)
			abort();
		for (uint64_t n = 8; n < 40; n++)
			write_frame(&w, n);
		simdisk_pass(w.disk, WINDOW);
		look(&w);
		saved.len = 0;
		if (span_news_save(w.news, &saved, &err) < 0)
			abort();
		cut = simdisk_power_cut(w.disk, seed);
		span_news_close(&w.news);
		(void)span_store_close(&w.reader, NULL);
		(void)span_store_close(&w.appender, NULL);
		simdisk_close(&w.disk);
		w.disk = model.disk = cut;
		simdisk_pass(cut, SECOND);
		open_appender(&w);
		for (uint64_t n = 80; n < 90; n++)
			write_frame(&w, n);
		simdisk_pass(cut, WINDOW);
		open_reader(&w, &saved);
		look(&w);
		for (uint64_t n = 80; n < 90; n++)
			bad += w.told[n / 4] != 1;
		bad += w.wrong != NULL;
		world_close(&w);
	}
	span_buf_release(&saved);
	is_uint(bad, 0, "what comes after a power cut is told, and once");
}

static void test_begin(void)
{
	struct world w;

	world_open(&w, 1, 501);
	write_frame(&w, 5);
	simdisk_pass(w.disk, WINDOW);
	write_frame(&w, 9);
	is_int(span_store_refresh(w.reader, &err), 0, "refresh");
	is_int(span_news_begin(w.news, now(&w), &err), 0, "begin");
	is_uint(span_news_waiting(w.news), 0, "frame 9 has no match");
	write_frame(&w, 8);
	w.told[1] = 1; /* was there before: not told */
	look(&w);
	is_uint(span_news_waiting(w.news), 1, "frame 8 has one");
	ok(span_news_due_ns(w.news) / SECOND == (w.last[2] + WINDOW) / SECOND,
	   "it is due then");
	simdisk_pass(w.disk, WINDOW);
	look(&w);
	ok(!w.wrong && w.told[2] == 1 && w.told[1] == 1,
	   "only what came since is told");
	is_uint(span_news_due_ns(w.news), UINT64_MAX, "nothing is due");
	world_close(&w);
}

static int count_span(void *arg, const struct span *s, struct span_error *e)
{
	(void)s;
	(void)e;
	++*(unsigned *)arg;
	return 0;
}

static void test_spans(void)
{
	struct world w;
	unsigned n = 0;

	world_open(&w, 1, 501);
	for (uint64_t i = 1; i <= 50; i++) {
		write_frame(&w, i);
		if (i % 7 == 0)
			open_appender(&w);
		if (i % 11 == 0)
			seal(&w);
		if (i % 5)
			continue;
		if (span_store_refresh(w.reader, &err) < 0 ||
		    span_news_spans(w.news, count_span, &n, &err) < 0)
			abort();
	}
	is_uint(n, 50 + 1, "each matching span comes once, sealed or not");
	world_close(&w);
}

/* ---- What is saved ---- */

#define HEAD                                                                   \
	"span-cursor 1\nuuid 4f3c1a52-9e0b-4c7d-8a61-52d7e9b0c3f4\n"           \
	"seq 12\narrival 345\n"
#define ID "4bf92f3577b34da6a3ce929d0e0e4736"

static int read_state(struct span__news_state *s, const char *text, size_t len)
{
	err = (struct span_error){0};
	if (span__news_state_init(s, &err) < 0)
		abort();
	return span__news_state_read(s, (struct span_str){text, len}, &err);
}

static void test_read(void)
{
	static const struct {
		const char *text;
		int rc;
		unsigned pos;
	} rows[] = {
		{"", SPAN_E_CORRUPT, 0},
		{"x", SPAN_E_CORRUPT, 0},
		{"span-cursor 2\n", SPAN_E_FORMAT, 0},
		{"span-cursor 1\nuuid 4f3c\n", SPAN_E_CORRUPT, 24},
		{"span-cursor 1\nuuid ", SPAN_E_CORRUPT, 19},
		{"span-cursor 1\nuuid 4f3c1a52-9e0b-4c7d-8a61-52d7e9b0c3fx\n",
		 SPAN_E_CORRUPT, 55},
		{"span-cursor 1\nuuid 4f3c1a52-9e0b-4c7d-8a61-52d7e9b0c3f4\n"
		 "seq x\n",
		 SPAN_E_CORRUPT, 60},
		{"span-cursor 1\nuuid 4f3c1a52-9e0b-4c7d-8a61-52d7e9b0c3f4\n"
		 "seq 18446744073709551616\n",
		 SPAN_E_CORRUPT, 79},
		{HEAD, SPAN_E_CORRUPT, 75},
		{HEAD "waiting x 1\n", SPAN_E_CORRUPT, 83},
		{HEAD "waiting " ID "\n", SPAN_E_CORRUPT, 115},
		{HEAD "told " ID " 1\n", SPAN_E_CORRUPT, 112},
		{HEAD "told " ID "\nwaiting " ID " 1\n", SPAN_E_CORRUPT, 113},
		{HEAD "crc32c 00000000\n", SPAN_E_CORRUPT, 75},
	};
	struct span__news_state s;
	struct span_buf b = {0};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		int rc = read_state(&s, rows[i].text, strlen(rows[i].text));

		ok(rc == rows[i].rc && err.pos == rows[i].pos,
		   "row %zu: %d at %" PRIu64 ": %s", i, rc, err.pos, err.msg);
		span__news_state_release(&s);
	}
	if (span__news_state_init(&s, &err) < 0)
		abort();
	s.mark.seq = 7;
	if (span__ids_put(&s.waiting, (const uint8_t *)"0123456789abcdef", 99,
			  &err) < 0 ||
	    span__news_state_tell(&s, (const uint8_t *)"fedcba9876543210",
				  &err) < 0)
		abort();
	span__news_state_write(&s, &b);
	span__news_state_release(&s);
	is_int(read_state(&s, b.p, b.len), 0, "what was written is read");
	ok(s.mark.seq == 7 && s.waiting.n == 1 && s.waiting.v[0].key == 99 &&
		   s.told.n == 1,
	   "and is the same");
	span__news_state_release(&s);
	for (size_t i = 0; i < b.len; i++) {
		b.p[i] ^= 1;
		if (read_state(&s, b.p, b.len) == 0)
			diag("byte %zu", i);
		else
			b.p[i] ^= 1;
		span__news_state_release(&s);
	}
	is_int(read_state(&s, b.p, b.len), 0, "no byte can be another one");
	span__news_state_release(&s);
	is_int(read_state(&s, b.p, b.len - 1), SPAN_E_CORRUPT, "or be missing");
	span__news_state_release(&s);
	span_buf_release(&b);
}

static void test_other_store(void)
{
	struct span__news_state other;
	struct span_buf saved = {0};
	struct world w;

	world_open(&w, 1, 501);
	if (span__news_state_init(&other, &err) < 0)
		abort();
	span__news_state_write(&other, &saved);
	is_int(span_news_load(w.news, saved.p, saved.len, &err), SPAN_E_INVALID,
	       "what another store saved is refused");
	is_str(err.msg, "it belongs to another store", "with a sentence");
	span__news_state_release(&other);
	span_buf_release(&saved);
	world_close(&w);
}

int main(void)
{
	test_random();
	test_power_cut();
	test_begin();
	test_spans();
	test_read();
	test_other_store();
	return done_testing();
}
