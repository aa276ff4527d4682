/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/decoder.h"

#include <span/text.h>

#include <stdlib.h>

#include "base/hash.h"

#include "base/banned.h"

int span_decoder_open(struct span_decoder **out,
		      const struct span_decoder_opts *o, struct span_error *err)
{
	struct span_decoder *d = calloc(1, sizeof(*d));
	int rc;

	*out = NULL;
	if (!d)
		return span_error_set(err, SPAN_E_NOMEM, "out of memory");
	rc = span__serial_init(&d->serial, err);
	if (rc < 0) {
		span_decoder_close(&d);
		return rc;
	}
	if (o)
		d->opts = *o;
	d->clients = span__clients_open();
	if (!d->clients) {
		span_decoder_close(&d);
		return span_error_set(err, SPAN_E_NOMEM, "out of memory");
	}
	*out = d;
	return 0;
}

int span_decoder_format(const struct span_decoder *d)
{
	return d->format;
}

const struct span_error *span_decoder_bad_span(const struct span_decoder *d)
{
	return d->bad_span.code ? &d->bad_span : NULL;
}

const struct span_decode_stats *span_decoder_stats(const struct span_decoder *d)
{
	return &d->stats;
}

void span_decoder_close(struct span_decoder **d)
{
	if (!*d)
		return;
	span_arena_release(&(*d)->arena);
	span_arena_release(&(*d)->keep);
	span_buf_release(&(*d)->spans);
	span_buf_release(&(*d)->renamed);
	span__clients_close(&(*d)->clients);
	free(*d);
	*d = NULL;
}

void *span__message_array(struct span__message *m, struct span_arena *a,
			  size_t n, size_t size)
{
	static char none[64] __attribute__((aligned(16)));
	void *v = n ? span_arena_array(a, n, size) : none;

	if (!v)
		span__cursor_fail(&m->in, m->in.p, SPAN_E_NOMEM,
				  "out of memory");
	return v;
}

void *span__message_push(struct span__message *m, struct span_arena *a,
			 struct span__list *list, size_t size)
{
	char *v = list->v;

	if (list->n == list->max) {
		size_t max = list->max ? list->max * 2 : 4;

		v = span__message_array(m, a, max, size);
		if (!v)
			return NULL;
		if (list->n)
			memcpy(v, list->v, list->n * size);
		list->v = v;
		list->max = max;
	}
	v += list->n++ * size;
	memset(v, 0, size);
	return v;
}

void span__message_cut(struct span__message *m, struct span_str *s, bool text)
{
	s->len = text ? span_text_cut(*s, SPAN_MAX_STRING) : SPAN_MAX_STRING;
	m->marks |= SPAN_MARK_CUT;
}

/*
 * Add an attribute after the others, in a copy; the last one makes room when
 * there are SPAN_MAX_ATTRS.
 */
static void add_attr(struct span__message *m, struct span_attrs *attrs,
		     struct span_str key, int64_t value)
{
	size_t n = attrs->n;
	struct span_attr *v;

	if (n == SPAN_MAX_ATTRS) {
		n--;
		m->marks |= SPAN_MARK_CUT;
	}
	v = span__message_array(m, &m->d->arena, n + 1, sizeof(*v));
	if (!v)
		return;
	if (n)
		memcpy(v, attrs->v, n * sizeof(*v));
	v[n].key = key;
	v[n].value = (struct span_value){.type = SPAN_INT, .i = value};
	attrs->v = v;
	attrs->n = n + 1;
	m->marks |= SPAN_MARK_CLAMPED;
}

void span__message_times(struct span__message *m, struct span *s, int64_t start,
			 int64_t duration)
{
	if (!span__ns(start, &s->start_ns))
		add_attr(m, &s->attrs, SPAN__KEY_START, start);
	if (!span__ns(duration, &s->duration_ns))
		add_attr(m, &s->attrs, SPAN__KEY_DURATION, duration);
}

void span__message_event_time(struct span__message *m, struct span_event *e,
			      int64_t us)
{
	if (!span__ns(us, &e->time_ns))
		add_attr(m, &e->attrs, SPAN__KEY_TIME, us);
}

/* The tags of --add-process-tag follow the process's own, as the agent's. */
static void add_tags(struct span__message *m, struct span_process *p,
		     struct span_arena *a)
{
	const struct span_decoder_opts *o = &m->d->opts;
	size_t n = p->attrs.n, more = o->n_process_tags;
	struct span_attr *v;

	if (!more)
		return;
	if (more > SPAN_MAX_ATTRS)
		more = SPAN_MAX_ATTRS;
	if (n > SPAN_MAX_ATTRS - more) {
		n = SPAN_MAX_ATTRS - more;
		m->process_marks |= SPAN_MARK_CUT;
	}
	v = span__message_array(m, a, n + more, sizeof(*v));
	if (!v)
		return;
	if (n)
		memcpy(v, p->attrs.v, n * sizeof(*v));
	memcpy(v + n, o->process_tags, more * sizeof(*v));
	p->attrs.v = v;
	p->attrs.n = n + more;
}

