/* SPDX-License-Identifier: Apache-2.0 */
/* span-store init and expire: how long a store keeps what it has */
#include "store-cmd.h"

#include "base/banned.h"

#define NOT_GIVEN UINT64_MAX
#define WAIT_NS 60000000000ull /* for others: a segment takes seconds */

static struct {
	uint64_t max_age, max_bytes, min_free, wait;
	bool dry_run, trust_clock;
} opt = {NOT_GIVEN, NOT_GIVEN, NOT_GIVEN, WAIT_NS, false, false};

const struct cmd_option store_init_options[] = {
	{CMD_DURATION, 0, "max-age", &opt.max_age, "TIME",
	 "keep what arrives that long; 0: no limit", NULL},
	{CMD_SIZE, 0, "max-bytes", &opt.max_bytes, "SIZE",
	 "keep at most this much; 0: no limit", NULL},
	{CMD_SIZE, 0, "min-free", &opt.min_free, "SIZE",
	 "leave this much of the disk free; 0: no limit", NULL},
	{CMD_DURATION, 0, "wait", &opt.wait, "TIME",
	 "wait that long for whoever seals or expires (1m)", NULL},
	{CMD_END, 0, NULL, NULL, NULL, NULL, NULL},
};

const struct cmd_option store_expire_options[] = {
	{CMD_FLAG, 'n', "dry-run", &opt.dry_run, NULL,
	 "print what would be removed", NULL},
	{CMD_DURATION, 0, "max-age", &opt.max_age, "TIME",
	 "remove what arrived before that", NULL},
	{CMD_SIZE, 0, "max-bytes", &opt.max_bytes, "SIZE",
	 "keep at most this much", NULL},
	{CMD_SIZE, 0, "min-free", &opt.min_free, "SIZE",
	 "remove until this much of the disk is free", NULL},
	{CMD_FLAG, 0, "trust-clock", &opt.trust_clock, NULL,
	 "believe a clock that was set", NULL},
	{CMD_DURATION, 0, "wait", &opt.wait, "TIME",
	 "wait that long for whoever seals or expires (1m)", NULL},
	{CMD_END, 0, NULL, NULL, NULL, NULL, NULL},
};

static bool given(void)
{
	return opt.max_age != NOT_GIVEN || opt.max_bytes != NOT_GIVEN ||
	       opt.min_free != NOT_GIVEN;
}

/* Let the options that were given take the place of what P says. */
static void take_options(struct span_store_policy *p)
{
	if (opt.max_age != NOT_GIVEN)
		p->max_age_ns = opt.max_age;
	if (opt.max_bytes != NOT_GIVEN)
		p->max_bytes = opt.max_bytes;
	if (opt.min_free != NOT_GIVEN)
		p->min_free = opt.min_free;
}

/* Open the store for what needs its lock. */
static int maintain(struct span_store **st, const char *name,
		    struct span_error *err)
{
	struct span_store_opts o = {
		.mode = SPAN_STORE_MAINTAIN,
		.damage = store_damage,
	};
	int rc = span_store_open(st, name, &o, err);

	if (rc != SPAN_E_BUSY || !opt.wait)
		return rc;
	if (cmd_verbose)
		cmd_note("%s: another process maintains it, waiting", name);
	o.wait_ns = opt.wait;
	return span_store_open(st, name, &o, err);
}

/* ---- init ---- */

/* Only appenders create stores. */
static int create(const char *name, struct span_error *err)
{
	const struct span_store_opts o = {
		.mode = SPAN_STORE_APPEND,
		.damage = store_damage,
	};
	struct span_store *st;
	int rc = span_store_open(&st, name, &o, err);

	return rc < 0 ? rc : span_store_close(&st, err);
}

static int open_it(struct span_store **st, const char *name,
		   struct span_error *err)
{
	const struct span_store_opts o = {.damage = store_damage};

	return given() ? maintain(st, name, err)
		       : span_store_open(st, name, &o, err);
}

/* The store NAME, created where there is none; locked to change it. */
static int open_or_create(struct span_store **st, const char *name,
			  struct span_error *err)
{
	int rc = open_it(st, name, err);

	if (rc != SPAN_E_NOTFOUND)
		return rc;
	*err = (struct span_error){0};
	rc = create(name, err);
	return rc < 0 ? rc : open_it(st, name, err);
}

int store_init(int argc, char **argv, struct span_error *err)
{
	const char *name = store_name(&argc, &argv);
	struct span_store_policy policy = {0};
	struct span_store *st = NULL;
	struct span_buf b = {0};
	int rc;

	if (argc)
		cmd_usage("unexpected argument: '%s'", argv[0]);
	rc = open_or_create(&st, name, err);
	if (!rc)
		rc = span_store_policy_get(st, &policy, err);
	if (!rc && given()) {
		take_options(&policy);
		rc = span_store_policy_set(st, &policy, err);
	}
	(void)span_store_close(&st, NULL);
	if (!rc && !cmd_quiet) {
		span_buf_puts(&b, "store     ");
		span_text_terminal(&b, span_str(name));
		span_buf_puts(&b, "\npolicy    ");
		store_put_policy(&b, &policy);
		span_buf_putc(&b, '\n');
	}
	return store_print(&b, rc, err);
}

/* ---- expire ---- */

static int tell(void *arg, const struct span_store_file *f, const char *text,
		struct span_error *err)
{
	(void)err;
	if (!cmd_quiet && (opt.dry_run || cmd_verbose))
		store_put_file(arg, opt.dry_run ? "would remove " : "", f,
			       text);
	return 0;
}

static void sum_up(struct span_buf *b, const struct span_store_expired *gone)
{
	if (!gone->n_files || opt.dry_run || cmd_quiet)
		return;
	span_buf_puts(b, "removed ");
	store_put_n(b, gone->n_files, "file");
	span_buf_puts(b, ", ");
	store_put_n(b, gone->n_spans, "span");
	span_buf_puts(b, ", ");
	span_text_size(b, gone->bytes);
	span_buf_putc(b, '\n');
}

/* What was asked for, or else what the store remembers. */
static int which(struct span_store *st, struct span_store_policy *p,
		 struct span_error *err)
{
	int rc = given() ? 0 : span_store_policy_get(st, p, err);

	if (rc < 0)
		return rc;
	take_options(p);
	if (!p->max_age_ns && !p->max_bytes && !p->min_free)
		cmd_usage("what is to go? The store has no policy (see init), "
			  "and there is no option that says it");
	p->dry_run = opt.dry_run;
	p->trust_clock = opt.trust_clock;
	return 0;
}

int store_expire(int argc, char **argv, struct span_error *err)
{
	struct span_store_policy policy = {0};
	struct span_store_expired gone = {0};
	struct span_store *st = NULL;
	struct span_buf b = {0};
	int rc;

	if (opt.dry_run) {
		rc = store_open(&st, SPAN_STORE_READ, argc, argv, err);
	} else {
		const char *name = store_name(&argc, &argv);

		if (argc)
			cmd_usage("unexpected argument: '%s'", argv[0]);
		rc = maintain(&st, name, err);
	}
	if (!rc)
		rc = which(st, &policy, err);
	if (!rc)
		rc = span_store_expire(st, &policy, &gone, tell, &b, err);
	if (!rc && gone.clock_doubt && policy.max_age_ns && !opt.trust_clock)
		cmd_warn("the clock was set, or was wrong: nothing is removed "
			 "by age without --trust-clock");
	if (!rc)
		sum_up(&b, &gone);
	(void)span_store_close(&st, NULL);
	return store_print(&b, rc, err);
}
