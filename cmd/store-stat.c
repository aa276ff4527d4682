/* SPDX-License-Identifier: Apache-2.0 */
/* span-store stat */
#include "store-cmd.h"

#include <string.h>

#include "base/banned.h"

enum { FORMAT_TABLE, FORMAT_JSON };
static const char *const format_names[] = {"table", "json", NULL};
static int format;

const struct cmd_option store_stat_options[] = {
	{CMD_CHOICE, 'o', "format", &format, "FORMAT", "how to print it",
	 format_names},
	{CMD_END, 0, NULL, NULL, NULL, NULL, NULL},
};

struct listing {
	struct span_buf *out;
	bool json, first;
};

static void put_uuid(struct span_buf *b, const uint8_t u[16])
{
	for (int i = 0; i < 16; i++)
		span_buf_printf(
			b, "%s%02x",
			i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", u[i]);
}

static void row(struct span_buf *b, const char *label)
{
	span_buf_printf(b, "%-10s", label);
}

static void put_range(struct span_buf *b, const char *label, uint64_t from,
		      uint64_t to)
{
	row(b, label);
	span_text_local_time(b, from, 3);
	span_buf_puts(b, " to ");
	span_text_local_time(b, to, 3);
	span_buf_putc(b, '\n');
}

static void put_loss(struct span_buf *b, const struct span_store_stat *s)
{
	if (s->missing_frames) {
		row(b, "missing");
		span_text_count(b, s->missing_frames);
		span_buf_puts(b, " frames\n");
	}
	if (s->n_bad) {
		row(b, "damaged");
		span_text_count(b, s->n_bad);
		span_buf_puts(b, " files were set aside\n");
	}
}

static void put_table(struct span_buf *b, const char *name,
		      const struct span_store_stat *s)
{
	row(b, "store");
	span_text_terminal(b, span_str(name));
	span_buf_putc(b, '\n');
	row(b, "uuid");
	put_uuid(b, s->uuid);
	span_buf_putc(b, '\n');
	row(b, "spans");
	span_text_count(b, s->n_spans);
	span_buf_puts(b, " in ");
	span_text_count(b, s->n_frames);
	span_buf_puts(b, " frames\n");
	row(b, "files");
	span_buf_printf(
		b, "%llu closed, %llu open\n", (unsigned long long)s->n_closed,
		(unsigned long long)(s->n_files - s->n_closed - s->n_bad));
	row(b, "size");
	span_text_size(b, s->bytes);
	if (s->n_spans)
		span_buf_printf(b, ", %.1f bytes a span",
				(double)s->bytes / (double)s->n_spans);
	span_buf_putc(b, '\n');
	if (s->n_spans) {
		put_range(b, "times", s->min_start_ns, s->max_end_ns);
		put_range(b, "arrived", s->min_arrival_ns, s->max_arrival_ns);
	}
	put_loss(b, s);
}

static void put_number(struct span_buf *b, const char *key, uint64_t n)
{
	span_buf_printf(b, ",\"%s\":%llu", key, (unsigned long long)n);
}

/* null where there is no span that has a time. */
static void put_time(struct span_buf *b, const char *key, uint64_t ns, bool any)
{
	span_buf_printf(b, ",\"%s\":", key);
	if (!any) {
		span_buf_puts(b, "null");
		return;
	}
	span_buf_putc(b, '"');
	span_text_time(b, ns, 9);
	span_buf_putc(b, '"');
}

static void put_json(struct span_buf *b, const char *name,
		     const struct span_store_stat *s)
{
	bool any = s->n_frames > 0;

	span_buf_puts(b, "{\"store\":");
	span_text_json(b, span_str(name));
	span_buf_puts(b, ",\"uuid\":\"");
	put_uuid(b, s->uuid);
	span_buf_putc(b, '"');
	put_number(b, "spans", s->n_spans);
	put_number(b, "frames", s->n_frames);
	put_number(b, "bytes", s->bytes);
	put_number(b, "closed", s->n_closed);
	put_number(b, "open", s->n_files - s->n_closed - s->n_bad);
	put_number(b, "setAside", s->n_bad);
	put_number(b, "missingFrames", s->missing_frames);
	put_time(b, "firstStart", s->min_start_ns, any);
	put_time(b, "lastEnd", s->max_end_ns, any);
	put_time(b, "firstArrival", s->min_arrival_ns, any);
	put_time(b, "lastArrival", s->max_arrival_ns, any);
	span_buf_puts(b, ",\"files\":[");
}

static void put_json_file(struct listing *l, const struct span_store_file *f,
			  const char *state)
{
	struct span_buf *b = l->out;
	bool any = f->n_frames > 0;

	span_buf_printf(b, "%s{\"name\":\"%s\",\"state\":\"%s\"",
			l->first ? "" : ",", f->name, state);
	put_number(b, "spans", f->n_spans);
	put_number(b, "frames", f->n_frames);
	put_number(b, "bytes", f->bytes);
	put_number(b, "firstFrame", f->first_seq);
	put_number(b, "lastFrame", f->last_seq);
	put_time(b, "firstStart", f->min_start_ns, any);
	put_time(b, "lastEnd", f->max_end_ns, any);
	put_time(b, "firstArrival", f->min_arrival_ns, any);
	put_time(b, "lastArrival", f->max_arrival_ns, any);
	span_buf_putc(b, '}');
}

/* What was put into B from AT on, moved to the right of WIDTH columns. */
static void align_right(struct span_buf *b, size_t at, size_t width)
{
	size_t len = b->len - at;

	if (b->failed || len >= width || !span_buf_reserve(b, width - len))
		return;
	memmove(b->p + at + width - len, b->p + at, len);
	memset(b->p + at, ' ', width - len);
	b->len = at + width;
}

static void put_row(struct span_buf *b, const struct span_store_file *f)
{
	size_t at;

	span_buf_printf(b, "%-13s", f->name);
	at = b->len;
	span_text_count(b, f->n_spans);
	align_right(b, at, 12);
	span_buf_puts(b, " spans");
	at = b->len;
	span_text_size(b, f->bytes);
	align_right(b, at, 11);
	if (f->n_frames) {
		span_buf_puts(b, "  ");
		span_text_local_time(b, f->min_arrival_ns, 0);
	}
	if (f->bad)
		span_buf_puts(b, "  set aside");
	span_buf_putc(b, '\n');
}

static int put_file(void *arg, const struct span_store_file *f,
		    const char *text, struct span_error *err)
{
	struct listing *l = arg;
	struct span_buf *b = l->out;
	const char *state = f->open ? "open" : f->bad ? "setAside" : "closed";

	(void)text;
	(void)err;
	if (l->json)
		put_json_file(l, f, state);
	else
		put_row(b, f);
	l->first = false;
	return 0;
}

int store_stat(int argc, char **argv, struct span_error *err)
{
	const char *name = store_name(&argc, &argv);
	const struct span_store_opts o = {.damage = store_damage};
	struct span_store *st = NULL;
	struct span_store_stat s;
	struct span_buf b = {0};
	struct listing l = {&b, format == FORMAT_JSON, true};
	int rc;

	if (argc)
		cmd_usage("unexpected argument: '%s'", argv[0]);
	rc = span_store_open(&st, name, &o, err);
	if (!rc)
		rc = span_store_stat(st, &s, err);
	if (!rc) {
		if (l.json)
			put_json(&b, name, &s);
		else
			put_table(&b, name, &s);
		if (l.json || cmd_verbose)
			rc = span_store_files(st, put_file, &l, err);
	}
	if (l.json)
		span_buf_puts(&b, "]}\n");
	if (!rc && b.failed)
		rc = span_error_set(err, SPAN_E_NOMEM, "memory is out");
	if (!rc)
		fwrite(b.p, 1, b.len, stdout);
	span_buf_release(&b);
	(void)span_store_close(&st, NULL);
	return rc;
}