void span__message_process(struct span__message *m, struct span_process *p,
			   struct span_arena *a)
{
	p->serial = ++m->d->serial;
	if (!p->service.len) {
		p->service = SPAN_STR("empty-service-name");
		m->process_marks |= SPAN_MARK_RENAMED;
	}
	if (!m->is_short && !span__limit_process(p))
		m->process_marks |= SPAN_MARK_CUT;
	add_tags(m, p, a);
}

static void count(struct span_decode_stats *stats, const struct span *s)
{
	stats->spans++;
	stats->cut += !!(s->marks & SPAN_MARK_CUT);
	stats->clamped += !!(s->marks & SPAN_MARK_CLAMPED);
	stats->renamed += !!(s->marks & SPAN_MARK_RENAMED);
}

void span__message_hand_out(struct span__message *m, struct span *s,
			    const struct span_process *p)
{
	s->process = p;
	s->marks |= m->process_marks;
	span__message_rename(m, s);
	if (m->in.failed)
		return;
	if (!s->name.len) {
		s->name = SPAN_STR("empty-span-name");
		s->marks |= SPAN_MARK_RENAMED;
	}
	if (!m->is_short && !span__limit_span(s))
		s->marks |= SPAN_MARK_CUT;
	span_derive(s);
	m->n_spans++;
	count(&m->d->stats, s);
	if (m->fn && (m->fn_rc = m->fn(m->arg, s, m->err)) < 0)
		span__cursor_fail(&m->in, m->in.p, m->fn_rc, "");
}

void span__message_bad_span(struct span__message *m, const unsigned char *at,
			    const char *what)
{
	if (!m->n_bad++)
		span_error_at(&m->d->bad_span, SPAN_E_INVALID,
			      (size_t)(at - m->in.begin), "%s", what);
}

/* Looked at now and then: what a few spans take is bounded. */
static void check_collected(struct span__message *m)
{
	const struct span_decoder *d = m->d;
	size_t n = d->spans.len / sizeof(struct span);

	if (n % 64 ||
	    span_arena_size(&d->arena) + span_arena_size(&d->keep) +
			    d->spans.len <=
		    SPAN__COLLECT_FACTOR * m->begin_len + (256u << 10))
		return;
	m->too_large = true;
	span__cursor_fail(&m->in, m->in.p, SPAN_E_LIMIT, "too many at once");
}

void span__message_span(struct span__message *m, const struct span *s,
			const struct span_process *p)
{
	struct span copy = *s;

	if (m->in.failed)
		return;
	if (m->pass == SPAN__COLLECT) {
		copy.process = p;
		span_buf_put(&m->d->spans, &copy, sizeof(copy));
		if (m->d->spans.failed)
			span__cursor_fail(&m->in, m->in.p, SPAN_E_NOMEM,
					  "out of memory");
		check_collected(m);
		return;
	}
	if (m->pass == SPAN__HAND_OUT)
		span__message_hand_out(m, &copy, p);
	span_arena_reset(&m->d->arena);
}

static void hand_out_collected(struct span__message *m)
{
	size_t n = m->n_spans;

	m->n_spans = 0;
	for (size_t i = 0; i < n && !m->in.failed; i++)
		span__message_hand_out(m, &m->spans[i], &m->process);
}

static void from_the_start(struct span__message *m,
			   const struct span__cursor *start,
			   enum span__pass pass)
{
	m->in = *start;
	m->pass = pass;
	m->n_bad = 0;
	span_arena_reset(&m->d->arena);
	span_arena_reset(&m->d->keep);
	m->d->spans.len = 0;
}

/* Formats in which each span has a process of its own. */
static void read_other(struct span__message *m, span__read_fn *read)
{
	const struct span__cursor start = m->in;
	struct span_buf *spans = &m->d->spans;

	m->pass = cursor_left(&m->in) <= SPAN__COLLECT_MAX ? SPAN__COLLECT
							   : SPAN__CHECK;
	spans->len = 0;
	spans->failed = false;
	m->begin_len = cursor_left(&m->in);
	read(m);
	if (m->too_large) {
		from_the_start(m, &start, SPAN__CHECK);
		read(m);
	}
	if (m->in.failed)
		return;
	if (m->pass == SPAN__CHECK) {
		from_the_start(m, &start, SPAN__HAND_OUT);
		read(m);
		return;
	}
	for (size_t at = 0; at < spans->len && !m->in.failed;
	     at += sizeof(struct span)) {
		struct span *s = (struct span *)(void *)(spans->p + at);

		span__message_hand_out(m, s, s->process);
	}
}

