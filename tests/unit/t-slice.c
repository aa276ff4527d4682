/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Slices of frames with other trace states: patched, they hold the spans that
 * they would hold if each was changed and encoded.
 */
#include <span/sample.h>
#include <span/stream.h>

#include "tests/unit/random-span.h"
#include "tests/unit/tap.h"

#define N 2000

static struct span_arena arena;
static struct span spans[N];
static struct span_error err;
static struct span_buf text;
static unsigned asked;

/* What keeps a quarter leaves. */
static int quarter(void *arg, struct span_str *state, struct span_error *e)
{
	struct span s = {.trace_state = *state};
	struct span_ratio r = {0};
	struct span_verdict v = {.keep = true, .by_ratio = true, .p = 0.25};
	int rc = span_sample_mark(&s, &r, &v, &text, e);

	(void)arg;
	asked++;
	*state = s.trace_state;
	return rc;
}

static void make_spans(uint64_t seed, bool with_states)
{
	static const char *const states[] = {"", "ot=th:4", "a=1,ot=th:f",
					     "b=2"};
	struct rnd r = {seed, &arena};
	const struct span_process *p = NULL;

	for (size_t i = 0; i < N; i++) {
		if (!p || !rnd_below(&r, 50))
			p = rnd_process(&r);
		spans[i] = rnd_span(&r, p);
		if (!with_states || rnd_below(&r, 2))
			spans[i].trace_state = span_str(
				states[with_states ? rnd_below(&r, 4) : 0]);
	}
}

static void write_spans(struct span_buf *out, const struct span *v, size_t n)
{
	struct span_writer *w;
	int bad = 0;

	out->len = 0;
	bad |= span_writer_open_mem(&w, out, &err);
	for (size_t i = 0; i < n; i++)
		bad |= span_writer_put(w, &v[i], &err);
	bad |= span_writer_flush(w, &err);
	if (bad)
		abort();
	span_writer_close(&w);
}

/* Every text of a frame that is not empty is there once. */
static bool texts_are_once(const struct span_frame *f)
{
	const struct span_frame_info *info = span_frame_info(f);

	for (size_t i = 0; i < info->n_strings; i++)
		for (size_t j = 0; j < i; j++)
			if (info->strings[i].len &&
			    span_str_equal(info->strings[i], info->strings[j]))
				return false;
	return true;
}

/* The share of the spans of each frame: of 10. */
static bool is_kept(size_t i, unsigned tenths)
{
	return i * 7 % 10 < tenths;
}

static void compare(const struct span_buf *out, unsigned tenths)
{
	size_t equal = 0, want = 0, frames = 0, once = 0;
	struct span_frame *f;
	struct span_reader *r;
	struct span s;
	int rc = 0;

	if (span_reader_open_mem(&r, out->p, out->len, NULL, &err))
		abort();
	for (size_t i = 0; i < N; i++) {
		struct span marked = spans[i];

		if (!is_kept(i, tenths))
			continue;
		want++;
		if (quarter(NULL, &marked.trace_state, &err) < 0)
			abort();
		rc = span_reader_next(r, &s, &err);
		if (rc > 0 && span_equal(&s, &marked))
			equal++;
	}
	is_uint(equal, want, "%u tenths: all that is kept has its state",
		tenths);
	is_int(span_reader_next(r, &s, &err), 0, "and nothing else is there");
	span_reader_close(&r);
	if (span_reader_open_mem(&r, out->p, out->len, NULL, &err))
		abort();
	while ((rc = span_reader_next_frame(r, &f, &err)) > 0) {
		frames++;
		once += !span_frame_validate(f, &err) && texts_are_once(f);
	}
	is_uint(once, frames, "the frames are valid, their texts unique");
	span_reader_close(&r);
}

/* Change what is kept of IN; the code of the last call. */
static int slice(const struct span_buf *in, struct span_buf *out,
		 unsigned tenths, span_trace_state_fn fn)
{
	struct span_reader *r;
	struct span_writer *w;
	struct span_frame *f;
	size_t i = 0;
	int rc;

	out->len = 0;
	if (span_reader_open_mem(&r, in->p, in->len, NULL, &err) ||
	    span_writer_open_mem(&w, out, &err))
		abort();
	while ((rc = span_reader_next_frame(r, &f, &err)) > 0) {
		uint8_t keep[SPAN_FRAME_SPANS / 8] = {0};

		for (uint32_t j = 0; j < span_frame_info(f)->n_spans; j++, i++)
			keep[j / 8] |= (uint8_t)(is_kept(i, tenths) << j % 8);
		rc = span_writer_put_slice_states(w, f, keep, fn, NULL, &err);
		if (rc < 0)
			break;
	}
	if (rc >= 0)
		rc = span_writer_flush(w, &err);
	span_writer_close(&w);
	span_reader_close(&r);
	return rc;
}

static void test_random(uint64_t seed, bool with_states)
{
	struct span_buf in = {0}, out = {0};

	diag("seed %llu", (unsigned long long)seed);
	make_spans(seed, with_states);
	write_spans(&in, spans, N);
	for (unsigned tenths = 0; tenths <= 10; tenths += 2) {
		is_int(slice(&in, &out, tenths, quarter), 0, "it is sliced: %s",
		       err.msg);
		compare(&out, tenths);
	}
	span_buf_release(&in);
	span_buf_release(&out);
}

