/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Trace events as Perfetto and chrome://tracing read them: a process for each
 * service, a thread for each lane of a trace in it, so that complete events
 * ("X") nest; instants for events, flows where a child is on another thread.
 *
 * Times are microseconds with three decimals, as doubles: since 1970 they would
 * lose what is below 250 ns, so they count from a day before the first span.
 *
 * Source: "Trace Event Format".
 */
#include "encode.h"

#include <inttypes.h>

#include "base/banned.h"

#define DAY UINT64_C(86400000000000)

static struct {
	struct encode_names services;
	struct span_buf threads; /* uint32_t: how many each has */
	struct encode_lanes lanes;
	struct span_buf tids; /* uint32_t, of each lane of the trace */
	struct span_buf tops; /* uint32_t: each lane's innermost open span */
	uint64_t epoch_ns, n_flows;
	bool begun;
} chrome;

static void begin_event(struct encode_out *o)
{
	span_buf_puts(&o->b, o->first ? "\n{" : ",\n{");
	o->first = false;
}

/* Nanoseconds as microseconds. */
static void put_us(struct span_buf *b, uint64_t ns)
{
	span_buf_printf(b, "%" PRIu64 ".%03u", ns / 1000,
			(unsigned)(ns % 1000));
}

static void put_ts(struct span_buf *b, uint64_t ns)
{
	span_buf_puts(b, ",\"ts\":");
	if (ns < chrome.epoch_ns)
		span_buf_putc(b, '-');
	put_us(b, ns < chrome.epoch_ns ? chrome.epoch_ns - ns
				       : ns - chrome.epoch_ns);
}

static void put_thread(struct span_buf *b, uint32_t pid, uint32_t tid)
{
	span_buf_printf(b, ",\"pid\":%" PRIu32 ",\"tid\":%" PRIu32, pid + 1,
			tid);
}

static void put_meta(struct encode_out *o, const char *what, uint32_t pid,
		     uint32_t tid, struct span_str name)
{
	begin_event(o);
	span_buf_printf(&o->b, "\"ph\":\"M\",\"name\":\"%s\"", what);
	put_thread(&o->b, pid, tid);
	span_buf_puts(&o->b, ",\"args\":{\"name\":");
	span_text_json(&o->b, name);
	span_buf_puts(&o->b, "}}");
}

/* Of keys that come twice the first counts: it is an object. */
static void put_args(struct span_buf *b, const struct span_attrs *a)
{
	for (size_t i = 0; i < a->n; i++) {
		if (span_attr_get(a, a->v[i].key) != &a->v[i].value)
			continue;
		if (b->len && b->p[b->len - 1] != '{')
			span_buf_putc(b, ',');
		span_text_json(b, a->v[i].key);
		span_buf_putc(b, ':');
		span_text_value_json(b, &a->v[i].value);
	}
}

static void put_slice(struct encode_out *o, const struct span *s, uint32_t pid,
		      uint32_t tid)
{
	char trace[SPAN_TRACE_ID_TEXT], id[SPAN_ID_TEXT];

	begin_event(o);
	span_buf_puts(&o->b, "\"ph\":\"X\",\"cat\":\"span\",\"name\":");
	span_text_json(&o->b, s->name);
	put_ts(&o->b, s->start_ns);
	span_buf_puts(&o->b, ",\"dur\":");
	put_us(&o->b, span_end_ns(s) - s->start_ns);
	put_thread(&o->b, pid, tid);
	if (span_is_error(s))
		span_buf_puts(&o->b, ",\"cname\":\"terrible\"");
	span_buf_printf(&o->b,
			",\"args\":{\"trace_id\":\"%s\",\"span_id\":\"%s\"",
			span_trace_id_text(s->trace_id, trace),
			span_id_text(s->span_id, id));
	if (!span_is_root(s))
		span_buf_printf(&o->b, ",\"parent_id\":\"%s\"",
				span_id_text(s->parent_id, id));
	if (*span_kind_name(s->kind))
		span_buf_printf(&o->b, ",\"kind\":\"%s\"",
				span_kind_name(s->kind));
	if (s->status && s->status <= SPAN_STATUS_ERROR)
		span_buf_printf(&o->b, ",\"status\":\"%s\"",
				span_status_name(s->status));
	span_buf_puts(&o->b, ",\"tags\":{");
	put_args(&o->b, &s->attrs);
	span_buf_puts(&o->b, "}}}");
}

static void put_instant(struct encode_out *o, const struct span_event *e,
			uint32_t pid, uint32_t tid)
{
	begin_event(o);
	span_buf_puts(&o->b, "\"ph\":\"i\",\"s\":\"t\",\"cat\":\"event\","
			     "\"name\":");
	span_text_json(&o->b, span_event_name(e));
	put_ts(&o->b, e->time_ns);
	put_thread(&o->b, pid, tid);
	span_buf_puts(&o->b, ",\"args\":{");
	put_args(&o->b, &e->attrs);
	span_buf_puts(&o->b, "}}");
}

static void put_flow_end(struct encode_out *o, const char *phase, uint64_t ns,
			 uint32_t pid, uint32_t tid)
{
	begin_event(o);
	span_buf_printf(&o->b,
			"\"ph\":%s,\"cat\":\"call\",\"name\":\"call\","
			"\"id\":%" PRIu64,
			phase, chrome.n_flows);
	put_ts(&o->b, ns);
	put_thread(&o->b, pid, tid);
	span_buf_putc(&o->b, '}');
}

