/* SPDX-License-Identifier: Apache-2.0 */
/*
 * span-serve - answer questions about a store by HTTP
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "net/privilege.h"
#include "serve-cmd.h"
#include "serve/metrics_counts.h"
#include "serve/pool.h"
#include "serve/ui.h"

#include "base/banned.h"

#define SECOND_NS UINT64_C(1000000000)
#define HOUR_NS (3600 * SECOND_NS)
#define STOP_NS (10 * SECOND_NS) /* for requests that are being answered */
#define LOOK_NS (SECOND_NS / 10) /* between two looks for a store */

static struct {
	const char *store, *archive;
	uint64_t lookback_ns, max_skew_ns, max_traces, max_spans, wait_ns;
} opt = {
	.lookback_ns = 48 * HOUR_NS,
	.max_traces = 10000,
	.max_spans = 1000000,
};

static const struct cmd_option store_options[] = {
	{CMD_STRING, 's', "store", &opt.store, "STORE", "the store to serve",
	 NULL},
	{CMD_STRING, 0, "archive", &opt.archive, "STORE",
	 "another store, whose traces are found by their ids too", NULL},
	{CMD_DURATION, 0, "wait", &opt.wait_ns, "TIME",
	 "wait so long for the store to be made (default 0)", NULL},
	{CMD_END, 0, NULL, NULL, NULL, NULL, NULL},
};

static const struct cmd_option answer_options[] = {
	{CMD_DURATION, 0, "lookback", &opt.lookback_ns, "TIME",
	 "how far a search without a start goes back (default 48h)", NULL},
	{CMD_DURATION, 0, "adjust-clock", &opt.max_skew_ns, "MAX",
	 "move spans of other hosts by up to MAX, so that calls fit into "
	 "their callers (default 0)",
	 NULL},
	{CMD_INT, 0, "max-traces", &opt.max_traces, "N",
	 "refuse to search for more traces at once (default 10k)", NULL},
	{CMD_INT, 0, "max-spans", &opt.max_spans, "N",
	 "cut a trace with more spans, and say so (default 1M)", NULL},
	{CMD_END, 0, NULL, NULL, NULL, NULL, NULL},
};

static const struct cmd_option options[] = {
	{CMD_GROUP, 0, NULL, (void *)store_options, NULL, "Store", NULL},
	{CMD_GROUP, 0, NULL, (void *)serve_listen_options, NULL, "Server",
	 NULL},
	{CMD_GROUP, 0, NULL, (void *)serve_web_options, NULL, "Server", NULL},
	{CMD_GROUP, 0, NULL, (void *)serve_access_options, NULL, "Access",
	 NULL},
	{CMD_GROUP, 0, NULL, (void *)answer_options, NULL, "Answers", NULL},
	{CMD_GROUP, 0, NULL, (void *)serve_ui_options, NULL, "Page", NULL},
	{CMD_END, 0, NULL, NULL, NULL, NULL, NULL},
};

/* What is in memory is another process's, and so nothing. */
static void check_store(const char *name)
{
	if (name && !strncmp(name, "memory:", strlen("memory:")))
		cmd_usage("a store in memory has nothing to serve: '%s'", name);
}

static void check_usage(int argc, char **argv)
{
	if (argc)
		cmd_usage("unexpected argument: '%s' (a store is given with "
			  "-s)",
			  argv[0]);
	if (!opt.store)
		opt.store = getenv("SPAN_STORE");
	if (!opt.store || !*opt.store)
		cmd_usage("which store? -s STORE");
	check_store(opt.store);
	check_store(opt.archive);
	if (!opt.max_traces || !opt.max_spans)
		cmd_usage("--max-traces and --max-spans are 1 at least");
	serve_web_check();
	serve_ui_check();
}

/* The same damage is found by each request: it is told once. */
static void tell_damage(void *arg, const char *text)
{
	static uint64_t told[64];
	static size_t n;
	uint64_t hash = UINT64_C(14695981039346656037);

	(void)arg;
	for (const char *c = text; *c; c++)
		hash = (hash ^ (unsigned char)*c) * UINT64_C(1099511628211);
	for (size_t i = 0; i < 64; i++)
		if (told[i] == hash)
			return;
	told[n++ % 64] = hash;
	cmd_warn("%s", text);
}

static int open_pool(struct span__serve_pool **out, const char *name,
		     struct span_error *err)
{
	const struct span__serve_pool_opts o = {.max_idle = serve_threads(),
						.damage = tell_damage};

	return span__serve_pool_open(out, name, &o, err);
}

/* Is it there, and can it be read? */
static int try_store(struct span__serve_pool *p, struct span_error *err)
{
	struct span_store *st;
	int rc = span__serve_take(p, &st, err);

	if (rc == 0)
		span__serve_give_back(p, st);
	return rc;
}

