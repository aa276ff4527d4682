/* SPDX-License-Identifier: Apache-2.0 */
#include "capture-report.h"

#include <string.h>

#include "cmd.h"

#include "base/banned.h"

#define N_PER_PORT (3 + SPAN__DROPS)
#define N_METRICS ((SPAN__COUNTS_PORTS + 1) * N_PER_PORT + 4)
#define LABELS_LEN 48u
#define MIB (1024.0 * 1024)
#define SECOND_NS 1000000000u

static uint64_t start_ns;

static void warn_if_capped(const struct span__receiver *r, uint64_t buffer)
{
	size_t least = (size_t)buffer;

	for (size_t i = 0; i < span__receiver_n_sockets(r); i++)
		if (span__receiver_socket(r, i)->buffer < least)
			least = span__receiver_socket(r, i)->buffer;
	if (least < buffer)
		cmd_warn("the system gives sockets a buffer of %.4g MiB, not "
			 "%.4g MiB; to allow it, as root: "
			 "sysctl -w net.core.rmem_max=%llu",
			 (double)least / MIB, (double)buffer / MIB,
			 (unsigned long long)buffer);
}

void capture_report_start(const struct span__receiver *r, const char *interface,
			  uint64_t buffer)
{
	char text[SPAN__ADDRESS_TEXT];
	struct span_buf line = {0};

	start_ns = cmd_monotonic_ns();
	for (size_t i = 0; i < span__receiver_n_sockets(r); i++) {
		const struct span__udp *u = span__receiver_socket(r, i);

		span__address_text(&u->local, text);
		span_buf_printf(&line, " %s", text);
		if (u->shared)
			cmd_warn("somebody else listens on udp %s too and "
				 "gets a part of the datagrams",
				 text);
	}
	warn_if_capped(r, buffer);
	if (line.len && !cmd_quiet)
		cmd_note("listening on udp%.*s", (int)line.len, line.p);
	if (interface && !cmd_quiet)
		cmd_note("capturing on %s", interface);
	span_buf_release(&line);
}

/* ", dropped 12 (7 queue full, 5 truncated)" */
static void put_drops(struct span_buf *b, const struct span__port_counts *p)
{
	const char *before = " (";

	span_buf_printf(b, ", dropped %llu",
			(unsigned long long)span__drops_sum(p));
	for (size_t i = 0; i < SPAN__DROPS; i++) {
		if (!p->drops[i])
			continue;
		span_buf_printf(b, "%s%llu %s", before,
				(unsigned long long)p->drops[i],
				span__drop_text((enum span__drop)i));
		before = ", ";
	}
	if (*before == ',')
		span_buf_putc(b, ')');
}

static void note_counts(const char *name, const struct span__port_counts *p,
			const char *tail)
{
	struct span_buf b = {0};

	span_buf_printf(&b, "%sreceived %llu (%llu bytes), written %llu", name,
			(unsigned long long)p->received,
			(unsigned long long)p->bytes,
			(unsigned long long)p->written);
	put_drops(&b, p);
	span_buf_puts(&b, tail);
	if (!b.failed)
		cmd_note("%.*s", (int)b.len, b.p);
	span_buf_release(&b);
}

/* IGNORED may be NULL. */
static void note_ignored(const struct span__ignored *ignored)
{
	if (ignored && (ignored->requests || ignored->connections))
		cmd_note("ignored %llu HTTP requests of other kinds, %llu "
			 "connections that cannot be read",
			 (unsigned long long)ignored->requests,
			 (unsigned long long)ignored->connections);
}

void capture_report_counts(struct span__receiver *r)
{
	const struct span__counts *c = span__receiver_counts(r);
	struct span__port_counts sum = span__counts_sum(c);
	uint64_t packets = span__receiver_packets(r);
	char name[40] = "", tail[80];

	for (size_t i = 0; c->n_ports > 1 && i <= c->n_ports; i++) {
		const struct span__port_counts *p = &c->ports[i];

		if (!p->received && !span__drops_sum(p))
			continue;
		snprintf(name, sizeof(name), "port %u: ", p->port);
		note_counts(p->port ? name : "port unknown: ", p, "");
	}
	name[0] = '\0';
	if (packets)
		snprintf(name, sizeof(name), "read %llu packets, ",
			 (unsigned long long)packets);
	snprintf(tail, sizeof(tail), ", %.1f s",
		 (double)(cmd_monotonic_ns() - start_ns) / 1e9);
	note_counts(name, &sum, tail);
	if (c->truncated)
		cmd_note("%llu of those written are truncated",
			 (unsigned long long)c->truncated);
	note_ignored(span__receiver_ignored(r));
}

