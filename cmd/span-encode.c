/* SPDX-License-Identifier: Apache-2.0 */
/* Spans to the formats of other programs. */
#include "cmd_source.h"
#include "encode.h"

#include <string.h>

#include "base/banned.h"

#define FLUSH_AT (256u << 10)

static const char *const weights[] = {"self", "wall", "count", NULL};

static struct {
	int to, weight;
	bool csv_safe;
} opt = {.to = -1, .csv_safe = true};

/* ---- formats that need no file of their own ---- */

static int csv_begin(struct encode_out *o, struct span_error *err)
{
	(void)err;
	span_encode_csv_head(&o->b);
	return 0;
}

static int csv_span(struct encode_out *o, const struct span *s,
		    struct span_error *err)
{
	(void)err;
	span_encode_csv(&o->b, s, o->csv_safe);
	return 0;
}

static int jsonl_span(struct encode_out *o, const struct span *s,
		      struct span_error *err)
{
	(void)err;
	span_encode_jsonl(&o->b, s);
	return 0;
}

static int jaeger_begin(struct encode_out *o, struct span_error *err)
{
	(void)err;
	span_buf_puts(&o->b, "{\"data\":[");
	return 0;
}

static int jaeger_trace(struct encode_out *o, const struct span_trace *t,
			struct span_error *err)
{
	(void)err;
	span_buf_puts(&o->b, o->n_traces ? ",\n" : "\n");
	span_encode_jaeger_json(&o->b, t->spans, t->n);
	return 0;
}

static int jaeger_end(struct encode_out *o, struct span_error *err)
{
	(void)err;
	span_buf_puts(&o->b, "\n],\"total\":0,\"limit\":0,\"offset\":0,"
			     "\"errors\":null}\n");
	return 0;
}

static int otlp_json_begin(struct encode_out *o, struct span_error *err)
{
	return encode_message_begin(o, SPAN_FORMAT_OTLP_JSON, err);
}

static int otlp_jsonl_begin(struct encode_out *o, struct span_error *err)
{
	int rc = encode_message_begin(o, SPAN_FORMAT_OTLP_JSON, err);

	encode_message_lines();
	return rc;
}

static int otlp_proto_begin(struct encode_out *o, struct span_error *err)
{
	return encode_message_begin(o, SPAN_FORMAT_OTLP_PROTO, err);
}

static int zipkin_json_begin(struct encode_out *o, struct span_error *err)
{
	return encode_message_begin(o, SPAN_FORMAT_ZIPKIN_JSON, err);
}

static int zipkin_proto_begin(struct encode_out *o, struct span_error *err)
{
	return encode_message_begin(o, SPAN_FORMAT_ZIPKIN_PROTO, err);
}

static int thrift_begin(struct encode_out *o, struct span_error *err)
{
	return encode_message_begin(o, SPAN_FORMAT_JAEGER_COMPACT, err);
}

#define MESSAGES(name, begin)                                                  \
	{                                                                      \
		name, begin, encode_message_span, NULL, encode_message_end,    \
			encode_message_release                                 \
	}

/* In the order of format_names. */
static const struct encode_format own_formats[] = {
	{"jaeger-json", jaeger_begin, NULL, jaeger_trace, jaeger_end, NULL},
	MESSAGES("otlp-json", otlp_json_begin),
	MESSAGES("otlp-jsonl", otlp_jsonl_begin),
	MESSAGES("otlp-proto", otlp_proto_begin),
	MESSAGES("zipkin-json", zipkin_json_begin),
	MESSAGES("zipkin-proto", zipkin_proto_begin),
	MESSAGES("thrift", thrift_begin),
	{"csv", csv_begin, csv_span, NULL, NULL, NULL},
	{"jsonl", NULL, jsonl_span, NULL, NULL, NULL},
};

static const struct encode_format *const other_formats[] = {
	&encode_chrome, &encode_folded, &encode_speedscope, &encode_sql};

#define N_OWN (sizeof(own_formats) / sizeof(*own_formats))
#define N_OTHER (sizeof(other_formats) / sizeof(*other_formats))

static const char *format_names[N_OWN + N_OTHER + 1];

static const struct cmd_option options[] = {
	{CMD_CHOICE, 0, "to", &opt.to, "FORMAT", "the format to write",
	 format_names},
	{CMD_CHOICE, 0, "weight", &opt.weight, "WHAT",
	 "what counts in folded stacks", weights},
	{CMD_NOFLAG, 0, "no-csv-safe", &opt.csv_safe, NULL,
	 "CSV texts as they are, formulas too", NULL},
	{CMD_GROUP, 0, NULL, (void *)cmd_source_options, NULL, "Source", NULL},
	{CMD_GROUP, 0, NULL, (void *)cmd_search_options, NULL, "Traces", NULL},
	{CMD_GROUP, 0, NULL, (void *)cmd_output_options, NULL, "Output", NULL},
	{CMD_END, 0, NULL, NULL, NULL, NULL, NULL},
};

