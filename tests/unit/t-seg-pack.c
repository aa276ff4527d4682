/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packed values, processes, scopes, references and rests: what is packed comes
 * back, and bytes that nobody packed are refused.
 */
#include "tests/unit/tap.h"

#include "model/model.h"
#include "store/seg_pack.h"
#include "tests/unit/random-span.h"

#define ROUNDS 400

static struct span_str bytes_of(const struct span_buf *b)
{
	return (struct span_str){b->p, b->len};
}

static struct span_str copy_of(struct span_buf *b, struct span_arena *arena)
{
	struct span_str s;

	if (!span_arena_str(arena, bytes_of(b), &s))
		abort();
	b->len = 0;
	return s;
}

/* All of S goes through its parts; *OUT is put together from them. */
static bool round_trip(const struct span *s, struct span *out,
		       struct span_buf *b, struct span_arena *arena)
{
	struct span_process *p = span_arena_alloc(arena, sizeof(*p));
	struct span_scope *scope = span_arena_alloc(arena, sizeof(*scope));
	uint32_t number = 0;

	*out = *s;
	out->attrs = (struct span_attrs){0};
	out->events = NULL;
	out->refs = NULL;
	out->n_events = out->n_refs = 0;
	b->len = 0;
	span__pack_rest(b, s, 12345);
	if (span__unpack_rest(out, &number, copy_of(b, arena), arena, NULL) <
		    0 ||
	    number != 12345 || !span_equal(s, out))
		return false;
	span__pack_process(b, s->process);
	if (span__unpack_process(p, copy_of(b, arena), arena, NULL) < 0)
		return false;
	p->service = s->process->service;
	out->process = p;
	if (!s->scope)
		return true;
	span__pack_scope(b, s->scope);
	out->scope = scope;
	return span__unpack_scope(scope, copy_of(b, arena), arena, NULL) == 0;
}

/* A copy on the heap of exactly its length, so that a sanitizer sees a read
 * behind its end. */
static char *exact(const char *p, size_t len)
{
	char *copy = malloc(len ? len : 1);

	if (!copy)
		abort();
	if (len)
		memcpy(copy, p, len);
	return copy;
}

/* No part of a rest is one; any change of it is refused, or makes another. */
static bool damaged(struct rnd *r, const struct span_buf *b, bool cut)
{
	struct span_arena arena = {0};
	size_t len = cut ? rnd_below(r, b->len) : b->len;
	char *p = exact(b->p, len);
	struct span out = {0};
	uint32_t scope;
	int rc;

	if (!cut)
		p[rnd_below(r, len)] ^= (char)(1 + rnd_below(r, 255));
	rc = span__unpack_rest(&out, &scope, (struct span_str){p, len}, &arena,
			       NULL);
	span_arena_release(&arena);
	free(p);
	return cut ? rc == SPAN_E_CORRUPT || rc == SPAN_E_LIMIT : rc != 1;
}

static void test_random(void)
{
	struct rnd r = {.state = 7, .arena = &(struct span_arena){0}};
	struct span_buf b = {0};
	size_t good = 0, equal = 0, cut = 0, changed = 0;

	for (int i = 0; i < ROUNDS; i++) {
		struct span s = rnd_span(&r, rnd_process(&r)), out;

		good += round_trip(&s, &out, &b, r.arena);
		equal += span_equal(&s, &out);
		b.len = 0;
		span__pack_rest(&b, &s, 1);
		for (int k = 0; k < 10; k++) {
			cut += damaged(&r, &b, true);
			changed += damaged(&r, &b, false);
		}
		span_arena_reset(r.arena);
	}
	is_uint(good, ROUNDS, "random spans are unpacked");
	is_uint(equal, ROUNDS, "random spans come back equal");
	is_uint(cut, 10 * ROUNDS, "what is cut short is refused");
	is_uint(changed, 10 * ROUNDS, "changed bytes do no harm");
	span_buf_release(&b);
	span_arena_release(r.arena);
}

static void test_values(void)
{
	struct rnd r = {.state = 8, .arena = &(struct span_arena){0}};
	struct span_buf b = {0};
	size_t good = 0;

	for (int i = 0; i < ROUNDS; i++) {
		struct span_value v = rnd_value(&r, 0), out;

		b.len = 0;
		span__pack_value(&b, &v);
		good += span__unpack_value(&out, bytes_of(&b), r.arena, NULL) ==
				0 &&
			span_value_equal(&v, &out);
		span_arena_reset(r.arena);
	}
	is_uint(good, ROUNDS, "random values come back equal");
	span_buf_release(&b);
	span_arena_release(r.arena);
}

/* DEPTH lists around a number. */
static struct span_value nested(struct rnd *r, unsigned depth)
{
	struct span_value *v = rnd_alloc(r, sizeof(*v));

	*v = (struct span_value){.type = SPAN_INT, .i = 1};
	for (unsigned i = 0; i < depth; i++) {
		struct span_value *outer = rnd_alloc(r, sizeof(*outer));

		*outer = (struct span_value){.type = SPAN_ARRAY};
		outer->array.v = v;
		outer->array.n = 1;
		v = outer;
	}
	return *v;
}

