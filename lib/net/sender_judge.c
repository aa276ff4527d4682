/* SPDX-License-Identifier: Apache-2.0 */
/* What becomes of a message after an attempt: span-send(1), "Answers". */
#include "net/sender_jobs.h"

#include <stdio.h>
#include <stdlib.h>

#include "net/clock.h"

#include "base/banned.h"

static uint64_t next_random(struct span__jobs *j)
{
	j->random ^= j->random << 13;
	j->random ^= j->random >> 7;
	j->random ^= j->random << 17;
	return j->random;
}

/* Who sends from a spool keeps what may go through another time. */
static bool keeps(const struct span__jobs *j)
{
	return j->o->more;
}

/* ---- The end of a job ---- */

/* The job is gone, and its batch with the last one. */
void span__job_forget(struct span__jobs *j, struct span__job *job)
{
	struct span__batch *b = job->batch;

	span_buf_release(&job->body);
	free(job);
	if (--b->n_pending)
		return;
	j->n_batches--;
	span__batch_close(&b);
}

/* Every span of it is counted: whoever asks is told. */
static void settle(struct span__jobs *j, struct span__job *job)
{
	if (j->o->settle)
		j->o->settle(j->o->arg, job->batch, job->first, job->n);
	j->unsaved = j->o->settle;
	span__job_forget(j, job);
}

static void drop(struct span__jobs *j, struct span__job *job,
		 enum span__send_drop why)
{
	j->counts.dropped[why] += job->n;
	settle(j, job);
}

void span__job_stop(struct span__jobs *j, struct span__job *job)
{
	if (keeps(j))
		span__job_forget(j, job);
	else
		drop(j, job, SPAN__SEND_STOPPED);
}

static void accept_job(struct span__jobs *j, struct span__job *job,
		       const struct span__partial *p)
{
	uint64_t rejected = 0;
	char cause[SPAN__REPLY_TEXT + 32];

	if (p && p->rejected > 0)
		rejected = (uint64_t)p->rejected < job->n
				   ? (uint64_t)p->rejected
				   : job->n;
	snprintf(cause, sizeof(cause), "%s%s%s",
		 rejected ? "partial success" : "warning",
		 p && p->text[0] ? ": " : "", p ? p->text : "");
	if (rejected)
		span__causes_say_lost(&j->causes, cause, rejected, "rejected");
	else if (p && p->text[0])
		span__causes_say(&j->causes, cause, "all spans are accepted");
	j->counts.rejected += rejected;
	j->counts.accepted += job->n - rejected;
	settle(j, job);
}

static void reject(struct span__jobs *j, struct span__job *job,
		   const char *cause)
{
	span__causes_say_lost(&j->causes, cause, job->n, "rejected");
	j->counts.rejected += job->n;
	settle(j, job);
}

static void give_up(struct span__jobs *j, struct span__job *job,
		    const char *cause)
{
	span__causes_say_lost(&j->causes, cause, job->n, "dropped");
	drop(j, job, SPAN__SEND_GIVEN_UP);
}

/* ---- Another attempt ---- */

/*
 * Since when it goes on without success: of this message, or of all, so that
 * not each of them is tried for long when nobody is there.
 */
static uint64_t failing_ns(struct span__jobs *j, const struct span__job *job,
			   uint64_t now)
{
	if (!j->outage_ns)
		j->outage_ns = now;
	return job->first_ns < j->outage_ns ? job->first_ns : j->outage_ns;
}

/* False when there is none: the job is dropped. */
static bool again(struct span__jobs *j, struct span__job *job,
		  uint64_t delay_ns, const char *cause)
{
	const struct span__sender_opts *o = j->o;
	uint64_t now = span__monotonic_ns(), random = next_random(j);
	uint64_t failing = now - failing_ns(j, job, now), wait;
	bool asked = delay_ns != SPAN__NO_DELAY;

	if (asked)
		wait = delay_ns + random % (o->retry_min_ns + 1);
	else
		wait = span__backoff_ns(job->attempts, o->retry_min_ns,
					o->retry_max_ns, random);
	if (o->no_retry || (o->retry_time_ns != UINT64_MAX &&
			    failing + wait > o->retry_time_ns)) {
		give_up(j, job, cause);
		return false;
	}
	/* What will not be tried again has nothing to wait for. */
	if (asked && now + delay_ns > j->paused_ns)
		j->paused_ns = now + delay_ns;
	span__causes_say(&j->causes, cause, "trying again");
	job->due_ns = now + wait;
	return true;
}

/* ---- Too large ---- */

static void push_front(struct span__jobs *j, struct span__job *job)
{
	job->next = j->ready;
	j->ready = job;
}

int span__job_split(struct span__jobs *j, struct span__job *job, size_t n,
		    struct span_error *err)
{
	struct span__job *rest = calloc(1, sizeof(*rest));

	if (!rest)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	rest->batch = job->batch;
	rest->first = job->first + n;
	rest->n = job->n - n;
	rest->first_ns = job->first_ns;
	rest->sent = job->sent;
	job->n = n;
	job->body.len = 0;
	job->batch->n_pending++;
	push_front(j, rest);
	return 0;
}

/* The peer, or the system, took it for too large. */
static void split_or_drop(struct span__jobs *j, struct span__job *job,
			  const char *cause)
{
	if (job->n == 1) {
		span__causes_say_lost(&j->causes, cause, 1, "dropped");
		drop(j, job, SPAN__SEND_TOO_LARGE);
		return;
	}
	job->attempts = 0;
	if (span__job_split(j, job, (job->n + 1) / 2, &j->failure) < 0)
		return;
	push_front(j, job);
}

/* ---- What became of an attempt ---- */

/* The peer is there and took a decision: what failed before has an end. */
static bool is_decision(enum span__outcome outcome)
{
	return outcome == SPAN__OUTCOME_ACCEPTED ||
	       outcome == SPAN__OUTCOME_REJECTED ||
	       outcome == SPAN__OUTCOME_TOO_LARGE;
}

bool span__job_judge(struct span__jobs *j, struct span__job *job,
		     enum span__outcome outcome, uint64_t delay_ns,
		     const char *cause, const struct span__partial *p)
{
	j->counts.failed += outcome != SPAN__OUTCOME_ACCEPTED;
	j->refused = outcome == SPAN__OUTCOME_REFUSED;
	if (is_decision(outcome))
		j->outage_ns = 0;
	switch (outcome) {
	case SPAN__OUTCOME_ACCEPTED:
		accept_job(j, job, p);
		return false;
	case SPAN__OUTCOME_RETRY:
		return again(j, job, delay_ns, cause);
	case SPAN__OUTCOME_TOO_LARGE:
		split_or_drop(j, job, cause);
		return false;
	case SPAN__OUTCOME_REFUSED:
		if (keeps(j))
			return again(j, job, delay_ns, cause);
		give_up(j, job, cause);
		return false;
	default:
		reject(j, job, cause);
		return false;
	}
}