static void count_losses(struct span__message *m)
{
	const struct span_value *client;

	if (!m->loss.known || !m->loss.has_seqno)
		return;
	client = span_attr_get(&m->process.attrs, SPAN_STR("client-uuid"));
	if (client && client->type == SPAN_STRING)
		m->d->stats.client_dropped += span__clients_lost(
			m->d->clients, client->str, &m->loss);
}

static void read_jaeger(struct span__message *m, bool compact)
{
	m->pass = cursor_left(&m->in) <= SPAN__COLLECT_MAX ? SPAN__COLLECT
							   : SPAN__CHECK;
	span__jaeger_read(m, compact);
	if (m->in.failed)
		return;
	count_losses(m);
	span__message_process(m, &m->process, &m->d->keep);
	if (m->pass == SPAN__COLLECT) {
		hand_out_collected(m);
		return;
	}
	m->pass = SPAN__HAND_OUT;
	m->n_spans = 0;
	span__jaeger_again(m, compact);
}

static void read_zipkin(struct span__message *m, bool compact)
{
	m->pass = SPAN__CHECK;
	span__zipkin_read(m, compact);
	if (m->in.failed)
		return;
	m->pass = SPAN__HAND_OUT;
	m->n_spans = 0;
	span__zipkin_again(m, compact);
}

static bool is_compact(int format)
{
	return format == SPAN_FORMAT_JAEGER_COMPACT ||
	       format == SPAN_FORMAT_ZIPKIN_COMPACT;
}

static bool is_thrift(int format)
{
	return format >= SPAN_FORMAT_JAEGER_COMPACT &&
	       format <= SPAN_FORMAT_ZIPKIN_BINARY;
}

/* The method says what the arguments are, whatever FORMAT was assumed. */
static int read_head(struct span__message *m, int *format)
{
	bool compact = is_compact(*format);
	struct span_str name;

	span__thrift_head(&m->in, compact, &name);
	if (m->in.failed)
		return 0;
	if (span_str_equal(name, SPAN_STR("emitBatch")))
		*format = compact ? SPAN_FORMAT_JAEGER_COMPACT
				  : SPAN_FORMAT_JAEGER_BINARY;
	else if (span_str_equal(name, SPAN_STR("emitZipkinBatch")))
		*format = compact ? SPAN_FORMAT_ZIPKIN_COMPACT
				  : SPAN_FORMAT_ZIPKIN_BINARY;
	else
		return span_error_at(
			m->err, SPAN_E_CORRUPT,
			(size_t)(name.p - (const char *)m->in.begin),
			"unknown method '%.*s'", (int)span_text_cut(name, 40),
			name.p);
	return 0;
}

static int read_message(struct span__message *m, int format, size_t len)
{
	const unsigned char *p = m->in.p;
	const struct span__format *f;
	int rc;

	if (len > SPAN_MESSAGE_MAX)
		return span_error_at(m->err, SPAN_E_LIMIT, SPAN_MESSAGE_MAX,
				     "the message is longer than 256 MiB");
	if (format == SPAN_FORMAT_AUTO)
		format = span__format_detect(p, len, m->err);
	if (format < 0)
		return format;
	m->enveloped = span__format_enveloped(format, p, len);
	if (m->enveloped && (rc = read_head(m, &format)) < 0)
		return rc;
	f = span__format_of(format);
	if (!f)
		return span_error_at(m->err, SPAN_E_INVALID, 0,
				     "no such format");
	m->d->format = format;
	if (!f->read && !is_thrift(format))
		return span_error_at(m->err, SPAN_E_INVALID, 0,
				     "the format %s is not read", f->name);
	if (f->read)
		read_other(m, f->read);
	else if (format == SPAN_FORMAT_JAEGER_COMPACT ||
		 format == SPAN_FORMAT_JAEGER_BINARY)
		read_jaeger(m, is_compact(format));
	else
		read_zipkin(m, is_compact(format));
	if (m->fn_rc < 0)
		return m->fn_rc;
	if (m->in.failed)
		return span_error_at(m->err, m->in.code, m->in.pos, "%s",
				     m->in.what);
	return (int)m->n_spans;
}

int span_decoder_message(struct span_decoder *d, int format, const void *p,
			 size_t len, span_decode_fn *fn, void *arg,
			 struct span_error *err)
{
	struct span__message m = {
		.d = d,
		.fn = fn,
		.arg = arg,
		.err = err,
		.is_short = len <= SPAN__SHORT_MAX,
	};
	int rc;

	cursor_init(&m.in, p, len);
	d->format = SPAN_FORMAT_AUTO;
	d->bad_span = (struct span_error){0};
	d->stats.messages++;
	rc = read_message(&m, format, len);
	if (rc < 0 && rc != SPAN_E_NOMEM && !m.fn_rc)
		d->stats.bad_messages++;
	if (rc >= 0)
		d->stats.bad_spans += m.n_bad;
	span_arena_reset(&d->arena);
	span_arena_reset(&d->keep);
	return rc;
}
