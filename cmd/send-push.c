/* SPDX-License-Identifier: Apache-2.0 */
#include "send-push.h"

#include <time.h>

#include "send-open.h"
#include "send-options.h"
#include "send-report.h"
#include "send-spool.h"

#include "base/banned.h"

#define SPOOL_NS 100000000ull /* that a span may be missing in the spool */

struct send_run send_run;

/* ---- Giving up ---- */

bool send_has_given_up(void)
{
	return send_run.give_up_at_ns &&
	       cmd_monotonic_ns() >= send_run.give_up_at_ns;
}

void send_look_at_signals(void)
{
	uint64_t now = cmd_monotonic_ns();

	if (send_opt.spool)
		send_spool_counts(&send_report.spool);
	send_report_look(send_run.sender);
	if (cmd_stopped && (!send_run.give_up_at_ns ||
			    send_run.give_up_at_ns > now + send_opt.stop_ns))
		send_run.give_up_at_ns = now + send_opt.stop_ns;
	if (send_has_given_up())
		span__sender_give_up(send_run.sender);
}

/* ---- Batches ---- */

/* Hand the batch over, and wait for room: so a slow peer slows the source. */
static int push_batch(struct span_error *err)
{
	int rc = send_run.batch ? 0 : 1;

	while (!rc) {
		rc = span__sender_push(send_run.sender, &send_run.batch,
				       SEND_MOMENT_NS, err);
		send_look_at_signals();
	}
	return rc < 0 ? rc : 0;
}

/* Sending makes room. */
static int wait_for_room(struct span_error *err)
{
	const struct timespec moment = {.tv_nsec = SEND_MOMENT_NS / 4};
	uint64_t wait_ns = UINT64_MAX;
	int rc = send_spool_tick(&wait_ns, true, err);

	if (rc < 0)
		return rc;
	span__sender_wake(send_run.sender);
	nanosleep(&moment, NULL);
	send_look_at_signals();
	return 0;
}

/*
 * What can wait does so while the spool has as much as it may. It ends where
 * nothing goes out.
 */
static int wait_for_spool(struct span_error *err)
{
	int rc = 0;

	while (rc >= 0 && !send_spool_has_room() && !send_has_given_up()) {
		rc = wait_for_room(err);
		if (rc >= 0 && send_is_quiet(send_run.sender)) {
			cmd_warn("%s is full, and nothing goes out: the rest "
				 "of the input is not read",
				 send_opt.spool);
			send_run.give_up_at_ns = cmd_monotonic_ns();
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
	while ((rc = send_spool_flush(err)) == SPAN_E_FULL &&
	       !send_has_given_up()) {
		if (!told)
			cmd_warn("%s; waiting for room", err->msg);
		told = true;
		rc = wait_for_room(err);
		if (rc < 0)
			return rc;
	}
	if (rc < 0)
		return rc;
	send_run.n_spooled = 0;
	span__sender_wake(send_run.sender);
	return send_spool_tick(&wait_ns, false, err);
}

int send_push(struct span_error *err)
{
	return send_opt.spool ? push_spool(err) : push_batch(err);
}

uint64_t send_due_ns(void)
{
	uint64_t most = send_opt.flush_ns, gone_ns;

	if (!send_run.batch && !send_run.n_spooled)
		return UINT64_MAX;
	if (send_opt.spool && SPOOL_NS < most)
		most = SPOOL_NS;
	gone_ns = cmd_monotonic_ns() - send_run.oldest_ns;
	return gone_ns < most ? most - gone_ns : 0;
}

/* 1 when it is enough, 0, or a negative code. */
static int gather(const struct span *s, struct span_error *err)
{
	int rc = 0;

	if (!send_run.batch && !send_run.n_spooled)
		send_run.oldest_ns = cmd_monotonic_ns();
	if (send_opt.spool) {
		rc = send_spool_put(s, err);
		return rc < 0 ? rc : ++send_run.n_spooled >= send_opt.batch;
	}
	if (!send_run.batch)
		rc = span__batch_open(&send_run.batch, (size_t)send_opt.batch,
				      err);
	if (rc >= 0)
		rc = span__batch_put(send_run.batch, s, err);
	if (rc < 0)
		return rc;
	return send_run.batch->n == send_run.batch->max ||
	       span__batch_size(send_run.batch) >= SEND_BATCH_MEMORY;
}

/* RC: it is enough, or not. */
static int count(size_t n, int rc, struct span_error *err)
{
	send_report.read += n;
	return rc || !send_due_ns() ? send_push(err) : 0;
}

int send_put(const struct span *s, struct span_error *err)
{
	int rc = gather(s, err);

	return rc < 0 ? rc : count(1, rc, err);
}

int send_put_slice(struct span_frame *f, const uint8_t *keep, size_t n_kept,
		   struct span_error *err)
{
	int rc;

	if (!n_kept)
		return 0;
	if (!send_run.n_spooled)
		send_run.oldest_ns = cmd_monotonic_ns();
	rc = send_spool_put_slice(f, keep, n_kept, err);
	if (rc < 0)
		return rc;
	send_run.n_spooled += n_kept;
	return count(n_kept, send_run.n_spooled >= send_opt.batch, err);
}
