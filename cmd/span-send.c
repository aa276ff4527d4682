/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Spans to a collector: they are gathered into batches here, which the
 * sender's thread takes from there.
 */
#include "cmd_source.h"

#include <time.h>

#include "send-open.h"
#include "send-options.h"
#include "send-push.h"
#include "send-report.h"
#include "send-spool.h"

#include "base/banned.h"

#define SECOND_NS 1000000000ull

static struct {
	uint64_t start_ns;
	uint64_t paced_ns;    /* when the next span may come, with --rate */
	bool stopped_reading; /* as it was given up */
} state;

/* A pipe that nobody closes would go on for ever. */
static int stop_reading(struct span_error *err)
{
	state.stopped_reading = true;
	return span_error_set(err, SPAN_E_PEER, "given up");
}

/* Before a read that may block. */
static int idle(void *arg, uint64_t *wait_ns, struct span_error *err)
{
	uint64_t due_ns = send_due_ns();
	int rc = 0;

	(void)arg;
	if (!due_ns) {
		rc = send_push(err);
		due_ns = UINT64_MAX;
	}
	send_look_at_signals();
	if (due_ns < *wait_ns)
		*wait_ns = due_ns;
	if (SECOND_NS < *wait_ns)
		*wait_ns = SECOND_NS;
	if (rc >= 0 && send_opt.spool)
		rc = send_spool_tick(wait_ns, false, err);
	if (rc >= 0 && send_has_given_up())
		rc = stop_reading(err);
	return rc;
}

/*
 * With --rate: wait until the next span may come. What was not used is not
 * made up for.
 */
static int pace(struct span_error *err)
{
	uint64_t now = cmd_monotonic_ns();
	int rc = 0;

	if (!send_opt.rate)
		return 0;
	if (state.paced_ns < now)
		state.paced_ns = now;
	while (rc >= 0 && now < state.paced_ns && !send_has_given_up()) {
		uint64_t wait_ns = state.paced_ns - now;
		struct timespec t = {0};

		rc = idle(NULL, &wait_ns, err);
		if (wait_ns > SEND_MOMENT_NS)
			wait_ns = SEND_MOMENT_NS;
		t.tv_nsec = (long)wait_ns;
		nanosleep(&t, NULL);
		now = cmd_monotonic_ns();
	}
	state.paced_ns += (uint64_t)(1e9 / send_opt.rate);
	return rc;
}

/* ---- The whole ---- */

/* 1 when something was sent, 0 at the end, or a negative code. */
static int send_span(struct cmd_source *in, struct span_error *err)
{
	struct span span;
	int rc = cmd_source_next(in, &span, err);

	if (rc <= 0)
		return rc;
	if ((rc = pace(err)) < 0 || (rc = send_put(&span, err)) < 0)
		return rc;
	return 1;
}

static int send_slice(struct cmd_source *in, struct span_error *err)
{
	struct span_frame *frame;
	const uint8_t *keep;
	size_t n;
	int rc = cmd_source_next_slice(in, &frame, &keep, &n, err);

	if (rc <= 0)
		return rc;
	rc = send_put_slice(frame, keep, n, err);
	return rc < 0 ? rc : 1;
}

static int send_all(struct cmd_source *in, bool drains, struct span_error *err)
{
	bool slices = send_opt.spool && !send_opt.rate && cmd_source_slices(in);
	int rc = 1;

	while (rc > 0 && (drains || !cmd_stopped) && !send_has_given_up())
		rc = slices ? send_slice(in, err) : send_span(in, err);
	return rc < 0 && !state.stopped_reading ? rc : 0;
}

/*
 * A spool keeps what does not go through for another time: it is not waited for
 * longer than it may be any use.
 */
static int finish_spool(struct span_error *err)
{
	uint64_t wait_ns = UINT64_MAX;

	if (!send_run.give_up_at_ns)
		send_run.give_up_at_ns =
			cmd_monotonic_ns() + send_opt.retry_time_ns;
	if (span__sender_is_refused(send_run.sender))
		send_run.give_up_at_ns = cmd_monotonic_ns();
	return send_spool_tick(&wait_ns, false, err);
}

/* What was read is sent, whatever ended the reading. */
static int finish(struct span_error *err)
{
	int rc = send_push(err);

	while (!rc) {
		rc = span__sender_finish(send_run.sender, SEND_MOMENT_NS, err);
		if (rc >= 0 && send_opt.spool && finish_spool(err) < 0)
			rc = err->code;
		send_look_at_signals();
	}
	if (rc >= 0 && send_opt.spool)
		rc = send_spool_settle_up(err);
	return rc < 0 ? rc : 0;
}

static int run(int argc, char **argv, struct span_error *err)
{
	struct span_error later = {0};
	struct span__send_url url;
	struct send_headers headers = {0};
	struct cmd_source *in = NULL;
	int rc, ended;
	bool live;

	send_options_check(argc);
	state.start_ns = cmd_monotonic_ns();
	rc = span__send_url_parse(&url, argv[0], send_opt.json, err);
	if (rc < 0)
		return rc;
	send_options_check_url(&url);
	cmd_signals_source();
	cmd_source_on_idle(idle, NULL);
	if ((rc = send_headers_read(&headers, &send_opt.auth, err)) < 0 ||
	    (rc = cmd_source_open(&in, argc - 1, argv + 1, NULL, err)) < 0)
		goto done;
	live = !cmd_source_is_store(in) && send_is_live(argc - 1, argv + 1);
	if ((send_opt.spool && (rc = send_open_spool(!live, err)) < 0) ||
	    (rc = send_open_sender(&send_run.sender, &url, argv[0], &headers,
				   err)) < 0)
		goto done;
	cmd_sd_notify("READY=1");
	rc = send_all(in,
		      send_reads_pipe(argc - 1, argv + 1) &&
			      !cmd_source_is_store(in),
		      err);
	ended = finish(&later);
	if (rc >= 0 && ended < 0)
		*err = later;
	rc = rc < 0 ? rc : ended;
	send_look_at_signals();
	send_report_end(send_run.sender, state.start_ns);
	if (!rc && send_report_lost())
		rc = CMD_PEER;
done:
	cmd_source_close(&in);
	span__sender_close(&send_run.sender);
	span__batch_close(&send_run.batch);
	send_headers_release(&headers);
	if (send_spool_close(&later) < 0 && rc >= 0) {
		*err = later;
		rc = later.code;
	}
	return rc;
}

static const struct cmd span_send = {
	.name = "span-send",
	.operands = "URL [FILE...]",
	.summary = "send spans to a collector",
	.options = send_options,
	.run = run,
	.notes = "URL:\n"
		 "  otlp+http://HOST[:4318][/v1/traces]\n"
		 "  otlp+grpc://HOST[:4317]\n"
		 "  zipkin+http://HOST[:9411][/api/v2/spans]\n"
		 "  jaeger+http://HOST[:14268][/api/traces]\n"
		 "  jaeger+grpc://HOST[:14250]\n"
		 "  jaeger+udp://HOST[:6831][?protocol=compact|binary]\n"
		 "  otlp+https, otlp+grpcs, zipkin+https, jaeger+https and\n"
		 "  jaeger+grpcs: over TLS\n",
};

int main(int argc, char **argv)
{
	return cmd_main(&span_send, argc, argv);
}
