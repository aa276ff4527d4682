/* SPDX-License-Identifier: Apache-2.0 */
/*
 * decoder.h - what the decoder and the readers of its formats share
 *
 * Nothing of a bad message may be handed out. A small Jaeger message is
 * collected, then handed out; any other is read twice, once to check it and
 * once to hand out its spans, with the memory of one span.
 */
#ifndef SPAN__DECODER_H
#define SPAN__DECODER_H

#include <span/codec.h>

#include "codec/thrift.h"

/* A Jaeger message up to this length is collected. */
#define SPAN__COLLECT_MAX (1u << 20)

/*
 * Collected spans may take this many times a message's length, and 256 KiB;
 * a message that takes more is read twice.
 */
#define SPAN__COLLECT_FACTOR 20u

/*
 * A message up to this length holds no span above SPAN_MAX_BYTES: encoding
 * makes nothing four times as long.
 */
#define SPAN__SHORT_MAX (SPAN_MAX_BYTES / 4)

/* Bits of a span's flags: the second is Jaeger's, W3C's is another there. */
#define SPAN__FLAG_SAMPLED 1u
#define SPAN__FLAG_DEBUG 2u

/* Where the original of a time goes that does not fit (microseconds). */
#define SPAN__KEY_START SPAN_STR("spantools.original_start_us")
#define SPAN__KEY_DURATION SPAN_STR("spantools.original_duration_us")
#define SPAN__KEY_TIME SPAN_STR("spantools.original_time_us")
/* Where OTLP's end of a span goes that is before its start (ns). */
#define SPAN__KEY_END SPAN_STR("spantools.original_end_ns")

struct span__clients;

struct span_decoder {
	struct span_decoder_opts opts;
	struct span_decode_stats stats;
	struct span_arena arena; /* spans; reset after each when read twice */
	struct span_arena keep;	 /* the process */
	uint64_t serial;	 /* of the last process */
	struct span_buf spans;	 /* SPAN__COLLECT: struct span */
	struct span_buf renamed; /* struct span_attr of a span */
	struct span__clients *clients;
	struct span_error bad_span; /* the first of the last message */
	int format;
};

enum span__pass { SPAN__COLLECT, SPAN__CHECK, SPAN__HAND_OUT };

/* What a client says of the spans it lost: cumulative counts. */
struct span__loss {
	bool known; /* sent at all */
	bool has_seqno;
	int64_t seqno;
	int64_t counts[3]; /* full queue, too large, failed to send */
};

/* A message being read. */
struct span__message {
	struct span__cursor in;
	struct span_decoder *d;
	enum span__pass pass;
	bool is_short;	/* at most SPAN__SHORT_MAX bytes */
	bool enveloped; /* begins with a message head */
	uint16_t marks; /* of what is being read */
	uint16_t process_marks;
	struct span_process process;
	uint64_t named; /* a process whose service was looked at: its serial */
	bool bad_service;	     /* it is not UTF-8: */
	struct span_process renamed; /* the same with another service */
	struct span__loss loss;
	struct span *spans; /* Thrift, SPAN__COLLECT: all of them */
	size_t n_spans;
	size_t n_bad;		   /* skipped spans of this pass */
	size_t begin_len;	   /* of all of it */
	bool too_large;		   /* what was collected */
	const unsigned char *list; /* where the list of spans begins */
	span_decode_fn *fn;
	void *arg;
	int fn_rc; /* what FN returned, when negative */
	struct span_error *err;
};

/*
 * Read the message behind its head, in the pass m->pass; then, when it was
 * only checked, read the list of its spans again and hand them out.
 */
void span__jaeger_read(struct span__message *m, bool compact);
void span__jaeger_again(struct span__message *m, bool compact);
void span__zipkin_read(struct span__message *m, bool compact);
void span__zipkin_again(struct span__message *m, bool compact);

/* Read a whole message, from m->in, in the pass m->pass. */
typedef void span__read_fn(struct span__message *m);

span__read_fn span__zipkin_read_json, span__zipkin_read_proto;

/* Append one message of N spans. 0, SPAN_E_INVALID or SPAN_E_NOMEM. */
typedef int span__encode_fn(struct span_buf *b, const struct span *spans,
			    size_t n, struct span_error *err);