/* 0 also when it was told to stop meanwhile. */
static int wait_for_store(struct span__serve_pool *p, struct span_error *err)
{
	const struct timespec nap = {.tv_nsec = LOOK_NS};
	uint64_t start_ns = cmd_monotonic_ns();
	int rc = try_store(p, err);

	while (rc == SPAN_E_NOTFOUND && !cmd_stopped &&
	       cmd_monotonic_ns() - start_ns < opt.wait_ns) {
		nanosleep(&nap, NULL);
		rc = try_store(p, err);
	}
	return rc == SPAN_E_NOTFOUND && cmd_stopped ? 0 : rc;
}

/* One that is not there may be made later, or its name be wrong. */
static int look_for_archive(struct span__serve_pool *p, struct span_error *err)
{
	int rc = p ? try_store(p, err) : 0;

	if (rc == SPAN_E_NOTFOUND)
		cmd_warn("--archive: %s", err->msg);
	return rc == SPAN_E_NOTFOUND ? 0 : rc;
}

static int open_stores(struct span__serve *s, struct span_error *err)
{
	int rc = open_pool(&s->store, opt.store, err);

	if (rc >= 0 && opt.archive)
		rc = open_pool(&s->archive, opt.archive, err);
	if (rc >= 0)
		rc = span__metrics_counts_open(&s->counts, err);
	if (rc >= 0)
		rc = wait_for_store(s->store, err);
	return rc < 0 ? rc : look_for_archive(s->archive, err);
}

static volatile sig_atomic_t reload_wanted;

static void on_hangup(int sig)
{
	(void)sig;
	reload_wanted = 1;
}

static void catch_signals(void)
{
	struct sigaction act = {.sa_handler = on_hangup};

	sigemptyset(&act.sa_mask);
	sigaction(SIGHUP, &act, NULL);
	cmd_signals_source();
}

/* Signals come only while it waits, so that none is missed before. */
static void block_signals(sigset_t *open)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, open);
}

static int serve(struct span__web_server *w, struct span_error *err)
{
	uint64_t start_ns = cmd_monotonic_ns(), stop_ns;
	sigset_t open;
	int rc = 0;

	block_signals(&open);
	serve_listen_note(serve_has_tls(), serve_base_path());
	cmd_sd_notify("READY=1");
	while (rc >= 0 && !cmd_stopped) {
		rc = span__web_server_turn(w, SECOND_NS, &open, err);
		if (reload_wanted)
			serve_web_reload(w);
		reload_wanted = 0;
	}
	cmd_sd_notify("STOPPING=1");
	/* From here on a second signal ends it. */
	sigprocmask(SIG_SETMASK, &open, NULL);
	span__web_server_stop(w);
	stop_ns = cmd_monotonic_ns() + STOP_NS;
	while (rc >= 0 && !span__web_server_is_idle(w) &&
	       cmd_monotonic_ns() < stop_ns)
		rc = span__web_server_turn(w, SECOND_NS / 10, &open, err);
	serve_web_note(w, cmd_monotonic_ns() - start_ns);
	return rc;
}

static int run(int argc, char **argv, struct span_error *err)
{
	struct span__web_server *w = NULL;
	struct span__serve_ui *ui = NULL;
	struct span__serve s = {.now = cmd_now_ns};
	int rc;

	serve_listen_inherit();
	check_usage(argc, argv);
	span__no_new_privileges();
	catch_signals();
	s.dir = opt.store;
	s.lookback_ns = opt.lookback_ns;
	s.max_skew_ns = opt.max_skew_ns;
	s.max_traces = opt.max_traces;
	s.max_spans = opt.max_spans;
	s.metrics = span__web_server_metrics;
	rc = open_stores(&s, err);
	if (rc < 0 || cmd_stopped)
		goto done;
	rc = serve_ui_open(&ui, err);
	s.ui = ui;
	if (rc >= 0)
		rc = serve_web_open(&w, &s, err);
	s.metrics_arg = w;
	if (rc >= 0)
		rc = serve_listen_open(w, err);
	if (rc >= 0)
		rc = serve(w, err);
done:
	span__web_server_close(&w);
	span__serve_ui_close(&ui);
	span__serve_pool_close(&s.store);
	span__serve_pool_close(&s.archive);
	span__metrics_counts_close(&s.counts);
	serve_web_close();
	return rc;
}

static const struct cmd span_serve = {
	.name = "span-serve",
	.operands = "",
	.summary = "answer questions about a store by HTTP, as Jaeger does",
	.options = options,
	.run = run,
};

int main(int argc, char **argv)
{
	return cmd_main(&span_serve, argc, argv);
}
