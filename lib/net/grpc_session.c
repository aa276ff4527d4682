/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a connection does about HTTP/2 frames. nghttp2 keeps the protocol:
 * header compression, windows, streams, and limits on settings, pings and
 * CONTINUATION frames. Here are the limits that depend on what a call is.
 */
#include <string.h>

#include "net/grpc_conn.h"

#include "base/banned.h"

#define WINDOW (1 << 20)    /* bytes on their way, a connection and call */
#define CONTINUATIONS 8u    /* frames of one header block */
#define HEADERS_HARD 4u	    /* header lists so often too long end it all */
#define CANCELLED_MORE 100u /* calls, than were answered */
#define CONTROLS_MAX 10000u /* frames a second that bring nothing */
#define RESETS_BURST 1000u  /* and per second, of nghttp2's own count */
#define RESETS_PER_SECOND 100u
#define SETTINGS_MAX 32u

/* A peer that only makes work is told so, and left. */
static int enhance_your_calm(struct span__grpc_conn *c)
{
	return nghttp2_session_terminate_session(c->session,
						 NGHTTP2_ENHANCE_YOUR_CALM)
		       ? NGHTTP2_ERR_CALLBACK_FAILURE
		       : 0;
}

static int outcome(const struct span__grpc_conn *c)
{
	return c->shared->failed.code ? NGHTTP2_ERR_CALLBACK_FAILURE : 0;
}

static struct span__grpc_call *call_of(nghttp2_session *session, int32_t id)
{
	return nghttp2_session_get_stream_user_data(session, id);
}

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *f,
			    void *arg)
{
	struct span__grpc_conn *c = arg;
	struct span__grpc_call *call;

	if (f->hd.type != NGHTTP2_HEADERS ||
	    f->headers.cat != NGHTTP2_HCAT_REQUEST)
		return 0;
	call = span__grpc_call_open(c, f->hd.stream_id);
	if (!call)
		return nghttp2_submit_rst_stream(session, 0, f->hd.stream_id,
						 NGHTTP2_REFUSED_STREAM)
			       ? NGHTTP2_ERR_CALLBACK_FAILURE
			       : 0;
	nghttp2_session_set_stream_user_data(session, call->id, call);
	return 0;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *f,
		     const uint8_t *name, size_t name_len, const uint8_t *value,
		     size_t value_len, uint8_t flags, void *arg)
{
	struct span__grpc_call *call = call_of(session, f->hd.stream_id);

	(void)flags;
	if (!call)
		return 0;
	if (call->is_answered || f->headers.cat != NGHTTP2_HCAT_REQUEST)
		name_len = 0; /* trailers say nothing, but have a length */
	span__grpc_call_header(
		call, (struct span_str){(const char *)name, name_len},
		(struct span_str){(const char *)value, value_len});
	/* A few bytes can name a long header again and again. */
	if (call->header_len > HEADERS_HARD * SPAN__GRPC_HEADERS)
		return enhance_your_calm(arg);
	return 0;
}

/* Count a frame that brings no request nearer to its end. */
static int count_control(struct span__grpc_conn *c)
{
	uint64_t second = c->shared->now_ns / 1000000000u;

	if (c->second != second)
		c->controls = 0;
	c->second = second;
	return ++c->controls > CONTROLS_MAX ? enhance_your_calm(c) : 0;
}

static int on_control(struct span__grpc_conn *c, const nghttp2_frame *f)
{
	if (f->hd.type == NGHTTP2_SETTINGS)
		c->greeted = true;
	if (f->hd.type == NGHTTP2_PING && f->hd.flags & NGHTTP2_FLAG_ACK &&
	    c->leaving)
		span__grpc_session_leave(c);
	return count_control(c);
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *f, void *arg)
{
	struct span__grpc_conn *c = arg;
	bool is_end = f->hd.flags & NGHTTP2_FLAG_END_STREAM;
	struct span__grpc_call *call;

	if (f->hd.type != NGHTTP2_HEADERS && f->hd.type != NGHTTP2_DATA)
		return on_control(c, f);
	call = call_of(session, f->hd.stream_id);
	if (!call)
		return count_control(c);
	if (f->hd.type == NGHTTP2_HEADERS &&
	    f->headers.cat == NGHTTP2_HCAT_REQUEST)
		span__grpc_call_begin(call);
	else if (!is_end && !(f->hd.type == NGHTTP2_DATA && f->hd.length))
		return count_control(c);
	if (is_end)
		span__grpc_call_end(call);
	return outcome(c);
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id,
		   const uint8_t *p, size_t len, void *arg)
{
	struct span__grpc_call *call = call_of(session, id);

	(void)flags;
	(void)arg;
	if (call)
		span__grpc_call_data(call, p, len);
	return nghttp2_session_consume(session, id, len)
		       ? NGHTTP2_ERR_CALLBACK_FAILURE
		       : 0;
}

