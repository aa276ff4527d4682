/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an adaptive policy learned, from run to run, and for clients. Both files
 * always hold one whole text. They are written when shares were set anew, but
 * not more often than once in a while, and at the end.
 */
#include "sample-cmd.h"

#include <string.h>

#include "base/banned.h"

#define PAUSE_NS 1000000000u /* between two times */

static struct {
	const char *target, *bands, *state, *strategies;
	uint64_t rounds, wrote_ns; /* when it was written last */
	struct span_buf text;
} opt;

const struct cmd_option sample_adaptive_options[] = {
	{CMD_STRING, 0, "target", &opt.target, "N/s",
	 "adapt shares to keep so many traces of each operation", NULL},
	{CMD_STRING, 0, "bands", &opt.bands, "LIST",
	 "shares of operations by load: '<50/s=1,<500/s=0.1,else=0.01'", NULL},
	{CMD_STRING, 0, "state", &opt.state, "FILE",
	 "keep what was adapted in FILE, for the next run", NULL},
	{CMD_STRING, 0, "write-strategies", &opt.strategies, "FILE",
	 "write the shares to FILE, as strategies of Jaeger", NULL},
	{CMD_END, 0, NULL, NULL, NULL, NULL, NULL},
};

const char *sample_adaptive_type(const char **value)
{
	double rate;

	if (opt.target && opt.bands)
		cmd_usage("--target and --bands at once");
	if (opt.target && (span_rate_parse(opt.target, &rate) < 0 || rate == 0))
		cmd_usage("--target: '%s' is not like 1/s or 10/m", opt.target);
	if (opt.bands && !span_bands_valid(opt.bands))
		cmd_usage("--bands: '%s' is not like "
			  "<50/s=1,<500/s=0.1,else=0.01",
			  opt.bands);
	*value = opt.target ? opt.target : opt.bands;
	return opt.target ? "adaptive" : opt.bands ? "bands" : NULL;
}

/* Nobody else has the state until this process ends. */
static int lock_state(struct span_error *err)
{
	int rc;

	span_buf_printf(&opt.text, "%s.lock", opt.state);
	span_buf_putc(&opt.text, '\0');
	if (opt.text.failed)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	rc = cmd_file_lock(opt.text.p, err);
	opt.text.len = 0;
	return rc;
}

int sample_adaptive_open(struct span_sampler *s, struct span_error *err)
{
	int rc;

	if ((opt.state || opt.strategies) && (!s || !span_sampler_adapts(s)))
		cmd_usage("--state and --write-strategies go with --target, "
			  "--bands or such a policy");
	if (!opt.state)
		return 0;
	if (opt.strategies && !strcmp(opt.state, opt.strategies))
		cmd_usage("--state and --write-strategies are the same FILE");
	rc = lock_state(err);
	if (rc >= 0)
		rc = cmd_file_read(opt.state, &opt.text, err);
	if (rc == SPAN_E_NOTFOUND)
		rc = 0; /* the first run */
	else if (rc >= 0)
		rc = span_sampler_load(s, opt.state, opt.text.p, opt.text.len,
				       err);
	opt.text.len = 0;
	return rc;
}

static int replace(const char *path, struct span_error *err)
{
	int rc = cmd_file_replace(path, opt.text.p, opt.text.len, err);

	opt.text.len = 0;
	return rc;
}

int sample_adaptive_write(const struct span_sampler *s, bool end,
			  struct span_error *err)
{
	uint64_t now;
	int rc = 0;

	if ((!opt.state && !opt.strategies) ||
	    (!end && span_sampler_rounds(s) == opt.rounds))
		return 0;
	now = cmd_monotonic_ns();
	if (!end && now - opt.wrote_ns < PAUSE_NS)
		return 0;
	opt.wrote_ns = now;
	opt.rounds = span_sampler_rounds(s);
	if (opt.state) {
		rc = span_sampler_save(s, &opt.text, err);
		if (rc >= 0)
			rc = replace(opt.state, err);
	}
	if (rc >= 0 && opt.strategies) {
		rc = span_sampler_strategies(s, &opt.text, err);
		if (rc >= 0)
			rc = replace(opt.strategies, err);
	}
	return rc;
}

void sample_adaptive_close(void)
{
	span_buf_release(&opt.text);
}
