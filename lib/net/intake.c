/* SPDX-License-Identifier: Apache-2.0 */
#include "net/intake.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <span/codec.h>

#include "net/clock.h"

#include "base/banned.h"

#define HEAD_MAX (4u << 10) /* bytes of a payload besides its data */

struct span__intake {
	struct span__intake_opts opts;
	struct span__queue *queue;
	struct span_decoder *judge;
	struct span__counts counts;
	struct span__acks acks;
	uint64_t late_end; /* where the last payload ends that was late */
	bool unpushed;	   /* something was put, quietly */
	bool awaits;	   /* the queue is going to tell */
	bool finished;	   /* nothing can be put any more */
	uint64_t written;  /* of all ports */
	uint64_t head;	   /* of the queue, when it was last looked at */
	uint64_t moved_ns;
};

int span__intake_open(struct span__intake **out,
		      const struct span__intake_opts *o, struct span_error *err)
{
	struct span__intake *in = calloc(1, sizeof(*in));
	int rc;

	*out = in;
	if (!in)
		return span_error_set(err, SPAN_E_NOMEM, "out of memory");
	in->opts = *o;
	span__acks_init(&in->acks, o->ack_ns);
	rc = span_decoder_open(&in->judge, NULL, err);
	if (rc < 0)
		span__intake_close(out);
	return rc;
}

int span__intake_start(struct span__intake *in, int fd, struct span_error *err)
{
	return span__queue_open(&in->queue, fd, in->opts.queue, err);
}

struct span__queue *span__intake_queue(struct span__intake *in)
{
	return in->queue;
}

struct span__counts *span__intake_counts(struct span__intake *in)
{
	return &in->counts;
}

bool span__intake_is_enough(const struct span__intake *in)
{
	return in->opts.count && in->written >= in->opts.count;
}

uint64_t span__intake_missing(const struct span__intake *in)
{
	return in->opts.count ? in->opts.count - in->written : UINT64_MAX;
}

size_t span__intake_size(const struct span__intake *in)
{
	return in->opts.queue;
}

size_t span__intake_room(struct span__intake *in)
{
	return in->opts.queue - (size_t)span__queue_len(in->queue);
}

/* 1 when it was put; 0 when there is no room. */
static int put(struct span__intake *in, const struct span_payload *p,
	       struct span__port_counts *c, unsigned how,
	       struct span_error *err)
{
	int rc = span__queue_put(in->queue, p, how, err);

	if (rc > 0) {
		c->written++;
		in->written++;
	}
	return rc;
}

int span__intake_datagram(struct span__intake *in, const struct span_payload *p,
			  bool wait, struct span_error *err)
{
	struct span__port_counts *c = span__counts_of(&in->counts, p->port);
	int rc;

	c->received++;
	c->bytes += p->data.len;
	if (p->truncated && !in->opts.keep_truncated) {
		c->drops[SPAN__DROP_TRUNCATED]++;
		return 0;
	}
	rc = put(in, p, c, wait ? SPAN__PUT_WAIT : 0, err);
	if (rc < 0)
		return rc;
	if (!rc)
		c->drops[SPAN__DROP_QUEUE]++;
	else
		in->counts.truncated += p->truncated;
	return 0;
}

void span__intake_lose(struct span__intake *in, uint16_t port,
		       enum span__drop cause)
{
	struct span__port_counts *c = span__counts_of(&in->counts, port);

	if (span__intake_is_enough(in)) /* the rest was not to be read */
		return;
	c->received++;
	c->drops[cause]++;
}

/* Thrift comes in two encodings, and nothing but the bytes says which. */
static int other_encoding(int format)
{
	switch (format) {
	case SPAN_FORMAT_JAEGER_BINARY:
		return SPAN_FORMAT_JAEGER_COMPACT;
	case SPAN_FORMAT_JAEGER_COMPACT:
		return SPAN_FORMAT_JAEGER_BINARY;
	case SPAN_FORMAT_ZIPKIN_BINARY:
		return SPAN_FORMAT_ZIPKIN_COMPACT;
	case SPAN_FORMAT_ZIPKIN_COMPACT:
		return SPAN_FORMAT_ZIPKIN_BINARY;
	default:
		return format;
	}
}