/* An answer before the end of the request: the rest is not wanted. */
static int on_sent(nghttp2_session *session, const nghttp2_frame *f, void *arg)
{
	struct span__grpc_call *call = call_of(session, f->hd.stream_id);

	(void)arg;
	if (!call || f->hd.type != NGHTTP2_HEADERS || call->is_whole ||
	    !(f->hd.flags & NGHTTP2_FLAG_END_STREAM))
		return 0;
	return nghttp2_submit_rst_stream(session, 0, call->id, NGHTTP2_NO_ERROR)
		       ? NGHTTP2_ERR_CALLBACK_FAILURE
		       : 0;
}

static int on_close(nghttp2_session *session, int32_t id, uint32_t code,
		    void *arg)
{
	struct span__grpc_call *call = call_of(session, id);
	struct span__grpc_conn *c = arg;

	(void)code;
	if (!call)
		return 0;
	span__grpc_call_close(call);
	if (LIST_EMPTY(&c->calls))
		span__grpc_conn_wake(c, c->since_ns + c->shared->o.idle_ns);
	if (c->cancelled > c->answered + CANCELLED_MORE)
		return enhance_your_calm(c);
	return 0;
}

static void set_callbacks(nghttp2_session_callbacks *n)
{
	nghttp2_session_callbacks_set_on_begin_headers_callback(
		n, on_begin_headers);
	nghttp2_session_callbacks_set_on_header_callback(n, on_header);
	nghttp2_session_callbacks_set_on_frame_recv_callback(n, on_frame);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(n, on_data);
	nghttp2_session_callbacks_set_on_frame_send_callback(n, on_sent);
	nghttp2_session_callbacks_set_on_stream_close_callback(n, on_close);
}

static void set_options(nghttp2_option *o)
{
	nghttp2_option_set_no_auto_window_update(o, 1);
	nghttp2_option_set_no_closed_streams(o, 1);
	nghttp2_option_set_max_settings(o, SETTINGS_MAX);
	nghttp2_option_set_max_continuations(o, CONTINUATIONS);
	nghttp2_option_set_stream_reset_rate_limit(o, RESETS_BURST,
						   RESETS_PER_SECOND);
}

int span__grpc_session_setup(struct span__grpc_shared *s,
			     struct span_error *err)
{
	if (nghttp2_session_callbacks_new(&s->callbacks) ||
	    nghttp2_option_new(&s->option))
		return span_error_set(err, SPAN_E_NOMEM, "out of memory");
	set_callbacks(s->callbacks);
	set_options(s->option);
	return 0;
}

int span__grpc_session_open(struct span__grpc_conn *c)
{
	const nghttp2_settings_entry settings[] = {
		{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS,
		 c->shared->o.max_streams},
		{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, WINDOW},
		{NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, SPAN__GRPC_HEADERS},
	};
	int rc = nghttp2_session_server_new2(&c->session, c->shared->callbacks,
					     c, c->shared->option);

	if (!rc)
		rc = nghttp2_submit_settings(c->session, 0, settings,
					     sizeof(settings) /
						     sizeof(*settings));
	if (!rc)
		rc = nghttp2_session_set_local_window_size(c->session, 0, 0,
							   WINDOW);
	return rc;
}

void span__grpc_session_leave(struct span__grpc_conn *c)
{
	if (c->left)
		return;
	c->left = true;
	(void)nghttp2_submit_goaway(
		c->session, 0,
		nghttp2_session_get_last_proc_stream_id(c->session),
		NGHTTP2_NO_ERROR, NULL, 0);
}
