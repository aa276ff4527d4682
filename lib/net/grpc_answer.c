/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An answer is headers, a message and trailers with the status; an error is
 * one block of headers with the status in it ("Trailers-Only").
 */
#include <stdio.h>
#include <string.h>

#include "net/grpc_conn.h"
#include "net/inflate.h"

#include "base/banned.h"

#define RETRY_S 1u /* what a client is told to wait when it is too much */

#define TYPE "application/grpc"

static nghttp2_nv header(const char *name, const char *value, size_t len)
{
	return (nghttp2_nv){(uint8_t *)(uintptr_t)name,
			    (uint8_t *)(uintptr_t)value, strlen(name), len,
			    NGHTTP2_NV_FLAG_NONE};
}

#define HEADER(name, value) header(name, value, strlen(value))

/* What the client may compress with. */
static size_t accepted(char *buf, size_t size)
{
	struct span_str codings = span_str(span__codings());
	size_t len = strlen("identity, ");

	memcpy(buf, "identity, ", len);
	if (codings.len > size - len)
		codings.len = size - len;
	memcpy(buf + len, codings.p, codings.len);
	return len + codings.len;
}

static void count(struct span__grpc_call *call, bool good)
{
	struct span__server_counts *n = &call->conn->shared->counts;

	span__ack_cancel(&call->ack);
	call->is_answered = true;
	call->conn->answered++;
	n->requests++;
	n->refused += !good;
	span__grpc_call_forget(call);
	call->deadline_ns =
		call->conn->shared->now_ns + call->conn->shared->o.request_ns;
	span__grpc_conn_wake(call->conn, call->deadline_ns);
}

static ssize_t give_reply(nghttp2_session *session, int32_t id, uint8_t *buf,
			  size_t len, uint32_t *flags,
			  nghttp2_data_source *source, void *arg)
{
	struct span__grpc_call *call = source->ptr;
	const nghttp2_nv status = HEADER("grpc-status", "0");
	size_t left = call->reply.len - call->replied;

	(void)arg;
	if (len > left)
		len = left;
	memcpy(buf, call->reply.p + call->replied, len);
	call->replied += len;
	if (call->replied < call->reply.len)
		return (ssize_t)len;
	*flags |= NGHTTP2_DATA_FLAG_EOF | NGHTTP2_DATA_FLAG_NO_END_STREAM;
	if (nghttp2_submit_trailer(session, id, &status, 1))
		return NGHTTP2_ERR_CALLBACK_FAILURE;
	return (ssize_t)len;
}

void span__grpc_answer(struct span__grpc_call *call)
{
	nghttp2_data_provider data = {.source.ptr = call,
				      .read_callback = give_reply};
	char codings[64];
	const nghttp2_nv nv[] = {
		HEADER(":status", "200"),
		HEADER("content-type", TYPE),
		header("grpc-accept-encoding", codings,
		       accepted(codings, sizeof(codings))),
	};

	count(call, true);
	if (call->reply.failed ||
	    nghttp2_submit_response(call->conn->session, call->id, nv,
				    sizeof(nv) / sizeof(*nv), &data))
		(void)nghttp2_submit_rst_stream(call->conn->session, 0,
						call->id,
						NGHTTP2_INTERNAL_ERROR);
}

/* DETAILS may be empty. */
static void refuse(struct span__grpc_call *call, const char *http, int status,
		   const char *text, struct span_str details)
{
	struct span_buf *percent = &call->conn->shared->text;
	char codings[64], code[12];
	nghttp2_nv nv[6];
	size_t n = 0;

	percent->len = 0;
	span__grpc_put_percent(percent, text);
	snprintf(code, sizeof(code), "%d", status);
	nv[n++] = HEADER(":status", http);
	nv[n++] = HEADER("content-type", TYPE);
	nv[n++] = HEADER("grpc-status", code);
	nv[n++] = header("grpc-message", percent->p, percent->len);
	nv[n++] = header("grpc-accept-encoding", codings,
			 accepted(codings, sizeof(codings)));
	if (details.len)
		nv[n++] = header("grpc-status-details-bin", details.p,
				 details.len);
	count(call, false);
	if (percent->failed ||
	    nghttp2_submit_response(call->conn->session, call->id, nv, n, NULL))
		(void)nghttp2_submit_rst_stream(call->conn->session, 0,
						call->id,
						NGHTTP2_INTERNAL_ERROR);
	percent->failed = false;
}

void span__grpc_refuse(struct span__grpc_call *call,
		       enum span__grpc_status status, const char *text)
{
	refuse(call, "200", (int)status, text, (struct span_str){0});
}

void span__grpc_refuse_http(struct span__grpc_call *call, const char *http,
			    enum span__grpc_status status, const char *text)
{
	refuse(call, http, (int)status, text, (struct span_str){0});
}

void span__grpc_refuse_for_now(struct span__grpc_call *call,
			       enum span__grpc_status status, const char *text)
{
	struct span_buf b = {0};

	span__grpc_put_retry(&b, status, text, RETRY_S);
	if (b.failed)
		b.len = 0;
	refuse(call, "200", (int)status, text, (struct span_str){b.p, b.len});
	span_buf_release(&b);
}
