/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The findings of a trace are kept as text until there is a second one: only
 * then are groups what is asked for.
 */
#include "view-findings.h"
#include "findings-json.h"
#include "findings-text.h"

#include <math.h>

#include "base/banned.h"

#define NOT_GIVEN UINT64_MAX

static struct {
	bool findings;
	uint64_t repeat, min_ns, skew_ns;
	double min_share, guilty;
} opt = {.repeat = NOT_GIVEN,
	 .min_ns = NOT_GIVEN,
	 .skew_ns = NOT_GIVEN,
	 .min_share = NAN,
	 .guilty = NAN};

const struct cmd_option view_findings_options[] = {
	{CMD_FLAG, 0, "findings", &opt.findings, NULL,
	 "tell what stands out: guilty span, error origin, N+1, retries, gaps",
	 NULL},
	{CMD_INT, 0, "repeat", &opt.repeat, "N",
	 "of --findings: calls that make an N+1 (5)", NULL},
	{CMD_DURATION, 0, "min-time", &opt.min_ns, "TIME",
	 "of --findings: least gap, and time that calls at once save (10ms)",
	 NULL},
	{CMD_DOUBLE, 0, "min-share", &opt.min_share, "SHARE",
	 "of --findings: least share of the trace of these (0.1)", NULL},
	{CMD_DOUBLE, 0, "guilty-share", &opt.guilty, "SHARE",
	 "of --findings: least share of the path of a guilty span (0.25)",
	 NULL},
	{CMD_DURATION, 0, "min-skew", &opt.skew_ns, "TIME",
	 "of --findings: least skew of clocks (1ms)", NULL},
	{CMD_END, 0, NULL, NULL, NULL, NULL, NULL},
};

static struct {
	struct span_findings found;
	struct span_findings_set *set;
	struct span_buf text, json; /* of the first trace */
	uint64_t n_traces;
} have;

bool view_findings_wanted(void)
{
	if (!opt.findings &&
	    (opt.repeat != NOT_GIVEN || opt.min_ns != NOT_GIVEN ||
	     opt.skew_ns != NOT_GIVEN || !isnan(opt.min_share) ||
	     !isnan(opt.guilty)))
		cmd_usage("--repeat, --min-time, --min-share, --guilty-share "
			  "and --min-skew go with --findings");
	if (opt.repeat < 2)
		cmd_usage("--repeat needs at least 2");
	if (opt.min_share < 0 || opt.min_share > 1 || opt.guilty < 0 ||
	    opt.guilty > 1)
		cmd_usage("a share is from 0 to 1");
	return opt.findings;
}

/* What was given, else the default. */
static struct span_findings_opts thresholds(void)
{
	struct span_findings_opts o = SPAN_FINDINGS_DEFAULTS;

	if (opt.repeat != NOT_GIVEN)
		o.repeat = opt.repeat;
	if (opt.min_ns != NOT_GIVEN)
		o.min_ns = opt.min_ns;
	if (opt.skew_ns != NOT_GIVEN)
		o.skew_ns = opt.skew_ns;
	if (!isnan(opt.min_share))
		o.min_share = opt.min_share;
	if (!isnan(opt.guilty))
		o.guilty = opt.guilty;
	return o;
}

static int open_set(struct span_error *err)
{
	return have.set ? 0 : span_findings_set_open(&have.set, err);
}

int view_findings_put(const struct span_trace *t,
		      const struct span_render_opts *look,
		      struct span_error *err)
{
	const struct span_findings_opts o = thresholds();
	int rc = open_set(err);

	if (rc >= 0)
		rc = span_findings_find(&have.found, t, &o, err);
	if (rc >= 0)
		rc = span_findings_set_put(have.set, t, &have.found, err);
	if (rc >= 0 && !have.n_traces++) {
		findings_text_put(&have.text, look, t, &have.found);
		findings_json_put(&have.json, t, &have.found);
	}
	return rc;
}

int view_findings_show(struct span_buf *b, const struct span_render_opts *look,
		       bool json, struct span_error *err)
{
	struct span_findings_view v;
	int rc;

	/* Of no trace JSON is as of many. */
	if (!have.n_traces && !json)
		return 0;
	rc = open_set(err);
	if (rc >= 0)
		rc = span_findings_set_view(have.set, &v, err);
	if (rc < 0)
		return rc;
	if (have.text.failed || have.json.failed)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	if (have.n_traces == 1)
		span_buf_put(b, json ? have.json.p : have.text.p,
			     json ? have.json.len : have.text.len);
	else if (json)
		findings_json_put_groups(b, &v);
	else
		findings_text_put_groups(b, look, &v);
	if (v.left_out)
		cmd_warn("%llu finding%s beyond %u groups, and left out",
			 (unsigned long long)v.left_out,
			 v.left_out == 1 ? " is" : "s are",
			 SPAN_FINDINGS_GROUPS);
	return v.found_in != 0;
}

void view_findings_release(void)
{
	span_findings_release(&have.found);
	span_findings_set_close(&have.set);
	span_buf_release(&have.text);
	span_buf_release(&have.json);
}
