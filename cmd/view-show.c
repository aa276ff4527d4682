/* SPDX-License-Identifier: Apache-2.0 */
#include "view-show.h"

#include "view-find.h"
#include "view-findings.h"
#include "view-logs.h"
#include "view-patterns.h"

#include "base/banned.h"

#define FLUSH_AT (64u << 10)

/* Beside the marks of span/model.h, in copies that nobody else sees. */
#define MARK_MATCHED (1u << 15)

bool view_is_list(const struct view_opts *opt)
{
	return opt->spans.n || opt->events || opt->errors;
}

bool view_is_analysis(const struct view_opts *opt)
{
	return opt->findings || opt->patterns;
}

int view_flush(struct view *v, struct span_error *err)
{
	int rc = 0;

	if (v->text.failed)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	if (v->text.len)
		rc = span_write_all(v->fd, v->text.p, v->text.len, err);
	v->text.len = 0;
	return rc;
}

/* Copy T to builder, with the mark of those that match. */
static int copy_marked(struct view *v, const struct span_trace *t,
		       const uint8_t *matched, struct span_error *err)
{
	int rc = 0;

	span_trace_builder_reset(&v->builder);
	v->builder.keep_duplicates = true;
	for (size_t i = 0; i < t->n && rc >= 0; i++) {
		struct span s = t->spans[i];

		s.marks |= matched && matched[i] ? MARK_MATCHED : 0;
		rc = span_trace_builder_put(&v->builder, &s, err);
	}
	return rc;
}

/*
 * The same trace with its clocks corrected. Spans with other times stand in
 * another order, *MATCHED too.
 */
static int adjust(struct view *v, struct span_trace *t, const uint8_t **matched,
		  struct span_error *err)
{
	uint8_t *marks;
	int rc;

	if (!v->opt->adjust_ns)
		return 0;
	rc = copy_marked(v, t, *matched, err);
	if (rc >= 0)
		rc = span_trace_builder_build(&v->builder, t, err);
	if (rc >= 0)
		rc = span_trace_builder_adjust(&v->builder, v->opt->adjust_ns,
					       t, err);
	if (rc < 0 || !*matched)
		return rc < 0 ? rc : 0;
	v->marks.len = 0;
	marks = (uint8_t *)span_buf_reserve(&v->marks, t->n);
	if (!marks)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	for (size_t i = 0; i < t->n; i++)
		marks[i] = (t->spans[i].marks & MARK_MATCHED) != 0;
	*matched = marks;
	return 0;
}

static bool is_asked_for(struct view *v, const struct span *s)
{
	bool any = false;

	for (size_t i = 0; i < v->opt->spans.n; i++)
		if (view_has_id(s, span_str(v->opt->spans.v[i]))) {
			v->seen.p[i] = 1;
			any = true;
		}
	return any;
}

static void warn_unseen(const struct view *v)
{
	for (size_t i = 0; i < v->opt->spans.n; i++)
		if (!v->seen.p[i])
			cmd_warn("there is no span %s", v->opt->spans.v[i]);
}

static void warn_lines(const struct view *v)
{
	uint64_t n = v->opt->logs ? view_logs_left() : 0;

	if (n && cmd_verbose)
		cmd_note("%s: %llu line%s of other traces", v->opt->logs,
			 (unsigned long long)n, n == 1 ? " is" : "s are");
}

/* What is wanted of span I, into v->part; nothing if it is not. */
static void put_part(struct view *v, const struct span_trace *t, uint32_t i)
{
	bool relative = v->opt->relative == VIEW_FROM_SPAN;

	v->part.len = 0;
	if (!v->opt->spans.n)
		span_render_events(&v->part, &v->look, t, i, relative,
				   v->opt->errors);
	else if (is_asked_for(v, &t->spans[i]))
		span_render_span(&v->part, &v->look, t, i, relative);
}

/*
 * Spans of a trace one by one, in the order of the tree, events below the head
 * of their trace, with a blank line between all.
 */
static void put_details(struct view *v, const struct span_trace *t)
{
	bool head = !v->opt->spans.n;

	for (size_t k = 0; k < t->n; k++) {
		put_part(v, t, t->order[k]);
		v->text.failed |= v->part.failed;
		if (!v->part.len)
			continue;
		if (v->n_shown++)
			span_buf_putc(&v->text, '\n');
		if (head) {
			span_render_head(&v->text, &v->look, t);
			span_buf_putc(&v->text, '\n');
			head = false;
		}
		span_buf_put(&v->text, v->part.p, v->part.len);
	}
}