static const struct encode_format *format_of(int i)
{
	return (size_t)i < N_OWN ? &own_formats[i] : other_formats[i - N_OWN];
}

static bool is_binary(const struct encode_format *f)
{
	return strstr(f->name, "proto") || !strcmp(f->name, "thrift");
}

static int write_out(struct encode_out *o, int fd, size_t at,
		     struct span_error *err)
{
	int rc = 0;

	if (o->b.failed)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	if (o->b.len > at)
		rc = span_write_all(fd, o->b.p, o->b.len, err);
	if (o->b.len > at)
		o->b.len = 0;
	return rc;
}

static int put_spans(struct encode_out *o, const struct encode_format *f,
		     struct cmd_source *in, int fd, struct span_error *err)
{
	struct span s;
	int rc;

	while ((rc = cmd_source_next(in, &s, err)) > 0) {
		if ((rc = f->span(o, &s, err)) < 0)
			return rc;
		o->n_spans++;
		if ((rc = write_out(o, fd, FLUSH_AT, err)) < 0)
			return rc;
		cmd_progress(o->n_spans, "spans");
	}
	return rc;
}

static int put_traces(struct encode_out *o, const struct encode_format *f,
		      struct cmd_source *in, int fd, struct span_error *err)
{
	struct span_trace t;
	int rc;

	while ((rc = cmd_source_next_trace(in, &t, NULL, err)) > 0) {
		if ((rc = f->trace(o, &t, err)) < 0)
			return rc;
		o->n_traces++;
		o->n_spans += t.n;
		if ((rc = write_out(o, fd, FLUSH_AT, err)) < 0)
			return rc;
		cmd_progress(o->n_traces, "traces");
	}
	return rc;
}

/* What came before damage of the input is written whole, to its end. */
static int encode(struct encode_out *o, const struct encode_format *f,
		  struct cmd_source *in, int fd, struct span_error *err)
{
	struct span_error why = {0};
	int rc = f->begin ? f->begin(o, err) : 0, read;

	if (rc < 0)
		return rc;
	read = f->trace ? put_traces(o, f, in, fd, &why)
			: put_spans(o, f, in, fd, &why);
	cmd_progress_end();
	if (read == SPAN_E_PIPE || read == SPAN_E_NOMEM) {
		*err = why;
		return read;
	}
	rc = f->end ? f->end(o, err) : 0;
	if (rc >= 0)
		rc = write_out(o, fd, 0, err);
	if (rc >= 0 && read < 0) {
		*err = why;
		rc = read;
	}
	return rc;
}

static void report(const struct encode_out *o, uint64_t since)
{
	if (o->n_cut)
		cmd_warn("%llu spans are deeper than 256 and counted there",
			 (unsigned long long)o->n_cut);
	if (!cmd_verbose)
		return;
	if (o->n_traces)
		cmd_note("%llu spans of %llu traces, %.3f s",
			 (unsigned long long)o->n_spans,
			 (unsigned long long)o->n_traces,
			 (double)(cmd_monotonic_ns() - since) / 1e9);
	else
		cmd_note("%llu spans, %.3f s", (unsigned long long)o->n_spans,
			 (double)(cmd_monotonic_ns() - since) / 1e9);
}

static int run(int argc, char **argv, struct span_error *err)
{
	uint64_t since = cmd_monotonic_ns();
	struct encode_out o = {.weight = opt.weight, .csv_safe = opt.csv_safe};
	const struct encode_format *f;
	struct cmd_source *in = NULL;
	int fd, rc;

	if (opt.to < 0)
		cmd_usage("--to FORMAT is missing");
	f = format_of(opt.to);
	if (opt.weight && f != &encode_folded)
		cmd_usage("--weight goes with --to folded");
	if ((rc = cmd_output_open(&fd, is_binary(f), err)) < 0 ||
	    (rc = cmd_source_open(&in, argc, argv, NULL, err)) < 0)
		goto done;
	rc = encode(&o, f, in, fd, err);
	if (rc >= 0)
		rc = cmd_output_close(fd, err);
	if (rc >= 0)
		report(&o, since);
done:
	cmd_source_close(&in);
	if (opt.to >= 0 && f->release)
		f->release();
	span_buf_release(&o.b);
	return rc;
}

static const struct cmd span_encode = {
	.name = "span-encode",
	.operands = "[FILE...]",
	.summary = "write spans in the formats of other programs",
	.options = options,
	.run = run,
};

int main(int argc, char **argv)
{
	for (size_t i = 0; i < N_OWN + N_OTHER; i++)
		format_names[i] = format_of((int)i)->name;
	return cmd_main(&span_encode, argc, argv);
}
