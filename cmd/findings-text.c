/* SPDX-License-Identifier: Apache-2.0 */
#include "findings-text.h"
#include "cmd.h"

#include <span/text.h>

#include <math.h>

#include "base/banned.h"

#define IDS_SHOWN 3u

static void put_plural(struct span_buf *b, uint64_t n, const char *what)
{
	span_text_count(b, n);
	span_buf_printf(b, " %s%s", what, n == 1 ? "" : "s");
}

static void put_name(struct span_buf *b, const struct span_render_opts *look,
		     struct span_str service, struct span_str name)
{
	cmd_look_fit(b, look, service, look->columns / 3, false);
	if (service.len && name.len)
		span_buf_putc(b, ' ');
	cmd_look_fit(b, look, name, look->columns / 3, false);
}

static void put_span_name(struct span_buf *b,
			  const struct span_render_opts *look,
			  const struct span *s)
{
	put_name(b, look, s->process->service, s->name);
}

/* "1.97s (99 % of the trace)" */
static void put_time_share(struct span_buf *b, const struct span_finding *f,
			   const char *of)
{
	span_text_duration(b, f->ns);
	if (isfinite(f->share))
		span_buf_printf(b, " (%.0f %% of the %s)", f->share * 100, of);
}

/* A text in what is left of the line that began at FROM. */
static void put_rest(struct span_buf *b, const struct span_render_opts *look,
		     size_t from, struct span_str text)
{
	size_t used =
		span_text_width((struct span_str){b->p + from, b->len - from});

	if (used + 20 > look->columns)
		used = look->columns > 20 ? look->columns - 20 : 0;
	cmd_look_fit(b, look, text, look->columns - used, false);
}

static void put_calls(struct span_buf *b, const struct span_render_opts *look,
		      size_t from, const struct span_trace *t,
		      const struct span_finding *f)
{
	put_span_name(b, look, &t->spans[f->parent]);
	span_buf_printf(b, ": %u %s ", f->count,
			look->ascii ? "x" : "\xc3\x97");
	put_rest(b, look, from, f->text);
}

static void put_targets(struct span_buf *b, const struct span_render_opts *look,
			size_t from, const struct span_trace *t,
			const struct span_finding *f)
{
	put_span_name(b, look, &t->spans[f->parent]);
	span_buf_puts(b, ": ");
	put_plural(b, f->count, "call");
	span_buf_puts(b, " could run at once: ");
	put_rest(b, look, from, f->text);
}

/* What it is, in a line that begins at FROM. */
static void put_sentence(struct span_buf *b,
			 const struct span_render_opts *look, size_t from,
			 const struct span_trace *t,
			 const struct span_finding *f)
{
	switch (f->kind) {
	case SPAN_FINDING_GUILTY:
		put_span_name(b, look, &t->spans[f->span]);
		span_buf_puts(b, ": ");
		put_time_share(b, f, "critical path");
		break;
	case SPAN_FINDING_ERROR:
		put_span_name(b, look, &t->spans[f->span]);
		span_buf_puts(b, f->text.len ? ": " : " failed");
		put_rest(b, look, from, f->text);
		break;
	case SPAN_FINDING_SERIAL:
		put_targets(b, look, from, t, f);
		break;
	case SPAN_FINDING_GAP:
		put_span_name(b, look, &t->spans[f->span]);
		span_buf_puts(b, ": ");
		put_time_share(b, f, "critical path");
		span_buf_puts(b, " without a span below it");
		break;
	case SPAN_FINDING_SKEW:
		cmd_look_fit(b, look, f->text, look->columns / 2, false);
		span_buf_puts(b, ": clocks differ by ");
		span_text_duration(b, f->ns);
		span_buf_puts(b, " or more");
		break;
	default:
		put_calls(b, look, from, t, f);
	}
}

static void put_ids(struct span_buf *b, const struct span_trace *t,
		    const struct span_finding *f)
{
	uint32_t n = f->n_spans < IDS_SHOWN ? f->n_spans : IDS_SHOWN;
	char id[SPAN_ID_TEXT];

	for (uint32_t i = 0; i < n; i++)
		span_buf_printf(
			b, " %s",
			span_id_text(t->spans[f->spans[i]].span_id, id));
	if (f->count > n)
		span_buf_printf(b, " and %u more", f->count - n);
}

