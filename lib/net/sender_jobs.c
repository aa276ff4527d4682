/* SPDX-License-Identifier: Apache-2.0 */
#include "net/sender_jobs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "net/clock.h"
#include "net/udp_send.h"

#include "base/banned.h"

#define SPLIT_SHARE 0.9 /* of the limit that a part is meant to fill */

int span__jobs_init(struct span__jobs *j, const struct span__sender_opts *o,
		    struct span_error *err)
{
	const struct span__send_url *u = o->http.url;

	*j = (struct span__jobs){.o = o, .udp = -1};
	span__causes_init(&j->causes, o->name, o->say, o->arg);
	if (getrandom(&j->random, sizeof(j->random), 0) < 0 || !j->random)
		j->random = span__monotonic_ns() | 1;
	if (u->protocol == SPAN__SEND_JAEGER_UDP)
		return span__udp_connect(&j->udp, u->host, u->port, err);
	return span__http_open(&j->http, &o->http, err);
}

static int encode(struct span__jobs *j, struct span__job *job,
		  struct span_error *err)
{
	int rc;

	job->body.len = 0;
	rc = span__send_encode(&job->body, j->o->http.url,
			       job->batch->spans + job->first, job->n, err);
	if (rc >= 0)
		j->span_bytes = (double)job->body.len / (double)job->n;
	return rc;
}

/* How many spans will fit, by those that were encoded before. */
static size_t fitting(const struct span__jobs *j, size_t n)
{
	double fit = SPLIT_SHARE * (double)j->o->message_max / j->span_bytes;

	return fit < 1 ? 1 : fit < (double)n ? (size_t)fit : n;
}

/*
 * Make the message of a job, with as many spans as fit; the others become a
 * new job.
 */
static int make_message(struct span__jobs *j, struct span__job *job,
			struct span_error *err)
{
	const struct span__http_opts *o = &j->o->http;
	size_t n = j->span_bytes > 0 ? fitting(j, job->n) : job->n;
	int rc = 0;

	for (;;) {
		if (n < job->n)
			rc = span__job_split(j, job, n, err);
		if (rc >= 0)
			rc = encode(j, job, err);
		if (rc < 0)
			return rc;
		if (job->body.len <= j->o->message_max || job->n == 1)
			break;
		n = fitting(j, job->n - 1);
	}
	return j->http ? span__send_pack(&job->body, o->url->grpc, o->gzip, err)
		       : 0;
}

/* ---- Attempts ---- */

void span__jobs_done(void *jobs, unsigned slot, const struct span__reply *r)
{
	struct span__jobs *j = jobs;
	enum span__outcome outcome =
		span__outcome_of(j->o->http.url->protocol, &r->got);

	j->slots[slot].flying = false;
	if (!span__job_judge(j, j->slots[slot].job, outcome, r->got.delay_ns,
			     r->cause, &r->partial))
		j->slots[slot].job = NULL;
}

/* The datagram is gone at once, one way or another. */
static void send_datagram(struct span__jobs *j, unsigned slot)
{
	struct span__job *job = j->slots[slot].job;
	const char *cause = "";
	enum span__outcome outcome = span__udp_send(
		j->udp, (struct span_str){job->body.p, job->body.len}, &cause);

	if (!span__job_judge(j, job, outcome, SPAN__NO_DELAY, cause, NULL))
		j->slots[slot].job = NULL;
}

/* Peers say themselves what is too large for them; UDP has no voice. */
static bool fits(const struct span__jobs *j, const struct span__job *job)
{
	return j->http || job->body.len <= j->o->message_max;
}

static int attempt(struct span__jobs *j, unsigned slot, struct span_error *err)
{
	struct span__job *job = j->slots[slot].job;
	int rc = 0;

	if (!job->attempts)
		rc = make_message(j, job, err);
	if (rc < 0)
		return rc;
	if (!fits(j, job)) {
		if (!span__job_judge(
			    j, job, SPAN__OUTCOME_TOO_LARGE, SPAN__NO_DELAY,
			    "a span is larger than --max-packet", NULL))
			j->slots[slot].job = NULL;
		return 0;
	}
	if (!job->first_ns)
		job->first_ns = span__monotonic_ns();
	j->counts.retried += job->sent ? job->n : 0;
	job->sent = true;
	job->attempts++;
	j->counts.messages++;
	j->counts.bytes += job->body.len;
	if (!j->http) {
		send_datagram(j, slot);
		return 0;
	}
	j->slots[slot].flying = true;
	return span__http_start(j->http, slot,
				(struct span_str){job->body.p, job->body.len},
				err);
}

