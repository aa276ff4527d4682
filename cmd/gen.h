/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gen.h - the parts of span-gen
 *
 * A topology (gen-topology.c) says which services there are, which operations
 * they have, what those call, how long they take and what they write into
 * their tags. A trace (gen-trace.c) is one walk through it: which operations
 * ran, when, and which failed. Its spans are rendered (gen-render.c) only
 * when they are sent, so that a trace in flight costs little memory.
 *
 * The same seed gives the same bytes on every machine: all arithmetic is on
 * integers, or a single IEEE operation, and nothing asks libm.
 */
#ifndef GEN_H
#define GEN_H

#include "cmd.h"

/* Limits of a topology, so that a file cannot ask for the impossible. */
#define GEN_MAX_FILE (4u << 20) /* bytes of JSON */
#define GEN_MAX_SERVICES 4096u	/* after --services */
#define GEN_MAX_PROCESSES 65536u
#define GEN_MAX_OPS 65536u
#define GEN_MAX_LIST 512u	 /* tags, events, calls, choices in one place */
#define GEN_MAX_VALUES 1024u	 /* named values */
#define GEN_MAX_TRACE (1u << 20) /* spans of one trace */
#define GEN_MAX_DEPTH 100000u	 /* operations below one another */
#define GEN_MAX_TEXT (256u << 10) /* bytes of one span's rendered text */

/* ---- gen-rand.c: numbers by chance, the same on every machine ---- */

/* The state is one word; any value is a good seed. */
uint64_t gen_rand(uint64_t *state);
/* One of 2^64 words for a pair, without a state: a bijection in I. */
uint64_t gen_mix(uint64_t seed, uint64_t i);
/* 0 to N - 1; N > 0. */
uint64_t gen_below(uint64_t *state, uint64_t n);
/* True with probability P / 2^32. */
#define GEN_ALWAYS (1ull << 32)
bool gen_chance(uint64_t *state, uint64_t p);
uint64_t gen_probability(double p); /* as gen_chance() wants it */
/* Logarithm to base 2 of X > 0 in 2^-32, and the inverse, rounded down. */
uint64_t gen_log2(uint64_t x);
uint64_t gen_exp2(int64_t q);
/* Log-normal: MEDIAN is a gen_log2(), SIGMA in 2^-32 octaves, at most 8. */
uint64_t gen_log_normal(uint64_t *state, uint64_t median, uint64_t sigma);
/* Log-uniform between two gen_log2(): small numbers are popular. */
uint64_t gen_log_uniform(uint64_t *state, uint64_t lo, uint64_t hi);
/* Exponential, the gap between arrivals, of this mean. */
uint64_t gen_gap(uint64_t *state, uint64_t mean);

/* ---- gen-value.c: values drawn by chance ---- */

enum gen_draw {
	GEN_CONST = 0, /* value */
	GEN_TEMPLATE,  /* parts, one after another */
	GEN_INT,       /* lo .. hi, uniform */
	GEN_SKEW,      /* lo .. hi, log-uniform */
	GEN_DOUBLE,    /* the same as GEN_INT, in thousandths */
	GEN_HEX,       /* hi digits */
	GEN_UUID,
	GEN_CHOICE, /* one of values, by weight */
	GEN_REF,    /* the named value lo */
};

/* What a placeholder may stand for beside a named value. */
enum gen_builtin {
	GEN_TEXT = -1, /* no placeholder */
	GEN_SERVICE = -2,
	GEN_INSTANCE = -3,
	GEN_HOST = -4,
	GEN_IP = -5,
	GEN_PEER = -6,
	GEN_PEER_HOST = -7,
	GEN_PEER_IP = -8,
};

struct gen_part {
	int ref; /* a named value, or enum gen_builtin */
	struct span_str text;
};

struct gen_value {
	enum gen_draw draw;
	struct span_str name; /* of a named one */
	bool per_span;	      /* a named value that is not the trace's */
	int64_t lo, hi;
	uint64_t lo_log2, hi_log2;
	struct span_value value;
	const struct gen_part *parts;
	size_t n_parts;
	const struct gen_value *values;
	const uint32_t *weights; /* cumulative */
	size_t n_values;
};

/* Text of the span being rendered; what does not fit is cut. */
struct gen_text {
	char *p;
	size_t len, cap;
};

