/* SPDX-License-Identifier: Apache-2.0 */
/* span-store services and operations */
#include "store-names.h"

#include <string.h>

#include "base/banned.h"

#define FLUSH (64u << 10)
#define SPANS_WIDTH 14
#define ERRORS_WIDTH 11
#define KIND_WIDTH 9

static const char *const format_names[] = {"table", "json", "csv", NULL};
static int format;

const struct cmd_option store_names_options[] = {
	{CMD_CHOICE, 'o', "format", &format, "FORMAT", "how to print it",
	 format_names},
	{CMD_END, 0, NULL, NULL, NULL, NULL, NULL},
};

static void put_right(struct span_buf *b, uint64_t n, size_t width)
{
	size_t at = b->len;

	span_text_count(b, n);
	store_align_right(b, at, width);
}

static bool same(struct span_str a, struct span_str b)
{
	return a.len == b.len && (!a.len || !memcmp(a.p, b.p, a.len));
}

/* What is gathered goes out now and then: there may be very many names. */
static void flush(struct span_buf *b, size_t above)
{
	if (b->len <= above || b->failed)
		return;
	fwrite(b->p, 1, b->len, stdout);
	b->len = 0;
}

/* ---- Operations ---- */

static void table_head(struct names_list *l)
{
	size_t left = l->columns - KIND_WIDTH - SPANS_WIDTH - ERRORS_WIDTH;

	l->service_width = left * 2 / 5;
	l->operation_width = left - l->service_width - 2;
	span_text_fit(l->out, span_str("service"), l->service_width, true);
	span_buf_putc(l->out, ' ');
	span_text_fit(l->out, span_str("operation"), l->operation_width, true);
	span_buf_printf(l->out, " %-*s%*s%*s\n", KIND_WIDTH, "kind",
			SPANS_WIDTH, "spans", ERRORS_WIDTH, "errors");
}

static void table_row(struct names_list *l, const struct span_store_name *n)
{
	struct span_buf *b = l->out;

	if (!l->n)
		table_head(l);
	span_text_fit(b, n->service, l->service_width, true);
	span_buf_putc(b, ' ');
	span_text_fit(b, n->operation, l->operation_width, true);
	span_buf_printf(b, " %-*s", KIND_WIDTH, span_kind_name(n->kind));
	put_right(b, n->spans, SPANS_WIDTH);
	put_right(b, n->errors, ERRORS_WIDTH);
	span_buf_putc(b, '\n');
}

static void json_row(struct names_list *l, const struct span_store_name *n)
{
	struct span_buf *b = l->out;

	span_buf_puts(b, l->n ? ",\n{\"service\":" : "[{\"service\":");
	span_text_json(b, n->service);
	span_buf_puts(b, ",\"operation\":");
	span_text_json(b, n->operation);
	span_buf_printf(b, ",\"kind\":\"%s\",\"spans\":%llu,\"errors\":%llu}",
			span_kind_name(n->kind), (unsigned long long)n->spans,
			(unsigned long long)n->errors);
}

static void csv_row(struct names_list *l, const struct span_store_name *n)
{
	struct span_buf *b = l->out;

	span_text_csv(b, n->service, true);
	span_buf_putc(b, ',');
	span_text_csv(b, n->operation, true);
	span_buf_printf(b, ",%s,%llu,%llu\n", span_kind_name(n->kind),
			(unsigned long long)n->spans,
			(unsigned long long)n->errors);
}

static int operation(void *arg, const struct span_store_name *n,
		     struct span_error *err)
{
	static void (*const rows[])(struct names_list *,
				    const struct span_store_name *) = {
		table_row, json_row, csv_row};
	struct names_list *l = arg;

	(void)err;
	if (l->service && !same(n->service, span_str(l->service)))
		return 0;
	rows[l->format](l, n);
	l->n++;
	flush(l->out, FLUSH);
	return 0;
}

int names_operations(struct names_list *l, struct span_store *st,
		     struct span_error *err)
{
	int rc;

	if (l->columns < 60)
		l->columns = 60;
	if (l->format == NAMES_CSV)
		span_buf_puts(l->out, "service,operation,kind,spans,errors\n");
	rc = span_store_names(st, operation, l, err);
	if (!rc && l->format == NAMES_JSON)
		span_buf_puts(l->out, l->n ? "]" : "[]");
	return rc;
}

