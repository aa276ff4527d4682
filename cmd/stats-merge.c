/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Partial results, and the names that they and totals carry: the fields, a
 * newline, and what is selected besides the time, as options. Only what has the
 * same ones is added up.
 */
#include "stats-input.h"

#include <string.h>

#include "base/banned.h"

static int out_of_memory(struct span_error *err)
{
	return span_error_set(err, SPAN_E_NOMEM, "memory is out");
}

static struct span_str stats_names(const struct stats_input *in)
{
	return (struct span_str){in->names.p, in->names.len};
}

int stats_names_put(struct stats_input *in, struct span_error *err)
{
	struct span_buf *b = &in->names;
	size_t before;

	for (size_t i = 0; i < in->fields.n; i++) {
		span_buf_puts(b, i ? "," : "");
		span_buf_str(b, in->fields.v[i].name);
	}
	span_buf_puts(b, in->opts.unweighted ? " unweighted" : "");
	span_buf_putc(b, '\n');
	if (!in->all_kinds)
		span_buf_puts(b, " --kind=server --kind=consumer");
	else if (!cmd_source_has_kind())
		span_buf_puts(b, " --all-kinds");
	before = b->len;
	cmd_source_selection(b);
	in->any_selection &= b->len == before;
	return b->failed ? out_of_memory(err) : 0;
}

/* What is before the newline of NAMES; *SELECTION is what is behind it. */
static struct span_str fields_of(struct span_str names,
				 struct span_str *selection)
{
	size_t len = 0;

	while (len < names.len && names.p[len] != '\n')
		len++;
	*selection = (struct span_str){names.p + len, names.len - len};
	if (selection->len) {
		selection->p++;
		selection->len--;
	}
	return (struct span_str){names.p, len};
}

/* Bytes of a file, shown to people. */
static int other_selection(struct span_str theirs, struct span_str ours,
			   struct span_error *why)
{
	struct span_buf b = {0};
	int rc;

	span_buf_puts(&b, "it was made with");
	span_text_terminal(&b, theirs);
	span_buf_puts(&b, ", not with");
	span_text_terminal(&b, ours);
	if (b.failed)
		rc = out_of_memory(why);
	else
		rc = span_error_set(why, SPAN_E_INVALID, "%.*s", (int)b.len,
				    b.p);
	span_buf_release(&b);
	return rc;
}

static int other_options(struct span_error *why)
{
	return span_error_set(why, SPAN_E_INVALID,
			      "a partial result of other options; --by, "
			      "--step, --buckets and so on have to be the "
			      "same");
}

/* May the partial result at P be merged, by its names? */
static int check_names(struct stats_input *in, const void *p, size_t len,
		       struct span_error *why)
{
	struct span_str theirs, their_fields, their_selection;
	struct span_str fields, selection;
	int rc = span_stats_names(p, len, &theirs, why);

	if (rc < 0)
		return rc;
	their_fields = fields_of(theirs, &their_selection);
	fields = fields_of(stats_names(in), &selection);
	if (!span_str_equal(fields, their_fields))
		return other_options(why);
	if (in->any_selection) {
		in->any_selection = false;
		in->names.len = 0;
		span_buf_str(&in->names, theirs);
		return in->names.failed ? out_of_memory(why) : 0;
	}
	return span_str_equal(selection, their_selection)
		       ? 0
		       : other_selection(their_selection, selection, why);
}

int stats_input_add(struct stats_input *in, const void *p, size_t len,
		    size_t *used, struct span_error *why)
{
	int rc = check_names(in, p, len, why);

	if (rc < 0)
		return rc;
	rc = span_stats_merge(in->st, stats_names(in), p, len, used, why);
	return rc == SPAN_E_INVALID ? other_options(why) : rc;
}

int stats_input_save(const struct stats_input *in, struct span_buf *out,
		     struct span_error *err)
{
	return span_stats_save(in->st, stats_names(in), out, err);
}

static int merge_file(struct stats_input *in, const char *name,
		      struct span_error *err)
{
	struct span_buf text = {0};
	struct span_error why = {0};
	size_t used = 0, at = 0;
	int rc = cmd_input_read(name, &text, err);

	if (rc < 0)
		goto done;
	if (!text.len)
		rc = span_error_set(&why, SPAN_E_FORMAT,
				    "there is no partial result in it");
	while (!rc && at < text.len) {
		rc = stats_input_add(in, text.p + at, text.len - at, &used,
				     &why);
		at += used;
	}
	if (rc < 0)
		rc = span_error_at(err, rc, at + why.pos, "%s: %s",
				   strcmp(name, "-") ? name : "standard input",
				   why.msg);
done:
	span_buf_release(&text);
	return rc;
}

int stats_input_merge(struct stats_input *in, int argc, char **argv,
		      struct span_error *err)
{
	static char dash[] = "-", *only[] = {dash};
	int rc;

	in->opts.any_since = true;
	in->all_kinds |= cmd_source_has_kind() || cmd_source_has_expression();
	rc = stats_input_open(in, err);
	if (!argc) {
		argv = only;
		argc = 1;
	}
	for (int i = 0; i < argc && !rc; i++)
		rc = merge_file(in, argv[i], err);
	return rc;
}