/* Mark what --find looks for; NULL without it. */
static const uint8_t *find(struct view *v, const struct span_trace *t,
			   struct span_error *err)
{
	struct span_str text = span_str(v->opt->find);
	struct span_buf tmp = {0};
	uint8_t *marks;

	v->marks.len = 0;
	marks = (uint8_t *)span_buf_reserve(&v->marks, t->n);
	if (!marks) {
		span_error_set(err, SPAN_E_NOMEM, "memory is out");
		return NULL;
	}
	for (size_t i = 0; i < t->n; i++) {
		marks[i] = view_has_text(&t->spans[i], text, &tmp);
		v->n_shown += marks[i];
	}
	span_buf_release(&tmp);
	return marks;
}

/* The critical path of T, for what is drawn. */
static int look_at(struct view *v, const struct span_trace *t,
		   struct span_error *err)
{
	int rc = 0;

	if (v->opt->critical)
		rc = span_trace_critical_path(t, &v->path, err);
	v->look.critical =
		(const struct span_trace_section *)(const void *)v->path.p;
	v->look.n_critical = v->path.len / sizeof(struct span_trace_section);
	return rc;
}

static int draw(struct view *v, const struct span_trace *t,
		const uint8_t *matched, struct span_error *err)
{
	int rc;

	if (v->opt->find) {
		matched = find(v, t, err);
		if (!matched)
			return SPAN_E_NOMEM;
	}
	rc = look_at(v, t, err);
	if (rc < 0)
		return rc;
	if (v->opt->html)
		return span_render_html_trace(&v->text, &v->look, t, matched,
					      err);
	if (v->opt->svg) {
		v->height += span_render_svg_trace(&v->part, &v->look, t,
						   matched, v->height);
		return v->part.failed ? span_error_set(err, SPAN_E_NOMEM,
						       "memory is out")
				      : 0;
	}
	if (v->n_traces > 1)
		span_buf_putc(&v->text, '\n');
	span_render_tree(&v->text, &v->look, t, matched);
	return 0;
}

int view_begin(struct view *v, struct span_error *err)
{
	int rc = 0;

	for (size_t i = 0; i < v->opt->spans.n; i++)
		span_buf_putc(&v->seen, 0);
	if (v->opt->logs)
		rc = view_logs_read(v->opt->logs, err);
	if (rc < 0)
		return rc;
	if (v->opt->html)
		span_render_html_head(&v->text);
	return v->seen.failed
		       ? span_error_set(err, SPAN_E_NOMEM, "memory is out")
		       : 0;
}

int view_show(struct view *v, struct span_trace *t, const uint8_t *matched,
	      struct span_error *err)
{
	/* Lines before clocks: those of a span move with it. */
	int rc = v->opt->logs ? view_logs_add(t, err) : 0;

	if (rc >= 0)
		rc = adjust(v, t, &matched, err);
	v->n_traces++;
	v->n_spans += t->n;
	if (rc >= 0 && v->opt->findings)
		rc = view_findings_put(t, &v->look, err);
	else if (rc >= 0 && v->opt->patterns)
		rc = view_patterns_put(t, err);
	else if (rc >= 0 && view_is_list(v->opt))
		put_details(v, t);
	else if (rc >= 0)
		rc = draw(v, t, matched, err);
	if (rc < 0)
		return rc;
	return v->text.len > FLUSH_AT || v->text.failed ? view_flush(v, err)
							: 0;
}

/* What is known only when all traces were seen. */
static int show_analysis(struct view *v, struct span_error *err)
{
	bool json = v->opt->json;
	int rc = v->opt->findings
			 ? view_findings_show(&v->text, &v->look, json, err)
			 : view_patterns_show(&v->text, &v->look, json, err);

	v->n_shown += rc > 0;
	return rc;
}

int view_end(struct view *v, bool whole, struct span_error *err)
{
	int rc = view_is_analysis(v->opt) ? show_analysis(v, err) : 0;

	if (rc < 0)
		return rc;
	if (whole)
		warn_unseen(v);
	warn_lines(v);
	if (v->opt->html)
		span_render_html_end(&v->text);
	if (v->opt->svg) {
		span_render_svg_head(&v->text, v->height);
		span_buf_str(&v->text,
			     (struct span_str){v->part.p, v->part.len});
		span_render_svg_end(&v->text);
	}
	return view_flush(v, err);
}

void view_release(struct view *v)
{
	span_trace_builder_release(&v->builder);
	span_buf_release(&v->text);
	span_buf_release(&v->part);
	span_buf_release(&v->path);
	span_buf_release(&v->marks);
	span_buf_release(&v->seen);
	view_findings_release();
	view_patterns_release();
	view_logs_release();
}
