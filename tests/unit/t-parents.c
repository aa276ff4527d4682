/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parents of few spans by a table are those that a sorted list finds, in any
 * order of the spans; what the table does not tell is odd in one of the ways
 * that it may be.
 */
#include "tap.h"

#include "trace/parents.h"

#define ROUNDS 20000u
#define MOST (SPAN__FEW + 6)

static uint64_t state = 1;

static uint64_t draw(uint64_t below)
{
	state += UINT64_C(0x9e3779b97f4a7c15);
	return ((state ^ state >> 29) * UINT64_C(0xbf58476d1ce4e5b9) >> 32) %
	       below;
}

/* Ids that meet in a table of any size: the highest bits of all are equal. */
static uint64_t id_of(unsigned kind, uint64_t i)
{
	return kind % 2 ? i + 1 : (i + 1) * UINT64_C(0xf1de83e19937733d);
}

/*
 * KIND % 2: how ids are spread. Above that: trees, trees with orphans and
 * roots, any parents, some ids twice.
 */
static void make(struct span__member *v, size_t n, unsigned kind)
{
	for (size_t i = 0; i < n; i++) {
		uint64_t parent = i ? draw(i) : 0;
		uint64_t id = i;

		if (kind / 2 == 1 && !draw(4))
			parent = 1000;
		if (kind / 2 == 2)
			parent = draw(n);
		if (kind / 2 == 3 && i && !draw(20))
			id = draw(i);
		v[i] = (struct span__member){
			.id = id_of(kind, id),
			.parent_id = id_of(kind, parent),
			.service = (uint32_t)draw(3),
			.kind = (uint8_t)draw(6),
		};
		if (!i || (kind / 2 == 1 && !draw(4)))
			v[i].parent_id = 0;
	}
}

static bool is_odd(const struct span__parents *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p->flags[i] & (SPAN_TRACE_SHARED | SPAN_TRACE_CYCLE))
			return true;
	return n > SPAN__FEW;
}

/* TO[i] is where span i is put. */
static void shuffle(uint32_t *to, size_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		size_t k = draw(i + 1);

		to[i] = to[k];
		to[k] = i;
	}
}

static bool is_same(const struct span__parents *want,
		    const struct span__few_parents *got, const uint32_t *to,
		    size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint32_t parent = want->parent[i];

		if (parent != SPAN_TRACE_NONE)
			parent = to[parent];
		if (got->parent[to[i]] != parent ||
		    got->flags[to[i]] != want->flags[i])
			return false;
	}
	return true;
}

static void test_kind(unsigned kind, const char *name)
{
	struct span__member v[MOST], shuffled[MOST];
	uint32_t to[MOST];
	struct span__parents want = {0};
	struct span__few_parents got;
	unsigned bad = 0, told = 0, odd = 0;

	for (unsigned round = 0; round < ROUNDS; round++) {
		size_t n = 1 + draw(round % 2 ? 8 : MOST);

		make(v, n, kind);
		shuffle(to, n);
		for (size_t i = 0; i < n; i++)
			shuffled[to[i]] = v[i];
		if (span__parents_find(&want, v, n) < 0)
			break;
		if (is_odd(&want, n)) {
			odd++;
			bad += span__parents_find_few(&got, shuffled, n);
			continue;
		}
		told++;
		bad += !span__parents_find_few(&got, shuffled, n) ||
		       !is_same(&want, &got, to, n);
	}
	is_uint(bad, 0, "%s: the table tells what the list does", name);
	is_uint(told + odd, ROUNDS, "%s: %u traces, %u of them odd", name,
		told + odd, odd);
	ok(told > ROUNDS / 100, "%s: %u were told", name, told);
	span__parents_release(&want);
}

int main(void)
{
	static const char *const names[] = {
		"trees",       "trees, near ids",
		"orphans",     "orphans, near ids",
		"any parents", "any parents, near ids",
		"ids twice",   "ids twice, near ids",
	};

	for (unsigned kind = 0; kind < 8; kind++)
		test_kind(kind, names[kind]);
	return done_testing();
}