static void say_why(struct span__verdict *v, const struct span_error *why)
{
	if (why->pos)
		snprintf(v->why, sizeof(v->why), "%.220s at byte %llu",
			 why->msg, (unsigned long long)why->pos);
	else
		snprintf(v->why, sizeof(v->why), "%s", why->msg);
}

/* Can its answer say that the message is fine, and all its spans are not? */
static bool has_partial_success(int format)
{
	return format == SPAN_FORMAT_OTLP_PROTO ||
	       format == SPAN_FORMAT_OTLP_JSON;
}

/*
 * Decode P for its spans to be counted. A message for which there is no
 * memory may come again later.
 */
static void judge(struct span__intake *in, const struct span_payload *p,
		  int format, struct span__verdict *v)
{
	const struct span_decode_stats *stats = span_decoder_stats(in->judge);
	uint64_t bad = stats->bad_spans;
	/* Decoders count from where a message begins. */
	const char *data = p->data.len ? p->data.p : "";
	struct span_error why = {0};
	int other = other_encoding(format), rc;

	rc = span_decoder_message(in->judge, format, data, p->data.len, NULL,
				  NULL, &why);
	if (rc < 0 && rc != SPAN_E_NOMEM && other != format) {
		bad = stats->bad_spans;
		rc = span_decoder_message(in->judge, other, data, p->data.len,
					  NULL, NULL, NULL);
	}
	v->n_bad = stats->bad_spans - bad;
	v->n_spans = rc > 0 ? (uint64_t)rc : 0;
	v->answer = SPAN__ANSWER_TAKEN;
	if (rc == SPAN_E_NOMEM) {
		v->answer = SPAN__ANSWER_FULL;
	} else if (rc < 0) {
		v->answer = SPAN__ANSWER_BAD;
		say_why(v, &why);
	} else if (!rc && v->n_bad) {
		v->answer = has_partial_success(format) ? SPAN__ANSWER_REJECTED
							: SPAN__ANSWER_BAD;
		say_why(v, span_decoder_bad_span(in->judge));
	}
}

/*
 * Would P, or its answer, wait for too long? What waits already has to be
 * written first. Who was told to come again would only make it worse, so
 * nothing is taken while what was late is not written, nor when the first one
 * of those that wait has been waiting for half the time.
 */
static bool is_full(struct span__intake *in, const struct span_payload *p)
{
	bool failed;

	if (p->data.len + HEAD_MAX > span__intake_room(in))
		return true;
	if (in->late_end &&
	    span__queue_written(in->queue, &failed) >= in->late_end)
		in->late_end = 0;
	return in->late_end ||
	       span__acks_age_ns(&in->acks, span__monotonic_ns()) >
		       in->opts.ack_ns / 2;
}

/* Put P, which is good, into the queue. */
static int keep(struct span__intake *in, const struct span_payload *p,
		struct span__ack *ack, struct span__verdict *v,
		struct span__port_counts *c, struct span_error *err)
{
	unsigned how = in->opts.ack_ns ? SPAN__PUT_QUIET : 0;
	int rc = is_full(in, p) ? 0 : put(in, p, c, how, err);

	if (!rc)
		v->answer = SPAN__ANSWER_FULL;
	/* The loop is about to be told, and then those who wait. */
	if (rc == SPAN_E_PIPE || rc == SPAN_E_IO)
		v->answer = SPAN__ANSWER_STOPPING;
	else if (rc < 0)
		return rc;
	if (rc > 0 && in->opts.ack_ns) {
		v->answer = SPAN__ANSWER_LATER;
		in->unpushed = true;
		span__acks_add(&in->acks, ack, span__queue_end(in->queue),
			       span__monotonic_ns());
	}
	return 0;
}

/*
 * Judge P, and put it into the queue when it is good. It is judged even if
 * there is no room: what is bad need not come again, and the spans that have
 * to are counted.
 */