static struct span__job *next_ready(struct span__jobs *j)
{
	struct span__job *job = j->ready;

	if (job)
		j->ready = job->next;
	return job;
}

/* What is under way is not waited for: nobody will know what became of it. */
static void drop_all(struct span__jobs *j)
{
	struct span__job *job;

	for (unsigned i = 0; i < j->o->http.slots; i++) {
		if (j->slots[i].job)
			span__job_stop(j, j->slots[i].job);
		j->slots[i].job = NULL;
	}
	while ((job = next_ready(j)))
		span__job_stop(j, job);
}

int span__jobs_start(struct span__jobs *j, struct span_error *err)
{
	uint64_t now = span__monotonic_ns();
	int rc = 0;

	if (j->give_up) {
		if (j->http)
			span__http_abort(j->http);
		drop_all(j);
		return 0;
	}
	for (unsigned i = 0; i < j->o->http.slots && rc >= 0; i++) {
		if (j->slots[i].flying || now < j->paused_ns)
			continue;
		if (!j->slots[i].job)
			j->slots[i].job = next_ready(j);
		if (j->slots[i].job && j->slots[i].job->due_ns <= now)
			rc = attempt(j, i, err);
	}
	if (rc >= 0 && j->failure.code) {
		*err = j->failure;
		rc = err->code;
	}
	return rc;
}

static uint64_t until(uint64_t due_ns, uint64_t now)
{
	return due_ns > now ? due_ns - now : 0;
}

uint64_t span__jobs_wait_ns(const struct span__jobs *j)
{
	uint64_t now = span__monotonic_ns(), least = UINT64_MAX;
	bool is_free = false;

	for (unsigned i = 0; i < j->o->http.slots; i++) {
		const struct span__job *job = j->slots[i].job;

		is_free |= !job;
		if (job && !j->slots[i].flying &&
		    until(job->due_ns, now) < least)
			least = until(job->due_ns, now);
	}
	if (j->ready && is_free)
		least = 0;
	if (least != UINT64_MAX && until(j->paused_ns, now) > least)
		least = until(j->paused_ns, now);
	return least;
}

/* ---- Batches ---- */

bool span__jobs_hungry(const struct span__jobs *j)
{
	return !j->ready && j->n_batches < j->o->http.slots;
}

/* Another job at the end of the list, which **TAIL becomes. */
static int add_range(struct span__job ***tail, struct span__batch *b,
		     size_t first, size_t n, struct span_error *err)
{
	struct span__job *job = calloc(1, sizeof(*job));

	if (!job)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	job->batch = b;
	job->first = first;
	job->n = n;
	b->n_pending++;
	**tail = job;
	*tail = &job->next;
	return 0;
}

static bool one_process(enum span__send_protocol p)
{
	return p == SPAN__SEND_JAEGER_HTTP || p == SPAN__SEND_JAEGER_UDP ||
	       p == SPAN__SEND_JAEGER_GRPC;
}

int span__jobs_add(struct span__jobs *j, struct span__batch *b,
		   struct span_error *err)
{
	struct span__job **tail = &j->ready;
	size_t first = 0;
	int rc;

	while (*tail)
		tail = &(*tail)->next;
	j->counts.taken += b->n;
	j->n_batches++;
	if (!one_process(j->o->http.url->protocol))
		return add_range(&tail, b, 0, b->n, err);
	rc = span__batch_group(b, err);
	for (size_t i = 1; i <= b->n && rc >= 0; i++) {
		if (i < b->n && b->spans[i].process == b->spans[first].process)
			continue;
		rc = add_range(&tail, b, first, i - first, err);
		first = i;
	}
	return rc;
}

void span__jobs_release(struct span__jobs *j)
{
	struct span__job *job;

	span__causes_end(&j->causes);
	span__http_close(&j->http);
	if (j->udp >= 0)
		close(j->udp);
	for (unsigned i = 0; i < SPAN__SENDER_SLOTS; i++)
		if (j->slots[i].job)
			span__job_forget(j, j->slots[i].job);
	while ((job = next_ready(j)))
		span__job_forget(j, job);
}
