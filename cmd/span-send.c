/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Spans to a collector: they are gathered into batches here, which the
 * sender's thread takes from there.
 */
#include "cmd_source.h"

#include <time.h>

#include "send-open.h"
#include "send-options.h"
#include "send-report.h"
#include "send-spool.h"

#include "base/banned.h"

#define SECOND_NS 1000000000ull
#define MOMENT_NS 100000000ull /* between two looks at signals */
#define SPOOL_NS 100000000ull  /* that a span may be missing in the spool */

static struct {
	struct span__send_url url;
	struct span__sender *sender;
	struct span__batch *batch; /* being filled, or NULL */
	size_t n_spooled;	   /* put into the spool, but not flushed */
	uint64_t oldest_ns;	   /* when the first of them came */
	uint64_t start_ns;
	uint64_t paced_ns;	/* when the next span may come, with --rate */
	uint64_t give_up_at_ns; /* 0: nothing says when */
	bool stopped_reading;	/* as it was given up */
} state;

/* ---- Giving up ---- */

static bool has_given_up(void)
{
	return state.give_up_at_ns && cmd_monotonic_ns() >= state.give_up_at_ns;
}

static void look_at_signals(void)
{
	uint64_t now = cmd_monotonic_ns();

	if (send_opt.spool)
		send_spool_counts(&send_report.spool);
	send_report_look(state.sender);
	if (cmd_stopped && (!state.give_up_at_ns ||
			    state.give_up_at_ns > now + send_opt.stop_ns))
		state.give_up_at_ns = now + send_opt.stop_ns;
	if (has_given_up())
		span__sender_give_up(state.sender);
}

/* A pipe that nobody closes would go on for ever. */
static int stop_reading(struct span_error *err)
{
	state.stopped_reading = true;
	return span_error_set(err, SPAN_E_PEER, "given up");
}

/* ---- Batches ---- */

/* Hand the batch over, and wait for room: so a slow peer slows the source. */
static int push_batch(struct span_error *err)
{
	int rc = state.batch ? 0 : 1;

	while (!rc) {
		rc = span__sender_push(state.sender, &state.batch, MOMENT_NS,
				       err);
		look_at_signals();
	}
	return rc < 0 ? rc : 0;
}

/* Sending makes room. */
static int wait_for_room(struct span_error *err)
{
	const struct timespec moment = {.tv_nsec = MOMENT_NS / 4};
	uint64_t wait_ns = UINT64_MAX;
	int rc = send_spool_tick(&wait_ns, true, err);

	if (rc < 0)
		return rc;
	span__sender_wake(state.sender);
	nanosleep(&moment, NULL);
	look_at_signals();
	return 0;
}

/*
 * What can wait does so while the spool has as much as it may. It ends where
 * nothing goes out.
 */
static int wait_for_spool(struct span_error *err)
{
	int rc = 0;

	while (rc >= 0 && !send_spool_has_room() && !has_given_up()) {
		rc = wait_for_room(err);
		if (rc >= 0 && send_is_quiet(state.sender)) {
			cmd_warn("%s is full, and nothing goes out: the rest "
				 "of the input is not read",
				 send_opt.spool);
			state.give_up_at_ns = cmd_monotonic_ns();
		}
	}
	return rc;
}

/* A full disk is waited for: sending makes room on it. */
static int push_spool(struct span_error *err)
{
	uint64_t wait_ns = UINT64_MAX;
	bool told = false;
	int rc = wait_for_spool(err);

	if (rc < 0)
		return rc;
	while ((rc = send_spool_flush(err)) == SPAN_E_FULL && !has_given_up()) {
		if (!told)
			cmd_warn("%s; waiting for room", err->msg);
		told = true;
		rc = wait_for_room(err);
		if (rc < 0)
			return rc;
	}
	if (rc < 0)
		return rc;
	state.n_spooled = 0;
	span__sender_wake(state.sender);
	return send_spool_tick(&wait_ns, false, err);
}

static int push(struct span_error *err)
{
	return send_opt.spool ? push_spool(err) : push_batch(err);
}

/* How long what is gathered may still wait; UINT64_MAX for nothing. */
static uint64_t gathered_due_ns(void)
{
	uint64_t most = send_opt.flush_ns, gone_ns;

	if (!state.batch && !state.n_spooled)
		return UINT64_MAX;
	if (send_opt.spool && SPOOL_NS < most)
		most = SPOOL_NS;
	gone_ns = cmd_monotonic_ns() - state.oldest_ns;
	return gone_ns < most ? most - gone_ns : 0;
}

