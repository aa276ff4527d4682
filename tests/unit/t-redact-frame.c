/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames that are redacted as a whole have the spans, and the counts, that one
 * span after another gives; and nothing else.
 */
#include <span/redact.h>

#include "base/crc32c.h"
#include "plant-secret.h"
#include "tap.h"

#include "base/banned.h"

static struct span_redact *open_rules(const char *rules)
{
	static const uint8_t key[SPAN_REDACT_KEY] = "a key of a test";
	const struct span_redact_opts o = {.key = key};
	struct span_redact *r = NULL;
	struct span_error err;

	if (span_redact_open(&r, &o, &err) < 0)
		abort();
	while (rules && *rules) {
		size_t n = strcspn(rules, "\n");

		if (span_redact_rule(r, (struct span_str){rules, n}, &err) < 0)
			abort();
		rules += n + (rules[n] == '\n');
	}
	if (!rules && span_redact_defaults(r, &err) < 0)
		abort();
	return r;
}

static struct span_writer *open_writer(struct span_buf *out)
{
	struct span_writer *w;
	struct span_error err;

	if (span_writer_open_mem(&w, out, &err) < 0)
		abort();
	return w;
}

static struct span_frame *open_frame(struct span_str bytes)
{
	struct span_frame *f;
	struct span_error err;
	size_t used;

	if (span_frame_open(&f, &err) < 0 ||
	    span_frame_parse(f, bytes.p, bytes.len, &used, &err) <= 0 ||
	    used != bytes.len)
		abort();
	return f;
}

/* The spans that are not above a limit, in one frame; how many they are. */
static size_t frame_of(const struct span *spans, size_t n, struct span_buf *out)
{
	struct span_writer *w = open_writer(out);
	struct span_error err;
	size_t put = 0;

	for (size_t i = 0; i < n; i++)
		put += span_writer_put(w, &spans[i], &err) == 0;
	if (span_writer_flush(w, &err) < 0)
		abort();
	span_writer_close(&w);
	return put;
}

/* What span_redact_put_frame() says, and writes. */
static int whole(struct span_redact *r, struct span_str in,
		 struct span_buf *out, uint32_t *changed)
{
	struct span_frame *f = open_frame(in);
	struct span_writer *w = open_writer(out);
	struct span_error err;
	int rc = span_redact_put_frame(r, f, w, changed, &err);

	if (rc < 0 || (!rc && out->len))
		abort();
	span_writer_close(&w);
	span_frame_close(&f);
	return rc;
}

/* Are the spans of OUT those of IN as R leaves them, CHANGED of them others? */
static bool is_right(struct span_redact *r, struct span_str in,
		     struct span_str out, uint32_t changed)
{
	struct span_frame *a = open_frame(in), *b = open_frame(out);
	struct span_error err;
	struct span s, want, got;
	bool same = span_frame_validate(b, &err) == 0;
	uint32_t n = 0;

	span_redact_frame(r);
	while (same && span_frame_next(a, &s, &err) > 0) {
		int rc = span_redact_span(r, &s, &want, &err);

		same = rc >= 0 && span_frame_next(b, &got, &err) > 0 &&
		       span_equal(&want, &got);
		n += rc > 0;
	}
	same = same && span_frame_next(b, &got, &err) == 0 && n == changed;
	span_frame_close(&a);
	span_frame_close(&b);
	return same;
}

static bool same_counts(const struct span_redact *a,
			const struct span_redact *b)
{
	bool same = span_redact_values(a) == span_redact_values(b);
	uint64_t n, m;

	for (size_t i = 0; span_redact_count(a, i, &n); i++)
		same = same && span_redact_count(b, i, &m) && n == m;
	return same;
}

static struct span_str contents(const struct span_buf *b)
{
	return (struct span_str){b->p, b->len};
}

/*
 * Compare both ways for N spans: 1 they are equal, and NEEDLE is nowhere; 0 it
 * did not go; -1 they differ.
 */
static int compare(const char *rules, const struct span *spans, size_t n,
		   const char *needle)
{
	struct span_redact *fast = open_rules(rules), *slow = open_rules(rules);
	struct span_buf in = {0}, out = {0};
	uint32_t changed;
	int rc = 0;

	if (frame_of(spans, n, &in) &&
	    whole(fast, contents(&in), &out, &changed))
		rc = is_right(slow, contents(&in), contents(&out), changed) &&
				     same_counts(fast, slow) &&
				     !(needle && memmem(out.p, out.len, needle,
							strlen(needle)))
			     ? 1
			     : -1;
	else if (span_redact_values(fast))
		rc = -1;
	span_buf_release(&in);
	span_buf_release(&out);
	span_redact_close(&fast);
	span_redact_close(&slow);
	return rc;
}

