/* SPDX-License-Identifier: Apache-2.0 */
#include "gen.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/banned.h"

#define NOT_GIVEN UINT64_MAX
#define SECOND 1000000000ull
#define SEEDED_START (1767225600 * SECOND) /* 2026-01-01T00:00:00Z */
#define DEFAULT_TRACES 100

enum profile { SHOP, DEEP, WIDE, HOSTILE };
static const char *const profiles[] = {"shop", "deep", "wide", "hostile", NULL};

static struct {
	uint64_t traces, spans, duration, start, seed, services, skew;
	double rate, error_rate;
	const char *topology;
	int profile;
	bool pace, nanoseconds, print_topology;
} opt = {
	.traces = NOT_GIVEN,
	.spans = NOT_GIVEN,
	.duration = NOT_GIVEN,
	.start = NOT_GIVEN,
	.seed = NOT_GIVEN,
	.rate = 100,
	.error_rate = 0.02,
};

static const struct cmd_option options[] = {
	{CMD_CHOICE, 'p', "profile", &opt.profile, "NAME",
	 "what traffic to make", profiles},
	{CMD_STRING, 0, "topology", &opt.topology, "FILE",
	 "services and calls as JSON, instead of a profile", NULL},
	{CMD_FLAG, 0, "print-topology", &opt.print_topology, NULL,
	 "print the profile's JSON", NULL},
	{CMD_INT, 'n', "traces", &opt.traces, "N",
	 "end after N traces (100 when nothing else ends it)", NULL},
	{CMD_INT, 0, "spans", &opt.spans, "N",
	 "end with the trace that makes it N spans", NULL},
	{CMD_DURATION, 0, "duration", &opt.duration, "TIME",
	 "end after this much simulated time", NULL},
	{CMD_DOUBLE, 0, "rate", &opt.rate, "R",
	 "traces a second of simulated time (100)", NULL},
	{CMD_FLAG, 0, "pace", &opt.pace, NULL,
	 "in real time, as services would send", NULL},
	{CMD_TIME, 0, "start", &opt.start, "TIME",
	 "when the first trace starts", NULL},
	{CMD_INT, 0, "seed", &opt.seed, "N", "the same N makes the same bytes",
	 NULL},
	{CMD_INT, 0, "services", &opt.services, "N",
	 "leave out or copy services until there are N", NULL},
	{CMD_DOUBLE, 0, "error-rate", &opt.error_rate, "P",
	 "share of spans that are errors (0.02)", NULL},
	{CMD_DURATION, 0, "skew-clock", &opt.skew, "TIME",
	 "clocks of processes are off by up to TIME", NULL},
	{CMD_FLAG, 0, "nanoseconds", &opt.nanoseconds, NULL,
	 "times in nanoseconds, not microseconds", NULL},
	{CMD_GROUP, 0, NULL, (void *)cmd_output_options, NULL, "Output", NULL},
	{CMD_END, 0, NULL, NULL, NULL, NULL, NULL},
};

static void check_usage(int argc, char **argv)
{
	if (argc)
		cmd_usage("unexpected argument: '%s'", argv[0]);
	if (!(opt.rate >= 1e-6 && opt.rate <= 1e9))
		cmd_usage("--rate is not from 1e-6 to 1e9");
	if (!(opt.error_rate >= 0 && opt.error_rate <= 1))
		cmd_usage("--error-rate is not from 0 to 1");
	if (opt.services > GEN_MAX_SERVICES)
		cmd_usage("--services is not below %u", GEN_MAX_SERVICES + 1);
	if (opt.pace && opt.start != NOT_GIVEN)
		cmd_usage("--pace starts now, --start makes no sense");
	if (opt.profile == HOSTILE && (opt.topology || opt.services))
		cmd_usage("the profile hostile has no topology");
	if (opt.profile == HOSTILE && opt.pace)
		cmd_usage("the profile hostile keeps no pace");
	if (opt.traces == NOT_GIVEN && opt.spans == NOT_GIVEN &&
	    opt.duration == NOT_GIVEN && !opt.pace)
		opt.traces = DEFAULT_TRACES;
}

/* About how long the traffic takes, so that it can end now. */
static uint64_t expected_ns(const struct gen_live_opts *o, uint64_t mean_spans)
{
	uint64_t traces = o->max_traces, ns;

	if (o->max_spans / mean_spans < traces)
		traces = o->max_spans / mean_spans;
	if (__builtin_mul_overflow(traces, o->gap_ns, &ns))
		ns = UINT64_MAX;
	return ns < o->duration_ns ? ns : o->duration_ns;
}

static void set_start(struct gen_live_opts *o, bool seeded, uint64_t mean_spans)
{
	uint64_t now = cmd_now_ns(), length = expected_ns(o, mean_spans);

	if (opt.start != NOT_GIVEN)
		o->start_ns = opt.start;
	else if (opt.pace)
		o->start_ns = now;
	else if (seeded)
		o->start_ns = SEEDED_START;
	else
		o->start_ns = length < now ? now - length : 0;
}

