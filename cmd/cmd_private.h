/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_private.h - what the cmd*.c files share with each other only
 */
#ifndef CMD_PRIVATE_H
#define CMD_PRIVATE_H

#include "cmd_source.h"

#define CMD__OPTIONS 96 /* options that one command may have */

/*
 * The options that hold in one place, flattened: those of the verb, of the
 * command, and the standard ones. Where two have the same name or letter the
 * first one has it.
 */
struct cmd__table {
	struct cmd__entry {
		const struct cmd_option *option;
		const char *group; /* the title it is shown under */
		char letter;	   /* 0: none, or another option has it */
	} v[CMD__OPTIONS];
	size_t n;
};

/* What runs: VERB is NULL outside a verb. */
struct cmd__scope {
	const struct cmd *cmd, *verb;
	struct cmd__table table;
};
extern struct cmd__scope cmd__scope;

/* VERB may be NULL. */
void cmd__table_build(struct cmd__table *t, const struct cmd *c,
		      const struct cmd *verb);

/*
 * Parse ARGV[0..ARGC) and set the variables; operands move to the front.
 * FIRST: stop before the first operand. Returns the number of operands; with
 * FIRST the number of arguments that were used. Wrong usage exits.
 */
int cmd__parse(const struct cmd__table *t, int argc, char **argv, bool first);

/* cmd_source_metrics() was called. */
extern bool cmd__metrics;

/*
 * Is an operand an expression, not the name of a FILE? STORE: -s was given.
 */
bool cmd__expr_is(const char *operand, bool store);
/* Selectors: one that is wrong is shown in the same way, and exits. */
SPAN_NODISCARD int cmd__expr_matchers(const struct cmd_list *matchers,
				      struct span_error *err);
/*
 * The expressions as one: each of them is an alternative. *OUT is on the heap,
 * NULL when there are none. One that is wrong is shown, with a mark at the
 * column, and exits.
 */
SPAN_NODISCARD int cmd__expr_join(const struct cmd_list *expressions,
				  char **out, struct span_error *err);

void cmd__usage_line(FILE *f);
void cmd__help(void);
void cmd__completion(void);

/* Say in PROGRAM's name when a mapped file cannot be read, and exit with 74. */
void cmd__signals_bus(const char *program);

/* Remove PATH when a signal ends the process; NULL: nothing any more. */
void cmd__remove_on_signal(const char *path);

/*
 * Open a temporary file beside PATH. *TEMP is its name, on the heap. What is
 * there and no regular file (a FIFO, /dev/null) is opened itself, as nothing
 * may be renamed over it: *TEMP is NULL.
 */
SPAN_NODISCARD int cmd__temp_open(int *fd, char **temp, const char *path,
				  int flags, struct span_error *err);

enum cmd__packed { CMD__PLAIN = 0, CMD__GZIP, CMD__ZSTD };

/*
 * Read *FD, a gzip or zstd file, through a thread: *FD becomes the read end of
 * a pipe with the inflated bytes. It owns the old descriptor then.
 * SPAN_E_INVALID for zstd in a build without it.
 */
SPAN_NODISCARD int cmd__gzip_open(int *fd, enum cmd__packed packed,
				  const char *name, struct span_error *err);
/* True when FD came from cmd__gzip_open(); it is then closed. */
bool cmd__gzip_close(int fd);
/* Close what is open; the first thing that was wrong with any of them. */
SPAN_NODISCARD int cmd__gzip_finish(struct span_error *err);

/* Flush stdout and see what became of all that was printed. */
SPAN_NODISCARD int cmd__flush_stdout(struct span_error *err);
/* Flush stdout, then end with STATUS, or with what is wrong with stdout. */
_Noreturn void cmd__exit(int status);

/* Remove what an output that was not closed has left behind. */
void cmd__output_abandon(void);

/* Write "span-query: KIND TEXT" to stderr in one piece. */
void cmd__say(const char *kind, const char *fmt, va_list ap);
/* Clears a progress line when there is one; returns what to print first. */
const char *cmd__progress_clear(void);

/* A source, of cmd_source.c and cmd_slice.c. */
struct cmd_source {
	struct span_query *query;
	struct span_search *search; /* made when it is needed */
	struct span_store *store;   /* NULL: a stream */
	char **names;
	int n_names, next_name;
	struct span_writer *tie;
	struct span_reader *reader; /* of the current file, or NULL */
	const char *name;
	int fd;
	bool skip_bad;
	uint64_t n_spans;
	uint64_t min_start_ns, max_end_ns; /* of these, when there are any */
	uint64_t skipped, places; /* frames that this file skipped itself */
	uint8_t keep[SPAN_FRAME_MAX_SPANS / 8];
};

/* Start what the options ask for, unless it has been started. */
SPAN_NODISCARD int cmd__source_start(struct cmd_source *s,
				     struct span_error *err);
/* Start a search for s->query, without limit and order. */
SPAN_NODISCARD int cmd__source_search(struct cmd_source *s,
				      struct span_error *err);

/* --service ... --trace-id; what they say, compiled. */
extern const struct cmd_option cmd__select_options[];
/*
 * Take the first operand away when it is an expression and none was given by
 * -e. STORE: -s was given. 0 or SPAN_E_NOMEM.
 */
SPAN_NODISCARD int cmd__select_operand(int *argc, char ***argv, bool store);
SPAN_NODISCARD int cmd__select_compile(struct span_query **out,
				       struct span_error *err);
bool cmd__select_has_ids(void);
/* True when anything but a time was given; and the time, 0: not given. */
bool cmd__select_beside_time(void);
/* True when anything but a time, services, operations and kinds was given. */
bool cmd__select_beside_names(void);
void cmd__select_time(uint64_t *since_ns, uint64_t *until_ns);
/* The name of one of its options that was given, or NULL. */
const char *cmd__select_time_option(void);

#endif
