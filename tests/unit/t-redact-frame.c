/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames that are redacted as a whole have the spans, and the counts, that one
 * span after another gives; and nothing else.
 */
#include "redact-frames.h"
#include "tap.h"

#include "base/banned.h"

static bool same_counts(const struct span_redact *a,
			const struct span_redact *b)
{
	bool same = span_redact_values(a) == span_redact_values(b);
	uint64_t n, m;

	for (size_t i = 0; span_redact_count(a, i, &n); i++)
		same = same && span_redact_count(b, i, &m) && n == m;
	return same;
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
	test_disagreement();
	test_growth();
	return done_testing();
}
