/* SPDX-License-Identifier: Apache-2.0 */
/* Whole traces, which wait in the library until they can be decided. */
#include "sample-cmd.h"

#include "base/banned.h"

/* When nothing comes, look so often for who has waited enough. */
#define LOOK_NS 200000000u

static struct {
	struct sample *o;
	struct span_sampler *sampler;
	uint64_t idle_ns; /* since when nothing came; 0: something did */
} tail;

static int put(const struct span_sampled *s, struct span_error *err)
{
	int rc = 0;

	sample_count(s, tail.o->explain);
	for (size_t i = 0; i < s->n && rc >= 0; i++)
		rc = sample_put(tail.o, &s->spans[i], &s->verdict, err);
	return rc;
}

static int put_decided(bool end, struct span_error *err)
{
	struct span_sampled s;
	int rc;

	while ((rc = span_sampler_next(tail.sampler, end, &s, err)) > 0) {
		rc = put(&s, err);
		if (rc < 0)
			break;
	}
	sample_report_metrics(false);
	if (rc >= 0)
		rc = sample_adaptive_write(tail.sampler, end, err);
	return rc;
}

/* Before a read that blocks: time goes on by the clock. */
static int on_idle(void *arg, uint64_t *wait_ns, struct span_error *err)
{
	uint64_t now = cmd_monotonic_ns();
	int rc;

	(void)arg;
	if (tail.idle_ns)
		span_sampler_idle(tail.sampler, now - tail.idle_ns);
	tail.idle_ns = now;
	if (*wait_ns > LOOK_NS)
		*wait_ns = LOOK_NS;
	rc = put_decided(false, err);
	if (rc >= 0)
		rc = span_writer_flush(tail.o->out, err);
	if (rc >= 0 && tail.o->dropped)
		rc = span_writer_flush(tail.o->dropped, err);
	return rc;
}

static int open_sampler(struct span_sampler_opts *so, struct span_error *err)
{
	struct span_buf strategies = {0}, warnings = {0};
	int rc = 0;

	so->strategies_name = sample_strategies();
	so->warnings = &warnings;
	if (so->strategies_name)
		rc = cmd_file_read(so->strategies_name, &strategies, err);
	so->strategies = strategies.p;
	so->strategies_len = strategies.len;
	if (rc >= 0)
		rc = span_sampler_open(&tail.sampler, so, err);
	cmd_warn_lines(&warnings);
	span_buf_release(&strategies);
	span_buf_release(&warnings);
	return rc;
}

int sample_tail_prepare(struct sample *o, const char *name,
			const struct span_buf *policies, struct span_error *err)
{
	struct span_sampler_opts so = {.name = name,
				       .policies = policies->p,
				       .len = policies->len,
				       .ratio = o->like,
				       .wait_ns = o->wait_ns,
				       .memory = o->memory};
	int rc = open_sampler(&so, err);

	tail.o = o;
	if (rc >= 0)
		rc = sample_adaptive_open(tail.sampler, err);
	if (rc >= 0)
		rc = sample_report_open(tail.sampler, err);
	cmd_source_on_idle(on_idle, NULL);
	return rc;
}

int sample_tail(struct cmd_source *in, struct span_error *err)
{
	struct span_sampled late;
	struct span s;
	int rc;

	while ((rc = cmd_source_next(in, &s, err)) > 0) {
		tail.idle_ns = 0;
		rc = span_sampler_put(tail.sampler, &s, &late, err);
		if (rc > 0)
			rc = put(&late, err);
		if (rc >= 0)
			rc = put_decided(false, err);
		if (rc < 0)
			break;
	}
	if (!rc)
		return put_decided(true, err);
	/* What cannot go on gives what came before. */
	if (rc != SPAN_E_PIPE && put_decided(true, NULL) >= 0)
		(void)!span_writer_flush(tail.o->out, NULL);
	return rc;
}

void sample_tail_close(void)
{
	span_sampler_close(&tail.sampler);
}