/* ---- Services: the names come sorted, so that a sum will do ---- */

struct services {
	struct names_list l;
	struct span_buf name;
	uint64_t operations, spans, errors;
};

static void service_table(struct services *s, struct span_str name)
{
	struct span_buf *b = s->l.out;
	size_t width = s->l.columns - SPANS_WIDTH - ERRORS_WIDTH - 12;

	if (!s->l.n) {
		span_text_fit(b, span_str("service"), width, true);
		span_buf_printf(b, "%12s%*s%*s\n", "operations", SPANS_WIDTH,
				"spans", ERRORS_WIDTH, "errors");
	}
	span_text_fit(b, name, width, true);
	put_right(b, s->operations, 12);
	put_right(b, s->spans, SPANS_WIDTH);
	put_right(b, s->errors, ERRORS_WIDTH);
	span_buf_putc(b, '\n');
}

static void service_json(struct services *s, struct span_str name)
{
	struct span_buf *b = s->l.out;

	span_buf_puts(b, s->l.n ? ",\n{\"service\":" : "[{\"service\":");
	span_text_json(b, name);
	span_buf_printf(
		b, ",\"operations\":%llu,\"spans\":%llu,\"errors\":%llu}",
		(unsigned long long)s->operations, (unsigned long long)s->spans,
		(unsigned long long)s->errors);
}

static void service_csv(struct services *s, struct span_str name)
{
	span_text_csv(s->l.out, name, true);
	span_buf_printf(s->l.out, ",%llu,%llu,%llu\n",
			(unsigned long long)s->operations,
			(unsigned long long)s->spans,
			(unsigned long long)s->errors);
}

static void service_end(struct services *s)
{
	static void (*const rows[])(struct services *, struct span_str) = {
		service_table, service_json, service_csv};

	if (!s->operations)
		return;
	rows[s->l.format](s, (struct span_str){s->name.p, s->name.len});
	s->l.n++;
	s->operations = s->spans = s->errors = 0;
	flush(s->l.out, FLUSH);
}

static int service(void *arg, const struct span_store_name *n,
		   struct span_error *err)
{
	struct services *s = arg;

	if (!s->operations ||
	    !same(n->service, (struct span_str){s->name.p, s->name.len})) {
		service_end(s);
		s->name.len = 0;
		span_buf_str(&s->name, n->service);
		if (s->name.failed)
			return span_error_set(err, SPAN_E_NOMEM,
					      "memory is out");
	}
	s->operations++;
	s->spans += n->spans;
	s->errors += n->errors;
	return 0;
}

int store_services(int argc, char **argv, struct span_error *err)
{
	struct span_buf b = {0};
	struct services s = {
		.l = {.out = &b,
		      .format = (enum names_format)format,
		      .columns = cmd_output_columns()},
	};
	struct span_store *st = NULL;
	int rc = store_open(&st, SPAN_STORE_READ, argc, argv, err);

	if (s.l.columns < 60)
		s.l.columns = 60;
	if (format == NAMES_CSV)
		span_buf_puts(&b, "service,operations,spans,errors\n");
	if (!rc)
		rc = span_store_names(st, service, &s, err);
	if (!rc)
		service_end(&s);
	if (!rc && format == NAMES_JSON)
		span_buf_puts(&b, s.l.n ? "]\n" : "[]\n");
	span_buf_release(&s.name);
	(void)span_store_close(&st, NULL);
	return store_print(&b, rc, err);
}

int store_operations(int argc, char **argv, struct span_error *err)
{
	const char *name = store_name(&argc, &argv);
	const struct span_store_opts o = {.damage = store_damage};
	struct span_store *st = NULL;
	struct span_buf b = {0};
	struct names_list l = {
		.out = &b,
		.format = (enum names_format)format,
		.columns = cmd_output_columns(),
		.service = argc ? argv[0] : NULL,
	};
	int rc;

	if (argc > 1)
		cmd_usage("unexpected argument: '%s'", argv[1]);
	rc = span_store_open(&st, name, &o, err);
	if (!rc)
		rc = names_operations(&l, st, err);
	if (!rc && format == NAMES_JSON)
		span_buf_putc(&b, '\n');
	if (!rc && l.service && !l.n)
		rc = CMD_NONE;
	(void)span_store_close(&st, NULL);
	return store_print(&b, rc, err);
}
