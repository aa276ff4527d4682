/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets of each kind in every position of a span, and what else is there. */
#include <span/redact.h>
#include <span/stream.h>

#include "random-span.h"
#include "tap.h"

#include "base/banned.h"

/* WANT is what TEXT becomes; NEEDLE is nowhere then. */
static const struct secret {
	const char *text, *want, *needle;
} secrets[] = {
	{"card 4111 1111 1111 1111.", "card [card].", "1111"},
	{"to jo.e@mail.example.org!", "to [email]!", "jo.e"},
	{"at 10.11.12.13;", "at [ip];", "11.12"},
	{"v6 2001:db8::17,", "v6 [ip],", "db8"},
	{"Bearer s3cr3t.TOKEN-abc", "Bearer [token]", "s3cr3t"},
	{"jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln", "jwt [token]", "eyJ"},
	{"pwd=hushhush&a", "pwd=[secret]&a", "hushhush"},
	{"{\"api_key\": \"hush hush\"}", "{\"api_key\": \"[secret]\"}",
	 "hush hush"},
	{"SELECT a FROM t WHERE b='hush hush'", "SELECT a FROM t WHERE b=?",
	 "hush hush"},
	{"/find?q=hushhush#top", "/find?q=[query]#top", "hushhush"},
	{"https://me:hushhush@host/x", "https://[query]@host/x", "hushhush"},
	{"id 987654321098 end", "id [digits] end", "987654321098"},
};
#define N_SECRETS (sizeof(secrets) / sizeof(*secrets))

enum place {
	IN_NAME,
	IN_STATUS,
	IN_STATE,
	IN_SERVICE,
	IN_PROCESS_SCHEMA,
	IN_PROCESS_VALUE,
	IN_PROCESS_KEY,
	IN_SCOPE_NAME,
	IN_SCOPE_VERSION,
	IN_SCOPE_SCHEMA,
	IN_SCOPE_VALUE,
	IN_SCOPE_KEY,
	IN_VALUE,
	IN_BYTES,
	IN_KEY,
	IN_ARRAY,
	IN_MAP,
	IN_MAP_KEY,
	IN_DEEP,
	IN_EVENT_NAME,
	IN_EVENT_VALUE,
	IN_EVENT_KEY,
	IN_LINK_STATE,
	IN_LINK_VALUE,
	IN_LINK_KEY,
	N_PLACES,
};

/* Default rules leave these: versions look like addresses, states have ids. */
static bool stays(enum place place, const struct secret *secret)
{
	return (place == IN_SCOPE_VERSION && strstr(secret->want, "[ip]")) ||
	       ((place == IN_STATE || place == IN_LINK_STATE) &&
		strstr(secret->want, "[digits]"));
}

/* A copy of N elements of SIZE with one more at the end, of zeros. */
static void *with_one_more(struct rnd *r, const void *v, size_t n, size_t size)
{
	char *copy = rnd_alloc(r, (n + 1) * size);

	if (n)
		memcpy(copy, v, n * size);
	memset(copy + n * size, 0, size);
	return copy;
}

static void add_attr(struct rnd *r, struct span_attrs *a, struct span_str key,
		     struct span_value value)
{
	struct span_attr *v;

	a->n = a->n < SPAN_MAX_ATTRS ? a->n : SPAN_MAX_ATTRS - 1;
	v = with_one_more(r, a->v, a->n, sizeof(*v));
	v[a->n].key = key;
	v[a->n].value = value;
	a->v = v;
	a->n++;
}

static struct span_value text_value(struct span_str text)
{
	return (struct span_value){SPAN_STRING, {.str = text}};
}

static struct span_value in_array(struct rnd *r, struct span_value v)
{
	struct span_value *items = rnd_alloc(r, 2 * sizeof(*items));

	items[0] = (struct span_value){SPAN_INT, {.i = 7}};
	items[1] = v;
	return (struct span_value){SPAN_ARRAY, {.array = {items, 2}}};
}

