/* SPDX-License-Identifier: Apache-2.0 */
/* How many spans one stands for, by its trace state. */
#include "model/model.h"

#include "tap.h"

static const struct {
	const char *state;
	double want;
} tests[] = {
	{"", 1},
	{"ot=th:0", 1},
	{"ot=th:8", 2},
	{"ot=th:c", 4},
	{"ot=th:c0000000000000", 4},
	{"ot=th:fd70a3d70a3d71", 100},
	{"ot=rv:123456789abcde;th:e", 8},
	{"vendor=x,ot=th:8;rv:00000000000001 , b=c", 2},
	{"b=ot, ot=th:8", 2},
	{"ot=th:ffffffffffffff", 72057594037927936.0},
	{"ot=th:", 1},
	{"ot=th:c00000000000000", 1},
	{"ot=th:C", 1},
	{"ot=th:8x", 1},
	{"ot=p:8;th2:8", 1},
	{"xot=th:8", 1},
	{"ot=", 1},
	{"ot;th:8", 1},
	{",,,;;;===", 1},
};

int main(void)
{
	for (size_t i = 0; i < sizeof(tests) / sizeof(*tests); i++) {
		double got = span__weight(span_str(tests[i].state));
		double off = got / tests[i].want;

		if (!ok(off > 1 - 1e-9 && off < 1 + 1e-9, "\"%s\" is %g",
			tests[i].state, tests[i].want))
			diag("got %.17g", got);
	}
	return done_testing();
}
