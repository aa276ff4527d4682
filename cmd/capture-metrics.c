/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The counts for Prometheus: in a file that is renewed each second, and for
 * whoever asks the admin port, who also gets those that have a counterpart in
 * Jaeger under its names, so that dashboards find them.
 */
#include <string.h>

#include "capture-listen.h"
#include "capture-report.h"
#include "cmd.h"

#include "base/banned.h"

#define N_METRICS ((SPAN__COUNTS_PORTS + 1) * (9 + SPAN__DROPS) + 16)
#define LABELS_LEN 64u
#define SECOND_NS 1000000000u

static struct {
	struct cmd_metric v[N_METRICS]; /* ends with a NULL name */
	char labels[N_METRICS][LABELS_LEN];
	size_t n;
	/* What the values point at. */
	struct span__counts counts;
	struct span__server_counts server;
	struct span__ignored ignored;
	uint64_t queued, capacity, unwritten, drops[SPAN__COUNTS_PORTS + 1];
} metrics;

static char *add(const char *name, const char *help, uint64_t *value)
{
	char *labels = metrics.labels[metrics.n];

	labels[0] = '\0';
	metrics.v[metrics.n++] = (struct cmd_metric){
		.name = name, .labels = labels, .help = help, .value = value};
	return labels;
}

/* PORT 0 is of messages whose port is not known; CAUSE may be NULL. */
static void add_metric(const char *name, const char *help, uint16_t port,
		       const char *cause, uint64_t *value)
{
	char *labels = add(name, help, value);
	char text[8];

	snprintf(text, sizeof(text), "%u", port);
	snprintf(labels, LABELS_LEN, "port=\"%s\"%s%s%s",
		 port ? text : "unknown", cause ? ",cause=\"" : "",
		 cause ? cause : "", cause ? "\"" : "");
}

/* The member at OFFSET of each port's counts. */
static void add_ports(const char *name, const char *help, size_t offset,
		      const char *cause)
{
	struct span__counts *c = &metrics.counts;

	for (size_t i = 0; i <= c->n_ports; i++)
		add_metric(name, help, c->ports[i].port, cause,
			   (uint64_t *)(void *)((char *)&c->ports[i] + offset));
}

#define MEMBER(m) offsetof(struct span__port_counts, m)

static void add_messages(void)
{
	add_ports("span_capture_received_total", "Messages received.",
		  MEMBER(received), NULL);
	add_ports("span_capture_received_bytes_total",
		  "Bytes of the messages received.", MEMBER(bytes), NULL);
	add_ports("span_capture_written_total",
		  "Messages written or queued for it.", MEMBER(written), NULL);
	for (size_t d = 0; d < SPAN__DROPS; d++)
		add_ports("span_capture_dropped_total", "Messages lost.",
			  MEMBER(drops) + d * sizeof(uint64_t),
			  span__drop_name((enum span__drop)d));
}

/* Only bodies can be refused, and are looked into. */
static void add_bodies(void)
{
	add_ports("span_capture_empty_total", "Messages without a span.",
		  MEMBER(empty), NULL);
	for (size_t d = 0; d < SPAN__REFUSALS; d++)
		add_ports("span_capture_refused_total",
			  "Messages whose sender was told to keep them.",
			  MEMBER(refused) + d * sizeof(uint64_t),
			  span__refusal_name((enum span__refusal)d));
	add("span_capture_late_total",
	    "Messages in the queue whose sender was told to come again.",
	    &metrics.counts.late);
	add_ports("span_capture_spans_total", "Spans of requests.",
		  MEMBER(spans), NULL);
	add_ports("span_capture_bad_spans_total",
		  "Spans of requests that cannot be decoded.",
		  MEMBER(bad_spans), NULL);
}

static void add_gauge(const char *name, const char *help, uint64_t *value)
{
	add(name, help, value);
	metrics.v[metrics.n - 1].gauge = true;
}

static void add_server(void)
{
	struct span__server_counts *c = &metrics.server;

	add("span_capture_connections_total", "Connections accepted.",
	    &c->connections);
	add_gauge("span_capture_connections", "Connections that are open.",
		  &c->open);
	add("span_capture_connections_refused_total",
	    "Connections refused because there were too many.", &c->overloaded);
	add("span_capture_connection_timeouts_total",
	    "Requests and connections that took too long.", &c->timeouts);
	add("span_capture_requests_total", "Requests answered.", &c->requests);
	add("span_capture_requests_refused_total",
	    "Requests answered with an error.", &c->refused);
	add("span_capture_requests_too_large_total",
	    "Requests whose body was too large.", &c->too_large);
}

static void add_ignored(const struct span__ignored *ignored)
{
	metrics.ignored = *ignored;
	add("span_capture_ignored_requests_total",
	    "Requests in packets that are of no interest.",
	    &metrics.ignored.requests);
	add("span_capture_ignored_connections_total",
	    "Connections in packets that cannot be read.",
	    &metrics.ignored.connections);
}

