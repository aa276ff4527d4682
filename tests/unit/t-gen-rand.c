/* SPDX-License-Identifier: Apache-2.0 */
/* The numbers of span-gen are the same on every machine. */
#include "../../cmd/gen.h"

#include "tap.h"

#define ONE (1ull << 32)

static void known_numbers(void)
{
	/* SplitMix64 with the seed 1234567, as its authors print it. */
	static const uint64_t want[] = {
		6457827717110365317u, 3203168211198807973u,
		9817491932198370423u, 4593380528125082431u,
		16408922859458223821u};
	uint64_t state = 1234567;
	size_t same = 0;

	for (size_t i = 0; i < 5; i++)
		same += gen_rand(&state) == want[i] &&
			gen_mix(1234567, i) == want[i];
	ok(same == 5, "SplitMix64 gives its published numbers");
}

static void powers(void)
{
	size_t exact = 0, near = 0;

	for (unsigned int i = 0; i < 62; i++) {
		exact += gen_log2(1ull << i) == i * ONE;
		near += i > 40 || (gen_exp2((int64_t)(i * ONE)) >= 1ull << i &&
				   gen_exp2((int64_t)(i * ONE)) <=
					   (1ull << i) + (1ull << i) / 200000);
	}
	ok(exact == 62, "the logarithm of a power of two is exact");
	ok(near == 62, "a power of two is right to 5 in a million");
	ok(gen_log2(10) == 14267572527u, "log2 of 10 is 3.3219280948");
	ok(gen_exp2(-1) == 0 && gen_exp2((int64_t)(99 * ONE)) == 1ull << 63,
	   "what does not fit ends at the ends");
}

/* 100,000 draws; the bounds are more than six deviations wide. */
static void distributions(void)
{
	uint64_t state = 7, p = gen_probability(0.25), n = 100000;
	uint64_t hits = 0, low = 0, below_median = 0, gaps = 0;
	bool in_range = true;

	for (uint64_t i = 0; i < n; i++) {
		uint64_t v =
			gen_log_uniform(&state, gen_log2(1), gen_log2(10001));

		in_range = in_range && gen_below(&state, 7) < 7 && v <= 10001;
		low += v < 100;
		hits += gen_chance(&state, p);
		below_median += gen_log_normal(&state, gen_log2(1000000), ONE) <
				1000000;
		gaps += gen_gap(&state, 1000);
	}
	ok(in_range, "numbers are in their range");
	ok(hits > 24000 && hits < 26000, "a chance of a quarter");
	ok(low > 48800 && low < 51200, "half of 1..10^4 is below 10^2");
	ok(below_median > 48800 && below_median < 51200,
	   "half is below the median");
	ok(gaps > 97 * n * 10 && gaps < 103 * n * 10, "gaps have their mean");
}

static void chances(void)
{
	uint64_t state = 1, never = 0, always = 0;

	for (int i = 0; i < 1000; i++) {
		never += gen_chance(&state, gen_probability(0));
		always += gen_chance(&state, gen_probability(1));
	}
	ok(never == 0 && always == 1000, "0 is never and 1 is always");
}

int main(void)
{
	known_numbers();
	powers();
	distributions();
	chances();
	return done_testing();
}
