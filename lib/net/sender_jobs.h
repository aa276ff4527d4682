/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net/sender_jobs.h - the messages of a sender's thread
 *
 * A job is a range of a batch's spans, which is one message. It waits in a
 * list, then has a slot until it is settled, between two attempts as well.
 */
#ifndef NET_SENDER_JOBS_H
#define NET_SENDER_JOBS_H

#include "net/sender.h"
#include "net/sender_say.h"

struct span__job {
	struct span__job *next;
	struct span__batch *batch;
	size_t first, n;
	unsigned attempts; /* of this message */
	bool sent;	   /* its spans were, in this one or a larger one */
	uint64_t first_ns; /* when the first one began */
	uint64_t due_ns;   /* when the next one may begin */
	struct span_buf body;
};

struct span__jobs {
	const struct span__sender_opts *o;
	struct span__http *http; /* NULL: UDP */
	int udp;
	struct span__job *ready; /* without a slot */
	struct {
		struct span__job *job; /* NULL: free */
		bool flying;	       /* else it waits until it is due */
	} slots[SPAN__SENDER_SLOTS];
	bool unsaved;	    /* something was settled */
	bool refused;	    /* the last outcome was that */
	size_t n_batches;   /* with pending jobs */
	uint64_t outage_ns; /* since when the peer decides nothing; 0 */
	uint64_t paused_ns; /* the peer wants nothing until then */
	uint64_t random;
	double span_bytes; /* of a span in a message, so far */
	bool give_up;
	struct span__sender_counts counts;
	struct span__causes causes;
	struct span_error failure; /* of a call that could not return it */
};

SPAN_NODISCARD int span__jobs_init(struct span__jobs *j,
				   const struct span__sender_opts *o,
				   struct span_error *err);
void span__jobs_release(struct span__jobs *j);

/* Make jobs of a batch, which is the list's until it is settled. */
SPAN_NODISCARD int span__jobs_add(struct span__jobs *j, struct span__batch *b,
				  struct span_error *err);
/* Is there room for another batch? */
bool span__jobs_hungry(const struct span__jobs *j);

/* Begin what can begin, and drop all when it was given up. */
SPAN_NODISCARD int span__jobs_start(struct span__jobs *j,
				    struct span_error *err);
/* How long until something is due; UINT64_MAX: nothing but answers. */
uint64_t span__jobs_wait_ns(const struct span__jobs *j);

/*
 * What became of an attempt. True when the job goes on in its slot; else it is
 * settled, or waits for a slot in parts.
 */
bool span__job_judge(struct span__jobs *j, struct span__job *job,
		     enum span__outcome outcome, uint64_t delay_ns,
		     const char *cause, const struct span__partial *p);
/* Leave JOB its first N spans; the others are a new job, the next one. */
SPAN_NODISCARD int span__job_split(struct span__jobs *j, struct span__job *job,
				   size_t n, struct span_error *err);
/* We have to end: dropped, but where somebody keeps its spans. */
void span__job_stop(struct span__jobs *j, struct span__job *job);
/* Free it; nobody is told. */
void span__job_forget(struct span__jobs *j, struct span__job *job);

/* For span__http_turn(): what became of a request. */
void span__jobs_done(void *jobs, unsigned slot, const struct span__reply *r);

#endif
