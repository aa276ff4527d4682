/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The span source: files one after another, standard input, or a store, each
 * through the same selection.
 */
#include "cmd_source.h"
#include "cmd_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/banned.h"

#define NOT_GIVEN UINT64_MAX

static struct {
	const char *store;
	bool skip_bad;
} opt;

static struct {
	uint64_t limit, default_limit, window, memory, default_memory;
	int sort;
	bool keep_duplicates, heads;
	void (*trim)(struct span *s);
} search = {.limit = NOT_GIVEN, .sort = -1};

static struct {
	int (*fn)(void *arg, uint64_t *wait_ns, struct span_error *err);
	void *arg;
	int rc; /* how it failed, or 0 */
} idle;

const struct cmd_option cmd_source_options[] = {
	{CMD_STRING, 's', "store", &opt.store, "STORE",
	 "read a store instead of FILEs", NULL},
	{CMD_FLAG, 0, "skip-bad", &opt.skip_bad, NULL,
	 "pass over damaged parts of a FILE", NULL},
	{CMD_GROUP, 0, NULL, (void *)cmd__select_options, NULL, "Selection",
	 NULL},
	{CMD_END, 0, NULL, NULL, NULL, NULL, NULL},
};

/* In the order of enum span_sort, after its default. */
static const char *const sorts[] = {"newest", "start",	"duration",
				    "spans",  "errors", NULL};

const struct cmd_option cmd_search_options[] = {
	{CMD_INT, 0, "limit", &search.limit, "N",
	 "at most the first N results; 0 is no limit", NULL},
	{CMD_CHOICE, 0, "sort", &search.sort, "ORDER", "order of the results",
	 sorts},
	{CMD_DURATION, 0, "window", &search.window, "TIME",
	 "a trace of a stream, or a new one, is complete after TIME without a "
	 "span (10s)",
	 NULL},
	{CMD_SIZE, 0, "memory", &search.memory, "SIZE",
	 "memory for spans of traces (64M; of FILEs trace-view and "
	 "trace-diff take 1G)",
	 NULL},
	{CMD_END, 0, NULL, NULL, NULL, NULL, NULL},
};

void cmd_source_default_limit(uint64_t n)
{
	search.default_limit = n;
}

void cmd_source_default_memory(uint64_t bytes)
{
	search.default_memory = bytes;
}

void cmd_source_keep_duplicates(void)
{
	search.keep_duplicates = true;
}

void cmd_source_trim(void (*trim)(struct span *s))
{
	search.trim = trim;
}

void cmd_source_heads(void)
{
	search.heads = true;
}

void cmd_source_on_idle(int (*fn)(void *arg, uint64_t *wait_ns,
				  struct span_error *err),
			void *arg)
{
	idle.fn = fn;
	idle.arg = arg;
}

uint64_t cmd_source_limit(void)
{
	return search.limit == NOT_GIVEN ? search.default_limit : search.limit;
}

bool cmd_source_is_store(const struct cmd_source *s)
{
	return s->store;
}

static void saw(struct cmd_source *s, uint64_t n, uint64_t start_ns,
		uint64_t end_ns)
{
	if (!n)
		return;
	if (!s->n_spans || start_ns < s->min_start_ns)
		s->min_start_ns = start_ns;
	if (!s->n_spans || end_ns > s->max_end_ns)
		s->max_end_ns = end_ns;
	s->n_spans += n;
}

const char *cmd_source_option(void)
{
	if (opt.store)
		return "store";
	if (opt.skip_bad)
		return "skip-bad";
	if (search.limit != NOT_GIVEN)
		return "limit";
	if (search.sort >= 0)
		return "sort";
	if (search.window)
		return "window";
	return search.memory ? "memory" : cmd__select_time_option();
}

static void damaged(void *arg, const char *text)
{
	(void)arg;
	cmd_warn("%s", text);
}

static int open_store(struct cmd_source *s, const char *name,
		      struct span_error *err)
{
	struct span_store_opts o = {.mode = SPAN_STORE_READ, .damage = damaged};

	s->name = name;
	cmd_large_heap();
	return span_store_open(&s->store, name, &o, err);
}

/* Can standard input be meant to be read? */
static bool stdin_has_input(void)
{
	struct stat st;

	return !fstat(STDIN_FILENO, &st) &&
	       (S_ISREG(st.st_mode) || S_ISFIFO(st.st_mode) ||
		S_ISSOCK(st.st_mode));
}