span__encode_fn span__jaeger_encode_compact, span__jaeger_encode_binary;
span__encode_fn span__zipkin_encode_compact, span__zipkin_encode_binary;
span__encode_fn span__zipkin_encode_json, span__zipkin_encode_proto;

struct span__format {
	const char *name;
	span__read_fn *read;	 /* NULL: Thrift, which the decoder reads */
	span__encode_fn *encode; /* NULL: not written */
};

/* format.c: what can be done with a format; NULL for a number that is none. */
const struct span__format *span__format_of(int format);

/*
 * For readers of all formats but Thrift: a span has been read. Where spans
 * are handed out at once, or only checked, the arena d->arena is empty
 * afterwards: everything of a span is there, its process in d->keep.
 */
void span__message_span(struct span__message *m, const struct span *s,
			const struct span_process *p);

/*
 * A span cannot be taken, for a reason that does not spoil the others: its id
 * has a wrong length, say. AT is where in the message, WHAT is static text.
 */
void span__message_bad_span(struct span__message *m, const unsigned char *at,
			    const char *what);

/*
 * Complete a span of a message that is good (name, process, parent, limits)
 * and hand it out.
 */
void span__message_hand_out(struct span__message *m, struct span *s,
			    const struct span_process *p);

/*
 * rename.c: other names in the place of those of a span and its service that
 * are not UTF-8, whose bytes become tags.
 */
void span__message_rename(struct span__message *m, struct span *s);

/* N objects of SIZE bytes from the arena; NULL and a failure without memory. */
void *span__message_array(struct span__message *m, struct span_arena *a,
			  size_t n, size_t size);

/*
 * Objects of one kind, as many as come. A new one is cleared; all of them
 * move when there is no more room. NULL and a failure without memory.
 */
struct span__list {
	void *v;
	size_t n, max;
};

void *span__message_push(struct span__message *m, struct span_arena *a,
			 struct span__list *list, size_t size);

/* Cut a text that is above SPAN_MAX_STRING, and mark. */
void span__message_cut(struct span__message *m, struct span_str *s, bool text);

/* Microseconds to ns. False when they do not fit: *NS is the nearest. */
static inline bool span__ns(int64_t us, uint64_t *ns)
{
	if (__builtin_expect((uint64_t)us <= UINT64_MAX / 1000, 1)) {
		*ns = (uint64_t)us * 1000;
		return true;
	}
	*ns = us < 0 ? 0 : UINT64_MAX;
	return false;
}

/*
 * Set times from microseconds. One that does not fit is clamped, and its
 * original added to the attributes.
 */
void span__message_times(struct span__message *m, struct span *s, int64_t start,
			 int64_t duration);
void span__message_event_time(struct span__message *m, struct span_event *e,
			      int64_t us);

/*
 * The way back, for encoders: microseconds of the time NS of S. One that was
 * clamped leaves as it came: its original stands under KEY in the last of the
 * *N attributes A, which is not counted any more then.
 */
int64_t span__original_us(const struct span *s, const struct span_attrs *a,
			  size_t *n, struct span_str key, uint64_t ns);

/* Add the decoder's own tags and name what has no name; memory is A's. */
void span__message_process(struct span__message *m, struct span_process *p,
			   struct span_arena *a);

/* limit.c: leave out what is above SPAN_MAX_BYTES; false when something was. */
bool span__limit_process(struct span_process *p);
bool span__limit_scope(struct span_scope *s);
bool span__limit_span(struct span *s);

/* detect.c: the format of a message's bytes, or a negative code with *ERR. */
int span__format_detect(const unsigned char *p, size_t len,
			struct span_error *err);
/* Does a message of FORMAT begin with a message head? */
bool span__format_enveloped(int format, const unsigned char *p, size_t len);

/* clients.c: how many more spans CLIENT lost since its last message. */
struct span__clients *span__clients_open(void);
void span__clients_close(struct span__clients **c);
uint64_t span__clients_lost(struct span__clients *c, struct span_str client,
			    const struct span__loss *loss);

#endif
