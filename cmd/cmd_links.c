/* SPDX-License-Identifier: Apache-2.0 */
/* Other traces of a source, by their ids, whatever is selected. */
#include "cmd_private.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include <span/text.h>

#include "base/banned.h"

#define ID_DIGITS 33 /* all 32 of them, and an end */

/* A query for N ids, which must be whole, or they would be prefixes. */
static int compile(const uint8_t (*ids)[16], size_t n, struct span_query **q,
		   struct span_error *err)
{
	struct span_select select = {.n_trace_ids = n};
	const char **names = calloc(n, sizeof(*names));
	struct span_buf text = {0};
	int rc;

	for (size_t i = 0; i < n; i++) {
		span_text_hex(&text,
			      (struct span_str){(const char *)ids[i], 16});
		span_buf_putc(&text, 0);
	}
	if (!names || text.failed) {
		rc = span_error_set(err, SPAN_E_NOMEM, "memory is out");
		goto done;
	}
	for (size_t i = 0; i < n; i++)
		names[i] = text.p + i * ID_DIGITS;
	select.trace_ids = names;
	rc = span_query_compile(q, &select, err);
done:
	free(names);
	span_buf_release(&text);
	return rc;
}

/* Read the streams once more from their beginning. */
static int rewind_streams(struct cmd_source *s, struct span_error *err)
{
	for (int i = 0; i < s->n_names; i++)
		if (s->names[i][0] == '-' && !s->names[i][1] &&
		    lseek(STDIN_FILENO, 0, SEEK_SET) < 0)
			return span_error_set(
				err, SPAN_E_INVALID,
				"linked traces are looked for in a STORE or in "
				"FILEs: a pipe cannot be read again");
	s->next_name = 0;
	return 0;
}

int cmd_source_by_ids(struct cmd_source *s, const uint8_t (*ids)[16], size_t n,
		      struct span_error *err)
{
	int rc = 0;

	span_search_close(&s->search);
	span_query_close(&s->query);
	rc = compile(ids, n, &s->query, err);
	if (!rc && !s->store)
		rc = rewind_streams(s, err);
	return rc ? rc : cmd__source_search(s, err);
}
