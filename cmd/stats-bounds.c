/* SPDX-License-Identifier: Apache-2.0 */
/* The bounds of a histogram. */
#include "stats-input.h"

#include <string.h>

#include "base/banned.h"

#define MS UINT64_C(1000000)

/* Those of OpenTelemetry's span metrics. */
static const uint64_t usual_bounds[] = {
	2 * MS,	   4 * MS,    6 * MS,	  8 * MS,     10 * MS,	 50 * MS,
	100 * MS,  200 * MS,  400 * MS,	  800 * MS,   1000 * MS, 1400 * MS,
	2000 * MS, 5000 * MS, 10000 * MS, 15000 * MS,
};

static uint64_t read_bound(const char *p, size_t len)
{
	struct span_error err = {0};
	char text[64];
	uint64_t ns;

	if (len >= sizeof(text))
		len = sizeof(text) - 1;
	memcpy(text, p, len);
	text[len] = 0;
	if (cmd_parse_duration(text, &ns, &err) < 0)
		cmd_usage("--buckets: %s", err.msg);
	return ns;
}

void stats_bounds(struct stats_input *in, const char *text)
{
	size_t n = 0;

	if (!text) {
		n = sizeof(usual_bounds) / sizeof(*usual_bounds);
		memcpy(in->bounds, usual_bounds, sizeof(usual_bounds));
	}
	while (text) {
		size_t len = strcspn(text, ",");

		if (n == SPAN_STATS_BOUNDS)
			cmd_usage("--buckets: more than %u of them",
				  SPAN_STATS_BOUNDS);
		in->bounds[n] = read_bound(text, len);
		if (n && in->bounds[n] <= in->bounds[n - 1])
			cmd_usage("--buckets: the bounds have to ascend");
		n++;
		text = text[len] ? text + len + 1 : NULL;
	}
	in->opts.bounds = in->bounds;
	in->opts.n_bounds = n;
}
