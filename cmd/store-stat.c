/* SPDX-License-Identifier: Apache-2.0 */
/* span-store stat */
#include "stat-print.h"
#include "store-names.h"

#include "base/banned.h"

#define DAY (24 * 3600e9)
#define LEAST_NS 600e9 /* from how long on growth can be told */

static const char *const format_names[] = {"table", "json", "csv", NULL};
static struct {
	int format;
	bool columns, services;
} opt;

const struct cmd_option store_stat_options[] = {
	{CMD_CHOICE, 'o', "format", &opt.format, "FORMAT", "how to print it",
	 format_names},
	{CMD_FLAG, 0, "columns", &opt.columns, NULL,
	 "print what the bytes are spent on too", NULL},
	{CMD_FLAG, 0, "services", &opt.services, NULL,
	 "print services and operations too", NULL},
	{CMD_END, 0, NULL, NULL, NULL, NULL, NULL},
};

/* Above a hundred years it does not matter how long. */
static uint64_t to_ns(double days)
{
	return days > 36500 ? (uint64_t)(36500 * DAY) : (uint64_t)(days * DAY);
}

/*
 * What spans take once they are sealed, times the rate at which they came,
 * is how fast the store grows; logs are several times larger, but are sealed
 * before long. The policy may keep the disk from ever being full.
 */
static void estimate(struct stat_report *r)
{
	const struct span_store_stat *s = &r->s;
	const struct span_store_policy *p = &r->policy;
	double span = (double)(s->max_arrival_ns - s->min_arrival_ns);
	double room, holds;

	if (s->sealed_spans)
		r->span_bytes =
			(double)s->sealed_bytes / (double)s->sealed_spans;
	else if (s->n_spans)
		r->span_bytes = (double)s->bytes / (double)s->n_spans;
	if (!s->n_spans || span < LEAST_NS)
		return;
	r->bytes_a_day = r->span_bytes * (double)s->n_spans / span * DAY;
	if (r->bytes_a_day < 1 || s->free_bytes == UINT64_MAX)
		return;
	room = (double)s->free_bytes + (double)s->bytes;
	holds = room / r->bytes_a_day;
	r->holds_ns = to_ns(holds);
	if ((p->max_bytes && (double)p->max_bytes < room) ||
	    (p->max_age_ns && (double)p->max_age_ns / DAY < holds) ||
	    p->min_free)
		return;
	r->full_ns = to_ns((double)s->free_bytes / r->bytes_a_day);
}

static int count_file(void *arg, const struct span_store_file *f,
		      const char *text, struct span_error *err)
{
	struct stat_report *r = arg;

	(void)text;
	(void)err;
	if (f->bad || f->sealed || f->draft)
		return 0;
	r->n_logs++;
	r->n_open += f->open;
	return 0;
}

static int look(struct span_store *st, struct stat_report *r,
		struct span_error *err)
{
	int rc = span_store_stat(st, &r->s, err);

	if (!rc)
		rc = span_store_files(st, count_file, r, err);
	if (!rc)
		rc = span_store_policy_get(st, &r->policy, err);
	if (!rc)
		estimate(r);
	return rc;
}

static int put_file(void *arg, const struct span_store_file *f,
		    const char *text, struct span_error *err)
{
	(void)text;
	(void)err;
	stat_put_file(arg, f);
	return 0;
}

static int put_json_file(void *arg, const struct span_store_file *f,
			 const char *text, struct span_error *err)
{
	(void)text;
	(void)err;
	stat_put_json_file(arg, f);
	return 0;
}

struct part_list {
	struct span_buf *out;
	uint64_t spans;
};

static int put_part(void *arg, const struct span_store_part *p,
		    struct span_error *err)
{
	struct part_list *l = arg;

	(void)err;
	if (opt.format == NAMES_CSV)
		stat_put_csv_part(l->out, p);
	else
		stat_put_part(l->out, p, l->spans);
	return 0;
}

static int put_json_part(void *arg, const struct span_store_part *p,
			 struct span_error *err)
{
	(void)err;
	stat_put_json_part(arg, p);
	return 0;
}

static int put_columns(struct span_buf *b, struct span_store *st,
		       uint64_t spans, struct span_error *err)
{
	struct part_list l = {b, spans};

	if (opt.format == NAMES_CSV)
		span_buf_puts(b, "part,key,bytes,values\n");
	if (opt.format == NAMES_TABLE && spans)
		span_buf_printf(b, "\n%-44s%12s%11s%13s\n", "part", "size",
				"B a span", "values");
	return span_store_parts(st, put_part, &l, err);
}

static int put_services(struct span_buf *b, struct span_store *st,
			struct span_error *err)
{
	struct names_list l = {
		.out = b,
		.format = (enum names_format)opt.format,
		.columns = cmd_output_columns(),
	};

	return names_operations(&l, st, err);
}

static int put_json(struct span_buf *b, struct span_store *st,
		    const struct stat_report *r, struct span_error *err)
{
	struct cmd_json j = {.b = b};
	int rc;

	cmd_json_open(&j, NULL, '{');
	stat_put_json(&j, r);
	cmd_json_open(&j, "files", '[');
	rc = span_store_files(st, put_json_file, &j, err);
	cmd_json_close(&j, ']');
	if (!rc && opt.columns) {
		cmd_json_open(&j, "columns", '[');
		rc = span_store_parts(st, put_json_part, &j, err);
		cmd_json_close(&j, ']');
	}
	if (!rc && opt.services) {
		cmd_json_value(&j, "operations");
		rc = put_services(b, st, err);
	}
	cmd_json_close(&j, '}');
	span_buf_putc(b, '\n');
	return rc;
}

static int put_table(struct span_buf *b, struct span_store *st,
		     const struct stat_report *r, struct span_error *err)
{
	int rc = 0;

	stat_put_table(b, r);
	if (cmd_verbose)
		rc = span_store_files(st, put_file, b, err);
	if (!rc && opt.columns)
		rc = put_columns(b, st, r->s.n_spans, err);
	if (!rc && opt.services && r->s.n_spans) {
		span_buf_putc(b, '\n');
		rc = put_services(b, st, err);
	}
	return rc;
}

int store_stat(int argc, char **argv, struct span_error *err)
{
	const struct span_store_opts o = {.damage = store_damage};
	struct stat_report r = {.name = store_name(&argc, &argv)};
	struct span_store *st = NULL;
	struct span_buf b = {0};
	int rc;

	if (argc)
		cmd_usage("unexpected argument: '%s'", argv[0]);
	if (opt.format == NAMES_CSV && opt.columns && opt.services)
		cmd_usage("--columns and --services are two tables: one at a "
			  "time in CSV");
	rc = span_store_open(&st, r.name, &o, err);
	if (!rc)
		rc = look(st, &r, err);
	if (!rc && opt.format == NAMES_JSON)
		rc = put_json(&b, st, &r, err);
	else if (!rc && opt.format == NAMES_TABLE)
		rc = put_table(&b, st, &r, err);
	else if (!rc && opt.columns)
		rc = put_columns(&b, st, r.s.n_spans, err);
	else if (!rc && opt.services)
		rc = put_services(&b, st, err);
	else if (!rc)
		stat_put_csv(&b, &r);
	(void)span_store_close(&st, NULL);
	return store_print(&b, rc, err);
}