static int take(struct span__intake *in, const struct span_payload *p,
		int format, struct span__ack *ack, struct span__verdict *v,
		struct span__port_counts *c, struct span_error *err)
{
	if (span__intake_is_enough(in) || in->finished) {
		v->answer = SPAN__ANSWER_STOPPING;
		return 0;
	}
	if (p->data.len + HEAD_MAX > in->opts.queue) {
		v->answer = SPAN__ANSWER_BAD;
		snprintf(v->why, sizeof(v->why), "larger than the queue");
		return 0;
	}
	judge(in, p, format, v);
	if (v->answer != SPAN__ANSWER_TAKEN)
		return 0;
	if (v->n_spans)
		return keep(in, p, ack, v, c, err);
	c->empty++;
	return 0;
}

int span__intake_take(void *arg, const struct span_payload *p, int format,
		      struct span__ack *ack, struct span__verdict *v,
		      struct span_error *err)
{
	struct span__intake *in = arg;
	struct span__port_counts *c = span__counts_of(&in->counts, p->port);
	int rc;

	*v = (struct span__verdict){0};
	c->received++;
	c->bytes += p->data.len;
	rc = take(in, p, format, ack, v, c, err);
	if (rc < 0)
		return rc;
	switch (v->answer) {
	case SPAN__ANSWER_TAKEN:
	case SPAN__ANSWER_LATER:
	case SPAN__ANSWER_LATE:
		c->spans += v->n_spans;
		c->bad_spans += v->n_bad;
		break;
	case SPAN__ANSWER_REJECTED:
	case SPAN__ANSWER_BAD:
		c->bad_spans += v->n_bad;
		c->refused[SPAN__REFUSED_BAD]++;
		break;
	case SPAN__ANSWER_FULL:
	case SPAN__ANSWER_STOPPING:
		c->full_spans += v->n_spans;
		c->refused[SPAN__REFUSED_FULL]++;
		break;
	}
	return 0;
}

uint64_t span__intake_stalled_ns(struct span__intake *in)
{
	uint64_t now = span__monotonic_ns(), len;
	uint64_t head = span__queue_taken(in->queue, &len);

	if (!len || head != in->head || !in->moved_ns)
		in->moved_ns = now;
	in->head = head;
	return now - in->moved_ns;
}

/* ---- Those who wait for an answer ---- */

int span__intake_written_fd(const struct span__intake *in)
{
	return in->queue ? span__queue_written_fd(in->queue) : -1;
}

uint64_t span__intake_timeout_ns(const struct span__intake *in)
{
	uint64_t age;

	if (!span__acks_first(&in->acks))
		return UINT64_MAX;
	age = span__acks_age_ns(&in->acks, span__monotonic_ns());
	return age < in->opts.ack_ns ? in->opts.ack_ns - age : 0;
}

bool span__intake_answer(struct span__intake *in, bool readable)
{
	uint64_t n = 0;
	bool failed = false, told = false;

	if (readable)
		(void)!read(span__queue_written_fd(in->queue), &n, sizeof(n));
	if (!span__acks_first(&in->acks))
		return false;
	if (readable || in->finished) {
		in->awaits = false;
		told = span__acks_tell(&in->acks,
				       span__queue_written(in->queue, &failed));
	}
	if (failed || in->finished) {
		n = span__acks_end(&in->acks, SPAN__ANSWER_STOPPING);
	} else {
		n = span__acks_expire(&in->acks, span__monotonic_ns(),
				      &in->late_end);
		in->counts.late += n;
	}
	return told || n;
}

void span__intake_push(struct span__intake *in)
{
	uint64_t first = span__acks_first(&in->acks);

	if (!in->unpushed && (in->awaits || !first))
		return;
	in->unpushed = false;
	in->awaits = first;
	span__queue_await(in->queue, first);
}

void span__intake_hurry(struct span__intake *in)
{
	in->counts.late += span__acks_end(&in->acks, SPAN__ANSWER_LATE);
}

int span__intake_finish(struct span__intake *in, struct span_error *err)
{
	in->finished = true;
	return in->queue ? span__queue_finish(in->queue, err) : 0;
}

uint64_t span__intake_lost(struct span__intake *in)
{
	return in->queue ? span__queue_lost(in->queue) : 0;
}

void span__intake_close(struct span__intake **inp)
{
	struct span__intake *in = *inp;

	*inp = NULL;
	if (!in)
		return;
	span__queue_close(&in->queue);
	span_decoder_close(&in->judge);
	free(in);
}