static int random_seed(uint64_t *seed, struct span_error *err)
{
	uint32_t word;

	if (getrandom(&word, sizeof(word), 0) != sizeof(word))
		return span_error_set(err, SPAN_E_IO, "no random numbers");
	*seed = word;
	return 0;
}

/* All of the file, at most a byte more than a topology may have. */
static int read_file(struct span_buf *b, const char *name,
		     struct span_error *err)
{
	int fd, rc = cmd_input_open(&fd, name, err);
	ssize_t n = 1;

	if (rc < 0)
		return rc;
	while (n > 0 && b->len <= GEN_MAX_FILE && span_buf_reserve(b, 65536)) {
		n = read(fd, b->p + b->len, 65536);
		if (n > 0)
			b->len += (size_t)n;
		else if (n < 0 && errno == EINTR)
			n = 1;
	}
	if (n < 0)
		rc = span_error_set(err, SPAN_E_IO, "%s: cannot read", name);
	else if (b->failed)
		rc = span_error_set(err, SPAN_E_NOMEM, "out of memory");
	cmd_input_close(&fd);
	return rc;
}

static int open_topology(struct gen_topology **t, struct span_error *err)
{
	struct gen_topology_opts o = {opt.services, opt.error_rate};
	struct span_str json = gen_profile(profiles[opt.profile]);
	struct span_buf file = {0};
	int rc = 0;

	if (opt.profile == HOSTILE)
		return 0;
	if (opt.topology) {
		rc = read_file(&file, opt.topology, err);
		json = (struct span_str){file.p, file.len};
	}
	if (rc >= 0)
		rc = gen_topology_open(
			t, opt.topology ? opt.topology : profiles[opt.profile],
			json.p, json.len, &o, err);
	span_buf_release(&file);
	return rc;
}

static void report(const struct gen_counts *n, uint64_t bytes, uint64_t since)
{
	struct span_buf b = {0};

	span_text_count(&b, n->spans);
	span_buf_puts(&b, " spans of ");
	span_text_count(&b, n->traces);
	span_buf_puts(&b, " traces, ");
	span_text_count(&b, n->errors);
	span_buf_puts(&b, " errors, ");
	span_text_count(&b, bytes);
	span_buf_printf(&b, " bytes, seed %llu, %.2f s",
			(unsigned long long)opt.seed,
			(double)(cmd_monotonic_ns() - since) / 1e9);
	if (!b.failed)
		cmd_note("%.*s", (int)b.len, b.p);
	span_buf_release(&b);
}

static int write_traffic(const struct gen_topology *t, bool seeded,
			 struct span_error *err)
{
	struct gen_live_opts o = {
		.topology = t,
		.seed = opt.seed,
		.unit = opt.nanoseconds ? 1 : 1000,
		.skew_ns = opt.skew,
		.gap_ns = (uint64_t)(1e9 / opt.rate),
		.max_traces = opt.traces,
		.max_spans = opt.spans,
		.duration_ns = opt.duration,
		.pace = opt.pace,
	};
	struct gen_counts counts = {0};
	struct span_writer *w = NULL;
	uint64_t since = cmd_monotonic_ns();
	int fd, rc;

	set_start(&o, seeded, t ? t->mean_spans : 1);
	cmd_signals_source();
	if ((rc = cmd_output_open(&fd, true, err)) < 0 ||
	    (rc = span_writer_open(&w, fd, err)) < 0)
		goto done;
	rc = opt.profile == HOSTILE ? gen_hostile(&o, w, &counts, err)
				    : gen_live(&o, w, &counts, err);
	if (rc >= 0)
		rc = cmd_output_close(fd, err);
	if (rc >= 0 && cmd_verbose)
		report(&counts, span_writer_bytes(w), since);
done:
	span_writer_close(&w);
	return rc;
}

static int run(int argc, char **argv, struct span_error *err)
{
	struct gen_topology *t = NULL;
	bool seeded = opt.seed != NOT_GIVEN;
	int rc = 0;

	check_usage(argc, argv);
	if (opt.print_topology) {
		struct span_str json = gen_profile(profiles[opt.profile]);

		if (!json.p)
			cmd_usage("the profile hostile has no topology");
		return span_write_all(STDOUT_FILENO, json.p, json.len, err);
	}
	if (!seeded)
		rc = random_seed(&opt.seed, err);
	if (rc >= 0)
		rc = open_topology(&t, err);
	if (rc >= 0)
		rc = write_traffic(t, seeded, err);
	gen_topology_close(&t);
	return rc;
}

static const struct cmd span_gen = {
	.name = "span-gen",
	.operands = "",
	.summary = "make realistic traffic for demos, tests and benchmarks",
	.options = options,
	.run = run,
};

int main(int argc, char **argv)
{
	return cmd_main(&span_gen, argc, argv);
}
