/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_source.h - the span source that every reading command shares
 *
 * FILEs, standard input, or -s STORE, and the selection options. With a
 * store the selection is pushed down.
 */
#ifndef CMD_SOURCE_H
#define CMD_SOURCE_H

#include "cmd.h"

/* -s STORE, --skip-bad; -e EXPR, --service ... --trace-id. */
extern const struct cmd_option cmd_source_options[];
/* --limit, --sort, --window, --memory: for commands that show traces. */
extern const struct cmd_option cmd_search_options[];

struct cmd_source;

/*
 * To call before cmd_source_open(): the limit when --limit is not given (0:
 * none, as without this call); the memory for traces of a stream when --memory
 * is not; and what to do before a read of a stream that would block, as in
 * struct span_reader_opts.
 */
void cmd_source_default_limit(uint64_t n);
void cmd_source_default_memory(uint64_t bytes);
void cmd_source_on_idle(int (*idle)(void *arg, uint64_t *wait_ns,
				    struct span_error *err),
			void *arg);

/* How much of a span is decoded, see span/stream.h. */
enum cmd_source_part { CMD_SOURCE_HEAD, CMD_SOURCE_OUTLINE, CMD_SOURCE_WHOLE };

/*
 * To call before cmd_source_open(): a condition besides the options that
 * cmd_source_next_slice() asks of each span. PART says how much of the spans of
 * a frame it has to see, at least.
 */
void cmd_source_also(bool (*fn)(void *arg, const struct span *s),
		     enum cmd_source_part (*part)(
			     void *arg, const struct span_frame_info *f),
		     void *arg);

/*
 * To call before cmd_source_open(), instead of what -e or --trace-id said;
 * borrowed until it is closed.
 */
void cmd_source_expression(const char *text);
bool cmd_source_has_expression(void); /* -e was given, or that */
bool cmd_source_has_trace_ids(void);  /* --trace-id was given, or that */
void cmd_source_trace_ids(char **ids, size_t n);

/*
 * To call before cmd_source_open(): the expression may end with a metrics
 * function, which span_query_metrics() of cmd_source_query() then tells.
 */
void cmd_source_metrics(void);

/*
 * Open what the options and ARGV name: the first operand may be an expression,
 * as span-query(1) has it, all others are FILEs. TIE (or NULL) is flushed
 * before a read that may block. 0 or a negative code; wrong usage exits.
 */
SPAN_NODISCARD int cmd_source_open(struct cmd_source **out, int argc,
				   char **argv, struct span_writer *tie,
				   struct span_error *err);

/*
 * The name of an option that was given which is about spans to be read, but for
 * those of cmd_source_selection(); NULL: none was.
 */
const char *cmd_source_option(void);

/* True when cmd_source_open() of these operands would read standard input. */
bool cmd_source_reads_stdin(int argc, char **argv);

/* True when a selection option was given. */
bool cmd_source_selects(void);
/* The limit that holds; 0: none. */
uint64_t cmd_source_limit(void);
/* True when the source is a store. */
bool cmd_source_is_store(const struct cmd_source *s);

/* The next selected span. Contract of span_reader_next(). */
SPAN_NODISCARD int cmd_source_next(struct cmd_source *s, struct span *out,
				   struct span_error *err);

/* How many spans cmd_source_next() would return: 0 or its negative codes. */
SPAN_NODISCARD int cmd_source_count(struct cmd_source *s, uint64_t *n,
				    struct span_error *err);
/* The same of traces, and cmd_source_next_id(). */
SPAN_NODISCARD int cmd_source_count_traces(struct cmd_source *s, uint64_t *n,
					   struct span_error *err);

/* The next id of a trace with a selected span. As span_search_next_id(). */
SPAN_NODISCARD int cmd_source_next_id(struct cmd_source *s, uint8_t id[16],
				      struct span_error *err);

/*
 * To call before cmd_source_open(): traces keep their duplicates, for what
 * counts spans and not traces.
 */
void cmd_source_keep_duplicates(void);

/*
 * To call before cmd_source_open(): what to leave out of the spans of a stream
 * that wait for the rest of their trace, when nothing but a time is selected.
 */
void cmd_source_trim(void (*trim)(struct span *s));

/*
 * To call before cmd_source_open(): of whole traces no more is needed than
 * span_search_opts.heads gives, and MATCHED is NULL.
 */
void cmd_source_heads(void);

/*
 * Without cmd_source_trim(): true when the source is a stream of which a time
 * is selected at most, and all of it. Then next_outline gives every span,
 * whatever the time, in outline, and what --window and --memory say is here, 0:
 * nothing.
 */
bool cmd_source_has_outlines(const struct cmd_source *s);
SPAN_NODISCARD int cmd_source_next_outline(struct cmd_source *s,
					   struct span *out,
					   struct span_error *err);
void cmd_source_window(uint64_t *window_ns, uint64_t *memory);

