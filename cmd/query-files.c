/* SPDX-License-Identifier: Apache-2.0 */
#include "query-files.h"

#include <string.h>

#include "base/banned.h"

int query_any(struct query_print *out, struct cmd_source *in,
	      struct span_error *err)
{
	struct span s;
	int rc = cmd_source_next(in, &s, err);

	out->n_spans += rc > 0;
	return rc < 0 ? rc : 0;
}

static int look_into(struct query_print *out, bool with, int argc, char **argv,
		     struct span_error *err)
{
	struct cmd_source *in = NULL;
	uint64_t before = out->n_spans;
	const char *name =
		argc && strcmp(argv[0], "-") ? argv[0] : "(standard input)";
	int rc = cmd_source_open(&in, argc, argv, NULL, err);

	if (!rc && cmd_source_is_store(in))
		cmd_usage("-l and -L are about FILEs, not about a store");
	if (!rc)
		rc = query_any(out, in, err);
	cmd_source_close(&in);
	if (!rc && (out->n_spans > before) == with)
		rc = query_print_name(out, name, err);
	return rc;
}

/* What counts as found is what was printed. */
int query_list_files(struct query_print *out, bool with, int argc, char **argv,
		     struct span_error *err)
{
	int rc = 0;

	if (!argc)
		rc = look_into(out, with, 0, argv, err);
	for (int i = 0; i < argc && !rc; i++)
		rc = look_into(out, with, 1, argv + i, err);
	out->n_spans = 0;
	return rc < 0 ? rc : query_print_flush(out, err);
}