/* 1 when it is enough, 0, or a negative code. */
static int gather(const struct span *s, struct span_error *err)
{
	int rc = 0;

	if (!state.batch && !state.n_spooled)
		state.oldest_ns = cmd_monotonic_ns();
	if (send_opt.spool) {
		rc = send_spool_put(s, err);
		return rc < 0 ? rc : ++state.n_spooled >= send_opt.batch;
	}
	if (!state.batch)
		rc = span__batch_open(&state.batch, (size_t)send_opt.batch,
				      err);
	if (rc >= 0)
		rc = span__batch_put(state.batch, s, err);
	if (rc < 0)
		return rc;
	return state.batch->n == state.batch->max ||
	       span__batch_size(state.batch) >= SEND_BATCH_MEMORY;
}

static int put(const struct span *s, struct span_error *err)
{
	int rc = gather(s, err);

	if (rc < 0)
		return rc;
	send_report.read++;
	return rc || !gathered_due_ns() ? push(err) : 0;
}

/* Before a read that may block. */
static int idle(void *arg, uint64_t *wait_ns, struct span_error *err)
{
	uint64_t due_ns = gathered_due_ns();
	int rc = 0;

	(void)arg;
	if (!due_ns) {
		rc = push(err);
		due_ns = UINT64_MAX;
	}
	look_at_signals();
	if (due_ns < *wait_ns)
		*wait_ns = due_ns;
	if (SECOND_NS < *wait_ns)
		*wait_ns = SECOND_NS;
	if (rc >= 0 && send_opt.spool)
		rc = send_spool_tick(wait_ns, false, err);
	if (rc >= 0 && has_given_up())
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
	while (rc >= 0 && now < state.paced_ns && !has_given_up()) {
		uint64_t wait_ns = state.paced_ns - now;
		struct timespec t = {0};

		rc = idle(NULL, &wait_ns, err);
		if (wait_ns > MOMENT_NS)
			wait_ns = MOMENT_NS;
		t.tv_nsec = (long)wait_ns;
		nanosleep(&t, NULL);
		now = cmd_monotonic_ns();
	}
	state.paced_ns += (uint64_t)(1e9 / send_opt.rate);
	return rc;
}

/* ---- The whole ---- */

static int send_all(struct cmd_source *in, bool drains, struct span_error *err)
{
	struct span span;
	int rc = 0;

	while ((drains || !cmd_stopped) && !has_given_up() &&
	       (rc = cmd_source_next(in, &span, err)) > 0) {
		rc = pace(err);
		if (rc >= 0)
			rc = put(&span, err);
		if (rc < 0)
			break;
	}
	return rc < 0 && !state.stopped_reading ? rc : 0;
}

/*
 * A spool keeps what does not go through for another time: it is not waited for
 * longer than it may be any use.
 */
static int finish_spool(struct span_error *err)
{
	uint64_t wait_ns = UINT64_MAX;

	if (!state.give_up_at_ns)
		state.give_up_at_ns =
			cmd_monotonic_ns() + send_opt.retry_time_ns;
	if (span__sender_is_refused(state.sender))
		state.give_up_at_ns = cmd_monotonic_ns();
	return send_spool_tick(&wait_ns, false, err);
}

/* What was read is sent, whatever ended the reading. */
static int finish(struct span_error *err)
{
	int rc = push(err);

	while (!rc) {
		rc = span__sender_finish(state.sender, MOMENT_NS, err);
		if (rc >= 0 && send_opt.spool && finish_spool(err) < 0)
			rc = err->code;
		look_at_signals();
	}
	if (rc >= 0 && send_opt.spool)
		rc = send_spool_settle_up(err);
	return rc < 0 ? rc : 0;
}

static int run(int argc, char **argv, struct span_error *err)
{
	struct span_error later = {0};
	struct send_headers headers = {0};
	struct cmd_source *in = NULL;
	int rc, ended;
	bool live;

	send_options_check(argc);
	state.start_ns = cmd_monotonic_ns();
	rc = span__send_url_parse(&state.url, argv[0], send_opt.json, err);
	if (rc < 0)
		return rc;
	send_options_check_url(&state.url);
	cmd_signals_source();
	cmd_source_on_idle(idle, NULL);
	if ((rc = send_headers_read(&headers, &send_opt.auth, err)) < 0 ||
	    (rc = cmd_source_open(&in, argc - 1, argv + 1, NULL, err)) < 0)
		goto done;
	live = !cmd_source_is_store(in) && send_is_live(argc - 1, argv + 1);
	if ((send_opt.spool && (rc = send_open_spool(!live, err)) < 0) ||
	    (rc = send_open_sender(&state.sender, &state.url, argv[0], &headers,
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
	look_at_signals();
	send_report_end(state.sender, state.start_ns);
	if (!rc && send_report_lost())
		rc = CMD_PEER;
done:
	cmd_source_close(&in);
	span__sender_close(&state.sender);
	span__batch_close(&state.batch);
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
};

int main(int argc, char **argv)
{
	return cmd_main(&span_send, argc, argv);
}