/*
 * True when the source is a store and what is selected is a time at most, so
 * that it can count calls itself; cmd_source_calls() does, as
 * span_store_calls() for that time in one bucket.
 */
bool cmd_source_has_calls(const struct cmd_source *s);
SPAN_NODISCARD int cmd_source_calls(struct cmd_source *s,
				    span_store_calls_fn *fn, void *arg,
				    struct span_error *err);

/*
 * The same where services, operations and kinds may be selected, too, in
 * buckets of WIDTH_NS, as struct span_store_calls_range has it.
 */
bool cmd_source_has_named_calls(const struct cmd_source *s);
SPAN_NODISCARD int cmd_source_named_calls(struct cmd_source *s,
					  uint64_t width_ns,
					  span_store_calls_fn *fn, void *arg,
					  struct span_error *err);

/* The next whole trace with a selected span. Contract of span_search_next(). */
SPAN_NODISCARD int cmd_source_next_trace(struct cmd_source *s,
					 struct span_trace *out,
					 const uint8_t **matched,
					 struct span_error *err);

/*
 * From now on the next traces are those with one of N ids, whatever the options
 * select, each once; streams are read again. 0; SPAN_E_INVALID when one of them
 * is a pipe; or another negative code.
 */
SPAN_NODISCARD int cmd_source_by_ids(struct cmd_source *s,
				     const uint8_t (*ids)[16], size_t n,
				     struct span_error *err);

/*
 * The next frame of a source without selection on streams, for filters that
 * forward frames; SPAN_E_INVALID on a store.
 */
SPAN_NODISCARD int cmd_source_next_frame(struct cmd_source *s,
					 struct span_frame **frame,
					 struct span_error *err);

/*
 * The next frame of a stream, decoded to its end, with a bit in *KEEP for
 * each of its spans that is selected, as span_writer_put_slice() takes it, and
 * how many they are. Limit, order and typed prefixes of trace ids are not
 * looked at, see cmd_source_slices(). Contract of span_reader_next_frame().
 */
SPAN_NODISCARD int cmd_source_next_slice(struct cmd_source *s,
					 struct span_frame **frame,
					 const uint8_t **keep, size_t *n_kept,
					 struct span_error *err);
/*
 * For who meets damage in a frame that one of these two gave, WHY: 0, when it
 * is to go on with the next frame, as --skip-bad says; or a negative code.
 */
SPAN_NODISCARD int cmd_source_bad_frame(struct cmd_source *s,
					const struct span_frame *frame,
					const struct span_error *why,
					struct span_error *err);
/* True when slices are all there is to it. */
bool cmd_source_slices(const struct cmd_source *s);

/*
 * For who stays, or comes again: the news of a store; wrong usage exits when
 * the source is none, or has a limit or an order. Borrows S. Then a new
 * snapshot for the next look.
 */
SPAN_NODISCARD int cmd_source_news(struct cmd_source *s, struct span_news **out,
				   struct span_error *err);
SPAN_NODISCARD int cmd_source_refresh(struct cmd_source *s,
				      struct span_error *err);
/*
 * Warn of frames that expired before the run which goes on with the file PATH,
 * of which NEWS knows how far the last run came. 0 or a negative code.
 */
SPAN_NODISCARD int cmd_news_missed(const struct span_news *news,
				   const char *path, struct span_error *err);
/* The name of the store. */
const char *cmd_source_name(const struct cmd_source *s);
/* What is selected, for span_query_explain(); and the store, or NULL. */
const struct span_query *cmd_source_query(const struct cmd_source *s);
struct span_store *cmd_source_store(const struct cmd_source *s);
/* True when the limit left results out. */
bool cmd_source_more(const struct cmd_source *s);
/* True when only whole traces can be judged. */
bool cmd_source_needs_trace(const struct cmd_source *s);
/* True when --since or --around was given. */
bool cmd_source_has_since(void);
/* Warn of N traces that were cut for want of memory, if any. */
void cmd_source_cut(uint64_t n);
/* Traces that were cut so far. */
uint64_t cmd_source_n_cut(const struct cmd_source *s);

/* True when --kind was given; and --since, --until, 0: not. */
bool cmd_source_has_kind(void);
void cmd_source_time(uint64_t *since_ns, uint64_t *until_ns);

/*
 * Append what is selected besides the time, as options that mean the same, each
 * with a blank before it; as they were typed, in the order of --help.
 */
void cmd_source_selection(struct span_buf *b);

/* True when S starts within --since and --until. */
bool cmd_source_in_time(const struct span *s);

/* Spans read from streams so far; and from when to when all of them are, where
 * there are any. */
uint64_t cmd_source_spans(const struct cmd_source *s);
bool cmd_source_times(const struct cmd_source *s, uint64_t *from_ns,
		      uint64_t *to_ns);

/*
 * Warn of what was skipped or cut, say when the default limit left results
 * out, then close; NULL is fine.
 */
void cmd_source_close(struct cmd_source **s);

#endif