bool cmd_source_reads_stdin(int argc, char **argv)
{
	for (int i = 0; i < argc && !opt.store; i++)
		if (!strcmp(argv[i], "-"))
			return true;
	return !argc && !opt.store && stdin_has_input();
}

int cmd_source_open(struct cmd_source **out, int argc, char **argv,
		    struct span_writer *tie, struct span_error *err)
{
	static char dash[] = "-", *standard_input[] = {dash};
	const char *store = opt.store;
	struct cmd_source *s;
	int rc;

	*out = NULL;
	if (cmd__select_operand(&argc, &argv, store) < 0)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	if (store && argc)
		cmd_usage("a FILE and --store at once: '%s'", argv[0]);
	if (!store && !argc && !stdin_has_input()) {
		store = getenv("SPAN_STORE");
		if (store && !*store)
			store = NULL;
	}
	s = calloc(1, sizeof(*s));
	if (!s)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	s->fd = -1;
	s->tie = tie;
	s->skip_bad = opt.skip_bad;
	s->names = argc ? argv : standard_input;
	s->n_names = argc ? argc : 1;
	rc = cmd__select_compile(&s->query, err);
	if (!rc && store)
		rc = open_store(s, store, err);
	if (rc < 0)
		cmd_source_close(&s);
	*out = s;
	return rc;
}

static void close_file(struct cmd_source *s)
{
	uint64_t places = 0, skipped = 0;

	if (s->reader)
		skipped = span_reader_skipped(s->reader, &places);
	skipped += s->skipped;
	places += s->places;
	s->skipped = s->places = 0;
	if (places)
		cmd_warn("%s: skipped %llu damaged byte%s in %llu place%s",
			 s->name, (unsigned long long)skipped,
			 skipped == 1 ? "" : "s", (unsigned long long)places,
			 places == 1 ? "" : "s");
	span_reader_close(&s->reader);
	if (s->fd >= 0)
		cmd_input_close(&s->fd);
	s->fd = -1;
}

static int before_wait(void *arg, uint64_t *wait_ns, struct span_error *err)
{
	(void)arg;
	idle.rc = idle.fn(idle.arg, wait_ns, err);
	return idle.rc;
}

/* Open the next file: 1, 0 when there is none, or a negative code. */
static int open_file(struct cmd_source *s, struct span_error *err)
{
	struct span_reader_opts o = {.tie = s->tie,
				     .skip_bad = opt.skip_bad,
				     .idle = idle.fn ? before_wait : NULL};
	bool is_stdin;
	int rc;

	if (s->next_name == s->n_names)
		return 0;
	s->name = s->names[s->next_name++];
	is_stdin = !strcmp(s->name, "-");
	if (is_stdin) {
		s->name = "standard input";
		cmd_signals_drain(STDIN_FILENO);
	}
	rc = cmd_input_open(&s->fd, is_stdin ? "-" : s->name, err);
	if (rc < 0)
		return rc;
	rc = span_reader_open(&s->reader, s->fd, &o, err);
	return rc < 0 ? rc : 1;
}

/*
 * Put the file's name before what its reader says, unless that comes from an
 * output that was flushed before a wait.
 */
static int name_error(const struct cmd_source *s, int rc,
		      struct span_error *err)
{
	struct span_error why = *err;

	if (rc == SPAN_E_PIPE || rc == SPAN_E_NOMEM || rc == idle.rc)
		return rc;
	/* A writer that failed says the same again. */
	if (rc == SPAN_E_IO && s->tie && span_writer_flush(s->tie, NULL) < 0)
		return rc;
	span_error_set(err, rc, "%s: %s", s->name, why.msg);
	err->sys = why.sys;
	return rc;
}

/*
 * The end of a file: 1 to go on with the next one, 0 at the end of all, or a
 * negative code.
 */
static int next_file(struct cmd_source *s, struct span_error *err)
{
	if (s->reader) {
		int rc = cmd_input_check(err);

		close_file(s);
		if (rc < 0)
			return rc;
	}
	return open_file(s, err);
}

/*
 * The reader has given RC instead of a span or a frame: 1 to ask the next
 * one, 0 at the end of all, or a negative code.
 */
static int read_on(struct cmd_source *s, int rc, struct span_error *err)
{
	return rc < 0 ? name_error(s, rc, err) : next_file(s, err);
}

static int next_of_stream(struct cmd_source *s,
			  int (*next)(struct span_reader *r, struct span *span,
				      struct span_error *err),
			  struct span *out, struct span_error *err)
{
	int rc;