struct gen_process {
	struct span_process process;
	struct span_str host, ip;
	uint32_t service, instance;
};

/* For whom a value is drawn. */
struct gen_context {
	const struct gen_value *named;
	uint64_t trace_seed, span_seed;
	const struct gen_process *self, *peer;
	struct gen_text *text;
};

void gen_value_draw(const struct gen_value *v, const struct gen_context *c,
		    uint64_t *state, struct span_value *out);
void gen_text_put(struct gen_text *t, const void *p, size_t len);
void gen_text_puts(struct gen_text *t, const char *s);
void gen_text_number(struct gen_text *t, uint64_t n);
void gen_text_hex(struct gen_text *t, uint64_t v, unsigned int digits);

/* ---- gen-topology.c: what there is ---- */

struct gen_tag {
	struct span_str key;
	struct gen_value value;
	uint64_t chance; /* how often it is there */
};

struct gen_tags {
	const struct gen_tag *v;
	size_t n;
};

struct gen_event {
	struct gen_tags tags;
	uint64_t chance;
};

struct gen_call {
	struct span_str to; /* "service:operation", resolved to: */
	uint32_t op;
	uint32_t client; /* the caller's own span around it, or GEN_NO_OP */
	uint64_t chance;
	uint64_t lo, hi, lo_log2, hi_log2; /* how many, log-uniform */
	bool parallel;			   /* at the same time */
	bool async; /* starts when the caller is over, and follows it */
};
#define GEN_NO_OP UINT32_MAX

/* The span that a caller in another service has around a call. */
struct gen_client {
	bool none;
	struct span_str name;
	uint64_t self_log2;
	struct gen_tags tags;
};

struct gen_error {
	uint64_t chance;    /* of failing by itself, against other operations */
	uint64_t self_log2; /* 0: takes as long as usual */
	struct span_str type;
	struct gen_value message;
	bool no_stack;
	struct gen_tags tags; /* in place of the same keys of the operation */
};

struct gen_op {
	struct span_str name;
	uint32_t service;
	uint32_t weight;	   /* of traces that start here */
	uint8_t kind;		   /* enum span_kind */
	bool is_client;		   /* made by linking */
	uint64_t self_log2, sigma; /* time without its calls, ns */
	struct gen_tags tags;
	struct gen_error error;
	struct gen_client client;
	const struct gen_event *events;
	size_t n_events;
	struct gen_call *calls;
	size_t n_calls;
};

struct gen_service {
	struct span_str name, language;
	uint32_t n_instances, first_process;
	uint32_t first_op, n_ops;
	const struct span_scope *scope; /* NULL: none */
	struct gen_tags tags;		/* of its processes */
};

struct gen_root {
	uint32_t op;
	uint64_t sum; /* of the weights up to here */
};

struct gen_topology {
	struct span_arena arena;
	struct gen_value *named;
	size_t n_named;
	struct gen_service *services;
	size_t n_services;
	struct gen_op *ops;
	size_t n_ops;
	struct gen_process *processes;
	size_t n_processes;
	uint64_t depth_lo_log2, depth_hi_log2; /* of a trace */
	struct gen_root *roots;		       /* operations with a weight */
	size_t n_roots;
	uint64_t weight;       /* of all of them */
	uint64_t error_chance; /* of a span by itself */
	uint64_t mean_spans;   /* of a trace, about */
};

struct gen_topology_opts {
	uint64_t n_services; /* 0: those of the file; else cut or copied */
	double error_rate;   /* share of spans that are errors */
};

/*
 * Read a topology from LEN bytes of JSON called NAME in messages. 0,
 * SPAN_E_INVALID with the path of the mistake in the message, SPAN_E_LIMIT,
 * SPAN_E_NOMEM.
 */
SPAN_NODISCARD int gen_topology_open(struct gen_topology **out,
				     const char *name, const char *json,
				     size_t len,
				     const struct gen_topology_opts *o,
				     struct span_error *err);
void gen_topology_close(struct gen_topology **t);

/* gen-parse.c: its first part, before calls are resolved. */
SPAN_NODISCARD int gen_topology_parse(struct gen_topology *t, const char *name,
				      const char *json, size_t len,
				      struct span_error *err);

/* gen-estimate.c: its last part, mean_spans and error_chance. */
SPAN_NODISCARD int gen_topology_estimate(struct gen_topology *t,
					 double error_rate,
					 struct span_error *err);