/* Where values are in no table, or are looked at by other rules elsewhere. */
static bool may_not_go(enum place place, const struct secret *secret)
{
	return place == IN_BYTES || place == IN_ARRAY || place == IN_MAP ||
	       place == IN_MAP_KEY || place == IN_DEEP || stays(place, secret);
}

static void test_planted(void)
{
	struct span_arena arena = {0};
	unsigned wrong = 0, slow = 0;

	for (uint64_t seed = 0; seed < 12; seed++) {
		struct rnd rnd = {seed, &arena};
		const struct span_process process = {.service = SPAN_STR("a"),
						     .serial = 1};
		struct span spans[3] = {
			{.process = &process, .name = SPAN_STR("n")}};

		for (size_t i = 0; i < N_SECRETS; i++)
			for (int p = 0; p < N_PLACES; p++) {
				enum place place = (enum place)p;
				int rc;

				spans[1] = plant(&rnd, spans, place,
						 secrets[i].text);
				spans[2] = plant(&rnd, spans,
						 (enum place)(seed * 2),
						 secrets[i].text);
				rc = compare(NULL, spans, 2,
					     stays(place, &secrets[i])
						     ? NULL
						     : secrets[i].needle);
				wrong += rc < 0;
				slow += !rc && !may_not_go(place, &secrets[i]);
				if (rc < 0)
					diag("'%s' at place %d",
					     secrets[i].text, p);
				wrong += compare(NULL, spans, 3, NULL) < 0;
			}
		span_arena_reset(&arena);
	}
	is_int(wrong, 0, "no secret survives in a frame, and both ways agree");
	is_int(slow, 0, "a secret in the table is no reason for the long way");
	span_arena_release(&arena);
}

static const char *const random_rules[] = {
	NULL,
	"mask *",
	"mask zzz",
	"drop field:state\nhash span:*",
	"keep error\nmask=error * ~true|GET",
	"mask=span.kind field:key ~error",
	"truncate=3 *",
	"truncate=0 *",
	"template={hash}-{first:9}{length} process:*\nkeep span:*\nhash *",
	"mask scope:*\nmask=e event:*\nmask link:*\nhash field:name",
	"drop span:error",
	"mask * @digits\nmask * ~caf",
};
#define N_RULES (sizeof(random_rules) / sizeof(*random_rules))

/* Spans of all kinds, from nearly none to those of a frame. */
static void test_random(void)
{
	struct span_arena arena = {0};
	unsigned wrong = 0, went = 0;

	for (uint64_t seed = 0; seed < 600; seed++) {
		struct rnd rnd = {seed, &arena};
		const struct span_process *process = rnd_process(&rnd);
		const char *rules = random_rules[seed % N_RULES];
		struct span spans[20];
		size_t n = 1 + rnd_below(&rnd, 1 + rnd_below(&rnd, 20));
		int rc;

		for (size_t i = 0; i < n; i++) {
			if (!rnd_below(&rnd, 4))
				process = rnd_process(&rnd);
			spans[i] = rnd_span(&rnd, process);
		}
		rc = compare(rules, spans, n, NULL);
		wrong += rc < 0;
		went += rc > 0;
		if (rc < 0)
			diag("seed %" PRIu64, seed);
		span_arena_reset(&arena);
	}
	is_int(wrong, 0, "both ways agree about random spans");
	ok(went > 100, "%u frames of 600 went as a whole", went);
	span_arena_release(&arena);
}

/* 40 spans of 2 services, of which every third has a secret. */
struct many {
	struct span_process processes[2];
	struct span_attr attrs[40];
	struct span spans[40];
};

static void many_spans(struct many *m)
{
	for (size_t i = 0; i < 2; i++)
		m->processes[i] = (struct span_process){
			.service = i ? SPAN_STR("a") : SPAN_STR("b"),
			.serial = i + 1};
	for (size_t i = 0; i < 40; i++) {
		m->attrs[i] = (struct span_attr){
			SPAN_STR("note"),
			text_value(i % 3 ? SPAN_STR("plain")
					 : SPAN_STR("at 10.11.12.13"))};
		m->spans[i] = (struct span){.process = &m->processes[i % 2],
					    .name = SPAN_STR("n"),
					    .attrs = {&m->attrs[i], 1, 0}};
	}
}

