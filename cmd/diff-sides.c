/* SPDX-License-Identifier: Apache-2.0 */
#include "diff-sides.h"
#include "diff-operands.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

#define ID sizeof(((struct span_trace *)NULL)->trace_id)

int diff_sides_open(struct diff_sides *s, char **names, int n,
		    const struct span_diff_opts *opts, struct span_error *err)
{
	int rc = 0;

	s->names = names;
	s->diffs = calloc((size_t)n, sizeof(*s->diffs));
	s->traces = calloc((size_t)n, sizeof(*s->traces));
	if (!s->diffs || !s->traces)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	s->n = n;
	for (int i = 1; i < n && rc >= 0; i++)
		rc = span_diff_open(&s->diffs[i - 1], opts, err);
	return rc;
}

static int compare_ids(const void *a, const void *b)
{
	return memcmp(a, b, ID);
}

/* Is the trace of a later side on the first one, too? */
static bool is_on_first(struct diff_sides *s, const uint8_t *id)
{
	size_t n = s->ids.len / ID;

	if (!n)
		return false;
	if (!s->sorted)
		qsort(s->ids.p, n, ID, compare_ids);
	s->sorted = true;
	return bsearch(id, s->ids.p, n, ID, compare_ids);
}

static int note_id(struct diff_sides *s, int side, const uint8_t *id,
		   struct span_error *err)
{
	if (side)
		s->n_both += is_on_first(s, id);
	else
		span_buf_put(&s->ids, id, ID);
	if (s->ids.failed)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	return 0;
}

int diff_sides_put(struct diff_sides *s, int side, const struct span_trace *t,
		   struct span_error *err)
{
	int rc = s->of_one_source ? note_id(s, side, t->trace_id, err) : 0;

	s->traces[side]++;
	s->n_spans += t->n;
	if (side && rc >= 0)
		return span_diff_put(s->diffs[side - 1], SPAN_DIFF_B, t, err);
	for (int i = 1; i < s->n && rc >= 0; i++)
		rc = span_diff_put(s->diffs[i - 1], SPAN_DIFF_A, t, err);
	return rc;
}

int diff_sides_put_named(struct diff_sides *s, const struct span_trace *t,
			 struct span_error *err)
{
	size_t best = 0;
	int rc = 0;

	for (int i = 0; i < s->n; i++) {
		size_t n = diff_operand_fits(s->names[i], t->trace_id);

		best = n > best ? n : best;
	}
	for (int i = 0; i < s->n && rc >= 0 && best; i++)
		if (diff_operand_fits(s->names[i], t->trace_id) == best)
			rc = diff_sides_put(s, i, t, err);
	return rc;
}

int diff_sides_check(const struct diff_sides *s, struct span_error *err)
{
	for (int i = 0; i < s->n; i++)
		if (!s->traces[i])
			return span_error_set(err, SPAN_E_INVALID,
					      "there is no trace for '%s'",
					      s->names[i]);
	if (s->n_both)
		cmd_warn("of %llu and %llu traces %llu %s on both sides, which "
			 "makes these alike",
			 (unsigned long long)s->traces[0],
			 (unsigned long long)s->traces[1],
			 (unsigned long long)s->n_both,
			 s->n_both == 1 ? "is" : "are");
	return 0;
}

void diff_sides_close(struct diff_sides *s)
{
	for (int i = 1; i < s->n; i++)
		span_diff_close(&s->diffs[i - 1]);
	free(s->diffs);
	free(s->traces);
	span_buf_release(&s->ids);
	*s = (struct diff_sides){0};
}