static void test_depth(void)
{
	struct rnd r = {.arena = &(struct span_arena){0}};
	struct span_value v = nested(&r, SPAN_MAX_DEPTH), out;
	struct span_buf b = {0};

	span__pack_value(&b, &v);
	ok(span__unpack_value(&out, bytes_of(&b), r.arena, NULL) == 0 &&
		   span_value_equal(&v, &out),
	   "64 lists in each other");
	b.len = 0;
	v = nested(&r, 100000);
	span__pack_value(&b, &v);
	is_uint(b.len, SPAN_MAX_DEPTH + 1, "what lies deeper is null");
	ok(span__unpack_value(&out, bytes_of(&b), r.arena, NULL) == 0,
	   "and can be read");
	b.len = 0;
	for (int i = 0; i < 100000; i++)
		span_buf_putc(&b, '\x91');
	span_buf_putc(&b, 1);
	is_int(span__unpack_value(&out, bytes_of(&b), r.arena, NULL),
	       SPAN_E_LIMIT, "100,000 lists in each other are refused");
	span_buf_release(&b);
	span_arena_release(r.arena);
}

/* Each list announces as many elements as bytes are left. */
static void test_amplification(void)
{
	const size_t len = 1 << 20;
	struct span_arena arena = {0};
	struct span_value out;
	char *p = calloc(1, len);

	if (!p)
		abort();
	for (size_t i = 0; i < SPAN_MAX_DEPTH; i++) {
		uint32_t n = (uint32_t)(len - 5 * (i + 1));
		const unsigned char head[5] = {0xdd, (unsigned char)(n >> 24),
					       (unsigned char)(n >> 16),
					       (unsigned char)(n >> 8),
					       (unsigned char)n};

		memcpy(p + 5 * i, head, 5);
	}
	is_int(span__unpack_value(&out, (struct span_str){p, len}, &arena,
				  NULL),
	       SPAN_E_CORRUPT, "nested lists of a million elements");
	ok(span_arena_size(&arena) < 64 * len, "take no more than their bytes");
	span_arena_release(&arena);
	free(p);
}

enum { VALUE, PROCESS, SCOPE, REFS, REST };

static const struct hostile {
	const char *name, *bytes;
	size_t len;
	int what, want;
} hostiles[] = {
	{"no value", "", 0, VALUE, SPAN_E_CORRUPT},
	{"two values", "\x01\x02", 2, VALUE, SPAN_E_CORRUPT},
	{"no msgpack", "\xc1", 1, VALUE, SPAN_E_CORRUPT},
	{"an extension", "\xd4\x01\x01", 3, VALUE, SPAN_E_CORRUPT},
	{"an integer above 2^63-1", "\xcf\xff\xff\xff\xff\xff\xff\xff\xff", 9,
	 VALUE, SPAN_E_CORRUPT},
	{"a string above its limit", "\xdb\x00\x01\x00\x01", 5, VALUE,
	 SPAN_E_LIMIT},
	{"a string behind the end",
	 "\xa3"
	 "ab",
	 3, VALUE, SPAN_E_CORRUPT},
	{"a key that is no string", "\x81\x01\x01", 3, VALUE, SPAN_E_CORRUPT},
	{"a float of 4 bytes", "\xca\x3f\x80\x00\x00", 5, VALUE, 0},
	{"no process", "\x90", 1, PROCESS, SPAN_E_CORRUPT},
	{"a key without a value",
	 "\x91\x91\xa1"
	 "a",
	 4, PROCESS, SPAN_E_CORRUPT},
	{"a process from a later version",
	 "\x94\x90\xa0\x01\x81\x01\x92\x01\x02", 9, PROCESS, 0},
	{"more attributes than may be", "\x91\xdc\x08\x02", 4, PROCESS,
	 SPAN_E_CORRUPT},
	{"no scope", "\x92\xa0\xa0", 3, SCOPE, SPAN_E_CORRUPT},
	{"an empty scope", "\x93\xa0\xa0\x90", 4, SCOPE, 0},
	{"no references", "\x90", 1, REFS, 0},
	{"a reference without ids", "\x91\x90", 2, REFS, SPAN_E_CORRUPT},
	{"a reference with a short trace id", "\x91\x93\x01\xc4\x01\x01\x01", 7,
	 REFS, SPAN_E_CORRUPT},
	{"a rest with too little", "\x91\x01", 2, REST, SPAN_E_CORRUPT},
	{"marks out of range",
	 "\x9b\xce\x00\x01\x00\x00\x00\x00\xa0\xa0\x90\x90\x90\x00\x00\x00", 16,
	 REST, SPAN_E_CORRUPT},
	{"an empty rest", "\x9b\x00\x00\x00\xa0\xa0\x90\x90\x90\x00\x00\x00",
	 12, REST, 0},
	{"an event without a time",
	 "\x9b\x00\x00\x00\xa0\xa0\x90\x91\x90\x90\x00\x00\x00", 13, REST,
	 SPAN_E_CORRUPT},
};

static int unpack(const struct hostile *t, struct span_str p,
		  struct span_arena *arena)
{
	const struct span_ref *refs;
	struct span_process process;
	struct span_scope scope;
	struct span_value value;
	struct span s = {0};
	uint32_t number;
	size_t n;

	switch (t->what) {
	case VALUE:
		return span__unpack_value(&value, p, arena, NULL);
	case PROCESS:
		return span__unpack_process(&process, p, arena, NULL);
	case SCOPE:
		return span__unpack_scope(&scope, p, arena, NULL);
	case REFS:
		return span__unpack_refs(&refs, &n, p, arena, NULL);
	default:
		return span__unpack_rest(&s, &number, p, arena, NULL);
	}
}

static void test_hostile(void)
{
	for (size_t i = 0; i < sizeof(hostiles) / sizeof(*hostiles); i++) {
		const struct hostile *t = &hostiles[i];
		struct span_arena arena = {0};
		char *p = exact(t->bytes, t->len);

		is_int(unpack(t, (struct span_str){p, t->len}, &arena), t->want,
		       "%s", t->name);
		span_arena_release(&arena);
		free(p);
	}
}

int main(void)
{
	test_random();
	test_values();
	test_depth();
	test_amplification();
	test_hostile();
	return done_testing();
}
