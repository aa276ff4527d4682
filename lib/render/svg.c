/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The waterfall as a picture. Lengths are in tenths of a pixel and whole
 * numbers, so that no locale writes them with a comma. Text is cut to columns
 * of a terminal, which are about as wide as the font's characters.
 */
#include <span/render.h>
#include <span/text.h>

#include <inttypes.h>

#include "render/cell.h"
#include "render/svg_row.h"
#include "text/utf8.h"

#include "base/banned.h"

#define MARGIN 16u
#define HEAD 76u /* of a trace, to the first row */
#define TICKS 4u

void span__svg_px(struct span_buf *b, uint64_t tenths)
{
	span_text_uint(b, tenths / 10);
	if (tenths % 10)
		span_buf_printf(b, ".%u", (unsigned)(tenths % 10));
}

void span__svg_text(struct span_buf *b, struct span_str s, size_t columns)
{
	struct span_buf fit = {0};

	span__text_fit(&fit, s, columns, false, false);
	span_text_html(b, (struct span_str){fit.p, fit.len});
	b->failed |= fit.failed;
	span_buf_release(&fit);
}

uint64_t span__svg_x(const struct span__svg *v, uint64_t ns)
{
	uint64_t at = ns - v->t->start_ns;
	double part = v->full_ns ? (double)at / (double)v->full_ns : 0;

	part = part < 0 ? 0 : part > 1 ? 1 : part;
	return 10 * SPAN__SVG_BARS +
	       (uint64_t)(part * 10 *
			  (SPAN__SVG_WIDTH - MARGIN - SPAN__SVG_BARS));
}

static void put_counts(struct span_buf *b, const struct span__svg *v)
{
	const struct span_trace *t = v->t;
	char id[SPAN_TRACE_ID_TEXT];

	span_buf_puts(b, span_trace_id_text(t->trace_id, id));
	span_buf_puts(b, " \xc2\xb7 ");
	if (v->o->local_time)
		span_text_local_time(b, t->start_ns, 3);
	else
		span_text_time(b, t->start_ns, 3);
	span_buf_puts(b, " \xc2\xb7 ");
	span_text_duration(b, v->full_ns);
	span_buf_puts(b, " \xc2\xb7 ");
	span_text_count(b, t->n);
	span_buf_printf(b, " span%s \xc2\xb7 ", t->n == 1 ? "" : "s");
	span_text_count(b, t->n_services);
	span_buf_printf(b, " service%s", t->n_services == 1 ? "" : "s");
	if (!t->n_errors)
		return;
	span_buf_puts(b, " \xc2\xb7 <tspan class=\"e\">");
	span_text_count(b, t->n_errors);
	span_buf_printf(b, " error%s</tspan>", t->n_errors == 1 ? "" : "s");
}

/* What the trace is, what was said of it, and the times above the bars. */
static void put_head(struct span_buf *b, const struct span__svg *v)
{
	const struct span *root = &v->t->spans[v->t->root];

	span_buf_printf(b, "<text class=\"h\" x=\"%u\" y=\"22\">", MARGIN);
	span__svg_text(b, root->process->service, 50);
	span_buf_putc(b, ' ');
	span__svg_text(b, root->name, 90);
	span_buf_printf(b, "</text>\n<text class=\"q\" x=\"%u\" y=\"42\">",
			MARGIN);
	put_counts(b, v);
	if (v->o->note.len) {
		span_buf_puts(b, " \xc2\xb7 ");
		span__svg_text(b, v->o->note, 60);
	}
	span_buf_puts(b, "</text>\n");
	for (unsigned i = 0; i < TICKS; i++) {
		uint64_t ns = v->full_ns / TICKS * i;
		uint64_t x = span__svg_x(v, v->t->start_ns + ns);

		span_buf_puts(b, "<path class=\"l\" d=\"M");
		span__svg_px(b, x);
		span_buf_printf(b, " 58V%zu\"/><text class=\"q\" x=\"",
				HEAD + v->n_lines * SPAN__SVG_ROW);
		span__svg_px(b, x + 30);
		span_buf_puts(b, "\" y=\"68\">");
		span_text_duration(b, ns);
		span_buf_puts(b, "</text>\n");
	}
}