void capture_report_end(struct span__receiver *r)
{
	struct span__port_counts sum =
		span__counts_sum(span__receiver_counts(r));
	struct span_buf b = {0};

	capture_report_metrics(r, true);
	if (cmd_verbose) {
		capture_report_counts(r);
	} else if (span__drops_sum(&sum)) {
		put_drops(&b, &sum);
		if (!b.failed)
			cmd_warn("received %llu datagrams%.*s",
				 (unsigned long long)sum.received, (int)b.len,
				 b.p);
	}
	span_buf_release(&b);
}

static struct {
	struct cmd_metric v[N_METRICS]; /* ends with a NULL name */
	char labels[N_METRICS][LABELS_LEN];
	size_t n;
} metrics;

/* PORT 0 is of datagrams whose port is not known; CAUSE may be NULL. */
static void add_metric(const char *name, const char *help, uint16_t port,
		       const char *cause, uint64_t *value)
{
	char *labels = metrics.labels[metrics.n];
	char text[8];

	snprintf(text, sizeof(text), "%u", port);
	snprintf(labels, LABELS_LEN, "port=\"%s\"%s%s%s",
		 port ? text : "unknown", cause ? ",cause=\"" : "",
		 cause ? cause : "", cause ? "\"" : "");
	metrics.v[metrics.n++] = (struct cmd_metric){
		.name = name, .labels = labels, .help = help, .value = value};
}

static void add_ports(struct span__counts *c)
{
	for (size_t i = 0; i <= c->n_ports; i++)
		add_metric("span_capture_received_total", "Datagrams received.",
			   c->ports[i].port, NULL, &c->ports[i].received);
	for (size_t i = 0; i <= c->n_ports; i++)
		add_metric("span_capture_received_bytes_total",
			   "Bytes of the datagrams received.", c->ports[i].port,
			   NULL, &c->ports[i].bytes);
	for (size_t i = 0; i <= c->n_ports; i++)
		add_metric("span_capture_written_total",
			   "Datagrams written or queued for it.",
			   c->ports[i].port, NULL, &c->ports[i].written);
	for (size_t i = 0; i <= c->n_ports; i++)
		for (size_t d = 0; d < SPAN__DROPS; d++)
			add_metric("span_capture_dropped_total",
				   "Datagrams lost.", c->ports[i].port,
				   span__drop_name((enum span__drop)d),
				   &c->ports[i].drops[d]);
}

static void add_ignored(struct span__ignored *ignored)
{
	metrics.v[metrics.n++] = (struct cmd_metric){
		.name = "span_capture_ignored_requests_total",
		.help = "HTTP requests in packets that are of no interest.",
		.value = &ignored->requests,
	};
	metrics.v[metrics.n++] = (struct cmd_metric){
		.name = "span_capture_ignored_connections_total",
		.help = "Connections in packets that are not HTTP.",
		.value = &ignored->connections,
	};
}

void capture_report_metrics(struct span__receiver *r, bool now)
{
	static uint64_t last_ns;
	static struct span__counts counts;
	static struct span__ignored ignored;
	static uint64_t queued;
	uint64_t clock = cmd_monotonic_ns();

	if (!now && clock - last_ns < SECOND_NS)
		return;
	last_ns = clock;
	counts = *span__receiver_counts(r);
	queued = span__receiver_queue_len(r);
	memset(&metrics, 0, sizeof(metrics));
	add_ports(&counts);
	if (span__receiver_ignored(r)) {
		ignored = *span__receiver_ignored(r);
		add_ignored(&ignored);
	}
	metrics.v[metrics.n] = (struct cmd_metric){
		.name = "span_capture_queue_bytes",
		.help = "Bytes that wait to be written.",
		.value = &queued,
		.gauge = true,
	};
	cmd_metrics_write(metrics.v, now);
}
