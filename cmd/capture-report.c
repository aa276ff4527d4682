/* SPDX-License-Identifier: Apache-2.0 */
#include "capture-report.h"

#include <string.h>

#include "capture-listen.h"
#include "cmd.h"

#include "base/banned.h"

#define MIB (1024.0 * 1024)

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
	capture_listen_note();
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

/* ", refused 3 (2 bad, 1 full), empty 1, bad spans 2", where there are any */
static void put_refused(struct span_buf *b, const struct span__port_counts *p)
{
	const char *before = " (";

	if (span__refused_sum(p))
		span_buf_printf(b, ", refused %llu",
				(unsigned long long)span__refused_sum(p));
	for (size_t i = 0; i < SPAN__REFUSALS; i++) {
		if (!p->refused[i])
			continue;
		span_buf_printf(b, "%s%llu %s", before,
				(unsigned long long)p->refused[i],
				span__refusal_name((enum span__refusal)i));
		before = ", ";
	}
	if (*before == ',')
		span_buf_putc(b, ')');
	if (p->empty)
		span_buf_printf(b, ", empty %llu",
				(unsigned long long)p->empty);
	if (p->bad_spans)
		span_buf_printf(b, ", bad spans %llu",
				(unsigned long long)p->bad_spans);
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
	put_refused(&b, p);
	span_buf_puts(&b, tail);
	if (!b.failed)
		cmd_note("%.*s", (int)b.len, b.p);
	span_buf_release(&b);
}

static void note_ignored(const struct span__ignored *ignored)
{
	if (ignored->requests || ignored->connections)
		cmd_note("ignored %llu HTTP requests of other kinds, %llu "
			 "connections that cannot be read",
			 (unsigned long long)ignored->requests,
			 (unsigned long long)ignored->connections);
}

static void note_connections(const struct span__receiver *r)
{
	struct span__server_counts c = span__receiver_server_counts(r);

	if (c.connections || c.overloaded)
		cmd_note("connections %llu, open %llu, requests %llu, refused "
			 "%llu (%llu too large), timeouts %llu, too many %llu",
			 (unsigned long long)c.connections,
			 (unsigned long long)c.open,
			 (unsigned long long)c.requests,
			 (unsigned long long)c.refused,
			 (unsigned long long)c.too_large,
			 (unsigned long long)c.timeouts,
			 (unsigned long long)c.overloaded);
}

void capture_report_counts(struct span__receiver *r)
{
	const struct span__counts *c = span__receiver_counts(r);
	struct span__port_counts sum = span__counts_sum(c);
	const struct span__packets *packets = span__receiver_packets(r);
	char name[40] = "", tail[80];

	for (size_t i = 0; c->n_ports > 1 && i <= c->n_ports; i++) {
		const struct span__port_counts *p = &c->ports[i];

		if (!p->received && !span__drops_sum(p))
			continue;
		snprintf(name, sizeof(name), "port %u: ", p->port);
		note_counts(p->port ? name : "port unknown: ", p, "");
	}
	name[0] = '\0';
	if (packets && span__packets_seen(packets))
		snprintf(name, sizeof(name), "read %llu packets, ",
			 (unsigned long long)span__packets_seen(packets));
	snprintf(tail, sizeof(tail), ", %.1f s",
		 (double)(cmd_monotonic_ns() - start_ns) / 1e9);
	note_counts(name, &sum, tail);
	note_connections(r);
	if (c->late)
		cmd_note("%llu of those written were late, and their senders "
			 "told to come again",
			 (unsigned long long)c->late);
	if (c->truncated)
		cmd_note("%llu of those written are truncated",
			 (unsigned long long)c->truncated);
	if (packets)
		note_ignored(span__packets_ignored(packets));
}

void capture_report_end(struct span__receiver *r, bool is_file)
{
	struct span__port_counts sum =
		span__counts_sum(span__receiver_counts(r));
	unsigned long long lost = span__intake_lost(span__receiver_intake(r));
	struct span_buf b = {0};

	capture_report_metrics(r, true);
	if (cmd_verbose) {
		capture_report_counts(r);
	} else if (span__drops_sum(&sum)) {
		put_drops(&b, &sum);
		if (!b.failed)
			cmd_warn("received %llu %s%.*s",
				 (unsigned long long)sum.received,
				 capture_serves() ? "messages" : "datagrams",
				 (int)b.len, b.p);
	}
	if (lost && !is_file)
		cmd_warn("%llu payloads that were taken%s were not written",
			 lost,
			 capture_servers_ack_ns()
				 ? ""
				 : ", and acknowledged when they came by HTTP "
				   "or gRPC,");
	span_buf_release(&b);
}
