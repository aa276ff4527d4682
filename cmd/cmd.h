/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd.h - what all commands share
 *
 * A command is one file with a struct cmd, its option tables and a run
 * function. cmd_main() parses the options, answers --help, --version and
 * --completion, runs the command, reports its error and turns the result into
 * an exit code.
 */
#ifndef CMD_H
#define CMD_H

#include <span/span.h>

#include <stdio.h>

/* Exit codes: sysexits(3) where it has one. */
enum cmd_exit {
	CMD_OK = 0,
	CMD_NONE = 1,  /* nothing matched, differs, damage was found */
	CMD_USAGE = 2, /* wrong usage */
	CMD_DATA = 65, /* unusable input */
	CMD_PEER = 69, /* a peer refused or cannot be reached */
	CMD_IO = 74,   /* input or output failed */
	CMD_BUSY = 75, /* another process has the store, or file */
	CMD_SIGPIPE = 141,
};

/*
 * Standard options (-q -v -h --help --version) are there without an entry; an
 * entry of the same name or letter takes the place of one, as span-query's -q.
 */
enum cmd_kind {
	CMD_END = 0,
	CMD_FLAG,     /* bool */
	CMD_NOFLAG,   /* bool, set to false */
	CMD_COUNT,    /* int, one more each time */
	CMD_STRING,   /* const char * */
	CMD_LIST,     /* struct cmd_list, one more each time */
	CMD_INT,      /* uint64_t, "1000", "10k", "2M" (powers of 1000) */
	CMD_SIZE,     /* uint64_t bytes, "64M" (powers of 1024) */
	CMD_DURATION, /* uint64_t ns, "500us", "2s", "1h30m", "7d" */
	CMD_TIME,     /* uint64_t ns, "15m", "yesterday 14:00", RFC 3339 */
	CMD_DOUBLE,   /* double */
	CMD_CHOICE,   /* int, an index into CHOICES */
	CMD_WORD,     /* const char *, one of CHOICES or something else */
	CMD_OPTIONAL, /* const char *, argument only as --name=ARG, else "" */
	CMD_GROUP,    /* VALUE is another table, shown under the title HELP */
};

struct cmd_option {
	enum cmd_kind kind;
	char letter;	  /* 0: none */
	const char *name; /* without the dashes */
	void *value;
	const char *arg;	    /* the argument's name in --help: "FILE" */
	const char *help;	    /* one phrase, lower case, no full stop */
	const char *const *choices; /* CMD_CHOICE, CMD_WORD: NULL last */
};

struct cmd_list {
	const char **v;
	size_t n;
};

struct cmd {
	const char *name;     /* "span-query" */
	const char *operands; /* "[FILE...]" for the usage line, "" for none */
	const char *summary;  /* for --help: lower case, no full stop */
	const struct cmd_option *options;
	/* 0 or a positive exit code; or a negative enum span_errc with ERR. */
	int (*run)(int argc, char **argv, struct span_error *err);
	/*
	 * For commands with verbs (span-store append): NULL-named entry last.
	 * The command's own options then apply to every verb, and run is
	 * unused.
	 */
	const struct cmd *verbs;
	const char *notes; /* whole lines below the summary, or NULL */
};

/* The whole of main(). Does not return an error: exits. */
int cmd_main(const struct cmd *c, int argc, char **argv);

/* A connection is an open file, and 1,024 of all is a usual limit: have room
 * for so many, and for open STORES, or warn. */
void cmd_allow_files(uint64_t connections, uint64_t stores);

/* Have memory ready for who will take much of it, of a store above all. */
void cmd_large_heap(void);

/* Of the running command: -q was given; how often -v was given. */
extern bool cmd_quiet;
extern int cmd_verbose;

/* "span-query: warning: TEXT" on stderr, unless -q. */
void cmd_warn(const char *fmt, ...) SPAN_PRINTF(1, 2);
/* Each line of B, which ends with a newline or is empty, by itself. */
void cmd_warn_lines(const struct span_buf *b);
/*
 * "span-query: TEXT" on stderr, always: for counts and notes that the caller
 * shows when cmd_verbose is set.
 */
void cmd_note(const char *fmt, ...) SPAN_PRINTF(1, 2);
/* "span-query: TEXT" and a usage line, then exit 2. */
_Noreturn void cmd_usage(const char *fmt, ...) SPAN_PRINTF(1, 2);
/* cmd_usage(): TEXT is none of CHOICES, which --NAME takes. */
_Noreturn void cmd_usage_choice(const char *name, const char *text,
				const char *const *choices);