/* Where to look. */
static void put_evidence(struct span_buf *b, const struct span_trace *t,
			 const struct span_finding *f)
{
	span_buf_printf(b, "%*s+", 10, "");
	span_text_duration(b, f->start_ns - t->start_ns);
	switch (f->kind) {
	case SPAN_FINDING_N_PLUS_1:
	case SPAN_FINDING_REPEATED:
		span_buf_puts(b, ", together ");
		put_time_share(b, f, "trace");
		break;
	case SPAN_FINDING_RETRY:
		span_buf_printf(b, ", %u failed, ", f->failed);
		put_time_share(b, f, "trace");
		span_buf_puts(b, " until the last one");
		break;
	case SPAN_FINDING_SERIAL:
		span_buf_puts(b, ", which would save ");
		put_time_share(b, f, "critical path");
		break;
	case SPAN_FINDING_ERROR:
		if (!f->depth)
			break;
		span_buf_puts(b, ", ");
		put_plural(b, f->depth, "span");
		span_buf_puts(b, " above it failed too");
		break;
	default:
		break;
	}
	span_buf_puts(b, f->count == 1 ? ", span" : ", spans");
	put_ids(b, t, f);
	span_buf_putc(b, '\n');
}

static void put_head(struct span_buf *b, const struct span_trace *t,
		     const struct span_render_opts *look)
{
	char id[SPAN_TRACE_ID_TEXT];

	span_buf_puts(b, span_trace_id_text(t->trace_id, id));
	span_buf_puts(b, "  ");
	if (look->local_time)
		span_text_local_time(b, t->start_ns, 3);
	else
		span_text_time(b, t->start_ns, 3);
	span_buf_putc(b, '\n');
	put_span_name(b, look, &t->spans[t->root]);
	span_buf_puts(b, "  ");
	span_text_duration(b, t->end_ns - t->start_ns);
	span_buf_puts(b, "  ");
	put_plural(b, t->n, "span");
	span_buf_puts(b, "\n\n");
}

void findings_text_put(struct span_buf *b, const struct span_render_opts *look,
		       const struct span_trace *t,
		       const struct span_findings *found)
{
	put_head(b, t, look);
	for (size_t i = 0; i < found->n; i++) {
		const struct span_finding *f = &found->v[i];
		size_t from = b->len;

		span_buf_printf(b, "%-10s", span_finding_name(f->kind));
		put_sentence(b, look, from, t, f);
		span_buf_putc(b, '\n');
		put_evidence(b, t, f);
	}
	if (!found->n)
		span_buf_puts(b, "nothing stands out\n");
}

static const char *const heads[] = {
	"guilty: spans with the largest share of the critical path",
	"error: where errors come from",
	"n+1: calls of one target, one after another",
	"repeated: the same call, one after another",
	"retry: calls again after one that failed",
	"serial: calls that could run at once",
	"gap: time without a span below",
	"skew: clocks that differ",
};

static void put_group(struct span_buf *b, const struct span_render_opts *look,
		      const struct span_findings_group *g)
{
	size_t from = b->len;
	char id[SPAN_TRACE_ID_TEXT];

	span_buf_puts(b, "  ");
	put_name(b, look, g->service, g->name);
	if (g->text.len) {
		if (b->len > from + 2)
			span_buf_puts(b, ": ");
		put_rest(b, look, from, g->text);
	}
	span_buf_puts(b, "\n    ");
	put_plural(b, g->traces, "trace");
	span_buf_puts(b, ", ");
	put_plural(b, g->findings, "time");
	span_buf_puts(b, ", ");
	put_plural(b, g->spans, "span");
	span_buf_puts(b, ", ");
	span_text_duration(b, g->total_ns);
	span_buf_puts(b, ", at most ");
	span_text_duration(b, g->max_ns);
	span_buf_puts(b, "\n    such as");
	for (size_t i = 0; i < g->n_samples && i < 2; i++)
		span_buf_printf(b, " %s",
				span_trace_id_text(g->samples[i], id));
	span_buf_putc(b, '\n');
}

void findings_text_put_groups(struct span_buf *b,
			      const struct span_render_opts *look,
			      const struct span_findings_view *v)
{
	span_buf_puts(b, "something stands out in ");
	span_text_count(b, v->found_in);
	span_buf_puts(b, " of ");
	put_plural(b, v->traces, "trace");
	span_buf_putc(b, '\n');
	for (size_t i = 0; i < v->n_groups; i++) {
		const struct span_findings_group *g = v->groups[i];

		if (!i || v->groups[i - 1]->kind != g->kind)
			span_buf_printf(b, "\n%s\n", heads[g->kind]);
		put_group(b, look, g);
	}
}
