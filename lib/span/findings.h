/* SPDX-License-Identifier: Apache-2.0 */
/*
 * span/findings.h - what an experienced eye would see in a trace
 *
 * Each finding names its evidence: spans, a time, a count. A finding is an
 * observation, not a verdict; what is only possible says "could".
 */
#ifndef SPAN_FINDINGS_H
#define SPAN_FINDINGS_H

#include <span/trace.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * "Target" is the service and kind of a call with its template, which is that
 * of its statement (db.query.text, db.statement) where it has one, else of its
 * name. trace-view(1) says the same in the words of its users.
 */
enum span_finding_kind {
	/*
	 * The span with the largest share of the critical path, not counting
	 * what its children have of it. NS is what it has. Not of a trace of
	 * one span.
	 */
	SPAN_FINDING_GUILTY = 0,
	/*
	 * A failing span below which none fails that could be why: SPAN, COUNT
	 * spans of the same service, kind and name with the same message and
	 * the same response. Spans between that say nothing of a failure are
	 * passed; one that says it is well, and what its parent does not wait
	 * for, end the search. NS is the time of these, DEPTH how many failing
	 * spans are above the first one.
	 */
	SPAN_FINDING_ERROR,
	/*
	 * Calls of one parent and target that run one after another, with
	 * different statements or URLs, or none: N+1. Of a call that was tried
	 * again the last attempt counts. NS is the time in which one of them
	 * was running.
	 */
	SPAN_FINDING_N_PLUS_1,
	/* The same, but of the very same statement or URL. */
	SPAN_FINDING_REPEATED,
	/*
	 * The same call again, begun after one that failed has ended: SPANS
	 * are the attempts, NS is from the start of the first to that of the
	 * last one; FAILED of them failed.
	 */
	SPAN_FINDING_RETRY,
	/*
	 * Calls of one parent to several targets, each begun when the one
	 * before has ended: they could run at once, if none needs what
	 * another one returns. NS is what that would save: their time less
	 * that of the longest.
	 */
	SPAN_FINDING_SERIAL,
	/*
	 * A time on the critical path in which a span that has children waits
	 * for none of them: NS from START_NS on.
	 */
	SPAN_FINDING_GAP,
	/*
	 * Children that lie outside their parents, on other hosts, by what
	 * span_trace_builder_adjust() would correct: COUNT of them between the
	 * same two hosts; SPAN is the one that is off by most, NS by how much.
	 */
	SPAN_FINDING_SKEW,
	SPAN_FINDING_KINDS,
};

/* Spans of a finding that are named at most; COUNT counts all. */
#define SPAN_FINDING_SPANS 10u

struct span_finding {
	enum span_finding_kind kind;
	uint32_t span;	 /* what it is about: the first of SPANS */
	uint32_t parent; /* the caller, or SPAN_TRACE_NONE */
	uint32_t count, failed, depth;
	uint64_t ns, start_ns;
	/*
	 * Of the critical path: guilty, gap, serial; of the trace's duration:
	 * the others. NAN when that is shorter, as a path may be on which the
	 * finding is not.
	 */
	double share;
	uint32_t spans[SPAN_FINDING_SPANS];
	uint32_t n_spans;
	/*
	 * The template of a target, or several; the message of an error with
	 * the code of its response, "PARENT -> CHILD" of hosts; not escaped. It
	 * may be empty.
	 */
	struct span_str text;
};

struct span_findings_opts {
	uint64_t repeat;  /* calls that are an N+1 or a repetition */
	uint64_t min_ns;  /* of a gap, or saved by running at once */
	double min_share; /* of the path that these must be, too */
	double guilty;	  /* share of the path of a guilty span */
	uint64_t skew_ns; /* less is no skew */
};

#define SPAN_FINDINGS_DEFAULTS                                                 \
	{                                                                      \
		.repeat = 5, .min_ns = 10000000, .min_share = 0.1,             \
		.guilty = 0.25, .skew_ns = 1000000                             \
	}

struct span_findings {
	struct span_finding *v; /* by kind, then by NS, most first */
	size_t n;
	struct span_buf items, scratch; /* what is allocated */
	struct span_arena texts;
};

/*
 * Find everything in T into *F, which is zeroed or was used before; without
 * options O has the defaults. V is
 * valid until the next call, text of it as long as T too. 0, SPAN_E_NOMEM, or
 * SPAN_E_IO without random numbers. O(n log n) time, O(n) memory, nothing
 * recurses.
 */
SPAN_API SPAN_NODISCARD int
span_findings_find(struct span_findings *f, const struct span_trace *t,
		   const struct span_findings_opts *o, struct span_error *err);
SPAN_API void span_findings_release(struct span_findings *f);

/* "guilty", "error", "n+1", "repeated", "retry", "serial", "gap", "skew". */
SPAN_API const char *span_finding_name(int kind);

/* Bytes of a text that a template is made of; what follows is left out. */
#define SPAN_TEMPLATE_MAX 4096u

/*
 * Append S without what differs from call to call: numbers, quoted literals,
 * hexadecimal ids of 8 digits and more, UUIDs and placeholders become "?", with
 * the sign of a number,
 * lists of them one, runs of white space a space. "GET /item/17" is "GET
 * /item/?", "IN (1, 2,'x')" is "IN (?)". Linear in the length.
 */
SPAN_API void span_template_put(struct span_buf *out, struct span_str s);

/*
 * The same over many traces: findings are grouped by kind, service and name of
 * the span (as a template), and text (as a template), and counted.
 */
#define SPAN_FINDINGS_GROUPS 16384u
#define SPAN_FINDINGS_SAMPLES 3u

struct span_findings_group {
	enum span_finding_kind kind;
	struct span_str service, name, text;
	uint64_t findings, traces, spans;
	uint64_t total_ns, max_ns; /* of NS */
	/* Traces: the one with MAX_NS, then others as they came. */
	uint8_t samples[SPAN_FINDINGS_SAMPLES][16];
	size_t n_samples;
};

struct span_findings_set;

struct span_findings_view {
	/* By kind, then by total_ns, most first. */
	const struct span_findings_group *const *groups;
	size_t n_groups;
	uint64_t traces, found_in; /* traces with a finding */
	uint64_t left_out; /* findings for which there was no group left */
};

SPAN_API SPAN_NODISCARD int
span_findings_set_open(struct span_findings_set **out, struct span_error *err);
/* Add what was found in T; copied. 0 or SPAN_E_NOMEM. */
SPAN_API SPAN_NODISCARD int span_findings_set_put(struct span_findings_set *s,
						  const struct span_trace *t,
						  const struct span_findings *f,
						  struct span_error *err);
/* *V is valid until the next call on S. 0 or SPAN_E_NOMEM. */
SPAN_API SPAN_NODISCARD int span_findings_set_view(struct span_findings_set *s,
						   struct span_findings_view *v,
						   struct span_error *err);
SPAN_API void span_findings_set_close(struct span_findings_set **s);

#ifdef __cplusplus
}
#endif
#endif