/* The innermost span of LANE at NS; spans come as they start. */
static uint32_t top_at(const struct span_trace *t, uint32_t lane, uint64_t ns)
{
	uint32_t *top = (uint32_t *)(void *)chrome.tops.p + lane;

	while (*top != SPAN_TRACE_NONE && span_end_ns(&t->spans[*top]) <= ns)
		*top = chrome.lanes.around[*top];
	return *top;
}

/*
 * An end of a flow binds to the innermost slice of its thread that is there
 * then: where that is not the parent when the child starts, the flow begins
 * with the parent. A child that starts before its parent has none.
 */
static void put_flow(struct encode_out *o, const struct span_trace *t,
		     uint32_t i)
{
	const struct encode_lanes *l = &chrome.lanes;
	const uint32_t *tids = (const uint32_t *)(const void *)chrome.tids.p;
	uint32_t p = t->nodes[i].parent;
	const struct span *parent, *s = &t->spans[i];
	uint64_t from = s->start_ns;

	if (p == SPAN_TRACE_NONE || l->lane[p] == l->lane[i])
		return;
	parent = &t->spans[p];
	if (top_at(t, l->lane[p], from) != p)
		from = parent->start_ns;
	if (from > s->start_ns)
		return;
	chrome.n_flows++;
	put_flow_end(o, "\"s\"", from, l->group[p], tids[l->lane[p]]);
	put_flow_end(o, "\"f\",\"bp\":\"e\"", s->start_ns, l->group[i],
		     tids[l->lane[i]]);
}

/* The process of a span's service, which is told when it is new. */
static int find_service(struct encode_out *o, const struct span *s,
			uint32_t *pid, struct span_error *err)
{
	uint32_t n = chrome.services.n, none = 0;
	int rc = encode_names_put(&chrome.services, s->process->service, pid,
				  err);

	if (rc < 0 || *pid != n)
		return rc;
	span_buf_put(&chrome.threads, &none, sizeof(none));
	put_meta(o, "process_name", *pid, 0, s->process->service);
	return 0;
}

/* A thread for each lane, named after the trace. */
static void name_threads(struct encode_out *o, const struct span_trace *t)
{
	const struct encode_lanes *l = &chrome.lanes;
	uint32_t *threads = (uint32_t *)(void *)chrome.threads.p;
	uint32_t *tids = (uint32_t *)(void *)chrome.tids.p;
	char id[SPAN_TRACE_ID_TEXT];
	size_t next = 0;

	span_trace_id_text(t->trace_id, id);
	for (size_t k = 0; k < t->n; k++) {
		uint32_t i = l->order[k];

		if (l->lane[i] != next)
			continue;
		tids[next++] = ++threads[l->group[i]];
		put_meta(o, "thread_name", l->group[i], tids[l->lane[i]],
			 span_str(id));
	}
}

static bool reserve_lanes(size_t n)
{
	uint32_t *tops;

	chrome.tids.len = chrome.tops.len = 0;
	tops = (uint32_t *)(void *)span_buf_reserve(&chrome.tops,
						    n * sizeof(*tops));
	if (!tops || chrome.threads.failed ||
	    !span_buf_reserve(&chrome.tids, n * sizeof(*tops)))
		return false;
	for (size_t i = 0; i < n; i++)
		tops[i] = SPAN_TRACE_NONE;
	return true;
}

static int put_trace(struct encode_out *o, const struct span_trace *t,
		     struct span_error *err)
{
	struct encode_lanes *l = &chrome.lanes;
	const uint32_t *tids;
	uint32_t *tops;
	int rc = encode_lanes_begin(l, t, err);

	if (!chrome.begun)
		chrome.epoch_ns = t->start_ns > DAY ? t->start_ns - DAY : 0;
	chrome.begun = true;
	for (size_t i = 0; i < t->n && rc == 0; i++)
		rc = find_service(o, &t->spans[i], &l->group[i], err);
	if (rc < 0 || (rc = encode_lanes_build(l, t, err)) < 0)
		return rc;
	if (!reserve_lanes(l->n_lanes))
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	name_threads(o, t);
	tids = (const uint32_t *)(const void *)chrome.tids.p;
	tops = (uint32_t *)(void *)chrome.tops.p;
	for (size_t k = 0; k < t->n; k++) {
		uint32_t i = l->order[k], tid = tids[l->lane[i]];
		const struct span *s = &t->spans[i];

		tops[l->lane[i]] = i;
		put_slice(o, s, l->group[i], tid);
		for (size_t e = 0; e < s->n_events; e++)
			put_instant(o, &s->events[e], l->group[i], tid);
		put_flow(o, t, i);
	}
	return 0;
}

static int begin(struct encode_out *o, struct span_error *err)
{
	(void)err;
	span_buf_puts(&o->b, "{\"displayTimeUnit\":\"ns\",\"traceEvents\":[");
	o->first = true;
	return 0;
}

static int end(struct encode_out *o, struct span_error *err)
{
	(void)err;
	span_buf_printf(&o->b,
			"\n],\"otherData\":{\"epoch_ns\":\"%" PRIu64 "\"}}\n",
			chrome.epoch_ns);
	return 0;
}

static void release(void)
{
	encode_names_release(&chrome.services);
	encode_lanes_release(&chrome.lanes);
	span_buf_release(&chrome.threads);
	span_buf_release(&chrome.tids);
	span_buf_release(&chrome.tops);
}

const struct encode_format encode_chrome = {"chrome",  begin, NULL,
					    put_trace, end,   release};
