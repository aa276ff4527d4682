/* SPDX-License-Identifier: Apache-2.0 */
/* span-store - keep spans in a directory */
#include "store-cmd.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

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

int store_open(struct span_store **st, enum span_store_mode mode, int argc,
	       char **argv, struct span_error *err)
{
	const struct span_store_opts o = {.mode = mode, .damage = store_damage};
	const char *name = store_name(&argc, &argv);

	if (argc)
		cmd_usage("unexpected argument: '%s'", argv[0]);
	return span_store_open(st, name, &o, err);
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
	int rc = store_open(&st, SPAN_STORE_READ, argc, argv, err);

	if (!rc)
		rc = span_store_verify(st, tell_checked, NULL, err);
	(void)span_store_close(&st, NULL);
	return rc > 0 ? CMD_NONE : rc;
}

static const struct cmd verbs[] = {
	{"append", "[STORE] [FILE...]", "add span streams to a store",
	 store_append_options, store_append, NULL, NULL},
	{"expire", "[STORE]", "remove the oldest files of a store",
	 store_expire_options, store_expire, NULL, NULL},
	{"export", "[STORE] DIR", "copy what is sealed to another store", NULL,
	 store_export, NULL, NULL},
	{"import", "[STORE] DIR...", "copy what is sealed in other stores",
	 NULL, store_import, NULL, NULL},
	{"init", "[STORE]", "create a store, or say how long it keeps spans",
	 store_init_options, store_init, NULL, NULL},
	{"operations", "[STORE] [SERVICE]", "list the operations of services",
	 store_names_options, store_operations, NULL, NULL},
	{"seal", "[STORE]", "compress closed logs into segments",
	 store_seal_options, store_seal, NULL, NULL},
	{"services", "[STORE]", "list the services in a store",
	 store_names_options, store_services, NULL, NULL},
	{"stat", "[STORE]", "print what a store holds", store_stat_options,
	 store_stat, NULL, NULL},
	{"verify", "[STORE]", "check everything in a store", NULL, run_verify,
	 NULL, NULL},
	{NULL, NULL, NULL, NULL, NULL, NULL, NULL},
};

static const struct cmd span_store = {
	"span-store", "", "keep spans in a directory", NULL, NULL, verbs, NULL,
};

int main(int argc, char **argv)
{
	return cmd_main(&span_store, argc, argv);
}
