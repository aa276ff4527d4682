/* SPDX-License-Identifier: Apache-2.0 */
#include "diff-threshold.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

struct given {
	bool ratio, time;
};

static bool is_ratio(const char *text, double *ratio)
{
	char *end;
	double percent = strtod(text, &end);

	*ratio = percent / 100;
	return end > text && !strcmp(end, "%") && percent >= 0 && percent < 1e6;
}

static void read_limit(const char *text, struct span_diff_opts *o,
		       struct given *given)
{
	struct span_error err = {0};
	uint64_t ns;
	double ratio;

	if (is_ratio(text, &ratio)) {
		if (given->ratio)
			cmd_usage("--threshold: two percentages");
		given->ratio = true;
		o->ratio = ratio;
	} else if (cmd_parse_duration(text, &ns, &err) >= 0) {
		if (given->time)
			cmd_usage("--threshold: two durations");
		given->time = true;
		o->min_ns = ns;
	} else {
		cmd_usage("--threshold: '%s' is no percentage and no duration",
			  text);
	}
}

void diff_thresholds(const struct cmd_list *list, struct span_diff_opts *o)
{
	struct given given = {false, false};

	for (size_t i = 0; i < list->n; i++) {
		char text[64], *comma;
		size_t len = strlen(list->v[i]);

		if (len >= sizeof(text))
			cmd_usage("--threshold is too long");
		memcpy(text, list->v[i], len + 1);
		comma = strchr(text, ',');
		if (comma)
			*comma++ = 0;
		read_limit(text, o, &given);
		if (comma)
			read_limit(comma, o, &given);
	}
}
