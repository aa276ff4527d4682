/* SPDX-License-Identifier: Apache-2.0 */
#include "net/counts.h"

#include "base/banned.h"

const char *span__drop_name(enum span__drop d)
{
	static const char *const names[SPAN__DROPS] = {
		[SPAN__DROP_QUEUE] = "queue_full",
		[SPAN__DROP_KERNEL] = "kernel",
		[SPAN__DROP_TRUNCATED] = "truncated",
		[SPAN__DROP_MALFORMED] = "malformed",
		[SPAN__DROP_INCOMPLETE] = "incomplete",
		[SPAN__DROP_OVERLAP] = "overlap",
		[SPAN__DROP_LIMIT] = "too_large",
	};

	return names[d];
}

const char *span__refusal_name(enum span__refusal r)
{
	static const char *const names[SPAN__REFUSALS] = {
		[SPAN__REFUSED_BAD] = "bad",
		[SPAN__REFUSED_FULL] = "full",
	};

	return names[r];
}

const char *span__drop_text(enum span__drop d)
{
	static const char *const texts[SPAN__DROPS] = {
		[SPAN__DROP_QUEUE] = "queue full",
		[SPAN__DROP_KERNEL] = "kernel buffer full",
		[SPAN__DROP_TRUNCATED] = "truncated",
		[SPAN__DROP_MALFORMED] = "malformed",
		[SPAN__DROP_INCOMPLETE] = "packets missing",
		[SPAN__DROP_OVERLAP] = "packets overlap",
		[SPAN__DROP_LIMIT] = "too large",
	};

	return texts[d];
}

struct span__port_counts *span__counts_of(struct span__counts *c, uint16_t port)
{
	if (!port)
		return &c->ports[0];
	for (size_t i = 1; i <= c->n_ports; i++)
		if (c->ports[i].port == port)
			return &c->ports[i];
	if (c->n_ports == SPAN__COUNTS_PORTS)
		return &c->ports[0];
	c->ports[++c->n_ports].port = port;
	return &c->ports[c->n_ports];
}

uint64_t span__drops_sum(const struct span__port_counts *p)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < SPAN__DROPS; i++)
		sum += p->drops[i];
	return sum;
}

uint64_t span__refused_sum(const struct span__port_counts *p)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < SPAN__REFUSALS; i++)
		sum += p->refused[i];
	return sum;
}

struct span__port_counts span__counts_sum(const struct span__counts *c)
{
	struct span__port_counts sum = {0};

	for (size_t i = 0; i <= c->n_ports; i++) {
		const struct span__port_counts *p = &c->ports[i];

		sum.received += p->received;
		sum.bytes += p->bytes;
		sum.written += p->written;
		sum.empty += p->empty;
		sum.spans += p->spans;
		sum.bad_spans += p->bad_spans;
		sum.full_spans += p->full_spans;
		for (size_t d = 0; d < SPAN__REFUSALS; d++)
			sum.refused[d] += p->refused[d];
		for (size_t d = 0; d < SPAN__DROPS; d++)
			sum.drops[d] += p->drops[d];
	}
	return sum;
}
