/* SPDX-License-Identifier: Apache-2.0 */
/*
 * span/sample.h - keep a part of the traces
 *
 * A ratio decides by the trace id alone. A sampler gathers whole traces and
 * asks policies. What is kept says in its trace state for how many it stands,
 * as OpenTelemetry's threshold (ot=th:...) does.
 */
#ifndef SPAN_SAMPLE_H
#define SPAN_SAMPLE_H

#include <span/model.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Whose decision a ratio takes; span-sample(1) says what each of them is. */
enum span_ratio_like {
	SPAN_RATIO_CONSISTENT = 0,
	SPAN_RATIO_OTEL_PYTHON,
	SPAN_RATIO_OTEL_JS,
	SPAN_RATIO_OTEL_GO,
	SPAN_RATIO_OTEL_JAVA,
	SPAN_RATIO_JAEGER_PYTHON,
	SPAN_RATIO_JAEGER_GO,
	SPAN_RATIO_SALTED, /* Jaeger's collector, --downsampling.hashsalt */
};

struct span_ratio {
	enum span_ratio_like like;
	struct span_str salt; /* of SPAN_RATIO_SALTED; borrowed */
};

/* Is the trace of S among the share P, 0 to 1, of all? */
SPAN_API bool span_ratio_keeps(const struct span_ratio *r, double p,
			       const struct span *s);

/* Does S ask to be kept: flag "debug" of Jaeger, sampling.priority above 0? */
SPAN_API bool span_wants_sampling(const struct span *s);
/* Does it ask to be dropped: sampling.priority 0? */
SPAN_API bool span_refuses_sampling(const struct span *s);

/* What was decided of a trace. */
struct span_verdict {
	bool keep;
	bool by_ratio;	 /* with the randomness of the id */
	uint32_t policy; /* a number for span_sampler_policy() */
	double p;	 /* of 1/P traces like this one, one is kept */
};

/*
 * Note in the trace state of S, which was kept, that it stands for 1/P times
 * as many as it did. TEXT is emptied, and S borrows it. 0 or SPAN_E_NOMEM.
 */
SPAN_API SPAN_NODISCARD int span_sample_mark(struct span *s,
					     const struct span_ratio *r,
					     const struct span_verdict *v,
					     struct span_buf *text,
					     struct span_error *err);

/*
 * "5/s", "10/m", "100/h": so many in a time. 0 or SPAN_E_INVALID.
 */
SPAN_API SPAN_NODISCARD int span_rate_parse(const char *text,
					    double *per_second);
/* Is TEXT like "<50/s=1,<500/s=0.1,else=0.01", with 16 bands at most? */
SPAN_API bool span_bands_valid(const char *text);

/*
 * A sampler gathers the spans of a stream to traces and decides on each as a
 * whole, by policies: when no span of it has come for a while in the time of
 * the stream (see span/query.h), or earlier when memory is full. Spans that
 * come after that share what was decided.
 */
struct span_sampler;

struct span_sampler_opts {
	/* The policies, JSON as in span-sample(1), and a name for messages. */
	const char *name;
	const void *policies;
	size_t len;
	/*
	 * Or NULL: Jaeger's strategies file, and its name; a policy of type
	 * "strategies" keeps what it says. What is odd in it is appended to
	 * WARNINGS, a line each.
	 */
	const char *strategies_name;
	const void *strategies;
	size_t strategies_len;
	struct span_buf *warnings;
	struct span_ratio ratio; /* how ratios decide; its salt is borrowed */
	uint64_t wait_ns;	 /* 0: 10 s */
	/*
	 * Bytes for traces that wait, for decisions and for deciding, 0: 64
	 * MiB. What policies remember of services and operations is not among
	 * them.
	 */
	uint64_t memory;
};

/*
 * 0; SPAN_E_INVALID, or SPAN_E_CORRUPT of the strategies, with the line in the
 * message; SPAN_E_IO, SPAN_E_NOMEM.
 */
SPAN_API SPAN_NODISCARD int span_sampler_open(struct span_sampler **out,
					      const struct span_sampler_opts *o,
					      struct span_error *err);

/* Spans of one trace, of which something was decided. */
struct span_sampled {
	const struct span *spans;
	size_t n;
	struct span_verdict verdict;
	bool late;  /* it was decided before these came */
	bool early; /* before it was complete, for want of memory */
};

/*
 * Add a span. 1 when its trace was decided already: *OUT has it, borrowed, and
 * what was decided; 0; SPAN_E_NOMEM; or SPAN_E_LIMIT for a span that no stream
 * can hold, which is left out: others may follow.
 */
SPAN_API SPAN_NODISCARD int span_sampler_put(struct span_sampler *s,
					     const struct span *span,
					     struct span_sampled *out,
					     struct span_error *err);
/*
 * The next trace that can be decided, with END any: ask after each put, until
 * there is none. 1 with *OUT, valid until the next call; 0; SPAN_E_LIMIT when a
 * regex takes too many steps, or SPAN_E_NOMEM.
 */
SPAN_API SPAN_NODISCARD int span_sampler_next(struct span_sampler *s, bool end,
					      struct span_sampled *out,
					      struct span_error *err);
/* Nothing has come for NS: the time of the stream moves on by as much. */
SPAN_API void span_sampler_idle(struct span_sampler *s, uint64_t ns);

/*
 * Numbers of policies are those below n_policies; the first two are not of the
 * file: nothing kept it, and a span's own wish.
 */
enum { SPAN_POLICY_NONE, SPAN_POLICY_WISH, SPAN_POLICY_FIRST };
SPAN_API uint32_t span_sampler_n_policies(const struct span_sampler *s);
SPAN_API struct span_str span_sampler_policy(const struct span_sampler *s,
					     uint32_t number);

/*
 * One policy can adapt the shares of operations to how many traces of them
 * come. What it learned is a text, JSON, that is appended to OUT, for another
 * sampler to begin with before its first span. The strategies are a file of
 * Jaeger's by which clients have these shares. Only where a policy adapts.
 *
 * 0; SPAN_E_CORRUPT when TEXT, named NAME, is no such text; SPAN_E_NOMEM.
 */
SPAN_API bool span_sampler_adapts(const struct span_sampler *s);
SPAN_API SPAN_NODISCARD int span_sampler_save(const struct span_sampler *s,
					      struct span_buf *out,
					      struct span_error *err);
SPAN_API SPAN_NODISCARD int span_sampler_load(struct span_sampler *s,
					      const char *name,
					      const void *text, size_t len,
					      struct span_error *err);
SPAN_API SPAN_NODISCARD int
span_sampler_strategies(const struct span_sampler *s, struct span_buf *out,
			struct span_error *err);
/* How often shares were set anew so far. */
SPAN_API uint64_t span_sampler_rounds(const struct span_sampler *s);

SPAN_API void span_sampler_close(struct span_sampler **s);

#ifdef __cplusplus
}
#endif
#endif
