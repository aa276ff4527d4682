/* SPDX-License-Identifier: Apache-2.0 */
/* So many traces in a time, and shares by them, as people write them. */
#include "sample/adaptive.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

#define RATE_MAX 1e9

/* 0 with END behind it. */
static int parse_rate(const char *text, char **end, double *per_second)
{
	double n = strtod(text, end), seconds = 1;

	if (*end == text || !(n >= 0 && n <= RATE_MAX) || **end != '/')
		return SPAN_E_INVALID;
	if ((*end)[1] == 'm')
		seconds = 60;
	else if ((*end)[1] == 'h')
		seconds = 3600;
	else if ((*end)[1] != 's')
		return SPAN_E_INVALID;
	*end += 2;
	*per_second = n / seconds;
	return 0;
}

int span_rate_parse(const char *text, double *per_second)
{
	double n;
	char *end;

	if (parse_rate(text, &end, &n) < 0 || *end)
		return SPAN_E_INVALID;
	*per_second = n;
	return 0;
}

static int parse_share(const char *text, char **end, double *p)
{
	if (*text != '=')
		return SPAN_E_INVALID;
	*p = strtod(text + 1, end);
	return *end > text + 1 && *p >= 0 && *p <= 1 ? 0 : SPAN_E_INVALID;
}

/* "<RATE=P,", above the one before. */
static int parse_band(const char *text, char **end, double above,
		      struct span__band *band)
{
	if (*text != '<' || parse_rate(text + 1, end, &band->below) < 0 ||
	    !(band->below > above) || parse_share(*end, end, &band->p) < 0 ||
	    **end != ',')
		return SPAN_E_INVALID;
	++*end;
	return 0;
}

static int parse_bands(const char *text, struct span__adaptive *a)
{
	struct span__band *last;
	double above = 0;
	char *end;

	a->n_bands = 0;
	while (strncmp(text, "else", 4) != 0) {
		struct span__band *band = &a->bands[a->n_bands++];

		if (a->n_bands == SPAN__BANDS_MAX ||
		    parse_band(text, &end, above, band) < 0)
			return SPAN_E_INVALID;
		above = band->below;
		text = end;
	}
	last = &a->bands[a->n_bands++];
	last->below = INFINITY;
	if (parse_share(text + 4, &end, &last->p) < 0 || *end)
		return SPAN_E_INVALID;
	return 0;
}

bool span_bands_valid(const char *text)
{
	struct span__adaptive a;

	return !parse_bands(text, &a);
}

const char *span__adaptive_rules(struct span__adaptive *a, const char *target,
				 const char *bands)
{
	if (target &&
	    (span_rate_parse(target, &a->target) < 0 || !(a->target > 0)))
		return "'target' is not like \"1/s\" or \"10/m\"";
	if (bands && parse_bands(bands, a) < 0)
		return "'bands' is not like "
		       "\"<50/s=1,<500/s=0.1,else=0.01\"";
	return target || bands ? NULL : "'target' or 'bands' is needed, a text";
}
