/* SPDX-License-Identifier: Apache-2.0 */
#include "query/stream_time.h"

#include "base/banned.h"

#define STRANGE_MAX 100u /* in a row are the truth */

void span__stream_time_init(struct span__stream_time *t, uint64_t window_ns)
{
	*t = (struct span__stream_time){.window_ns = window_ns};
	if (t->window_ns > INT64_MAX / 4)
		t->window_ns = INT64_MAX / 4;
}

uint64_t span__stream_time_tick(struct span__stream_time *t, uint64_t end_ns)
{
	uint64_t apart = end_ns > t->clock_ns ? end_ns - t->clock_ns
					      : t->clock_ns - end_ns;

	if (!t->started) {
		t->started = true;
		t->clock_ns = end_ns;
		return t->now_ns;
	}
	if (apart <= t->window_ns) {
		t->strange = 0;
		if (end_ns > t->clock_ns) {
			t->now_ns += apart;
			t->clock_ns = end_ns;
		}
		return t->now_ns;
	}
	if (++t->strange < STRANGE_MAX)
		return t->now_ns + t->window_ns;
	t->strange = 0;
	t->clock_ns = end_ns;
	t->now_ns += t->window_ns;
	return t->now_ns;
}

void span__stream_time_idle(struct span__stream_time *t, uint64_t ns)
{
	t->clock_ns += ns;
	t->now_ns += ns;
}