static void collect(struct span__receiver *r)
{
	metrics.n = 0;
	metrics.counts = *span__receiver_counts(r);
	metrics.server = span__receiver_server_counts(r);
	metrics.queued = span__receiver_queue_len(r);
	metrics.unwritten = span__intake_lost(span__receiver_intake(r));
	metrics.capacity = span__intake_size(span__receiver_intake(r));
	add_messages();
	if (capture_serves()) {
		add_bodies();
		add_server();
	}
	if (span__receiver_packets(r))
		add_ignored(span__packets_ignored(span__receiver_packets(r)));
	add_gauge("span_capture_queue_bytes", "Bytes that wait to be written.",
		  &metrics.queued);
	add("span_capture_unwritten_total",
	    "Messages taken that were not written, as the output failed.",
	    &metrics.unwritten);
}

static void end(void)
{
	metrics.v[metrics.n] = (struct cmd_metric){0};
}

void capture_report_metrics(struct span__receiver *r, bool now)
{
	static uint64_t last_ns;
	uint64_t clock = cmd_monotonic_ns();

	if (!now && clock - last_ns < SECOND_NS)
		return;
	last_ns = clock;
	/* Says too, each second, whether the reader goes on. */
	(void)span__intake_stalled_ns(span__receiver_intake(r));
	collect(r);
	end();
	cmd_metrics_write(metrics.v, now);
}

/* ---- Jaeger's names ---- */

/* What Jaeger's collector calls that which comes to a port. */
static const struct {
	enum capture_proto proto;
	const char *labels;
} collector[] = {
	{CAPTURE_JAEGER_HTTP, "format=\"jaeger\",transport=\"http\""},
	{CAPTURE_ZIPKIN, "format=\"zipkin\",transport=\"http\""},
	{CAPTURE_OTLP_HTTP, "format=\"otlp\",transport=\"http\""},
	{CAPTURE_JAEGER_GRPC, "format=\"proto\",transport=\"grpc\""},
	{CAPTURE_OTLP_GRPC, "format=\"otlp\",transport=\"grpc\""},
};
#define N_COLLECTOR (sizeof(collector) / sizeof(collector[0]))

/* And its agent. */
static const struct {
	uint16_t port;
	const char *labels;
} agent[] = {
	{5775, "protocol=\"compact\",model=\"zipkin\""},
	{6831, "protocol=\"compact\",model=\"jaeger\""},
	{6832, "protocol=\"binary\",model=\"jaeger\""},
};
#define N_AGENT (sizeof(agent) / sizeof(agent[0]))

static struct {
	uint64_t received, rejected, dropped;
	bool there;
} sums[N_COLLECTOR];

static void sum_ports(void)
{
	const struct span__counts *c = &metrics.counts;

	memset(sums, 0, sizeof(sums));
	for (size_t i = 1; i <= c->n_ports; i++) {
		int proto = capture_port_proto(c->ports[i].port);

		for (size_t j = 0; j < N_COLLECTOR; j++) {
			if (proto != (int)collector[j].proto)
				continue;
			sums[j].there = true;
			sums[j].received += c->ports[i].spans +
					    c->ports[i].bad_spans +
					    c->ports[i].full_spans;
			sums[j].rejected += c->ports[i].bad_spans;
			sums[j].dropped += c->ports[i].full_spans;
		}
	}
}

static void add_collector(void)
{
	sum_ports();
	for (size_t j = 0; j < N_COLLECTOR; j++)
		if (sums[j].there)
			snprintf(add("jaeger_collector_spans_received_total",
				     "Spans of requests.", &sums[j].received),
				 LABELS_LEN, "%s", collector[j].labels);
	for (size_t j = 0; j < N_COLLECTOR; j++)
		if (sums[j].there)
			snprintf(add("jaeger_collector_spans_rejected_total",
				     "Spans that cannot be decoded.",
				     &sums[j].rejected),
				 LABELS_LEN, "%s", collector[j].labels);
	for (size_t j = 0; j < N_COLLECTOR; j++)
		if (sums[j].there)
			snprintf(add("jaeger_collector_spans_dropped_total",
				     "Spans refused as the queue was full.",
				     &sums[j].dropped),
				 LABELS_LEN, "%s", collector[j].labels);
	add_gauge("jaeger_collector_queue_length",
		  "Bytes that wait to be written.", &metrics.queued);
	add_gauge("jaeger_collector_queue_capacity", "Bytes that may wait.",
		  &metrics.capacity);
}

static void add_agent(void)
{
	struct span__port_counts *found[N_AGENT] = {NULL};

	for (size_t j = 0; j < N_AGENT; j++)
		for (size_t i = 1; i <= metrics.counts.n_ports; i++)
			if (metrics.counts.ports[i].port == agent[j].port)
				found[j] = &metrics.counts.ports[i];
	for (size_t j = 0; j < N_AGENT; j++)
		if (found[j])
			snprintf(add("jaeger_agent_thrift_udp_server_packets_"
				     "processed_total",
				     "Datagrams written.", &found[j]->written),
				 LABELS_LEN, "%s", agent[j].labels);
	for (size_t j = 0; j < N_AGENT; j++) {
		if (!found[j])
			continue;
		metrics.drops[j] = span__drops_sum(found[j]);
		snprintf(add("jaeger_agent_thrift_udp_server_packets_"
			     "dropped_total",
			     "Datagrams lost.", &metrics.drops[j]),
			 LABELS_LEN, "%s", agent[j].labels);
	}
}

void capture_report_text(struct span__receiver *r, struct span_buf *out)
{
	collect(r);
	add_collector();
	add_agent();
	end();
	cmd_metrics_text(out, metrics.v);
}