static struct span_value in_map(struct rnd *r, struct span_str key,
				struct span_value v)
{
	struct span_attr *pairs = rnd_alloc(r, sizeof(*pairs));

	pairs[0] = (struct span_attr){key, v};
	return (struct span_value){SPAN_MAP, {.map = {pairs, 1}}};
}

static void plant_value(struct rnd *r, enum place place, struct span_str text,
			struct span_attrs *a)
{
	const struct span_str note = SPAN_STR("note");
	const struct span_value one = {SPAN_INT, {.i = 1}};
	struct span_value v = text_value(text);

	switch (place) {
	case IN_BYTES:
		v.type = SPAN_BYTES;
		break;
	case IN_KEY:
	case IN_PROCESS_KEY:
	case IN_SCOPE_KEY:
	case IN_EVENT_KEY:
	case IN_LINK_KEY:
		add_attr(r, a, text, one);
		return;
	case IN_ARRAY:
		v = in_array(r, v);
		break;
	case IN_MAP:
		v = in_map(r, note, v);
		break;
	case IN_MAP_KEY:
		v = in_map(r, text, one);
		break;
	case IN_DEEP:
		v = in_array(r, in_map(r, note, in_array(r, v)));
		break;
	default:
		break;
	}
	add_attr(r, a, note, v);
}

static void plant_in_scope(struct rnd *r, enum place place,
			   struct span_str text, struct span *s)
{
	struct span_scope *scope = rnd_alloc(r, sizeof(*scope));

	*scope = s->scope ? *s->scope : (struct span_scope){0};
	if (place == IN_SCOPE_NAME)
		scope->name = text;
	else if (place == IN_SCOPE_VERSION)
		scope->version = text;
	else if (place == IN_SCOPE_SCHEMA)
		scope->schema_url = text;
	else
		plant_value(r, place, text, &scope->attrs);
	s->scope = scope;
}

static void plant_in_process(struct rnd *r, enum place place,
			     struct span_str text, struct span *s)
{
	struct span_process *process = rnd_alloc(r, sizeof(*process));

	*process = *s->process;
	process->serial = 0;
	if (place == IN_SERVICE)
		process->service = text;
	else if (place == IN_PROCESS_SCHEMA)
		process->schema_url = text;
	else
		plant_value(r, place, text, &process->attrs);
	s->process = process;
}

static void plant_in_event(struct rnd *r, enum place place,
			   struct span_str text, struct span *s)
{
	struct span_event *events =
		with_one_more(r, s->events, s->n_events, sizeof(*events));
	struct span_event *event = &events[s->n_events++];

	if (place == IN_EVENT_NAME)
		event->name = text;
	else
		plant_value(r, place, text, &event->attrs);
	s->events = events;
}

static void plant_in_link(struct rnd *r, enum place place, struct span_str text,
			  struct span *s)
{
	struct span_ref *refs =
		with_one_more(r, s->refs, s->n_refs, sizeof(*refs));
	struct span_ref *ref = &refs[s->n_refs++];

	ref->type = SPAN_REF_LINK;
	ref->span_id[0] = 1;
	if (place == IN_LINK_STATE)
		ref->trace_state = text;
	else
		plant_value(r, place, text, &ref->attrs);
	s->refs = refs;
}

static struct span plant(struct rnd *r, const struct span *in, enum place place,
			 const char *what)
{
	struct span_str text = span_str(what);
	struct span s = *in;

	if (place == IN_NAME)
		s.name = text;
	else if (place == IN_STATUS)
		s.status_message = text;
	else if (place == IN_STATE)
		s.trace_state = text;
	else if (place <= IN_PROCESS_KEY)
		plant_in_process(r, place, text, &s);
	else if (place <= IN_SCOPE_KEY)
		plant_in_scope(r, place, text, &s);
	else if (place <= IN_DEEP)
		plant_value(r, place, text, &s.attrs);
	else if (place <= IN_EVENT_KEY)
		plant_in_event(r, place, text, &s);
	else
		plant_in_link(r, place, text, &s);
	return s;
}

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
