/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One HTTP server for all sockets that speak HTTP, so that they share limits;
 * what differs is what it serves to whom.
 */
#include <stdlib.h>
#include <string.h>

#include "capture-listen.h"
#include "capture-report.h"
#include "net/grpc_server.h"
#include "net/http_server.h"

#include "base/banned.h"

#define BODY_MIN 1024u
#define QUEUE_HEAD (64u << 10) /* what a body takes besides itself, amply */
#define REQUESTS_MIN (64u << 20)
#define STALLED_NS 5000000000u

enum ack { WRITTEN, QUEUED };
static const char *const acks[] = {"written", "queued", NULL};

static struct {
	const char *cert, *key, *strategies;
	struct cmd_list cors;
	uint64_t max_body, max_connections, max_per_peer;
	int ack; /* enum ack */
} opt = {.max_connections = 1024};

const struct cmd_option capture_server_options[] = {
	{CMD_STRING, 0, "strategies", &opt.strategies, "FILE",
	 "sampling strategies for clients that ask, as Jaeger has them", NULL},
	{CMD_STRING, 0, "tls-cert", &opt.cert, "FILE",
	 "speak TLS on all TCP ports, with this certificate (PEM)", NULL},
	{CMD_STRING, 0, "tls-key", &opt.key, "FILE", "its private key (PEM)",
	 NULL},
	{CMD_LIST, 0, "cors-origin", &opt.cors, "ORIGIN",
	 "let pages of ORIGIN send spans (repeatable; * in it: anything)",
	 NULL},
	{CMD_SIZE, 0, "max-body", &opt.max_body, "SIZE",
	 "refuse larger bodies, inflated ones too (default 20M)", NULL},
	{CMD_INT, 0, "max-connections", &opt.max_connections, "N",
	 "refuse further connections (default 1024)", NULL},
	{CMD_INT, 0, "max-connections-per-peer", &opt.max_per_peer, "N",
	 "... of one host (default: half of them)", NULL},
	{CMD_CHOICE, 0, "ack", &opt.ack, "WHEN",
	 "answer requests that are written to the output (default), or queued "
	 "for it",
	 acks},
	{CMD_END, 0, NULL, NULL, NULL, NULL, NULL},
};

static struct {
	struct span__admission *admission;
	struct span__http_server *http; /* belongs to the receiver */
	struct span_strategies *strategies;
	struct span_buf cert, key;
	struct span__tls *tls; /* of the gRPC servers */
} servers;

static uint64_t queue_fits(uint64_t queue)
{
	uint64_t most = queue < SPAN_PAYLOAD_MAX ? queue : SPAN_PAYLOAD_MAX;

	return most - QUEUE_HEAD;
}

void capture_servers_check(uint64_t queue)
{
	if (!opt.cert != !opt.key)
		cmd_usage("--tls-cert and --tls-key go together");
	if (!capture_serves() && (opt.cert || opt.strategies || opt.cors.n ||
				  opt.max_body || opt.max_per_peer || opt.ack))
		cmd_usage("--tls-cert, --strategies, --cors-origin, "
			  "--max-body, --max-connections-per-peer and --ack go "
			  "with a TCP port, as of --all");
	if (opt.max_body && opt.max_body < BODY_MIN)
		cmd_usage("--max-body is 1K at least");
	if (opt.max_body > queue_fits(queue))
		cmd_usage("--max-body is more than --queue can hold, and 31M "
			  "at most");
	if (!opt.max_connections || opt.max_connections > 1000000)
		cmd_usage("--max-connections is 1 at least and 1M at most");
	if (opt.max_per_peer > opt.max_connections)
		cmd_usage("--max-connections-per-peer is more than "
			  "--max-connections");
	if (!opt.max_body)
		opt.max_body = 20u << 20;
	if (opt.max_body > queue_fits(queue))
		opt.max_body = queue_fits(queue);
}

uint64_t capture_servers_ack_ns(void)
{
	return opt.ack == QUEUED ? 0 : STALLED_NS;
}

/* ---- Sampling strategies ---- */

static int read_strategies(struct span_strategies **out, struct span_error *err)
{
	struct span_buf text = {0}, warnings = {0};
	int rc = cmd_file_read(opt.strategies, &text, err);

	if (rc >= 0)
		rc = span_strategies_parse(out, opt.strategies, text.p,
					   text.len, &warnings, err);
	cmd_warn_lines(&warnings);
	span_buf_release(&text);
	span_buf_release(&warnings);
	return rc;
}

void capture_servers_reload(void)
{
	struct span_strategies *s = NULL;
	struct span_error err = {0};

	if (!opt.strategies || !servers.http)
		return;
	if (read_strategies(&s, &err) < 0) {
		cmd_warn("%s%s%s; the strategies stay as they were", err.msg,
			 err.sys ? ": " : "", err.sys ? strerror(err.sys) : "");
		return;
	}
	span__http_server_strategies(servers.http, s);
	span_strategies_close(&servers.strategies);
	servers.strategies = s;
	if (cmd_verbose)
		cmd_note("read the strategies of %zu services", s->n);
}

/* ---- Health and metrics ---- */

static bool is_healthy(void *arg)
{
	return span__intake_stalled_ns(span__receiver_intake(arg)) < STALLED_NS;
}

