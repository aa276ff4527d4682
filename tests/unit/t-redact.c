/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets of each kind in every position of a span, and what else is there. */
#include <span/redact.h>
#include <span/stream.h>

#include "plant-secret.h"
#include "tap.h"

#include "base/banned.h"

static struct span_redact *open_rules(bool anonymize, const char *rule)
{
	static const uint8_t key[SPAN_REDACT_KEY] = "a key of a test";
	const struct span_redact_opts o = {.key = key, .anonymize = anonymize};
	struct span_redact *r = NULL;
	struct span_error err;

	if (span_redact_open(&r, &o, &err) < 0 ||
	    (rule && span_redact_rule(r, span_str(rule), &err) < 0) ||
	    (!rule && span_redact_defaults(r, &err) < 0))
		abort();
	return r;
}

/* The stream of S alone; empty when it is above the limit of one. */
static void stream_of(const struct span *s, struct span_buf *out)
{
	struct span_writer *w;
	struct span_error err;

	out->len = 0;
	if (span_writer_open_mem(&w, out, &err) < 0)
		abort();
	if (span_writer_put(w, s, &err) >= 0 && span_writer_flush(w, &err) < 0)
		abort();
	span_writer_close(&w);
}

/* Is what comes out of the stream of S, in a frame, WANT? */
static bool is_same_in_frame(struct span_redact *r, const struct span *s,
			     const struct span *want)
{
	struct span_buf in = {0};
	struct span_frame *frame;
	struct span_error err;
	struct span got, out;
	bool same = true;
	size_t used;

	stream_of(s, &in);
	if (span_frame_open(&frame, &err) < 0)
		abort();
	if (in.len) {
		if (span_frame_parse(frame, in.p, in.len, &used, &err) <= 0 ||
		    span_frame_next(frame, &got, &err) <= 0)
			abort();
		span_redact_frame(r);
		/* Twice: the second time everything is known. */
		for (int i = 0; i < 2; i++)
			same = same &&
			       span_redact_span(r, &got, &out, &err) == 1 &&
			       span_equal(&out, want);
	}
	span_frame_close(&frame);
	span_buf_release(&in);
	return same;
}

static bool finds(const struct span *s, const char *needle)
{
	struct span_buf b = {0};
	bool found;

	stream_of(s, &b);
	found = b.len && memmem(b.p, b.len, needle, strlen(needle));
	span_buf_release(&b);
	return found;
}

/* Plant SECRET at PLACE of CLEAN, of which nothing is to be redacted. */
static bool survives(struct span_redact *r, struct span_redact *framed,
		     struct rnd *rnd, const struct span *clean,
		     enum place place, const struct secret *secret)
{
	struct span planted = plant(rnd, clean, place, secret->text);
	struct span want = plant(rnd, clean, place, secret->want), got;
	struct span_error err;

	if (stays(place, secret))
		return false;
	if (span_redact_span(r, &planted, &got, &err) == 1 &&
	    span_equal(&got, &want) && !finds(&got, secret->needle) &&
	    is_same_in_frame(framed, &planted, &want))
		return false;
	diag("'%s' at place %d", secret->text, place);
	return true;
}

static void test_planted(void)
{
	struct span_redact *r = open_rules(false, NULL);
	struct span_redact *framed = open_rules(false, NULL);
	struct span_arena arena = {0};
	unsigned left = 0, again = 0;

	for (uint64_t seed = 0; seed < 60; seed++) {
		struct rnd rnd = {seed, &arena};
		struct span s = rnd_span(&rnd, rnd_process(&rnd)), clean, out;
		struct span_error err;

		if (span_redact_span(r, &s, &out, &err) < 0 ||
		    span_copy(&clean, &out, &arena) < 0)
			abort();
		again += span_redact_span(r, &clean, &out, &err) != 0;
		for (size_t i = 0; i < N_SECRETS; i++)
			for (int place = 0; place < N_PLACES; place++)
				left += survives(r, framed, &rnd, &clean,
						 (enum place)place,
						 &secrets[i]);
		span_arena_reset(&arena);
	}
	is_int(left, 0, "no secret survives anywhere, nothing else changes");
	is_int(again, 0, "what was redacted once stays as it is");
	span_arena_release(&arena);
	span_redact_close(&r);
	span_redact_close(&framed);
}

