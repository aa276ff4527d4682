/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Totals that are kept from run to run, and the names that totals and partial
 * results carry: the fields, a newline, and what is selected besides the time,
 * as options. Only what has the same ones is added to them.
 */
#include "stats-input.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

/* ---- Names ---- */

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

/* ---- Totals ---- */

int stats_totals_lock(const struct stats_input *in, struct span_error *err)
{
	char *real = realpath(in->totals, NULL);
	struct span_buf path = {0};
	int rc = SPAN_E_NOMEM;

	span_buf_printf(&path, "%s.lock", real ? real : in->totals);
	span_buf_putc(&path, 0);
	if (path.failed)
		out_of_memory(err);
	else
		rc = cmd_file_lock(path.p, err);
	span_buf_release(&path);
	free(real);
	return rc;
}

static int put_arrived(void *arg, const struct span *s, struct span_error *err)
{
	(void)err;
	return stats_input_put(arg, s);
}

/*
 * What FILE has: totals, which are merged, and of a store how far it was read.
 * The first time there is none.
 */
static int load_totals(struct stats_input *in, struct span_news *news,
		       struct span_error *err)
{
	struct span_buf text = {0};
	struct span_error why = {0};
	size_t used = 0;
	int rc = cmd_file_read(in->totals, &text, err);

	if (rc == SPAN_E_NOTFOUND)
		return 0;
	if (rc < 0)
		return rc;
	rc = stats_input_add(in, text.p, text.len, &used, &why);
	if (!rc && news && used == text.len)
		rc = span_error_set(&why, SPAN_E_INVALID,
				    "these are totals of a FILE, not of a "
				    "store");
	else if (!rc && news)
		rc = span_news_load(news, text.p + used, text.len - used, &why);
	else if (!rc && used < text.len)
		rc = span_error_set(&why, SPAN_E_INVALID,
				    "these are totals of a store");
	span_buf_release(&text);
	return rc < 0 ? span_error_set(err, rc, "%s: %s", in->totals, why.msg)
		      : 0;
}

/*
 * Totals and how far they go change together: a run that is cut short is as if
 * it had not been, so that each span counts once.
 */
static int save_totals(struct stats_input *in, struct span_news *news,
		       struct span_error *err)
{
	struct span_buf text = {0};
	int rc = stats_input_save(in, &text, err);

	if (!rc && news)
		rc = span_news_save(news, &text, err);
	if (!rc)
		rc = cmd_file_replace(in->totals, text.p, text.len, err);
	span_buf_release(&text);
	return rc;
}

/* Of FILEs all is new. */
int stats_totals_add(struct stats_input *in, struct span_error *err)
{
	int rc = load_totals(in, NULL, err);

	return rc < 0 ? rc : save_totals(in, NULL, err);
}

int stats_totals_arrived(struct stats_input *in, struct cmd_source *source,
			 struct span_error *err)
{
	struct span_news *news;
	int rc;

	if (cmd_source_needs_trace(source))
		cmd_usage("--totals of a store are about conditions on a span "
			  "alone");
	rc = cmd_source_news(source, &news, err);
	if (rc < 0)
		return rc;
	rc = load_totals(in, news, err);
	if (!rc)
		rc = span_news_spans(news, put_arrived, in, err);
	if (!rc)
		rc = save_totals(in, news, err);
	span_news_close(&news);
	return rc;
}
