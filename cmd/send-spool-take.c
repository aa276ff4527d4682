/* SPDX-License-Identifier: Apache-2.0 */
/* The spool as the sender's thread sees it. */
#include "send-spool-state.h"

#include "base/banned.h"

/* The spans of the frame that are not settled. */
static int put_spans(struct span__batch *b, uint64_t seq, uint32_t n_spans,
		     struct span_error *err)
{
	uint32_t index = 0;
	struct span s;
	int rc;

	while ((rc = span_frame_next(send_spool.frame, &s, err)) > 0) {
		struct span__batch_mark mark = {seq, index++};

		if (send_place_has(&send_spool.place, seq, n_spans, mark.index))
			continue;
		rc = span__batch_put(b, &s, err);
		if (rc < 0)
			break;
		b->marks[b->n - 1] = mark;
	}
	return rc;
}

/* A frame goes into the batch as a whole, or begins the next one. */
static int take_frame(void *arg, struct span_str frame, uint64_t seq,
		      struct span_error *err)
{
	struct span__batch *b = send_spool.batch;
	uint32_t n_spans, n;
	size_t used;
	int rc;

	(void)arg;
	rc = span_frame_parse(send_spool.frame, frame.p, frame.len, &used, err);
	if (rc < 0)
		return rc;
	n_spans = (uint32_t)span_frame_info(send_spool.frame)->n_spans;
	n = send_place_left(&send_spool.place, seq, n_spans);
	if (!n)
		return 0;
	if (b && (b->n + n > b->max ||
		  span__batch_size(b) >= send_spool.o.batch_memory))
		return 1;
	if (!send_place_begin(&send_spool.place, seq, n_spans))
		return 1;
	if (!b) {
		rc = span__batch_open(
			&send_spool.batch,
			n > send_spool.o.batch ? n : send_spool.o.batch, err);
		if (rc < 0)
			return rc;
	}
	return put_spans(send_spool.batch, seq, n_spans, err);
}

int send_spool_more(void *arg, struct span__batch **b, struct span_error *err)
{
	int rc;

	pthread_mutex_lock(&send_spool.lock);
	rc = span_store_follow(send_spool.reader, &send_spool.taken, take_frame,
			       arg, err);
	pthread_mutex_unlock(&send_spool.lock);
	if (rc < 0)
		return rc;
	*b = send_spool.batch;
	send_spool.batch = NULL;
	return *b != NULL;
}

void send_spool_settle(void *arg, const struct span__batch *b, size_t first,
		       size_t n)
{
	(void)arg;
	pthread_mutex_lock(&send_spool.lock);
	for (size_t i = first; i < first + n; i++)
		if (send_place_settle(&send_spool.place, b->marks[i].seq,
				      b->marks[i].index))
			send_spool.counts.waiting--;
	pthread_mutex_unlock(&send_spool.lock);
}

int send_spool_save(void *arg, struct span_error *err)
{
	(void)arg;
	send_spool.text.len = 0;
	pthread_mutex_lock(&send_spool.lock);
	send_place_put(&send_spool.place, &send_spool.text);
	pthread_mutex_unlock(&send_spool.lock);
	return send_place_save(&send_spool.file, &send_spool.text, err);
}