/* What spans that were left out had is still in the tables of a slice. */
static void test_unused(void)
{
	struct span_redact *r = open_rules("mask zzz");
	struct span_buf in = {0}, slice = {0}, out = {0};
	struct many m;
	uint8_t keep[5] = {0xb6, 0x6d, 0xdb, 0xb6, 0x6d};
	struct span_frame *f;
	struct span_writer *w;
	struct span_error err;
	uint32_t changed;

	many_spans(&m);
	frame_of(m.spans, 40, &in);
	f = open_frame(contents(&in));
	w = open_writer(&slice);
	if (span_writer_put_slice(w, f, keep, &err) < 0)
		abort();
	span_writer_close(&w);
	span_frame_close(&f);
	ok(memmem(slice.p, slice.len, "11.12", 5), "a slice has old texts");
	is_int(whole(r, contents(&slice), &out, &changed), 1,
	       "it goes as a whole");
	ok(!memmem(out.p, out.len, "11.12", 5), "and has none after that");
	ok(is_right(r, contents(&slice), contents(&out), 0), "but its spans");
	span_buf_release(&in);
	span_buf_release(&slice);
	span_buf_release(&out);
	span_redact_close(&r);
}

/* Put another head and WHAT at the end of a frame, whose sum is right. */
static void add_element(struct span_buf *b, const char *what)
{
	uint32_t crc;

	b->p[0] = (char)0x9c;
	crc = span__crc32c(0, b->p, b->len - 5);
	for (int i = 0; i < 4; i++)
		b->p[b->len - 4 + i] = (char)(crc >> 8 * (3 - i));
	span_buf_putc(b, (char)(0xa0 | strlen(what)));
	span_buf_puts(b, what);
}

/* What is not looked at is not passed on. */
static void test_unknown(void)
{
	struct span_redact *r = open_rules(NULL);
	struct span_buf in = {0}, out = {0};
	struct many m;
	uint32_t changed;

	many_spans(&m);
	frame_of(m.spans, 40, &in);
	is_int(whole(r, contents(&in), &out, &changed), 1, "a frame goes");
	is_int(changed, 14, "14 of its spans changed");
	is_uint(span_redact_values(r), 14, "and so many values");
	out.len = 0;
	add_element(&in, "10.1.2.3");
	is_int(whole(r, contents(&in), &out, &changed), 0,
	       "but not with an element of a later version");
	span_buf_release(&in);
	span_buf_release(&out);
	span_redact_close(&r);
}

/* One text, of which one use stays and another does not. */
static void test_disagreement(void)
{
	const struct span_process process = {.service = SPAN_STR("a")};
	const struct span_scope scope = {.version = SPAN_STR("1.2.3.4")};
	struct span_attr attr = {SPAN_STR("note"),
				 text_value(SPAN_STR("1.2.3.4"))};
	struct span s[] = {
		{.process = &process, .scope = &scope, .name = SPAN_STR("n")},
		{.process = &process, .attrs = {&attr, 1, 0}}};

	is_int(compare(NULL, s, 1, NULL), 1, "a version stays");
	is_int(compare(NULL, s + 1, 1, "2.3"), 1, "an address goes");
	is_int(compare(NULL, s, 2, NULL), 0, "both are not to be had at once");
	attr.value.str = SPAN_STR("n");
	is_int(compare("mask note ~n\nmask=[redacted] field:name", s, 2, NULL),
	       1, "two rules may come to the same");
	is_int(compare("drop note", s + 1, 1, NULL), 0,
	       "what is dropped takes the long way");
	is_int(compare("mask * ~(a|aa)+$\nmask note", s + 1, 1, NULL), 1,
	       "a regular expression that can be judged");
}

/* A text that grows in very many places makes a span that nobody can read. */
static void test_growth(void)
{
	const struct span_process process = {.service = SPAN_STR("a")};
	struct span_attr attrs[SPAN_MAX_ATTRS];
	struct span s = {.process = &process,
			 .attrs = {attrs, SPAN_MAX_ATTRS, 0}};
	char rule[4096];

	for (size_t i = 0; i < SPAN_MAX_ATTRS; i++)
		attrs[i] = (struct span_attr){SPAN_STR("k"),
					      text_value(SPAN_STR("v"))};
	memset(rule, 'x', sizeof(rule));
	memcpy(rule, "mask=", 5);
	memcpy(rule + 900, " k", 3);
	is_int(compare(rule, &s, 1, NULL), 1, "a text that grows");
	memset(rule + 900, 'x', 3);
	memcpy(rule + 1100, " k", 3);
	is_int(compare(rule, &s, 1, NULL), 0, "and one that grows too much");
}

int main(void)
{
	test_planted();
	test_random();
	test_unused();
	test_unknown();
	test_disagreement();
	test_growth();
	return done_testing();
}