/* The exit code that stands for a negative enum span_errc. */
int cmd_exit_code(int errc);

/*
 * Signals. A source calls cmd_signals_source() and looks at cmd_stopped
 * after EINTR and between messages; SIGINT and SIGTERM set it (no
 * SA_RESTART), a second one kills. A program that reads a pipe calls
 * cmd_signals_drain(FD): when FD is a pipe or a socket the first SIGINT or
 * SIGTERM is ignored, so that it reads to the end of file, the second kills.
 */
extern volatile int cmd_stopped; /* 0 or 1 */
void cmd_signals_source(void);
void cmd_signals_drain(int fd);

/* ---- cmd_io.c: where input comes from and output goes ---- */

/* --output FILE and --force, for a command with binary or text output. */
extern const struct cmd_option cmd_output_options[];

/*
 * The descriptor to write to: stdout, or --output FILE, which is written as a
 * temporary beside it and renamed into place by cmd_output_close(). BINARY
 * output to a terminal is refused unless --force: SPAN_E_INVALID.
 */
SPAN_NODISCARD int cmd_output_open(int *fd, bool binary,
				   struct span_error *err);
/* Flush, check for write errors, rename. Call it on success only. */
SPAN_NODISCARD int cmd_output_close(int fd, struct span_error *err);

/* The FILE of --output; NULL: it was not given. */
const char *cmd_output_path(void);
/* Is stdout (or --output) a terminal, and how many columns (80 otherwise)? */
bool cmd_output_is_terminal(void);
size_t cmd_output_columns(void);

/*
 * Open NAME for reading, "-" is stdin; refuses a terminal as binary input
 * with a sentence that says what to do. A pipe gets cmd_signals_drain(), and
 * the call waits until something is in it. gzip and zstd files are unpacked:
 * *FD is then the read end of a pipe that a thread fills, and what is wrong
 * with the packed data becomes the command's error after run() has returned.
 *
 * 0; SPAN_E_INVALID (a terminal, a directory), SPAN_E_IO, SPAN_E_NOMEM.
 */
SPAN_NODISCARD int cmd_input_open(int *fd, const char *name,
				  struct span_error *err);
void cmd_input_close(int *fd);
/*
 * Append all that is in NAME, as cmd_input_open() has it, to OUT. SPAN_E_LIMIT
 * above 256 MiB, or a code of that.
 */
SPAN_NODISCARD int cmd_input_read(const char *name, struct span_buf *out,
				  struct span_error *err);
/*
 * After the end of an input: 0, or what was wrong with gzip data read so far.
 * Who does not ask fails with it at the end all the same.
 */
SPAN_NODISCARD int cmd_input_check(struct span_error *err);

/*
 * Call FN for each line of NAME, as cmd_input_open() has it, without its end; a
 * line of more than a mebibyte comes in parts. WAIT (or NULL) is called before
 * a read. 0, or the first negative code of these.
 */
typedef int cmd_line_fn(void *arg, struct span_str line,
			struct span_error *err);
SPAN_NODISCARD int cmd_input_lines(const char *name, cmd_line_fn *fn,
				   int (*wait)(struct span_error *err),
				   void *arg, struct span_error *err);

/* ---- cmd_file.c: small files as a whole ---- */

/* Append what PATH holds to OUT. SPAN_E_NOTFOUND, SPAN_E_IO, SPAN_E_LIMIT
 * above 256 MiB, SPAN_E_NOMEM. */
SPAN_NODISCARD int cmd_file_read(const char *path, struct span_buf *out,
				 struct span_error *err);
/* The same, and a zero byte at its end. */
SPAN_NODISCARD int cmd_file_text(const char *path, struct span_buf *out,
				 struct span_error *err);
/*
 * Lock PATH, an empty file that is made where there is none and stays, until
 * this process ends. 0; SPAN_E_BUSY when another one has it; SPAN_E_IO.
 */
SPAN_NODISCARD int cmd_file_lock(const char *path, struct span_error *err);
/*
 * Put the LEN bytes P in the place of PATH, which always has the old or the new
 * ones, after a power cut too. 0, SPAN_E_IO, SPAN_E_NOMEM.
 */
SPAN_NODISCARD int cmd_file_replace(const char *path, const void *p, size_t len,
				    struct span_error *err);