static void put_metrics(void *arg, struct span_buf *out)
{
	capture_report_text(arg, out);
}

/* ---- To open ---- */

static int read_files(struct span_error *err)
{
	int rc = 0;

	if (opt.cert)
		rc = cmd_file_text(opt.cert, &servers.cert, err);
	if (rc >= 0 && opt.key)
		rc = cmd_file_text(opt.key, &servers.key, err);
	if (rc >= 0 && opt.strategies)
		rc = read_strategies(&servers.strategies, err);
	return rc;
}

/* What all servers share, made for the first of them. */
static int open_admission(struct span_error *err)
{
	if (servers.admission)
		return 0;
	cmd_allow_files(opt.max_connections, 0);
	return span__admission_open(&servers.admission, opt.max_connections,
				    opt.max_per_peer, err);
}

/* Bytes of all requests that are not whole yet. */
static size_t memory_of_requests(void)
{
	size_t memory = 4 * (size_t)opt.max_body;

	return memory > REQUESTS_MIN ? memory : REQUESTS_MIN;
}

static int open_http(struct span__receiver *r, struct span_error *err)
{
	struct span__http_opts o = {
		.max_body = opt.max_body,
		.max_connections = opt.max_connections,
		.memory = memory_of_requests(),
		.cors = opt.cors.v,
		.n_cors = opt.cors.n,
		.admin = {r, is_healthy, put_metrics},
		.take = span__intake_take,
		.arg = span__receiver_intake(r),
	};
	struct span__server face;
	int rc = read_files(err);

	if (rc >= 0)
		rc = open_admission(err);
	if (rc < 0)
		return rc;
	o.admission = servers.admission;
	o.cert = servers.cert.p;
	o.key = servers.key.p;
	rc = span__http_server_open(&servers.http, &o, err);
	if (rc < 0)
		return rc;
	span__http_server_strategies(servers.http, servers.strategies);
	face = span__http_server_face(servers.http);
	rc = span__receiver_add_server(r, &face, err);
	if (rc < 0)
		face.close(face.self);
	return rc;
}

static int open_tls(struct span_error *err)
{
	if (!opt.cert || servers.tls)
		return 0;
	return span__tls_open(&servers.tls, opt.cert, opt.key, err);
}

/* Each address has a server of its own: what it serves depends on it. */
static int serve_grpc(struct span__receiver *r, enum capture_proto p, int fd,
		      struct span_error *err)
{
	struct span__grpc_opts o = {
		.services = p == CAPTURE_OTLP_GRPC ? SPAN__GRPC_OTLP
						   : SPAN__GRPC_JAEGER,
		.max_message = opt.max_body,
		.max_connections = opt.max_connections,
		.memory = memory_of_requests(),
	};
	struct span__server face;
	int rc = open_tls(err);

	if (rc >= 0)
		rc = open_admission(err);
	if (rc < 0)
		return rc;
	o.tls = servers.tls;
	o.admission = servers.admission;
	rc = span__grpc_server_open(&face, &o, fd, span__intake_take,
				    span__receiver_intake(r), err);
	if (rc < 0)
		return rc;
	rc = span__receiver_add_server(r, &face, err);
	if (rc < 0)
		face.close(face.self);
	return rc;
}

int capture_serve(struct span__receiver *r, enum capture_proto p, int fd,
		  uint16_t port, struct span_error *err)
{
	static const enum span__http_kind kinds[CAPTURE_PROTOS] = {
		[CAPTURE_JAEGER_HTTP] = SPAN__HTTP_JAEGER,
		[CAPTURE_ZIPKIN] = SPAN__HTTP_ZIPKIN,
		[CAPTURE_OTLP_HTTP] = SPAN__HTTP_OTLP,
		[CAPTURE_SAMPLING] = SPAN__HTTP_SAMPLING,
		[CAPTURE_ADMIN] = SPAN__HTTP_ADMIN,
	};
	int rc = 0;

	if (p == CAPTURE_JAEGER_GRPC || p == CAPTURE_OTLP_GRPC)
		return serve_grpc(r, p, fd, err);
	if (!servers.http)
		rc = open_http(r, err);
	if (rc < 0)
		return rc;
	return span__http_server_listen(servers.http, fd, kinds[p], port, err);
}

int capture_servers_opened(struct span_error *err)
{
	if (opt.strategies && !capture_speaks(CAPTURE_JAEGER_HTTP) &&
	    !capture_speaks(CAPTURE_SAMPLING))
		return span_error_set(err, SPAN_E_INVALID,
				      "--strategies goes with a port for "
				      "jaeger-http or sampling");
	if (opt.cors.n && !capture_speaks(CAPTURE_ZIPKIN) &&
	    !capture_speaks(CAPTURE_OTLP_HTTP))
		return span_error_set(err, SPAN_E_INVALID,
				      "--cors-origin goes with a port for "
				      "zipkin or otlp-http");
	return 0;
}

void capture_servers_close(void)
{
	span__admission_close(&servers.admission);
	span_strategies_close(&servers.strategies);
	span__tls_close(&servers.tls);
	span_buf_release(&servers.cert);
	span_buf_release(&servers.key);
}