static void put_summary(struct span_buf *b, const struct span__svg *v, size_t y)
{
	const struct span_render_opts o = {.columns = 150,
					   .critical = v->o->critical,
					   .n_critical = v->o->n_critical};
	struct span_buf line = {0};

	span__critical_summary(&line, &o, v->t);
	span_buf_printf(b, "<text class=\"q\" x=\"%u\" y=\"%zu\">", MARGIN, y);
	if (line.len)
		span_text_html(b, (struct span_str){line.p, line.len - 1});
	span_buf_puts(b, "</text>\n");
	b->failed |= line.failed;
	span_buf_release(&line);
}

size_t span_render_svg_trace(struct span_buf *b,
			     const struct span_render_opts *o,
			     const struct span_trace *t, const uint8_t *matched,
			     size_t y)
{
	struct span__svg v = {.o = o, .t = t, .matched = matched};
	struct span_buf lines = {0};
	size_t height = 0;

	if (!span__critical_init(&v.critical, o, t) ||
	    !span__tree_plan(o, t, matched, &lines)) {
		b->failed = true;
		goto done;
	}
	v.lines = (const struct span__tree_line *)(const void *)lines.p;
	v.n_lines = lines.len / sizeof(*v.lines);
	v.full_ns = t->end_ns - t->start_ns;
	span_buf_printf(b, "<g transform=\"translate(0,%zu)\">\n", y);
	put_head(b, &v);
	for (size_t k = 0; k < v.n_lines; k++)
		span__svg_row(b, &v, &v.lines[k], HEAD + k * SPAN__SVG_ROW);
	height = HEAD + v.n_lines * SPAN__SVG_ROW + 20;
	put_summary(b, &v, height - 2);
	span_buf_puts(b, "</g>\n");
	height += MARGIN;
done:
	span_buf_release(&lines);
	span__critical_release(&v.critical);
	return height;
}

/* The colours are those of page.css. */
static const char *const style[] = {
	"text{font:12px system-ui,sans-serif;fill:#1c2024}",
	".h{font-size:16px;font-weight:600}.q{fill:#667078}",
	".d{text-anchor:end}.m,.b{font-weight:600}.e{fill:#c4242b}",
	".bg{fill:#fff}.l{stroke:#dde1e4;fill:none}.f{stroke-dasharray:2 2}",
	".p{stroke:#1c2024;stroke-width:4;fill:none}",
	".x{stroke:#c4242b;stroke-width:2}.r:hover{opacity:.75}",
	".s0{fill:#0087ff}.s1{fill:#00afaf}.s2{fill:#5f8700}",
	".s3{fill:#5faf5f}.s4{fill:#875faf}.s5{fill:#875fd7}",
	".s6{fill:#875fff}.s7{fill:#af5f00}.s8{fill:#af5faf}",
	".s9{fill:#af8700}.s10{fill:#d75f00}.s11{fill:#d78700}",
	"@media(prefers-color-scheme:dark){text{fill:#e3e6e8}",
	".q{fill:#929ca4}.bg{fill:#16191c}.l{stroke:#2c3237}",
	".p{stroke:#fff}.e{fill:#ff7a7f}.x{stroke:#ff7a7f}}",
};

void span_render_svg_head(struct span_buf *b, size_t height)
{
	height = height ? height : 1;
	span_buf_printf(b,
			"<svg xmlns=\"http://www.w3.org/2000/svg\" "
			"width=\"%u\" height=\"%zu\" viewBox=\"0 0 %u %zu\">\n"
			"<style>\n",
			SPAN__SVG_WIDTH, height, SPAN__SVG_WIDTH, height);
	for (size_t i = 0; i < sizeof(style) / sizeof(*style); i++)
		span_buf_printf(b, "%s\n", style[i]);
	span_buf_printf(b,
			"</style>\n<clipPath id=\"n\"><rect width=\"%u\" "
			"height=\"%zu\"/></clipPath>\n",
			SPAN__SVG_NAMES, height);
	span_buf_puts(b, "<rect class=\"bg\" width=\"100%\" "
			 "height=\"100%\"/>\n");
}

void span_render_svg_end(struct span_buf *b)
{
	span_buf_puts(b, "</svg>\n");
}
