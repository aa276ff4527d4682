/* SPDX-License-Identifier: Apache-2.0 */
/* What the forms of a graph have in common. */
#include "graph-out.h"

#include "base/banned.h"

#define LABEL_COLUMNS 60u
#define PIECE 65536u

const char *const graph_quantile_names[] = {"p50", "p95", "p99"};
static const double quantiles[GRAPH_QUANTILES] = {0.5, 0.95, 0.99};

uint64_t graph_quantile_ns(const struct span_graph_edge *e, size_t i)
{
	return span_sketch_quantile(&e->durations, quantiles[i]);
}

/* By the durations: calls may be more than these, see --weighted. */
uint64_t graph_mean_ns(const struct span_graph_edge *e)
{
	return e->durations.count ? e->sum_ns / e->durations.count : 0;
}

const char *graph_edge_kind(const struct span_graph_edge *e)
{
	static const char *const names[] = {"sync", "async", "link"};

	return names[e->kind];
}

const char *graph_node_kind(const struct span_graph_node *n)
{
	static const char *const names[] = {"service", "database", "queue",
					    "external"};

	return names[n->kind];
}

const char *graph_colour(uint64_t errors, uint64_t of)
{
	double ratio = of ? (double)errors / (double)of : 0;

	if (ratio >= 0.1)
		return "#c9190b";
	if (ratio >= 0.03)
		return "#ec7a08";
	return ratio >= 0.001 ? "#b58900" : "#4d5258";
}

double graph_width(uint64_t calls)
{
	double w = 1;

	for (; calls >= 10; calls /= 10)
		w++;
	return calls ? w + (double)(calls - 1) / 9 : w;
}

void graph_label(struct span_buf *b, struct span_str name)
{
	if (name.len)
		span_text_fit(b, name, LABEL_COLUMNS, false);
	else
		span_buf_puts(b, "(no name)");
}

void graph_name(struct span_buf *b, const struct span_graph_node *n)
{
	graph_label(b, n->service);
	if (n->operation.len) {
		span_buf_putc(b, ' ');
		graph_label(b, n->operation);
	}
	if (n->kind != SPAN_GRAPH_SERVICE)
		span_buf_printf(b, " (%s)", graph_node_kind(n));
}

void graph_counts(struct span_buf *b, const char *what, uint64_t n,
		  uint64_t errors)
{
	span_text_count(b, n);
	span_buf_printf(b, " %s%s, ", what, n == 1 ? "" : "s");
	span_text_count(b, errors);
	span_buf_puts(b, errors == 1 ? " error" : " errors");
}

void graph_figures(struct span_buf *b, const struct span_graph_edge *e)
{
	graph_counts(b, "call", e->calls, e->errors);
	for (size_t i = 0; i < GRAPH_QUANTILES; i++) {
		span_buf_printf(b, ", %s ", graph_quantile_names[i]);
		span_text_duration(b, graph_quantile_ns(e, i));
	}
	span_buf_puts(b, ", mean ");
	span_text_duration(b, graph_mean_ns(e));
}

void graph_json_number(struct span_buf *b, const char *name, uint64_t n)
{
	span_buf_printf(b, ",\"%s\":%llu", name, (unsigned long long)n);
}

void graph_json_text(struct span_buf *b, const char *name, struct span_str s)
{
	span_buf_printf(b, ",\"%s\":", name);
	span_text_json(b, s);
}

void graph_json_figures(struct span_buf *b, const struct span_graph_edge *e)
{
	graph_json_number(b, "calls", e->calls);
	graph_json_number(b, "errors", e->errors);
	for (size_t i = 0; i < GRAPH_QUANTILES; i++)
		span_buf_printf(b, ",\"%s_ns\":%llu", graph_quantile_names[i],
				(unsigned long long)graph_quantile_ns(e, i));
	graph_json_number(b, "mean_ns", graph_mean_ns(e));
}

static void write_piece(struct span_buf *b, struct graph_sink *to, bool binary)
{
	if (!to->rc && b->failed)
		to->rc = span_error_set(to->err, SPAN_E_NOMEM, "memory is out");
	if (!to->rc && !to->is_open) {
		to->rc = cmd_output_open(&to->fd, binary, to->err);
		to->is_open = !to->rc;
	}
	if (!to->rc)
		to->rc = span_write_all(to->fd, b->p, b->len, to->err);
	b->len = 0;
}

bool graph_drain(struct span_buf *b, const struct graph_form *form)
{
	if (b->len >= PIECE)
		write_piece(b, form->sink, false);
	return !form->sink->rc;
}

static int finish(struct span_buf *b, struct graph_sink *to, bool binary)
{
	write_piece(b, to, binary);
	return to->rc < 0 ? to->rc : cmd_output_close(to->fd, to->err);
}

int graph_finish(struct span_buf *b, struct graph_sink *to)
{
	return finish(b, to, false);
}

int graph_write(struct span_buf *b, bool binary, struct span_error *err)
{
	struct graph_sink to = {.err = err};

	return finish(b, &to, binary);
}

static void tell_counts(const char *before, const struct span_graph_view *v,
			const struct span_graph_opts *o, uint64_t since)
{
	char traces[32] = "";

	if (v->traces)
		snprintf(traces, sizeof(traces), "%llu traces, ",
			 (unsigned long long)v->traces);
	cmd_note("%s%s%llu spans (%llu roots, %llu orphans), %zu %s, %zu "
		 "edges, %.2f s",
		 before, traces, (unsigned long long)v->spans,
		 (unsigned long long)v->roots, (unsigned long long)v->orphans,
		 v->n_nodes, o->by_operation ? "operations" : "services",
		 v->n_edges, (double)(cmd_monotonic_ns() - since) / 1e9);
}

void graph_tell(const char *before, const struct span_graph_view *v,
		const struct span_graph_opts *o, uint64_t since)
{
	if (v->left_out)
		cmd_warn("%s%llu spans are beyond %u services, %u pairs of "
			 "them and %u sketch buckets, and left out",
			 before, (unsigned long long)v->left_out,
			 SPAN_GRAPH_NODES, SPAN_GRAPH_EDGES,
			 SPAN_GRAPH_BUCKETS);
	if (v->lost_links)
		cmd_warn("%s%llu link%s to spans that are not there", before,
			 (unsigned long long)v->lost_links,
			 v->lost_links == 1 ? " leads" : "s lead");
	if (cmd_verbose)
		tell_counts(before, v, o, since);
}