/* How often OP fails when a call of it failed. */
#define GEN_PASSES_ON(op) ((op)->is_client ? GEN_ALWAYS : GEN_ALWAYS / 4 * 3)

/* The JSON of a profile that is built in: "shop", "deep", "wide". */
struct span_str gen_profile(const char *name);

/* ---- gen-trace.c: one walk through it ---- */

/* Times are in units of the trace. */
struct gen_node {
	uint32_t op, parent; /* parent: GEN_NO_NODE for the first */
	uint32_t process, peer;
	uint32_t call; /* which of the parent's */
	uint32_t depth;
	bool parallel, async;
	bool failed, by_itself;
	uint32_t cause; /* the failed call, when it is not by itself */
	uint64_t start, duration;
	/* While they are laid out: calls of one kind are a step. */
	uint64_t delay, cursor, step_end;
	uint32_t n_steps, step;
};
#define GEN_NO_NODE UINT32_MAX

/*
 * What gen_mix() makes of a trace's seed: from 0 on the ids of its spans, and
 * beyond them: */
enum {
	GEN_SEED_WALK = GEN_MAX_TRACE,
	GEN_SEED_ID_HIGH,
	GEN_SEED_ID_LOW,
	GEN_SEED_VALUES,
};

struct gen_trace {
	uint64_t seed;
	uint8_t trace_id[16];
	struct gen_node *nodes; /* parents before children */
	size_t n, cap;
	size_t n_left;			    /* to be sent */
	struct gen_trace *next_free, *next; /* of gen-live.c */
};

/*
 * Draw the trace of this SEED, which starts at START; times are in units of
 * UNIT ns. Uses TR's memory again. 0 or SPAN_E_NOMEM.
 */
SPAN_NODISCARD int gen_trace_draw(struct gen_trace *tr,
				  const struct gen_topology *t, uint64_t seed,
				  uint64_t start, uint64_t unit,
				  struct span_error *err);

/* ---- gen-render.c, gen-stack.c: a span of it ---- */

struct gen_render {
	const struct gen_topology *topology;
	uint64_t unit;	  /* ns */
	uint64_t skew_ns; /* clocks are off by up to this */
	uint64_t seed;
	struct gen_text text;
	struct span_attr *attrs; /* room for all of a span's */
	size_t n_attrs;
	struct span_event *events;
	struct span_ref ref;
};

SPAN_NODISCARD int gen_render_init(struct gen_render *r,
				   struct span_error *err);
/* Span I of TR; it is valid until the next call. */
void gen_render_span(struct gen_render *r, const struct gen_trace *tr, size_t i,
		     struct span *out);
void gen_render_release(struct gen_render *r);

/* A stack trace in the manner of LANGUAGE; the same for the same SEED. */
struct span_str gen_stack(struct gen_text *t, struct span_str language,
			  struct span_str type, struct span_str message,
			  uint64_t seed);
/* An exception type that such programs throw. */
struct span_str gen_stack_type(struct span_str language, uint64_t seed);
/* What it may say: of the host PEER, or when that is empty of itself. */
struct span_str gen_stack_message(struct gen_text *t, struct span_str peer,
				  uint64_t seed);

/* ---- gen-live.c: traffic as a collector sees it ---- */

struct gen_live_opts {
	const struct gen_topology *topology;
	uint64_t seed, start_ns, unit, skew_ns;
	uint64_t gap_ns; /* between traces, on average */
	uint64_t max_traces, max_spans, duration_ns;
	bool pace; /* in real time: start_ns is now */
};

struct gen_counts {
	uint64_t traces, spans, errors;
};

/*
 * Write traces to W as if services had sent them: interleaved, a span when it
 * ends, in batches of its process. Ends early, with whole traces, when
 * cmd_stopped is set. 0 or a negative code.
 */
SPAN_NODISCARD int gen_live(const struct gen_live_opts *o,
			    struct span_writer *w, struct gen_counts *counts,
			    struct span_error *err);

/* ---- gen-hostile.c: spans that nobody should send ---- */

/* The same contract; uses the seed, the start, the gap and max_traces. */
SPAN_NODISCARD int gen_hostile(const struct gen_live_opts *o,
			       struct span_writer *w, struct gen_counts *counts,
			       struct span_error *err);

#endif