/* ---- cmd_watch.c: wait until a directory changes ---- */

struct cmd_watch {
	int fd; /* -1: the kernel does not tell */
};

void cmd_watch_open(struct cmd_watch *w, const char *dir);
/*
 * Until something in it changed, DUE_NS (since the epoch) or a second has
 * passed, or a signal came; at least 100 ms.
 */
void cmd_watch_wait(struct cmd_watch *w, uint64_t due_ns);
void cmd_watch_close(struct cmd_watch *w);

/* ---- cmd_look.c: how output for people looks ---- */

/* --color, --utc */
extern const struct cmd_option cmd_look_options[];

/*
 * Columns, colours (only on a terminal, and not with NO_COLOR or TERM=dumb,
 * unless --color says otherwise), time zone, and plain ASCII where the locale
 * is not UTF-8.
 */
void cmd_look(struct span_render_opts *o);

/* As span_text_fit() and span_text_width(), with ASCII only where O says so. */
void cmd_look_fit(struct span_buf *b, const struct span_render_opts *o,
		  struct span_str s, size_t width, bool pad);
size_t cmd_look_width(const struct span_render_opts *o, struct span_str s);

/* ---- cmd_time.c: what people type, and clocks ---- */

/* As span/quantity.h reads them. */
SPAN_NODISCARD static inline int
cmd_parse_duration(const char *text, uint64_t *ns, struct span_error *err)
{
	return span_duration_parse(span_str(text), ns, err);
}
SPAN_NODISCARD static inline int cmd_parse_time(const char *text,
						uint64_t now_ns, uint64_t *ns,
						struct span_error *err)
{
	return span_time_parse(span_str(text), now_ns, ns, err);
}
SPAN_NODISCARD static inline int
cmd_parse_size(const char *text, uint64_t *bytes, struct span_error *err)
{
	return span_size_parse(span_str(text), bytes, err);
}
SPAN_NODISCARD static inline int cmd_parse_int(const char *text, uint64_t *n,
					       struct span_error *err)
{
	return span_count_parse(span_str(text), n, err);
}
/* "14:30+-5m", "now±1h": from SINCE on to before UNTIL. */
SPAN_NODISCARD int cmd_parse_around(const char *text, uint64_t now_ns,
				    uint64_t *since_ns, uint64_t *until_ns,
				    struct span_error *err);
uint64_t cmd_now_ns(void);	 /* CLOCK_REALTIME */
uint64_t cmd_monotonic_ns(void); /* CLOCK_MONOTONIC */

/* ---- cmd_report.c: counts, metrics, progress, systemd ---- */

/*
 * A count that -v and --metrics-file show. NAME is the Prometheus name
 * ("span_decode_spans_total"), LABELS "" or `cause="truncated"`, HELP a
 * phrase.
 */
struct cmd_metric {
	const char *name, *labels, *help;
	uint64_t *value;
	bool gauge;
};

/* Why something was dropped, and how many. The last one has no name. */
struct cmd_drop {
	const char *name;
	const uint64_t *n;
};
uint64_t cmd_drops(const struct cmd_drop *d); /* their sum */
/* "10 dropped (9 given up, 1 too large)" */
void cmd_drops_text(struct span_buf *b, const struct cmd_drop *d);

/* --metrics-file FILE */
extern const struct cmd_option cmd_metrics_options[];
bool cmd_metrics_wanted(void); /* it was given */

/*
 * Rewrite the metrics file (temporary and rename) when it was asked for and
 * is older than a second, or NOW. Metrics end with a NULL name. A pipe that
 * nobody reads is not waited for: like every other failure it is one warning.
 */
void cmd_metrics_write(const struct cmd_metric *m, bool now);
/* Append them in Prometheus' text format. */
void cmd_metrics_text(struct span_buf *b, const struct cmd_metric *m);

/*
 * A progress line on stderr, when that is a terminal and a second has passed:
 * "span-decode: 1.2 M spans, 540 k/s". cmd_progress_end() clears it.
 */
void cmd_progress(uint64_t n, const char *unit);
void cmd_progress_end(void);

/* sd_notify(3) without libsystemd: "READY=1"; nothing without the socket. */
void cmd_sd_notify(const char *state);
/* Number of descriptors passed by systemd (from 3 on), 0 without. */
int cmd_sd_listen_fds(void);

#endif