	while ((rc = s->reader ? next(s->reader, out, err) : 0) <= 0) {
		rc = read_on(s, rc, err);
		if (rc <= 0)
			return rc;
	}
	saw(s, 1, out->start_ns, span_end_ns(out));
	return 1;
}

static int next_whole(void *self, struct span *out, struct span_error *err)
{
	return next_of_stream(self, span_reader_next, out, err);
}

bool cmd_source_has_outlines(const struct cmd_source *s)
{
	return !s->store && !cmd__select_beside_time() && !cmd_source_limit() &&
	       search.sort < 0;
}

int cmd_source_next_outline(struct cmd_source *s, struct span *out,
			    struct span_error *err)
{
	return next_of_stream(s, span_reader_next_outline, out, err);
}

void cmd_source_window(uint64_t *window_ns, uint64_t *memory)
{
	*window_ns = search.window;
	*memory = search.memory;
}

static int search_for(struct cmd_source *s, uint64_t limit, enum span_sort sort,
		      struct span_error *err)
{
	struct span_search_opts o = {.limit = limit,
				     .sort = sort,
				     .window_ns = search.window,
				     .memory = search.memory,
				     .keep_duplicates = search.keep_duplicates,
				     .heads = search.heads};
	struct span_source stream = {next_whole, s};

	if (!search.memory && !s->store)
		o.memory = search.default_memory;
	/* What is selected by is judged again when a trace is complete. */
	if (!cmd__select_beside_time())
		o.trim = search.trim;
	return s->store ? span_search_store(&s->search, s->store, s->query, &o,
					    err)
			: span_search_source(&s->search, stream, s->query, &o,
					     err);
}

int cmd__source_start(struct cmd_source *s, struct span_error *err)
{
	if (s->search)
		return 0;
	return search_for(s, cmd_source_limit(),
			  (enum span_sort)(search.sort + 1), err);
}

int cmd__source_search(struct cmd_source *s, struct span_error *err)
{
	return search_for(s, 0, SPAN_SORT_DEFAULT, err);
}

int cmd_source_next_frame(struct cmd_source *s, struct span_frame **frame,
			  struct span_error *err)
{
	const struct span_frame_info *info;
	int rc;

	if (s->store)
		return span_error_set(err, SPAN_E_INVALID,
				      "a store has no frames");
	while ((rc = s->reader ? span_reader_next_frame(s->reader, frame, err)
			       : 0) <= 0) {
		rc = read_on(s, rc, err);
		if (rc <= 0)
			return rc;
	}
	info = span_frame_info(*frame);
	saw(s, info->n_spans, info->min_start_ns, info->max_end_ns);
	return 1;
}

bool cmd_source_slices(const struct cmd_source *s)
{
	return !s->store && !cmd__select_has_ids() && !cmd_source_limit() &&
	       search.sort < 0 && !span_query_needs_trace(s->query);
}

int cmd_source_news(struct cmd_source *s, struct span_news **out,
		    struct span_error *err)
{
	struct span_search_opts o = {.window_ns = search.window,
				     .memory = search.memory};

	if (!s->store)
		cmd_usage("--follow and --cursor are about a store; of a FILE "
			  "that grows: tail -c +1 -f FILE | span-query");
	if (cmd_source_limit() || search.sort >= 0)
		cmd_usage("--follow and --cursor go with no --limit or "
			  "--sort");
	return span_news_open(out, s->store, s->query, &o, err);
}

int cmd_source_refresh(struct cmd_source *s, struct span_error *err)
{
	return span_store_refresh(s->store, err);
}

const char *cmd_source_name(const struct cmd_source *s)
{
	return s->name;
}

const struct span_query *cmd_source_query(const struct cmd_source *s)
{
	return s->query;
}

struct span_store *cmd_source_store(const struct cmd_source *s)
{
	return s->store;
}

bool cmd_source_needs_trace(const struct cmd_source *s)
{
	return span_query_needs_trace(s->query);
}

void cmd_source_close(struct cmd_source **sp)
{
	struct cmd_source *s = *sp;

	if (!s)
		return;
	close_file(s);
	cmd_source_cut(cmd_source_n_cut(s));
	if (cmd_source_more(s) && search.limit == NOT_GIVEN)
		cmd_note("only the %s %llu are shown; --limit 0 shows all",
			 search.sort <= 0 ? "newest" : "first",
			 (unsigned long long)search.default_limit);
	span_search_close(&s->search);
	span_query_close(&s->query);
	(void)span_store_close(&s->store, NULL);
	free(s);
	*sp = NULL;
}
