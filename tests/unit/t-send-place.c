/* SPDX-License-Identifier: Apache-2.0 */
/* How far a spool was sent, against a plain list of frames. */
#include "cmd/send-place.h"

#include <unistd.h>

#include "tests/unit/tap.h"

#define FRAMES 400u
#define UNDER_WAY 5u
#define NAME "t-send-place.sent"

static bool is_settled[FRAMES + 1];

static bool agrees(const struct send_place *p)
{
	for (uint64_t seq = 1; seq <= FRAMES; seq++)
		if (send_place_has(p, seq) != is_settled[seq])
			return false;
	return true;
}

/* Batches of up to three frames begin in order, and end in any. */
static bool run(struct send_place *p, uint64_t *next, unsigned steps)
{
	struct send_range open[UNDER_WAY];
	size_t n = 0;

	while (steps--) {
		if (n < UNDER_WAY && *next <= FRAMES - 3) {
			uint64_t first, last;

			while (*next <= FRAMES && send_place_has(p, *next))
				++*next;
			first = *next;
			last = first + (uint64_t)(rand() % 3);
			for (uint64_t s = first; s <= last; s++)
				if (is_settled[s])
					last = s - 1;
			*next = last + 1;
			if (!send_place_begin(p, first, last))
				return false;
			open[n++] = (struct send_range){first, last, false};
		}
		if (n && rand() % 3) {
			size_t i = (size_t)rand() % n;

			send_place_settle(p, open[i].first);
			for (uint64_t s = open[i].first; s <= open[i].last; s++)
				is_settled[s] = true;
			open[i] = open[--n];
		}
		if (!agrees(p))
			return false;
	}
	return true;
}

int main(void)
{
	struct send_place p = {.uuid = {1, 2, 3}}, got;
	struct span_error err = {0};
	bool good = true;
	uint64_t next = 1;

	srand(7);
	/* Each time it is killed: what is under way begins again. */
	for (int i = 0; i < 12 && good; i++) {
		good = run(&p, &next, 10);
		if (send_place_write(&p, NAME, &err) < 0 ||
		    send_place_read(&got, NAME, &err) != 1)
			good = false;
		good &= agrees(&got) && got.seq == p.seq &&
			!memcmp(got.uuid, p.uuid, 16);
		p = got;
		next = p.seq + 1;
	}
	ok(good, "what is settled is known, also when it was read again");
	ok(p.seq > 50, "it comes forward");
	send_place_settle(&p, 100000);
	ok(agrees(&p), "what nobody began cannot end");
	for (p.n = 0; p.n < SEND_PLACE_RANGES;)
		if (!send_place_begin(&p, 1000 + p.n, 1000 + p.n))
			break;
	ok(!send_place_begin(&p, 5000, 5000), "there is an end of ranges");
	unlink(NAME);
	is_int(send_place_read(&p, NAME, &err), 0, "no file");
	return done_testing();
}
