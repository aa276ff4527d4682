/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Policies as options: each is short for one of a policy file, and so they are
 * written as such a file, which the library reads.
 */
#include "sample-cmd.h"

#include <string.h>

#include "base/banned.h"

static struct {
	double ratio;
	const char *rate, *file, *preset, *strategies;
	int per; /* -1: not given */
	bool errors;
	uint64_t slower_ns;
	struct cmd_list keep;
} opt = {.ratio = -1, .per = -1, .slower_ns = UINT64_MAX};

static const char *const pers[] = {"all", "service", "operation", NULL};
static const char *const presets[] = {"lab", "production", NULL};

const struct cmd_option sample_policy_options[] = {
	{CMD_DOUBLE, 'r', "ratio", &opt.ratio, "P",
	 "keep this share of the traces, from 0 to 1", NULL},
	{CMD_STRING, 0, "rate", &opt.rate, "N/s",
	 "keep so many traces a second (N/m, N/h) at most", NULL},
	{CMD_CHOICE, 0, "per", &opt.per, "WHAT", "the rate is that of each",
	 pers},
	{CMD_FLAG, 0, "keep-errors", &opt.errors, NULL,
	 "keep all traces with an error", NULL},
	{CMD_DURATION, 0, "keep-slower", &opt.slower_ns, "TIME",
	 "keep all traces that take TIME or longer", NULL},
	{CMD_LIST, 0, "keep", &opt.keep, "EXPR",
	 "keep all traces that this TraceQL expression chooses", NULL},
	{CMD_STRING, 0, "strategies", &opt.strategies, "FILE",
	 "keep what Jaeger's strategies in FILE say", NULL},
	{CMD_STRING, 0, "policy", &opt.file, "FILE",
	 "keep what the policies in FILE say", NULL},
	{CMD_WORD, 0, "preset", &opt.preset, "NAME",
	 "everything, or a tenth and all errors", presets},
	{CMD_END, 0, NULL, NULL, NULL, NULL, NULL},
};

/* Begin an object of the list; its end is the caller's. */
static void begin(struct span_buf *b, const char *type)
{
	span_buf_puts(b, b->len ? ",\n" : "{\"policies\": [\n");
	span_buf_printf(b, "{\"type\": \"%s\"", type);
}

static void put_keep(struct span_buf *b)
{
	for (size_t i = 0; i < opt.keep.n; i++) {
		begin(b, "traceql");
		span_buf_printf(b, ", \"name\": \"keep %zu\"", i + 1);
		span_buf_puts(b, ", \"expression\": ");
		span_text_json(b, span_str(opt.keep.v[i]));
		span_buf_putc(b, '}');
	}
}

static void put_adaptive(struct span_buf *b)
{
	const char *value, *type = sample_adaptive_type(&value);

	if (!type)
		return;
	begin(b, type);
	span_buf_printf(
		b, ", \"%s\": ", strcmp(type, "bands") != 0 ? "target" : type);
	span_text_json(b, span_str(value));
	span_buf_putc(b, '}');
}

static void put_options(struct span_buf *b)
{
	if (opt.errors) {
		begin(b, "error");
		span_buf_putc(b, '}');
	}
	if (opt.slower_ns != UINT64_MAX) {
		begin(b, "latency");
		span_buf_puts(b, ", \"min_ms\": ");
		span_text_double(b, (double)opt.slower_ns / 1e6);
		span_buf_putc(b, '}');
	}
	put_keep(b);
	if (opt.strategies) {
		begin(b, "strategies");
		span_buf_putc(b, '}');
	}
	put_adaptive(b);
	if (opt.rate) {
		begin(b, "rate");
		span_buf_puts(b, ", \"rate\": ");
		span_text_json(b, span_str(opt.rate));
		span_buf_printf(b, ", \"per\": \"%s\"}",
				pers[opt.per < 0 ? 0 : opt.per]);
	}
	if (opt.ratio >= 0) {
		begin(b, "ratio");
		span_buf_puts(b, ", \"ratio\": ");
		span_text_double(b, opt.ratio);
		span_buf_putc(b, '}');
	}
}

static bool has_options(void)
{
	const char *value;

	return opt.errors || opt.slower_ns != UINT64_MAX || opt.keep.n ||
	       opt.rate || opt.strategies || sample_adaptive_type(&value);
}

/* What goes with what. */
static void check(void)
{
	double rate;

	if (opt.ratio != -1 && !(opt.ratio >= 0 && opt.ratio <= 1))
		cmd_usage("--ratio is not from 0 to 1");
	if (opt.rate && span_rate_parse(opt.rate, &rate) < 0)
		cmd_usage("--rate: '%s' is not like 5/s, 10/m or 100/h",
			  opt.rate);
	if (opt.per >= 0 && !opt.rate)
		cmd_usage("--per goes with --rate");
	if ((opt.file && opt.preset) ||
	    ((opt.file || opt.preset) && (opt.ratio >= 0 || has_options())))
		cmd_usage("--policy and --preset go with no other policy");
	if (opt.preset && strcmp(opt.preset, "lab") != 0 &&
	    strcmp(opt.preset, "production") != 0)
		cmd_usage_choice("preset", opt.preset, presets);
	if (opt.ratio < 0 && !opt.file && !opt.preset && !has_options())
		cmd_usage("--ratio P, or another policy, is needed");
}

static void take_preset(void)
{
	bool production = opt.preset && !strcmp(opt.preset, "production");

	if (opt.preset)
		opt.ratio = production ? 0.1 : 1;
	opt.errors |= production;
}

const char *sample_strategies(void)
{
	return opt.strategies;
}

int sample_policies(bool whole, double *ratio, const char **name,
		    struct span_buf *text, struct span_error *err)
{
	int rc;

	check();
	take_preset();
	*ratio = opt.ratio;
	*name = "the options";
	if (!opt.file && !has_options() && !whole)
		return 0;
	if (opt.file) {
		*name = opt.file;
		rc = cmd_file_read(opt.file, text, err);
		return rc < 0 ? rc : 1;
	}
	put_options(text);
	span_buf_puts(text, "]}\n");
	return text->failed ? span_error_set(err, SPAN_E_NOMEM, "memory is out")
			    : 1;
}
