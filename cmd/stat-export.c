/* SPDX-License-Identifier: Apache-2.0 */
/* span-store stat for programs: JSON and CSV */
#include "stat-print.h"

#include "base/banned.h"

/* null for what is 0 because nobody knows it. */
static void put_known(struct cmd_json *j, const char *name, uint64_t n,
		      bool known)
{
	if (known)
		cmd_json_uint(j, name, n);
	else
		cmd_json_null(j, name);
}

/* null where there is no span that has a time. */
static void put_time(struct cmd_json *j, const char *name, uint64_t ns,
		     bool any)
{
	if (any)
		cmd_json_time(j, name, ns);
	else
		cmd_json_null(j, name);
}

static void put_policy(struct cmd_json *j, const struct span_store_policy *p)
{
	put_known(j, "maxAgeSeconds", p->max_age_ns / 1000000000u,
		  p->max_age_ns);
	put_known(j, "maxBytes", p->max_bytes, p->max_bytes);
	put_known(j, "minFree", p->min_free, p->min_free);
}

void stat_put_json(struct cmd_json *j, const struct stat_report *r)
{
	const struct span_store_stat *s = &r->s;
	bool any = s->n_spans > 0;

	cmd_json_text(j, "store", span_str(r->name));
	cmd_json_value(j, "uuid");
	span_buf_putc(j->b, '"');
	stat_put_uuid(j->b, s->uuid);
	span_buf_putc(j->b, '"');
	cmd_json_uint(j, "spans", s->n_spans);
	cmd_json_uint(j, "frames", s->n_frames);
	cmd_json_uint(j, "bytes", s->bytes);
	cmd_json_uint(j, "segments", s->n_segments);
	cmd_json_uint(j, "sealedSpans", s->sealed_spans);
	cmd_json_uint(j, "sealedBytes", s->sealed_bytes);
	cmd_json_uint(j, "sealedTraces", s->n_traces);
	cmd_json_uint(j, "closed", r->n_logs - r->n_open);
	cmd_json_uint(j, "open", r->n_open);
	if (s->n_drafts) {
		cmd_json_uint(j, "drafts", s->n_drafts);
		cmd_json_uint(j, "draftBytes", s->draft_bytes);
	}
	cmd_json_uint(j, "setAside", s->n_bad);
	cmd_json_uint(j, "missingFrames", s->missing_frames);
	put_time(j, "firstStart", s->min_start_ns, any);
	put_time(j, "lastEnd", s->max_end_ns, any);
	put_time(j, "firstArrival", s->min_arrival_ns, any);
	put_time(j, "lastArrival", s->max_arrival_ns, any);
	put_known(j, "bytesADay", (uint64_t)r->bytes_a_day, r->bytes_a_day > 0);
	put_known(j, "freeBytes", s->free_bytes, s->free_bytes != UINT64_MAX);
	put_known(j, "fullInSeconds", r->full_ns / 1000000000u, r->full_ns);
	put_known(j, "holdsSeconds", r->holds_ns / 1000000000u, r->holds_ns);
	put_policy(j, &r->policy);
}

void stat_put_json_file(struct cmd_json *j, const struct span_store_file *f)
{
	const char *state = f->open	? "open"
			    : f->bad	? "setAside"
			    : f->sealed ? "sealed"
			    : f->draft	? "draft"
					: "closed";
	bool any = f->n_frames > 0;

	cmd_json_open(j, NULL, '{');
	cmd_json_text(j, "name", span_str(f->name));
	cmd_json_text(j, "state", span_str(state));
	cmd_json_uint(j, "spans", f->n_spans);
	cmd_json_uint(j, "frames", f->n_frames);
	cmd_json_uint(j, "bytes", f->bytes);
	put_known(j, "traces", f->n_traces, f->sealed || f->draft);
	cmd_json_uint(j, "firstFrame", f->first_seq);
	cmd_json_uint(j, "lastFrame", f->last_seq);
	put_time(j, "firstStart", f->min_start_ns, any);
	put_time(j, "lastEnd", f->max_end_ns, any);
	put_time(j, "firstArrival", f->min_arrival_ns, any);
	put_time(j, "lastArrival", f->max_arrival_ns, any);
	cmd_json_close(j, '}');
}

static void csv_time(struct span_buf *b, uint64_t ns, bool any)
{
	span_buf_putc(b, ',');
	if (any)
		span_text_time(b, ns, 9);
}

static void csv_number(struct span_buf *b, uint64_t n)
{
	span_buf_printf(b, ",%llu", (unsigned long long)n);
}

void stat_put_csv(struct span_buf *b, const struct stat_report *r)
{
	const struct span_store_stat *s = &r->s;

	span_buf_puts(b, "store,spans,bytes,segments,sealed_spans,sealed_bytes,"
			 "closed,open,set_aside,missing_frames,first_start,"
			 "last_end,first_arrival,last_arrival,bytes_a_day,"
			 "free_bytes,drafts,draft_bytes\n");
	span_text_csv(b, span_str(r->name), true);
	csv_number(b, s->n_spans);
	csv_number(b, s->bytes);
	csv_number(b, s->n_segments);
	csv_number(b, s->sealed_spans);
	csv_number(b, s->sealed_bytes);
	csv_number(b, r->n_logs - r->n_open);
	csv_number(b, r->n_open);
	csv_number(b, s->n_bad);
	csv_number(b, s->missing_frames);
	csv_time(b, s->min_start_ns, s->n_spans > 0);
	csv_time(b, s->max_end_ns, s->n_spans > 0);
	csv_time(b, s->min_arrival_ns, s->n_spans > 0);
	csv_time(b, s->max_arrival_ns, s->n_spans > 0);
	span_buf_putc(b, ',');
	if (r->bytes_a_day > 0)
		span_text_uint(b, (uint64_t)r->bytes_a_day);
	span_buf_putc(b, ',');
	if (s->free_bytes != UINT64_MAX)
		span_text_uint(b, s->free_bytes);
	csv_number(b, s->n_drafts);
	csv_number(b, s->draft_bytes);
	span_buf_putc(b, '\n');
}

void stat_put_json_part(struct cmd_json *j, const struct span_store_part *p)
{
	cmd_json_open(j, NULL, '{');
	cmd_json_text(j, "part", span_str(p->part));
	if (p->key.len)
		cmd_json_text(j, "key", p->key);
	else
		cmd_json_null(j, "key");
	cmd_json_uint(j, "bytes", p->bytes);
	cmd_json_uint(j, "values", p->values);
	cmd_json_close(j, '}');
}

void stat_put_csv_part(struct span_buf *b, const struct span_store_part *p)
{
	span_text_csv(b, span_str(p->part), true);
	span_buf_putc(b, ',');
	if (p->key.len)
		span_text_csv(b, p->key, true);
	csv_number(b, p->bytes);
	csv_number(b, p->values);
	span_buf_putc(b, '\n');
}