static void test_numbers(void)
{
	static const struct {
		struct span_value in;
		const char *want;
	} cases[] = {
		{{SPAN_INT, {.i = 4111111111111111}}, "[card]"},
		{{SPAN_DOUBLE, {.d = 4111111111111111.0}}, "[card]"},
		{{SPAN_INT, {.i = -987654321}}, "-[digits]"},
		{{SPAN_INT, {.i = 98765432}}, NULL},
		{{SPAN_DOUBLE, {.d = 0.1234567890123}}, NULL},
		{{SPAN_BOOL, {.b = true}}, NULL},
	};
	struct span_redact *r = open_rules(false, NULL);
	struct span_process process = {.service = SPAN_STR("a")};
	struct span_error err;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct span_attr attr = {SPAN_STR("n"), cases[i].in};
		struct span s = {.process = &process, .attrs = {&attr, 1, 0}};
		struct span out;
		int rc = span_redact_span(r, &s, &out, &err);

		is_int(rc, cases[i].want != NULL, "number %zu", i);
		if (rc > 0)
			ok(span_str_equal(out.attrs.v[0].value.str,
					  span_str(cases[i].want)),
			   "number %zu is %s", i, cases[i].want);
	}
	span_redact_close(&r);
}

/* Everything that is no word of a convention is hashed, ids and times move. */
static void test_anonymous(void)
{
	const struct secret name = {"Hushhush-1", "", "ushhush"};
	struct span_redact *r = open_rules(true, NULL);
	struct span_arena arena = {0};
	struct span_error err;
	unsigned left = 0, wrong = 0;
	uint64_t shift = 0;

	for (uint64_t seed = 0; seed < 200; seed++) {
		struct rnd rnd = {seed, &arena};
		struct span s = rnd_span(&rnd, rnd_process(&rnd)), out, child;

		s.start_ns = UINT64_C(1780000000000000000) + seed;
		s.span_id[0] = 1;
		for (int place = 0; place < N_PLACES; place++) {
			struct span in =
				plant(&rnd, &s, (enum place)place, name.text);

			wrong += span_redact_span(r, &in, &out, &err) != 1;
			left += finds(&out, name.needle);
		}
		wrong += !memcmp(out.span_id, s.span_id, 8);
		wrong += memcmp(out.trace_id + 8, s.trace_id + 8, 8) == 0 &&
			 rnd_next(&rnd) && s.trace_id[8];
		wrong += out.duration_ns != s.duration_ns;
		wrong += shift && s.start_ns - out.start_ns != shift;
		shift = s.start_ns - out.start_ns;
		child = (struct span){.process = s.process};
		memcpy(child.trace_id, s.trace_id, 16);
		memcpy(child.parent_id, s.span_id, 8);
		if (span_copy(&s, &out, &arena) < 0)
			abort();
		wrong += span_redact_span(r, &child, &out, &err) != 1;
		wrong += memcmp(out.trace_id, s.trace_id, 16) != 0;
		wrong += memcmp(out.parent_id, s.span_id, 8) != 0;
		wrong += out.start_ns != 0;
		span_arena_reset(&arena);
	}
	is_int(left, 0, "no name is left when spans are anonymous");
	is_int(wrong, 0, "ids fit, and times are moved by the same");
	ok(shift > UINT64_C(365) * 86400 * 1000000000, "by a year or more");
	span_arena_release(&arena);
	span_redact_close(&r);
}

/* A rule that cannot be judged lets nothing through. */
static void test_limits(void)
{
	struct span_redact *r = open_rules(false, "mask * ~(a+)+$");
	struct span_process process = {.service = SPAN_STR("a")};
	char *text = malloc(SPAN_MAX_STRING);
	struct span_attr attr = {.value.type = SPAN_INT};
	struct span s = {.process = &process, .attrs = {&attr, 1, 0}}, out;
	struct span_error err;

	if (!text)
		abort();
	for (size_t i = 0; i < SPAN_MAX_STRING; i++)
		text[i] = 'a';
	text[SPAN_MAX_STRING - 1] = '!';
	attr.key = (struct span_str){text, SPAN_MAX_STRING};
	is_int(span_redact_span(r, &s, &out, &err), SPAN_E_LIMIT,
	       "a regular expression that takes too long");
	span_redact_close(&r);
	r = open_rules(false, NULL);
	is_int(span_redact_span(r, &s, &out, &err), 0, "a key of 64 KiB");
	text[SPAN_MAX_STRING - 2] = '@';
	span_redact_close(&r);
	r = open_rules(false, "drop *@!");
	is_int(span_redact_span(r, &s, &out, &err), 1, "which a glob finds");
	is_int(out.attrs.n, 0, "by its end");
	span_redact_close(&r);
	r = open_rules(false, NULL);
	memcpy(text + SPAN_MAX_STRING / 2, "PassWord", 8);
	is_int(span_redact_span(r, &s, &out, &err), 1, "or by its middle");
	ok(span_str_equal(out.attrs.v[0].value.str, SPAN_STR("[redacted]")),
	   "as it names a secret");
	span_redact_close(&r);
	free(text);
}

int main(void)
{
	test_planted();
	test_numbers();
	test_anonymous();
	test_limits();
	return done_testing();
}
