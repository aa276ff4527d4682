/* SPDX-License-Identifier: Apache-2.0 */
#include "capture-packets.h"

#include <string.h>

#include "capture-listen.h"

#include "base/banned.h"

#define PORTS_MAX 64u

/* Those of the Jaeger agent: Zipkin compact, compact, binary. */
static const uint16_t jaeger_ports[] = {5775, 6831, 6832};
#define N_JAEGER_PORTS (sizeof(jaeger_ports) / sizeof(jaeger_ports[0]))

/* OTLP over gRPC and HTTP, Zipkin, the Jaeger collector over gRPC and HTTP. */
static const uint16_t collector_ports[] = {4317, 4318, 9411, 14250, 14268};
#define N_COLLECTOR_PORTS (sizeof(collector_ports) / sizeof(collector_ports[0]))

struct capture_packets capture_packets;

const struct cmd_option capture_packet_options[] = {
	{CMD_STRING, 'r', "read", &capture_packets.file, "FILE",
	 "read a pcap or pcapng file, - is standard input", NULL},
	{CMD_STRING, 'i', "interface", &capture_packets.interface, "NAME",
	 "capture packets on this interface, or on any", NULL},
	{CMD_LIST, 'p', "port", &capture_packets.port, "PORT",
	 "take what is sent to this UDP or TCP port (repeatable)", NULL},
	{CMD_STRING, 'f', "filter", &capture_packets.filter, "EXPR",
	 "take packets that pcap-filter(7) EXPR lets pass, to any port", NULL},
	{CMD_FLAG, 0, "promiscuous", &capture_packets.promiscuous, NULL,
	 "capture what is sent to other hosts too", NULL},
	{CMD_FLAG, 0, "truncated", &capture_packets.truncated, NULL,
	 "write datagrams that were captured in part, marked", NULL},
	{CMD_FLAG, 0, "list-interfaces", &capture_packets.list, NULL,
	 "show what can be captured on, and exit", NULL},
	{CMD_END, 0, NULL, NULL, NULL, NULL, NULL},
};

void capture_packets_check(void)
{
	if (!capture_packets.file && !capture_packets.interface &&
	    (capture_packets.filter || capture_packets.port.n ||
	     capture_packets.truncated))
		cmd_usage("--port, --filter and --truncated go with -r or -i");
	if (capture_packets.promiscuous && !capture_packets.interface)
		cmd_usage("--promiscuous goes with -i");
}

/*
 * Which ports to look for in packets. Their array lives as long as the
 * process.
 */
static int wanted_ports(struct span__ports *p, struct span_error *err)
{
	static uint16_t list[PORTS_MAX];

	*p = (struct span__ports){0};
	if (!capture_packets.filter)
		*p = (struct span__ports){.udp = jaeger_ports,
					  .tcp = collector_ports,
					  .n_udp = N_JAEGER_PORTS,
					  .n_tcp = N_COLLECTOR_PORTS};
	if (!capture_packets.port.n)
		return 0;
	if (capture_packets.port.n > PORTS_MAX)
		return span_error_set(err, SPAN_E_INVALID, "more than %u ports",
				      PORTS_MAX);
	for (size_t i = 0; i < capture_packets.port.n; i++) {
		int rc = span__port_parse(span_str(capture_packets.port.v[i]),
					  &list[i], err);

		if (rc < 0)
			return rc;
	}
	p->udp = p->tcp = list;
	p->n_udp = p->n_tcp = capture_packets.port.n;
	return 0;
}

int capture_packets_open(struct span__receiver *r, struct span__capture **out,
			 int *fd, struct span_error *err)
{
	const char *name =
		capture_packets.file && strcmp(capture_packets.file, "-")
			? capture_packets.file
			: "stdin";
	struct span__ports ports;
	int rc;

	rc = wanted_ports(&ports, err);
	if (rc < 0)
		return rc;
	if (capture_packets.file) {
		rc = cmd_input_open(fd, capture_packets.file, err);
		if (rc >= 0)
			rc = span__capture_open_fd(out, *fd, name, err);
	} else {
		name = capture_packets.interface;
		rc = span__capture_open_live(out, name,
					     capture_packets.promiscuous,
					     capture_buffer, err);
	}
	if (rc < 0)
		return rc;
	if (!span__packets_know(span__capture_link(*out)))
		return span_error_set(err, SPAN_E_CORRUPT,
				      "%s: cannot read packets of link type %s",
				      name, span__capture_link_name(*out));
	if (capture_packets.filter) {
		rc = span__capture_filter(*out, capture_packets.filter, err);
		if (rc < 0)
			return rc;
	} else if (capture_packets.interface) {
		span__capture_filter_ports(*out, &ports);
	}
	return span__receiver_capture(r, *out, &ports, err);
}
