/* SPDX-License-Identifier: Apache-2.0 */
#include "store/store_plan.h"

#include "base/banned.h"

static bool is_free_log(const struct span__plan_file *f)
{
	return !f->segment && !f->fixed;
}

/* Spans that a segment may have when something more is put to it. */
static uint64_t most(const struct span__plan_limits *l)
{
	return l->max_spans + l->max_spans / 2;
}

/*
 * Logs from FIRST on, until they make a whole segment: how many. WHOLE tells
 * whether they do.
 */
static size_t take_logs(const struct span__plan_file *v, size_t n, size_t first,
			const struct span__plan_limits *l, bool *whole)
{
	uint64_t spans = 0, bytes = 0;
	size_t i = first;

	*whole = false;
	while (i < n && is_free_log(&v[i]) && !*whole) {
		if (i > first && spans + v[i].spans > most(l)) {
			*whole = true;
			break;
		}
		spans += v[i].spans;
		bytes += v[i].bytes;
		i++;
		*whole = spans >= l->max_spans || bytes >= SEAL_BYTES;
	}
	return i - first;
}

static bool is_old(const struct span__plan_file *f,
		   const struct span__plan_limits *l)
{
	return l->now_ns > f->arrival_ns &&
	       l->now_ns - f->arrival_ns > l->max_age_ns;
}

/*
 * Whether segments of SPANS spans, which took MEMORY to build, and logs of
 * LOGS spans, which will take as much for each, fit together.
 */
static bool fits(double memory, double spans, double logs,
		 const struct span__plan_limits *l)
{
	return memory * (1 + logs / (spans > 1 ? spans : 1)) <=
	       (double)l->memory;
}

/* Put the small segments before the group to it. */
static void join_segments(const struct span__plan_file *v,
			  const struct span__plan_limits *l,
			  struct span__plan *p)
{
	uint64_t spans = 0, memory = 0, logs;

	for (size_t i = 0; i < p->count; i++)
		spans += v[p->first + i].spans;
	logs = spans;
	while (p->first) {
		const struct span__plan_file *f = &v[p->first - 1];

		if (!f->segment || f->fixed || f->spans / 2 > spans ||
		    f->spans > most(l) - (spans < most(l) ? spans : most(l)) ||
		    !fits((double)(memory + f->memory),
			  (double)(spans - logs + f->spans), (double)logs, l))
			break;
		spans += f->spans;
		memory += f->memory;
		p->first--;
		p->count++;
	}
}

bool span__plan_next(const struct span__plan_file *v, size_t n, size_t from,
		     const struct span__plan_limits *limits,
		     struct span__plan *out)
{
	size_t i = from;

	while (i < n) {
		size_t logs;
		bool whole;

		if (!is_free_log(&v[i])) {
			i++;
			continue;
		}
		logs = take_logs(v, n, i, limits, &whole);
		if (whole || limits->all || is_old(&v[i], limits)) {
			*out = (struct span__plan){
				.first = i,
				.count = logs,
				.logs = logs,
				.why = whole	     ? "large enough"
				       : limits->all ? "asked for"
						     : "old enough",
			};
			join_segments(v, limits, out);
			return true;
		}
		i += logs;
	}
	return false;
}