/* Without states of their own the spans of a frame are asked for once. */
static void test_once(void)
{
	struct span_process p = {.service = SPAN_STR("svc")};
	struct span same[SPAN_FRAME_SPANS];
	struct span_buf in = {0}, out = {0};

	for (size_t i = 0; i < SPAN_FRAME_SPANS; i++)
		same[i] = (struct span){
			.span_id = {1}, .process = &p, .start_ns = i};
	write_spans(&in, same, SPAN_FRAME_SPANS);
	asked = 0;
	is_int(slice(&in, &out, 10, quarter), 0, "a frame of like spans");
	is_uint(asked, 1, "their state is asked for once");
	ok(out.len < in.len + 256 * 8, "and takes few bytes of each: %zu, %zu",
	   in.len, out.len);
	span_buf_release(&in);
	span_buf_release(&out);
}

static int refuse(void *arg, struct span_str *state, struct span_error *e)
{
	(void)arg;
	(void)state;
	return span_error_set(e, SPAN_E_INVALID, "no state");
}

static int empty(void *arg, struct span_str *state, struct span_error *e)
{
	(void)arg;
	(void)e;
	*state = (struct span_str){0};
	return 0;
}

/* A state that is as long as can be, and one that is longer. */
static int longer(void *arg, struct span_str *state, struct span_error *e)
{
	static char big[SPAN_MAX_STRING + 1];

	(void)arg;
	(void)e;
	*state = (struct span_str){big, sizeof(big)};
	return 0;
}

/* The trace states after FN; -1 when one is another, else their length. */
static int64_t state_len(const struct span_buf *out, size_t n)
{
	struct span_reader *r;
	struct span s;
	size_t i = 0, len = 0;

	if (span_reader_open_mem(&r, out->p, out->len, NULL, &err))
		abort();
	while (span_reader_next(r, &s, &err) > 0) {
		if (i++ && s.trace_state.len != len)
			break;
		len = s.trace_state.len;
	}
	span_reader_close(&r);
	return i == n ? (int64_t)len : -1;
}

/* Is it small enough for a stream? */
static bool is_taken(const struct span *s)
{
	struct span_buf b = {0};
	struct span_writer *w;
	int rc;

	if (span_writer_open_mem(&w, &b, &err))
		abort();
	rc = span_writer_put(w, s, &err);
	span_writer_close(&w);
	span_buf_release(&b);
	return rc == 0;
}

static void test_limits(void)
{
	struct span_process p = {.service = SPAN_STR("svc")};
	struct span_buf in = {0}, out = {0};
	char *big = calloc(1, SPAN_MAX_STRING);
	struct span_attr a[17];
	struct span s = {.process = &p,
			 .status_message = SPAN_STR("a message"),
			 .trace_state = SPAN_STR("a=1")};

	write_spans(&in, &s, 1);
	is_int(slice(&in, &out, 10, refuse), SPAN_E_INVALID,
	       "who says no ends it: %s", err.msg);
	is_int(slice(&in, &out, 10, empty), 0, "a state can be taken away");
	is_int(state_len(&out, 1), 0, "and is not there then");
	is_int(slice(&in, &out, 10, longer), 0, "one above 64 KiB");
	is_int(state_len(&out, 1), 3, "leaves what was there");
	for (int i = 0; i < 16; i++)
		a[i] = (struct span_attr){
			SPAN_STR("k"),
			{.type = SPAN_BYTES, .str = {big, SPAN_MAX_STRING}}};
	s.attrs = (struct span_attrs){a, 16, 0};
	s.trace_state = (struct span_str){0};
	a[15].value.str.len -= 200;
	while (is_taken(&s))
		a[15].value.str.len++;
	a[15].value.str.len--;
	write_spans(&in, &s, 1);
	is_int(slice(&in, &out, 10, quarter), 0, "a span of 1 MiB");
	is_int(state_len(&out, 1), 0, "stays what it is");
	free(big);
	span_buf_release(&in);
	span_buf_release(&out);
}

/* More states than are looked for one by one: they are encoded. */
static void test_many(void)
{
	struct span_process p = {.service = SPAN_STR("svc")};
	struct span many[200];
	char names[200][8];
	struct span_buf in = {0}, out = {0};
	struct span_reader *r;
	struct span s;
	size_t good = 0;

	for (size_t i = 0; i < 200; i++) {
		snprintf(names[i], sizeof(names[i]), "a=%zu", i);
		many[i] = (struct span){.process = &p,
					.trace_state = span_str(names[i])};
	}
	write_spans(&in, many, 200);
	is_int(slice(&in, &out, 10, quarter), 0, "200 states in a frame");
	if (span_reader_open_mem(&r, out.p, out.len, NULL, &err))
		abort();
	for (size_t i = 0; i < 200; i++)
		if (span_reader_next(r, &s, &err) > 0 &&
		    s.trace_state.len == 8 + strlen(names[i]) &&
		    !memcmp(s.trace_state.p + 8, names[i], strlen(names[i])))
			good++;
	is_uint(good, 200, "each has its own");
	span_reader_close(&r);
	span_buf_release(&in);
	span_buf_release(&out);
}

int main(void)
{
	test_random(1, false);
	test_random(2, true);
	test_once();
	test_limits();
	test_many();
	span_buf_release(&text);
	span_arena_release(&arena);
	return done_testing();
}
