/* SPDX-License-Identifier: Apache-2.0 */
/*
 * speedscope's file: an evented profile for each lane of each trace, as what
 * is opened and closed has to nest. The frames come behind the profiles, when
 * all of them are known.
 *
 * Source: speedscope.app/file-format-schema.json.
 */
#include "encode.h"

#include <inttypes.h>

#include "base/banned.h"

static struct {
	struct encode_names frames; /* their names as JSON */
	struct encode_lanes lanes;
	struct span_buf by_lane; /* uint32_t: spans, lane after lane */
	struct span_buf starts;	 /* uint32_t: where each lane begins */
	struct span_buf open;	 /* uint32_t: open spans of a lane */
	struct span_buf name, json;
} scope;

static int frame_of(const struct span *s, uint32_t *frame,
		    struct span_error *err)
{
	struct span_buf *name = &scope.name, *json = &scope.json;

	name->len = json->len = 0;
	encode_frame_name(name, s);
	span_text_json(json, (struct span_str){name->p, name->len});
	if (name->failed || json->failed)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	return encode_names_put(&scope.frames,
				(struct span_str){json->p, json->len}, frame,
				err);
}

static void put_event(struct encode_out *o, char type, uint32_t frame,
		      uint64_t at)
{
	span_buf_printf(&o->b,
			"%s{\"type\":\"%c\",\"frame\":%" PRIu32
			",\"at\":%" PRIu64 "}",
			o->first ? "" : ",", type, frame, at);
	o->first = false;
}

/* An open span: its frame, and when it ends. */
struct open {
	uint64_t end;
	uint32_t frame;
};

/* Close what has ended by NS. */
static void close_spans(struct encode_out *o, uint64_t ns, uint64_t start)
{
	const struct open *v = (const struct open *)(const void *)scope.open.p;
	size_t n = scope.open.len / sizeof(*v);

	for (; n && v[n - 1].end <= ns; n--)
		put_event(o, 'C', v[n - 1].frame, v[n - 1].end - start);
	scope.open.len = n * sizeof(*v);
}

static int put_lane(struct encode_out *o, const struct span_trace *t,
		    const uint32_t *spans, size_t n, size_t lane,
		    struct span_error *err)
{
	char id[SPAN_TRACE_ID_TEXT];

	span_buf_printf(&o->b, "%s\n{\"type\":\"evented\",\"name\":\"%s",
			o->n_traces || lane ? "," : "",
			span_trace_id_text(t->trace_id, id));
	if (lane)
		span_buf_printf(&o->b, " lane %zu", lane + 1);
	span_buf_printf(&o->b,
			"\",\"unit\":\"nanoseconds\",\"startValue\":0,"
			"\"endValue\":%" PRIu64 ",\"events\":[",
			t->end_ns - t->start_ns);
	o->first = true;
	scope.open.len = 0;
	for (size_t k = 0; k < n; k++) {
		const struct span *s = &t->spans[spans[k]];
		struct open open = {.end = span_end_ns(s)};
		int rc = frame_of(s, &open.frame, err);

		if (rc < 0)
			return rc;
		close_spans(o, s->start_ns, t->start_ns);
		put_event(o, 'O', open.frame, s->start_ns - t->start_ns);
		span_buf_put(&scope.open, &open, sizeof(open));
	}
	if (scope.open.failed)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	close_spans(o, UINT64_MAX, t->start_ns);
	span_buf_puts(&o->b, "]}");
	return 0;
}

/* Spans lane after lane, in order of start; STARTS has one entry more. */
static bool sort_lanes(const struct span_trace *t)
{
	const struct encode_lanes *l = &scope.lanes;
	uint32_t *starts, *v;

	scope.starts.len = scope.by_lane.len = 0;
	if (!span_buf_reserve(&scope.starts,
			      (l->n_lanes + 2) * sizeof(*starts)) ||
	    !span_buf_reserve(&scope.by_lane, t->n * sizeof(*v)))
		return false;
	starts = (uint32_t *)(void *)scope.starts.p;
	v = (uint32_t *)(void *)scope.by_lane.p;
	for (size_t i = 0; i < l->n_lanes + 2; i++)
		starts[i] = 0;
	for (size_t i = 0; i < t->n; i++)
		starts[l->lane[i] + 2]++;
	for (size_t i = 2; i < l->n_lanes + 2; i++)
		starts[i] += starts[i - 1];
	for (size_t k = 0; k < t->n; k++)
		v[starts[l->lane[l->order[k]] + 1]++] = l->order[k];
	return true;
}

static int put_trace(struct encode_out *o, const struct span_trace *t,
		     struct span_error *err)
{
	struct encode_lanes *l = &scope.lanes;
	const uint32_t *starts, *v;
	int rc = encode_lanes_begin(l, t, err);

	if (rc < 0 || (rc = encode_lanes_build(l, t, err)) < 0)
		return rc;
	if (!sort_lanes(t))
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	starts = (const uint32_t *)(const void *)scope.starts.p;
	v = (const uint32_t *)(const void *)scope.by_lane.p;
	for (size_t i = 0; i < l->n_lanes && rc == 0; i++)
		rc = put_lane(o, t, v + starts[i], starts[i + 1] - starts[i], i,
			      err);
	return rc;
}

static int begin(struct encode_out *o, struct span_error *err)
{
	(void)err;
	span_buf_puts(&o->b,
		      "{\"$schema\":\"https://www.speedscope.app/"
		      "file-format-schema.json\",\"exporter\":\"spantools ");
	span_buf_puts(&o->b, span_version());
	span_buf_puts(&o->b, "\",\"profiles\":[");
	return 0;
}

static int end(struct encode_out *o, struct span_error *err)
{
	(void)err;
	span_buf_puts(&o->b, "\n],\"shared\":{\"frames\":[");
	for (uint32_t i = 0; i < scope.frames.n; i++) {
		span_buf_puts(&o->b, i ? ",\n{\"name\":" : "\n{\"name\":");
		span_buf_str(&o->b, encode_names_get(&scope.frames, i));
		span_buf_putc(&o->b, '}');
	}
	span_buf_puts(&o->b, "]}}\n");
	return 0;
}

static void release(void)
{
	encode_names_release(&scope.frames);
	encode_lanes_release(&scope.lanes);
	span_buf_release(&scope.by_lane);
	span_buf_release(&scope.starts);
	span_buf_release(&scope.open);
	span_buf_release(&scope.name);
	span_buf_release(&scope.json);
}

const struct encode_format encode_speedscope = {"speedscope", begin, NULL,
						put_trace,    end,   release};
