/* SPDX-License-Identifier: Apache-2.0 */
/* The extremes of texts, numbers and nested values. */
#include "gen-hostile.h"

#include <math.h>
#include <string.h>

#include "base/banned.h"

#define T(lit)                                                                 \
	{                                                                      \
		lit, sizeof(lit) - 1                                           \
	}
static const struct span_str texts[] = {
	T(""),
	T("a\0b"),
	T("\0"),
	T("\xff\xfe\xfd"),
	T("cut \xe2\x82"),
	T("\xed\xa0\x80 surrogate"),
	T("\xc0\xaf overlong"),
	T("\xf5\x80\x80\x80"),
	T("\x1b[2J\x1b[31mred"),
	T("\x1b]0;title\x07"),
	T("\xc2\x9b"
	  "31m C1"),
	T("\xe2\x80\xae"
	  "txt.exe"),
	T("\xe2\x81\xa6isolated\xe2\x81\xa9"),
	T("</script><script>alert(1)</script>"),
	T("<img src=x onerror=alert(1)>"),
	T("\"];\nn1 -> n2 [label=\""),
	T("\\N \\G \\l"),
	T("<b>html</b>"),
	T("=HYPERLINK(\"http://x\",\"y\")"),
	T("+1"),
	T("-2+3"),
	T("@SUM(A1)"),
	T("a,b;\"c\"\r\nd"),
	T("`} |= `"),
	T("{job=~\".+\"}"),
	T("../../etc/passwd"),
	T("%s%n%x%5$p"),
	T("'; DROP TABLE spans; --"),
	T("$(reboot) `id`"),
	T("\xef\xbb\xbf"
	  "bom"),
	T("e\xcc\x81\xcc\x82\xcc\x83\xcc\x84"),
	T("\xf0\x9f\x92\xa9 \xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x92\xbb"),
	T("\xe6\xbc\xa2\xe5\xad\x97 \xd8\xb9\xd8\xb1\xd8\xa8"),
	T("line\xe2\x80\xa8separator\xe2\x80\xa9"),
	T("\x7f\x01\x02\t\n\v\f\r"),
	T("  spaces  "),
	T("null"),
	T("NaN"),
	T("true"),
	T("18446744073709551616"),
	T("1e999"),
	T("__proto__"),
	T("service.name"),
	T("error"),
	T("span.kind")};
#undef T

static const int64_t ints[] = {
	0,	   1,	       -1,
	127,	   128,	       -128,
	-129,	   255,	       256,
	65535,	   65536,      INT32_MIN,
	INT32_MAX, UINT32_MAX, 9007199254740993,
	INT64_MIN, INT64_MAX,  -9007199254740993,
};

static const uint64_t times[] = {
	0,	    1,
	999,	    1000,
	INT64_MAX,  (uint64_t)INT64_MAX + 1,
	UINT64_MAX, UINT64_MAX - 999,
};

/* Zeroed; from the trace's memory, NULL when that is out. */
void *gen_hostile_alloc(struct gen_hostile *h, size_t n, size_t size)
{
	void *p = span_arena_array(&h->arena, n, size);

	if (p)
		return memset(p, 0, n * size);
	h->failed = true;
	return NULL;
}

/* LEN random bytes, or letters. */
struct span_str gen_hostile_bytes(struct gen_hostile *h, size_t len,
				  bool letters)
{
	char *p = gen_hostile_alloc(h, len, 1);

	for (size_t i = 0; p && i < len; i++)
		p[i] = (char)(letters ? 'a' + i % 26 : below(h, 256));
	return (struct span_str){p, p ? len : 0};
}

struct span_str gen_hostile_text(struct gen_hostile *h)
{
	if (one_in(h, 6))
		return gen_hostile_bytes(h, below(h, 40), false);
	if (one_in(h, 400))
		return gen_hostile_bytes(h, SPAN_MAX_STRING - below(h, 2),
					 true);
	return texts[below(h, sizeof(texts) / sizeof(texts[0]))];
}

static double real(struct gen_hostile *h)
{
	uint64_t bits = gen_rand(&h->state);
	double d;

	switch (below(h, 8)) {
	case 0:
		return (double)NAN;
	case 1:
		return -(double)INFINITY;
	case 2:
		return (double)INFINITY;
	case 3:
		return -0.0;
	case 4:
		return 5e-324;
	case 5:
		return 1.7976931348623157e308;
	case 6:
		return (double)(bits >> 44) / 8;
	default:
		/* Any bits: a NaN may have a payload. */
		memcpy(&d, &bits, sizeof(d));
		return d;
	}
}

static void scalar(struct gen_hostile *h, struct span_value *v)
{
	v->type = (enum span_type)below(h, SPAN_BYTES + 1);
	switch (v->type) {
	case SPAN_STRING:
		v->str = gen_hostile_text(h);
		break;
	case SPAN_BYTES:
		v->str = gen_hostile_bytes(h, below(h, 64), false);
		break;
	case SPAN_BOOL:
		v->b = one_in(h, 2);
		break;
	case SPAN_INT:
		v->i = ints[below(h, sizeof(ints) / sizeof(ints[0]))];
		break;
	case SPAN_DOUBLE:
		v->d = real(h);
		break;
	default:
		break;
	}
}

/* DEPTH arrays and maps in one another, with scalars beside them. */
void gen_hostile_nested(struct gen_hostile *h, struct span_value *v,
			unsigned int depth)
{
	for (; depth && !h->failed; depth--) {
		size_t n = 1 + below(h, 3);

		if (one_in(h, 2)) {
			struct span_value *in =
				gen_hostile_alloc(h, n, sizeof(*in));

			v->type = SPAN_ARRAY;
			v->array.v = in;
			v->array.n = in ? n : 0;
			for (size_t i = 1; in && i < n; i++)
				scalar(h, &in[i]);
			v = in;
		} else {
			struct span_attr *in =
				gen_hostile_alloc(h, n, sizeof(*in));

			v->type = SPAN_MAP;
			v->map.v = in;
			v->map.n = in ? n : 0;
			for (size_t i = 0; in && i < n; i++) {
				in[i].key = gen_hostile_text(h);
				scalar(h, &in[i].value);
			}
			v = in ? &in[0].value : NULL;
		}
	}
	if (v)
		scalar(h, v);
}

struct span_attrs gen_hostile_attrs(struct gen_hostile *h, size_t n)
{
	struct span_attr *v = gen_hostile_alloc(h, n, sizeof(*v));

	for (size_t i = 0; v && i < n; i++) {
		v[i].key = gen_hostile_text(h);
		if (one_in(h, 12))
			gen_hostile_nested(h, &v[i].value,
					   (unsigned int)below(h, 5));
		else
			scalar(h, &v[i].value);
	}
	return (struct span_attrs){v, v ? n : 0,
				   one_in(h, 10) ? UINT32_MAX : 0};
}

uint64_t gen_hostile_time(struct gen_hostile *h)
{
	return times[below(h, sizeof(times) / sizeof(times[0]))];
}
