/* SPDX-License-Identifier: Apache-2.0 */
/* span-store export and import: sealed segments from store to store */
#include "store-cmd.h"

#include <stdlib.h>

#include "base/banned.h"

/* Logs stay where they are: say so, as they are what is young. */
static int warn_of_logs(struct span_store *st, const char *name,
			struct span_error *err)
{
	struct span_store_stat s;
	uint64_t spans;
	int rc = span_store_stat(st, &s, err);

	if (rc < 0)
		return rc;
	spans = s.n_spans - s.sealed_spans;
	if (spans)
		cmd_warn("%s: %llu span%s not copied, as nothing has sealed "
			 "them yet",
			 name, (unsigned long long)spans,
			 spans == 1 ? " is" : "s are");
	return 0;
}

static int copy(const char *from, const char *to, uint64_t *n,
		struct span_error *err)
{
	const struct span_store_opts o = {.damage = store_damage};
	struct span_store *st;
	uint64_t copied = 0;
	int rc = span_store_open(&st, from, &o, err);

	if (rc < 0)
		return rc;
	rc = span_store_export(st, to, &copied, err);
	if (!rc)
		rc = warn_of_logs(st, from, err);
	*n += copied;
	(void)span_store_close(&st, NULL);
	return rc;
}

static int sum_up(uint64_t n, int rc, struct span_error *err)
{
	struct span_buf b = {0};

	if (n && !cmd_quiet) {
		span_buf_puts(&b, "copied ");
		store_put_n(&b, n, "segment");
		span_buf_putc(&b, '\n');
	}
	return store_print(&b, rc, err);
}

int store_export(int argc, char **argv, struct span_error *err)
{
	const char *from, *env = getenv("SPAN_STORE");
	uint64_t n = 0;
	int rc;

	if (argc == 1 && env && *env)
		from = env;
	else
		from = store_name(&argc, &argv);
	if (!argc)
		cmd_usage("to which DIR?");
	if (argc > 1)
		cmd_usage("unexpected argument: '%s'", argv[1]);
	rc = copy(from, argv[0], &n, err);
	return sum_up(n, rc, err);
}

int store_import(int argc, char **argv, struct span_error *err)
{
	const char *to, *env = getenv("SPAN_STORE");
	uint64_t n = 0;
	int rc = 0;

	if (argc == 1 && env && *env)
		to = env;
	else
		to = store_name(&argc, &argv);
	if (!argc)
		cmd_usage("from which DIR?");
	for (int i = 0; i < argc && !rc; i++)
		rc = copy(argv[i], to, &n, err);
	return sum_up(n, rc, err);
}
