/* SPDX-License-Identifier: Apache-2.0 */
/* Which files are sealed together, over days, with a clock that is made up. */
#include "store/store_plan.h"

#include "tap.h"

#define NS 1000000000ull
#define HOUR (3600 * NS)
#define MIB (1ull << 20)

/* A store whose logs close every STEP and have so many spans and bytes. */
struct life {
	struct span__plan_file v[4096];
	size_t n;
	uint64_t written; /* spans that went into segments, again and again */
	uint64_t seals;
	size_t most; /* segments at a time */
};

static struct life life;

static const struct span__plan_limits limits = {
	.max_spans = 1000000,
	.memory = 256 * MIB,
	.max_age_ns = 2 * HOUR,
};

static void add_log(uint64_t spans, uint64_t now)
{
	life.v[life.n++] = (struct span__plan_file){
		.spans = spans,
		.bytes = spans * 137,
		.arrival_ns = now,
	};
}

static size_t segments(void)
{
	size_t n = 0;

	for (size_t i = 0; i < life.n; i++)
		n += life.v[i].segment;
	return n;
}

/* What sealing makes of the group. */
static void replace(const struct span__plan *p)
{
	struct span__plan_file *first = &life.v[p->first];
	struct span__plan_file seg = {.segment = true};

	for (size_t i = 0; i < p->count; i++) {
		seg.spans += first[i].spans;
		seg.bytes += first[i].spans * 17;
		seg.memory += first[i].spans * 100;
		seg.arrival_ns = first[i].arrival_ns;
	}
	life.written += seg.spans;
	life.seals++;
	*first = seg;
	memmove(first + 1, first + p->count,
		(life.n - p->first - p->count) * sizeof(*first));
	life.n -= p->count - 1;
}

static void seal(uint64_t now, bool all)
{
	struct span__plan_limits l = limits;
	struct span__plan p;

	l.now_ns = now;
	l.all = all;
	while (span__plan_next(life.v, life.n, 0, &l, &p))
		replace(&p);
	if (segments() > life.most)
		life.most = segments();
}

/* Traffic of RATE spans/s for so long; logs close by age and by size. */
static uint64_t run(double rate, uint64_t seconds, bool all)
{
	uint64_t step = 600, total = 0;

	memset(&life, 0, sizeof(life));
	if (rate * 600 * 137 > 64.0 * MIB)
		step = (uint64_t)(64.0 * MIB / 137 / rate) + 1;
	for (uint64_t t = step; t <= seconds; t += step) {
		uint64_t spans = (uint64_t)(rate * (double)step);

		add_log(spans, t * NS);
		total += spans;
		seal(t * NS, all);
	}
	return total;
}

static void test_days(void)
{
	uint64_t total = run(1, 86400, false);

	ok(segments() <= 4, "a day at 1 span/s: %zu segments", segments());
	ok(life.n - segments() <= 13, "and %zu logs", life.n - segments());
	ok(life.written <= 6 * total, "a span is written %.1f times",
	   (double)life.written / (double)total);
	total = run(1, 7 * 86400, false);
	ok(segments() <= 8, "a week: %zu segments", segments());
	ok(life.written <= 8 * total, "a span is written %.1f times",
	   (double)life.written / (double)total);
	total = run(1, 86400, true);
	ok(life.most <= 9, "a day, each log sealed at once: %zu segments",
	   life.most);
	ok(life.written <= 10 * total, "a span is written %.1f times",
	   (double)life.written / (double)total);
	total = run(1000, 86400, false);
	ok(segments() <= total / 700000, "a day at 1000 spans/s: %zu segments",
	   segments());
	ok(life.written <= 3 * total, "a span is written %.1f times",
	   (double)life.written / (double)total);
	total = run(300000, 600, false);
	ok(life.n - segments() < 3, "10 minutes at 300,000 spans/s: %zu logs",
	   life.n - segments());
	ok(life.written <= total, "none is written twice");
	for (size_t i = 0; i < life.n; i++) {
		if (life.v[i].spans > 1500000)
			ok(false, "a segment of %llu spans",
			   (unsigned long long)life.v[i].spans);
	}
}

/* "l" a log, "s" a segment, "x" what must stay; a digit: thousands. */
static const struct {
	const char *name, *files;
	bool all;
	uint64_t now_h;
	uint64_t memory;
	size_t from, first, count, logs; /* count 0: nothing is due */
} rows[] = {
	{"nothing", "", true, 9, 0, 0, 0, 0, 0},
	{"young logs", "l1l1", false, 1, 0, 0, 0, 0, 0},
	{"young logs, all", "l1l1", true, 1, 0, 0, 0, 2, 2},
	{"old logs", "l1l1", false, 3, 0, 0, 0, 2, 2},
	{"segments alone", "s9s9", true, 9, 0, 0, 0, 0, 0},
	{"a small segment joins", "s2l1", true, 9, 0, 0, 0, 2, 1},
	{"a large one does not", "s3l1", true, 9, 0, 0, 1, 1, 1},
	{"several join", "s9s2s1l1", true, 9, 0, 0, 1, 3, 1},
	{"not across what must stay", "s1x1l1", true, 9, 0, 0, 2, 1, 1},
	{"logs on both sides", "l1x1l1l1", true, 9, 0, 0, 0, 1, 1},
	{"the other side", "l1x1l1l1", true, 9, 0, 1, 2, 2, 2},
	{"logs before a segment", "l1s1l1", true, 9, 0, 0, 0, 1, 1},
	{"memory for one of two", "s1s1l1", true, 9, 250000, 0, 1, 2, 1},
	{"memory for none", "s1s1l1", true, 9, 150000, 0, 2, 1, 1},
};

static void test_rows(void)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct span__plan_limits l = limits;
		struct span__plan p = {0};
		const char *f = rows[i].files;

		memset(&life, 0, sizeof(life));
		for (; *f; f += 2) {
			add_log((uint64_t)(f[1] - '0') * 1000, HOUR / 2);
			life.v[life.n - 1].segment = *f == 's';
			life.v[life.n - 1].fixed = *f == 'x';
			if (*f == 's')
				life.v[life.n - 1].memory = 100000;
		}
		l.all = rows[i].all;
		l.now_ns = rows[i].now_h * HOUR;
		if (rows[i].memory)
			l.memory = rows[i].memory;
		if (!span__plan_next(life.v, life.n, rows[i].from, &l, &p))
			p = (struct span__plan){0};
		ok(p.count == rows[i].count && p.logs == rows[i].logs &&
			   (!p.count || p.first == rows[i].first),
		   "%s: %zu files from %zu on, %zu logs", rows[i].name, p.count,
		   p.first, p.logs);
	}
}

/* Hostile counts must not overflow. */
static void test_extremes(void)
{
	struct span__plan_limits l = limits;
	struct span__plan p;

	l.now_ns = UINT64_MAX;
	for (uint64_t max = 0; max < 3; max++) {
		memset(&life, 0, sizeof(life));
		for (size_t i = 0; i < 8; i++) {
			add_log(UINT64_MAX - i, i % 2 ? UINT64_MAX : 0);
			life.v[i].bytes = UINT64_MAX;
			life.v[i].segment = i < 4;
			life.v[i].memory = UINT64_MAX - max;
		}
		l.max_spans = max ? UINT64_MAX / max : 0;
		ok(span__plan_next(life.v, life.n, 0, &l, &p) && p.count <= 8,
		   "extremes: %zu files", p.count);
	}
}

int main(void)
{
	test_rows();
	test_days();
	test_extremes();
	return done_testing();
}
