/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Totals that are kept from run to run.
 *
 * They and how far a store was read are one file, which is replaced as a whole
 * when all that is shown has been written: a run that fails or is cut short is
 * as if it had not been, and the next one counts again what it counted.
 */
#include "stats-input.h"

#include <stdlib.h>

#include "base/banned.h"

int stats_totals_lock(const struct stats_input *in, struct span_error *err)
{
	char *real = realpath(in->totals, NULL);
	struct span_buf path = {0};
	int rc = SPAN_E_NOMEM;

	span_buf_printf(&path, "%s.lock", real ? real : in->totals);
	span_buf_putc(&path, 0);
	if (path.failed)
		span_error_set(err, SPAN_E_NOMEM, "memory is out");
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
	in->had_totals = true;
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

/* What was counted before, and where of a store to go on. */
static int load_news(struct stats_input *in, struct span_news *news,
		     struct span_error *err)
{
	int rc = load_totals(in, news, err);

	if (rc < 0 || !in->had_totals)
		return rc;
	return cmd_news_missed(news, in->totals, err);
}

int stats_totals_arrived(struct stats_input *in, struct cmd_source *source,
			 struct span_error *err)
{
	struct span_news *news;
	int rc;

	if (cmd_source_needs_trace(source))
		cmd_usage("--totals of a store are about conditions on a span "
			  "alone");
	if (cmd_source_limit())
		cmd_usage("--totals of a store go with no --limit");
	rc = cmd_source_news(source, &news, err);
	if (rc < 0)
		return rc;
	rc = load_news(in, news, err);
	if (!rc)
		rc = span_news_spans(news, put_arrived, in, err);
	if (!rc)
		rc = span_news_save(news, &in->place, err);
	span_news_close(&news);
	return rc;
}

/* Of FILEs all is new. */
int stats_totals_add(struct stats_input *in, struct span_error *err)
{
	return load_totals(in, NULL, err);
}

int stats_totals_commit(struct stats_input *in, struct span_error *err)
{
	struct span_buf text = {0};
	int rc = cmd_input_check(err);

	if (!rc)
		rc = stats_input_save(in, &text, err);
	span_buf_put(&text, in->place.p, in->place.len);
	if (!rc && text.failed)
		rc = span_error_set(err, SPAN_E_NOMEM, "memory is out");
	if (!rc)
		rc = cmd_file_replace(in->totals, text.p, text.len, err);
	span_buf_release(&text);
	return rc;
}
