/* SPDX-License-Identifier: Apache-2.0 */
/*
 * span/store.h - keep spans and find them again
 *
 * A store is an interface with several implementations behind it: a
 * directory of append-only logs (span-store(5)), and memory:SIZE, a ring in
 * memory. Readers take no lock and write nothing; a store has one appender
 * and one maintainer at a time, and both may run while it is read.
 */
#ifndef SPAN_STORE_H
#define SPAN_STORE_H

#include <span/model.h>
#include <span/sketch.h>
#include <span/stream.h>

#ifdef __cplusplus
extern "C" {
#endif

struct span_store;
struct span_cursor;

enum span_store_mode {
	SPAN_STORE_READ = 0, /* no lock; the store must exist */
	SPAN_STORE_APPEND,   /* takes LOCK; creates, recovers */
	SPAN_STORE_MAINTAIN, /* takes MAINT: seal, expire, policy */
};

enum span_sync {
	SPAN_SYNC_GROUP = 0, /* by time and bytes */
	SPAN_SYNC_EACH,	     /* after each frame */
	SPAN_SYNC_NONE,	     /* never: survives the process, not a power cut */
};

/*
 * Frames FIRST_SEQ and on, COUNT spans in all, up to byte END of file SEGMENT
 * are durable as the sync mode promises.
 */
struct span_store_ack {
	uint64_t segment, end, first_seq, count;
};

struct span_store_opts {
	enum span_store_mode mode;
	enum span_sync sync;
	uint64_t sync_delay_ns; /* 0: 200 ms */
	uint64_t sync_bytes;	/* 0: 4 MiB */
	uint64_t max_frame;	/* 0: 4 MiB */
	uint64_t rotate_bytes;	/* 0: 64 MiB */
	uint64_t rotate_age_ns; /* 0: 10 minutes */
	uint64_t max_future_ns; /* spans dated later are counted; 0: 2 days */
	uint64_t min_free;	/* bytes to leave free on the disk; 0: none */
	/*
	 * How long to wait for another one who maintains the store: who seals
	 * lets others in between two segments. 0: not at all.
	 */
	uint64_t wait_ns;
	bool require_local; /* SPAN_E_INVALID on NFS, CIFS, FUSE */
	/* Called for each acknowledgement; below 0 ends the append. */
	int (*ack)(void *arg, const struct span_store_ack *a,
		   struct span_error *err);
	/*
	 * Called with a sentence for each thing that recovery or a reader
	 * found damaged, and for a file system that promises nothing.
	 */
	void (*damage)(void *arg, const char *text);
	void *arg;
};

/*
 * Open the store NAME: a directory, or "memory:SIZE" ("memory:64M"). O may be
 * NULL: for reading. Opening for append always succeeds on any content of the
 * directory: what is damaged is set aside and reported, never destroyed.
 *
 * 0; SPAN_E_NOTFOUND when there is no store to read; SPAN_E_BUSY when its
 * lock is held; SPAN_E_FORMAT when a later version wrote it; SPAN_E_INVALID
 * when the directory holds other things, or everybody may write to it;
 * SPAN_E_IO, SPAN_E_NOMEM. *OUT is NULL then.
 */
SPAN_API SPAN_NODISCARD int span_store_open(struct span_store **out,
					    const char *name,
					    const struct span_store_opts *o,
					    struct span_error *err);

/*
 * Append a frame, which must have passed span_frame_validate(). Syncs when a
 * group is full; call span_store_tick() to sync by time. The frame is rewound.
 *
 * 0; SPAN_E_LIMIT when it is above max_frame, SPAN_E_FULL when there is no
 * room on the disk: nothing was written, and other frames, or the same one
 * later, may be; SPAN_E_IO and what the ack function returned, after which the
 * store takes nothing more.
 */
SPAN_API SPAN_NODISCARD int span_store_append_frame(struct span_store *st,
						    struct span_frame *f,
						    struct span_error *err);

/* Make durable and acknowledge what was appended. 0 or SPAN_E_IO. */
SPAN_API SPAN_NODISCARD int span_store_sync(struct span_store *st,
					    struct span_error *err);

/*
 * Sync and rotate when they are due; *WAIT_NS is how long the caller may wait
 * until the next call (UINT64_MAX: nothing is waiting).
 */
SPAN_API SPAN_NODISCARD int span_store_tick(struct span_store *st,
					    uint64_t *wait_ns,
					    struct span_error *err);

/* What was done since the store was opened for append. */
struct span_store_counts {
	uint64_t frames, spans, bytes; /* appended; bytes: of frames */
	uint64_t acknowledged;	       /* spans */
	uint64_t future;	       /* spans later than max_future_ns */
	uint64_t syncs, closed_logs;
	uint64_t recovered_frames, recovered_spans;
};
SPAN_API void span_store_counts(const struct span_store *st,
				struct span_store_counts *out);

/*
 * Which spans a scan returns: those that meet every condition that is set.
 * Zero means not set. Borrowed until the cursor closes.
 *
 * A tag holds when the text of a value of KEY, as span_text_value() prints it,
 * is VALUE: in the span's tags, its process, scope, events or references, or of
 * the field that Jaeger shows as the tag KEY, as span-query(1) lists them.
 */
struct span_tag_eq {
	struct span_str key, value;
};

/* Whose attributes a test asks; bits. */
enum span_attrs_of {
	SPAN_ATTRS_SPAN = 1 << 0,
	SPAN_ATTRS_PROCESS = 1 << 1, /* without the service */
	SPAN_ATTRS_SCOPE = 1 << 2,   /* without name and version */
	SPAN_ATTRS_EVENTS = 1 << 3,  /* of any event, without its name */
	SPAN_ATTRS_REFS = 1 << 4,    /* of any reference or link */
	/* of the process, but only where the span has no value, or null */
	SPAN_ATTRS_PROCESS_ELSE = 1 << 5,
};

/*
 * That one of the values of an attribute meets a condition, which FN tells: 1,
 * 0, or a negative code, which ends the scan. It is asked as often as it takes.
 * What can be said without it is found faster.
 *
 * With EVERY there must be values, and all of them must meet it, but for null,
 * which FN must refuse; OF is then one place, or SPAN with PROCESS_ELSE.
 */
struct span_attr_test {
	struct span_str key;
	unsigned of; /* enum span_attrs_of */
	int (*fn)(void *arg, const struct span_value *v,
		  struct span_error *err);
	void *arg;
	bool every;
	bool any_thread; /* FN may be called by several threads at once */
	/* Integers from min to max hold, and doubles between the others; with
	 * OUTSIDE, those that are not, NaN included. FN is not asked. */
	bool numbers, outside;
	int64_t min, max;
	double double_min, double_max;
	/* Of strings this one holds, and no other; NULL: ask FN. */
	const struct span_str *text;
	/* FN says the same of strings that are equal but for the decimal
	 * digits of a number in them, and how many these are. */
	bool digits_alike;
	/* So it does of those that are equal, too, but for the digits of UUIDs
	 * and of hexadecimal numbers of 8 digits or more, as many of them, all
	 * in lower case. */
	bool hex_alike;
};

struct span_range {
	uint64_t since_ns, until_ns; /* start in [since, until) */
	uint64_t min_duration_ns, max_duration_ns;
	const struct span_str *services; /* one of these, exactly */
	size_t n_services;
	const struct span_str *operations;
	size_t n_operations;
	bool error; /* span_is_error() */
	const struct span_tag_eq *tags;
	size_t n_tags;
	const struct span_attr_test *tests; /* all must hold */
	size_t n_tests;
	/*
	 * What names cannot be listed for: asked of service and operation
	 * names, as often as it takes; 1, 0, or a negative code, which ends
	 * the scan. NULL: not set.
	 */
	int (*service_fn)(void *arg, struct span_str name,
			  struct span_error *err);
	int (*operation_fn)(void *arg, struct span_str name,
			    struct span_error *err);
	void *fn_arg;
	/*
	 * For who wants the newest spans only: what may be newer comes first,
	 * and spans that start before *FLOOR_NS may be left out. The caller
	 * may raise it while it reads. NULL: not set; a count ignores it.
	 */
	const uint64_t *floor_ns;
	/*
	 * The caller reads ids, times, name, process, scope, kind, status,
	 * flags and marks only; the rest may be left empty.
	 */
	bool head_only;
	bool head_errors; /* and span_is_error() */
};

/*
 * The spans in RANGE (NULL: all), file by file in order of arrival, as the
 * store was when it was opened or last refreshed. Duplicates are kept.
 */
SPAN_API SPAN_NODISCARD int span_store_scan(struct span_store *st,
					    const struct span_range *r,
					    struct span_cursor **out,
					    struct span_error *err);

/*
 * How many spans span_store_scan() of R would return, without decoding them
 * where it can. 0 or a negative code.
 */
SPAN_API SPAN_NODISCARD int span_store_count(struct span_store *st,
					     const struct span_range *r,
					     uint64_t *n,
					     struct span_error *err);

/*
 * What scans, counts and finds took so far, for who wants to know why one takes
 * long. Each scan comes to all segments and logs, and passes over those whose
 * times, names or ids say that they have nothing for it.
 */
struct span_store_work {
	uint64_t n_scans; /* and counts, and finds */
	uint64_t n_segments, n_segments_passed;
	uint64_t n_logs, n_logs_passed;
	/* of the segments that were not passed over: blocks in all, and those
	 * in which traces were looked for */
	uint64_t n_blocks, n_blocks_walked;
	uint64_t n_shapes;		       /* of traces, that were asked */
	uint64_t n_frames, log_bytes;	       /* read of logs */
	uint64_t n_spans;		       /* decoded; of logs: found */
	uint64_t packed_bytes, unpacked_bytes; /* decompressed, of segments */
};
SPAN_API void span_store_work(const struct span_store *st,
			      struct span_store_work *out);

/*
 * All spans of the N traces IDS (sorted by memcmp(3), no two equal), in
 * order of arrival.
 */
SPAN_API SPAN_NODISCARD int span_store_find(struct span_store *st,
					    const uint8_t (*ids)[16], size_t n,
					    struct span_cursor **out,
					    struct span_error *err);

/* The contract of span_reader_next(). Damaged places are reported, counted
 * and passed over. */
SPAN_API SPAN_NODISCARD int span_cursor_next(struct span_cursor *c,
					     struct span *out,
					     struct span_error *err);
SPAN_API void span_cursor_close(struct span_cursor **c);

/*
 * How far somebody has seen what arrived: the highest sequence number and the
 * latest time of arrival of a frame. Zero: nothing. It keeps its meaning when
 * logs are sealed, and segments merged or expired.
 */
struct span_store_mark {
	uint64_t seq, arrival_ns;
};
struct span_store_arrival {
	uint64_t arrival_ns; /* when it arrived, at the latest */
	bool again;	     /* it may have arrived before the mark */
};
/* *S is valid until it returns; below 0 ends it. */
typedef int span_store_since_fn(void *arg, const struct span *s,
				const struct span_store_arrival *a,
				struct span_error *err);

/*
 * Call FN with the spans in RANGE (NULL: all), of the N traces IDS (sorted as
 * for span_store_find(); 0: all), that arrived after FROM; *END is how far that
 * is, also when it fails. Of a segment that has frames from before and after
 * all spans come. Segments that another store wrote are left out.
 *
 * The files are those of the snapshot, but a log that still grows is read to
 * its present end. 0, what FN returned below 0, SPAN_E_INVALID when the store
 * is of a kind that keeps no times of arrival, or another negative code.
 * Damage is passed over and told as scans do.
 */
SPAN_API SPAN_NODISCARD int
span_store_since(struct span_store *st, const struct span_store_mark *from,
		 const struct span_range *range, const uint8_t (*ids)[16],
		 size_t n, span_store_since_fn *fn, void *arg,
		 struct span_store_mark *end, struct span_error *err);

/*
 * A place between two frames of a store's own logs; zero: before the first.
 * SEQ alone, with zeros, stands for the place behind that frame: it takes some
 * looking. Numbers never come again, unless a power cut has taken those of
 * frames that were not acknowledged.
 */
struct span_store_place {
	uint64_t log, offset, seq;
};
/* 0: taken; 1: enough, it comes again; below 0 ends it. FRAME is valid until
 * it returns. */
typedef int span_store_frame_fn(void *arg, struct span_str frame, uint64_t seq,
				struct span_error *err);

/*
 * For who takes a store as a queue: call FN with each frame behind *AT, in the
 * order in which they were appended, up to now; *AT moves behind those that FN
 * took. What is expired is not there; damage is passed over and told as scans
 * do. Another thread may append meanwhile, by a store of its own.
 *
 * 0; what FN returned below 0; SPAN_E_INVALID when the logs behind *AT were
 * sealed, or the store is of a kind without logs; SPAN_E_IO, SPAN_E_NOMEM.
 */
SPAN_API SPAN_NODISCARD int
span_store_follow(struct span_store *st, struct span_store_place *at,
		  span_store_frame_fn *fn, void *arg, struct span_error *err);

/*
 * See what was appended since: a new snapshot for the scans that follow. The
 * cursors of the old one must be closed before.
 */
SPAN_API SPAN_NODISCARD int span_store_refresh(struct span_store *st,
					       struct span_error *err);

/*
 * Once *STOP is true, which any thread may make it, scans and counts of ST, of
 * calls and names too, and searches by it end soon, with SPAN_E_PIPE. It is
 * borrowed until this is called again; NULL: they are not to be stopped.
 */
SPAN_API void span_store_stop(struct span_store *st, const bool *stop);

struct span_store_stat {
	uint64_t n_spans, n_frames, bytes;
	uint64_t n_files, n_closed, n_bad; /* n_bad: set aside by recovery */
	uint64_t min_start_ns, max_end_ns; /* of spans; 0 when empty */
	uint64_t min_arrival_ns, max_arrival_ns;
	/* found so far by the scans of this handle, but for the last one: gaps
	 * in the sequence numbers */
	uint64_t damaged_places, damaged_bytes, missing_frames;
	uint64_t n_expired; /* files that went away since they were listed */
	uint64_t first_segment, last_segment;
	/* of n_files, n_spans and bytes: what is sealed */
	uint64_t n_segments, sealed_spans, sealed_bytes;
	uint64_t n_traces; /* sealed ones; one in two segments counts twice */
	uint64_t n_drafts, draft_bytes; /* of bytes; of no other count */
	uint64_t free_bytes;		/* on its disk; UINT64_MAX: not known */
	uint8_t uuid[16];
};

SPAN_API SPAN_NODISCARD int span_store_stat(struct span_store *st,
					    struct span_store_stat *out,
					    struct span_error *err);

/*
 * Called for each file by files, verify and expire. TEXT says what is wrong
 * with it, NULL when nothing is, and to expire why it goes; verify calls once
 * for each thing that is wrong.
 */
struct span_store_file {
	uint64_t segment;
	const char *name; /* in the directory */
	bool open;	  /* still grows */
	bool bad;	  /* set aside by recovery; its spans count nowhere */
	bool sealed;	  /* a segment */
	bool draft;	  /* of the log SEGMENT: its first frames once more */
	uint64_t bytes, n_frames, n_spans, first_seq, last_seq;
	uint64_t min_start_ns, max_end_ns, min_arrival_ns, max_arrival_ns;
	uint64_t n_traces; /* of a segment */
};
typedef int span_store_file_fn(void *arg, const struct span_store_file *f,
			       const char *text, struct span_error *err);

/* Every file. 0, or what FN returned below 0, or a negative code. */
SPAN_API SPAN_NODISCARD int span_store_files(struct span_store *st,
					     span_store_file_fn *fn, void *arg,
					     struct span_error *err);
/*
 * What the bytes of the store are spent on: columns by what is in them ("tag",
 * with its KEY), other parts of segments, logs; largest first. VALUES is how
 * many there are of a column, or spans that share the part.
 */
struct span_store_part {
	const char *part;
	struct span_str key; /* of tags and event fields */
	uint64_t bytes, values;
};
typedef int span_store_part_fn(void *arg, const struct span_store_part *p,
			       struct span_error *err);
SPAN_API SPAN_NODISCARD int span_store_parts(struct span_store *st,
					     span_store_part_fn *fn, void *arg,
					     struct span_error *err);

/* Check every checksum, count and footer. 0 sound, 1 damage was found. */
SPAN_API SPAN_NODISCARD int span_store_verify(struct span_store *st,
					      span_store_file_fn *fn, void *arg,
					      struct span_error *err);

/*
 * One group of calls: spans of a service, operation and kind, called by one
 * of another, or by none, that start in one bucket of time.
 *
 * What the parent of a span is, span/trace.h says of the spans of its trace
 * that are in the same file, duplicates counted like others; of spans that
 * start at the same time the one that the file has first is the earlier. A
 * parent that is not there is looked for in other files, in the next one first,
 * then in the one before, and so on in the order of span_store_scan(): in those
 * whose spans, from the earliest start to the latest end, come within a minute
 * of those of the trace. Of several with the id span/trace.h tells the parent.
 */
enum span_store_parent {
	SPAN_PARENT_NONE = 0, /* names none, or a circle is cut there */
	SPAN_PARENT_KNOWN,
	SPAN_PARENT_ABSENT, /* names one that was not found */
};
struct span_store_calls {
	enum span_store_parent parent;
	struct span_str parent_service, parent_name; /* SPAN_PARENT_KNOWN */
	uint8_t parent_kind;
	struct span_str service, name;
	uint8_t kind;
	/* Their one reference is to the parent they name, a FOLLOWS_FROM one
	 * without attributes, trace state or flags. */
	bool follows;
	bool error;	   /* all of them are */
	uint64_t start_ns; /* of the bucket */
	uint64_t calls;	   /* at least 1 */
	uint64_t sum_ns;   /* of durations, at most UINT64_MAX */
	uint64_t sum_high; /* their sum without that limit: 128 bits */
	uint64_t sum_low;
	/*
	 * How many calls one stands for: the inverse of the probability with
	 * which its trace was sampled, where the trace state tells it
	 * (ot=th:...), else 1.
	 */
	double weight;
	const struct span_sketch *sketch; /* of durations */
};
struct span_store_calls_range {
	uint64_t since_ns, until_ns; /* of the child's start; 0: not set */
	/*
	 * Buckets of time begin at since_ns and are width_ns long: a multiple
	 * of 60 s; 0: one bucket, when only totals over the range count. Where
	 * since_ns is a multiple of width_ns segments know the answer.
	 */
	uint64_t width_ns;
};
/* What C points to is valid until it returns; below 0 ends it. */
typedef int span_store_calls_fn(void *arg, const struct span_store_calls *c,
				struct span_error *err);

/*
 * All calls in the range (NULL: all), exactly, from what segments know in
 * advance where that is enough and from their columns where it is not. A group
 * comes in one or several parts, in no order. 0, what FN returned below 0,
 * SPAN_E_INVALID for another width, or another negative code. Damage is passed
 * over and told as scans do.
 */
SPAN_API SPAN_NODISCARD int
span_store_calls(struct span_store *st, const struct span_store_calls_range *r,
		 span_store_calls_fn *fn, void *arg, struct span_error *err);

/*
 * How long buckets have to be for segments with spans of R to know the answer:
 * some know only buckets of several minutes or hours, and shorter ones are
 * counted from columns, which takes longer. r->width_ns is the most they may
 * be: segments that know none that short count in no way. *WIDTH_NS is 60 s
 * where that does for all. 0 or a negative code.
 */
SPAN_API SPAN_NODISCARD int
span_store_calls_width(struct span_store *st,
		       const struct span_store_calls_range *r,
		       uint64_t *width_ns, struct span_error *err);

/* How many spans of a service and operation (of one kind) are stored. */
struct span_store_name {
	struct span_str service, operation;
	uint8_t kind;
	uint64_t spans, errors;
};
typedef int span_store_name_fn(void *arg, const struct span_store_name *n,
			       struct span_error *err);
/*
 * Each of them once: by service, operation, then kind. 0, what FN returned
 * below 0, or a negative code.
 */
SPAN_API SPAN_NODISCARD int span_store_names(struct span_store *st,
					     span_store_name_fn *fn, void *arg,
					     struct span_error *err);

struct span_store_policy {
	uint64_t max_age_ns; /* 0: no limit; by time of arrival */
	uint64_t max_bytes;  /* 0: no limit; whole directory */
	uint64_t min_free;   /* 0: none; bytes to leave free on the disk */
	bool dry_run;	     /* say what would go, remove nothing */
	bool trust_clock;    /* see clock_doubt */
	uint64_t now_ns;     /* 0: the clock */
};
struct span_store_expired {
	uint64_t n_files, n_spans, bytes;
	/*
	 * Nothing was removed by age, because the clock was set by more than
	 * an hour while the store was written, or files are from the future.
	 */
	bool clock_doubt;
};
/*
 * Remove closed files, oldest first; FN (or NULL) is called for each. With no
 * limit in P those that the store remembers hold.
 */
SPAN_API SPAN_NODISCARD int span_store_expire(struct span_store *st,
					      const struct span_store_policy *p,
					      struct span_store_expired *out,
					      span_store_file_fn *fn, void *arg,
					      struct span_error *err);

/*
 * The policy that the store remembers (its first three members); all zero
 * when it has none. Setting needs SPAN_STORE_MAINTAIN. SPAN_E_INVALID when it
 * is of a kind that remembers nothing, as memory:SIZE.
 */
SPAN_API SPAN_NODISCARD int span_store_policy_get(struct span_store *st,
						  struct span_store_policy *out,
						  struct span_error *err);
SPAN_API SPAN_NODISCARD int
span_store_policy_set(struct span_store *st, const struct span_store_policy *p,
		      struct span_error *err);

#define SPAN_DRAFT_BYTES (1u << 20)

struct span_seal_opts {
	bool all; /* not only what is due: see span-store(1) */
	bool dry_run;
	bool drafts;	      /* and make drafts of the logs that stay */
	uint64_t draft_bytes; /* that they have grown by; 0: SPAN_DRAFT_BYTES,
				 closed ones a quarter of that */
	uint64_t max_spans;   /* of a segment; 0: 1 M */
	uint64_t memory;      /* bytes to build in; 0: 256 MiB */
	unsigned jobs;	      /* threads, at most 16; 0: one a processor */
	uint64_t max_age_ns;  /* logs older than that are due; 0: 2 h */
	const char *codec;    /* "zstd", "zlib", "none"; NULL: zstd, where it
				 was built in */
	uint64_t now_ns;      /* 0: the clock */
	/* Called now and then; below 0 ends it without harm. May be NULL. */
	int (*progress)(void *arg, uint64_t spans, uint64_t of);
	void *arg;
};
struct span_sealed {
	uint64_t n_logs, n_merged; /* logs and segments that were replaced */
	uint64_t n_segments;	   /* by how many */
	uint64_t n_spans, bytes_before, bytes_after;
	uint64_t n_drafts, draft_spans; /* logs that got a draft */
};
/*
 * Seal closed logs into segments and merge small segments. Needs
 * SPAN_STORE_MAINTAIN, but for a dry run. Ingest and readers go on meanwhile.
 * O may be NULL. FN (or NULL) is called for each file that was replaced, with
 * the reason, and for each log that got a draft, with NULL. What is written
 * does not depend on the number of threads. What takes more memory than there
 * is stays a log. 0; SPAN_E_FULL, with what was sealed so far in place.
 */
SPAN_API SPAN_NODISCARD int span_store_seal(struct span_store *st,
					    const struct span_seal_opts *o,
					    struct span_sealed *out,
					    span_store_file_fn *fn, void *arg,
					    struct span_error *err);

/*
 * Copy the sealed segments of a store into the directory DIR, which is
 * another store or nothing yet, under names that tell their origin; what is
 * there already, or damaged, is left out, and so is what DIR itself has
 * written. Nothing of DIR is lost or changed. *N: copied.
 *
 * 0; SPAN_E_BUSY when somebody maintains DIR; SPAN_E_INVALID when it holds
 * other things; SPAN_E_FULL, SPAN_E_IO.
 */
SPAN_API SPAN_NODISCARD int span_store_export(struct span_store *st,
					      const char *dir, uint64_t *n,
					      struct span_error *err);

/*
 * Syncs and closes. 0 or SPAN_E_IO when the last spans could not be made
 * durable; *ST is NULL either way.
 */
SPAN_API int span_store_close(struct span_store **st, struct span_error *err);

#ifdef __cplusplus
}
#endif
#endif
