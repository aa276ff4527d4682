/* SPDX-License-Identifier: Apache-2.0 */
/* span-store - keep spans in a directory */
#include "store-cmd.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

static struct {
	uint64_t max_age, max_bytes;
	bool dry_run, trust_clock;
} opt;

const char *store_name(int *argc, char ***argv)
{
	const char *name = getenv("SPAN_STORE");

	if (*argc) {
		name = **argv;
		++*argv;
		--*argc;
	}
	if (!name || !*name)
		cmd_usage("no STORE, and SPAN_STORE is not set");
	return name;
}

void store_damage(void *arg, const char *text)
{
	(void)arg;
	cmd_warn("%s", text);
}

/* The store that is the only operand. */
static int open_only(struct span_store **st, enum span_store_mode mode,
		     int argc, char **argv, struct span_error *err)
{
	const struct span_store_opts o = {.mode = mode, .damage = store_damage};
	const char *name = store_name(&argc, &argv);

	if (argc)
		cmd_usage("unexpected argument: '%s'", argv[0]);
	return span_store_open(st, name, &o, err);
}

static void print_size(const char *before, uint64_t bytes, const char *after)
{
	struct span_buf b = {0};

	span_text_size(&b, bytes);
	printf("%s%.*s%s", before, (int)b.len, b.p, after);
	span_buf_release(&b);
}

static int tell_expired(void *arg, const struct span_store_file *f,
			const char *text, struct span_error *err)
{
	(void)arg;
	(void)err;
	if (cmd_quiet || (!opt.dry_run && !cmd_verbose))
		return 0;
	printf("%s%s, %llu spans", opt.dry_run ? "would remove " : "", f->name,
	       (unsigned long long)f->n_spans);
	print_size(", ", f->bytes, "");
	printf(": %s\n", text);
	return 0;
}

static int run_expire(int argc, char **argv, struct span_error *err)
{
	const struct span_store_policy policy = {
		.max_age_ns = opt.max_age,
		.max_bytes = opt.max_bytes,
		.dry_run = opt.dry_run,
		.trust_clock = opt.trust_clock,
	};
	struct span_store_expired gone = {0};
	struct span_store *st = NULL;
	int rc;

	if (!opt.max_age && !opt.max_bytes)
		cmd_usage("what is to go? --max-age or --max-bytes is needed");
	rc = open_only(&st, opt.dry_run ? SPAN_STORE_READ : SPAN_STORE_MAINTAIN,
		       argc, argv, err);
	if (!rc)
		rc = span_store_expire(st, &policy, &gone, tell_expired, NULL,
				       err);
	if (!rc && gone.clock_doubt && opt.max_age && !opt.trust_clock)
		cmd_warn("the clock was set, or was wrong: nothing is removed "
			 "by age without --trust-clock");
	if (!rc && gone.n_files && !opt.dry_run && !cmd_quiet) {
		printf("removed %llu file%s, %llu span%s",
		       (unsigned long long)gone.n_files, store_s(gone.n_files),
		       (unsigned long long)gone.n_spans, store_s(gone.n_spans));
		print_size(", ", gone.bytes, "\n");
	}
	(void)span_store_close(&st, NULL);
	return rc;
}

static int tell_checked(void *arg, const struct span_store_file *f,
			const char *text, struct span_error *err)
{
	(void)arg;
	(void)err;
	if (text)
		printf("%s: %s\n", f->name, text);
	else if (cmd_verbose)
		printf("%s: sound, %llu spans\n", f->name,
		       (unsigned long long)f->n_spans);
	return 0;
}

static int run_verify(int argc, char **argv, struct span_error *err)
{
	struct span_store *st = NULL;
	int rc = open_only(&st, SPAN_STORE_READ, argc, argv, err);

	if (!rc)
		rc = span_store_verify(st, tell_checked, NULL, err);
	(void)span_store_close(&st, NULL);
	return rc > 0 ? CMD_NONE : rc;
}

static const struct cmd_option expire_options[] = {
	{CMD_FLAG, 0, "dry-run", &opt.dry_run, NULL,
	 "print what would be removed", NULL},
	{CMD_DURATION, 0, "max-age", &opt.max_age, "TIME",
	 "remove what arrived before that", NULL},
	{CMD_SIZE, 0, "max-bytes", &opt.max_bytes, "SIZE",
	 "keep at most this much", NULL},
	{CMD_FLAG, 0, "trust-clock", &opt.trust_clock, NULL,
	 "believe a clock that was set", NULL},
	{CMD_END, 0, NULL, NULL, NULL, NULL, NULL},
};

static const struct cmd verbs[] = {
	{"append", "[STORE] [FILE...]", "add span streams to a store",
	 store_append_options, store_append, NULL},
	{"expire", "[STORE]", "remove the oldest logs of a store",
	 expire_options, run_expire, NULL},
	{"stat", "[STORE]", "print what a store holds", store_stat_options,
	 store_stat, NULL},
	{"verify", "[STORE]", "check everything in a store", NULL, run_verify,
	 NULL},
	{NULL, NULL, NULL, NULL, NULL, NULL},
};

static const struct cmd span_store = {
	"span-store", "", "keep spans in a directory", NULL, NULL, verbs,
};

int main(int argc, char **argv)
{
	return cmd_main(&span_store, argc, argv);
}
