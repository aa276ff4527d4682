/* SPDX-License-Identifier: Apache-2.0 */
#include "net/intake.h"

#include <stdio.h>
#include <stdlib.h>

#include <span/codec.h>

#include "net/clock.h"

#include "base/banned.h"

#define HEAD_MAX (4u << 10) /* bytes of a payload besides its data */

struct span__intake {
	struct span__intake_opts opts;
	struct span__queue *queue;
	struct span_decoder *judge;
	struct span__counts counts;
	uint64_t written; /* of all ports */
	uint64_t head;	  /* of the queue, when it was last looked at */
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
	       struct span__port_counts *c, bool wait, struct span_error *err)
{
	int rc = span__queue_put(in->queue, p, wait, err);

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
	rc = put(in, p, c, wait, err);
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
 * Judge P, and put it into the queue when it is good. It is judged even if
 * there is no room: what is bad need not come again, and the spans that have
 * to are counted.
 */
static int take(struct span__intake *in, const struct span_payload *p,
		int format, struct span__verdict *v,
		struct span__port_counts *c, struct span_error *err)
{
	int rc = 1;

	if (span__intake_is_enough(in)) {
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
	if (v->n_spans && p->data.len + HEAD_MAX > span__intake_room(in)) {
		v->answer = SPAN__ANSWER_FULL;
		return 0;
	}
	if (v->n_spans)
		rc = put(in, p, c, false, err);
	else
		c->empty++;
	if (!rc)
		v->answer = SPAN__ANSWER_FULL;
	return rc < 0 ? rc : 0;
}

int span__intake_take(void *arg, const struct span_payload *p, int format,
		      struct span__verdict *v, struct span_error *err)
{
	struct span__intake *in = arg;
	struct span__port_counts *c = span__counts_of(&in->counts, p->port);
	int rc;

	*v = (struct span__verdict){0};
	c->received++;
	c->bytes += p->data.len;
	rc = take(in, p, format, v, c, err);
	if (rc < 0)
		return rc;
	switch (v->answer) {
	case SPAN__ANSWER_TAKEN:
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
	uint64_t now_ns = span__monotonic_ns(), head, len;

	head = span__queue_taken(in->queue, &len);
	if (!len || head != in->head || !in->moved_ns)
		in->moved_ns = now_ns;
	in->head = head;
	return now_ns - in->moved_ns;
}

int span__intake_finish(struct span__intake *in, struct span_error *err)
{
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
