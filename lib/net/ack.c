/* SPDX-License-Identifier: Apache-2.0 */
#include "net/ack.h"

#include "base/banned.h"

void span__acks_init(struct span__acks *all, uint64_t limit_ns)
{
	TAILQ_INIT(&all->waiting);
	all->limit_ns = limit_ns;
}

void span__acks_add(struct span__acks *all, struct span__ack *a, uint64_t end,
		    uint64_t now_ns)
{
	a->all = all;
	a->end = end;
	a->since_ns = now_ns;
	TAILQ_INSERT_TAIL(&all->waiting, a, link);
}

void span__ack_cancel(struct span__ack *a)
{
	if (!a->all)
		return;
	TAILQ_REMOVE(&a->all->waiting, a, link);
	a->all = NULL;
}

/* Its server may free A, or cancel others, while it is told. */
static void tell(struct span__ack *a, enum span__answer answer)
{
	span__ack_cancel(a);
	a->say(a, answer);
}

bool span__acks_tell(struct span__acks *all, uint64_t written)
{
	struct span__ack *a;
	bool told = false;

	while ((a = TAILQ_FIRST(&all->waiting)) && a->end <= written) {
		tell(a, SPAN__ANSWER_TAKEN);
		told = true;
	}
	return told;
}

uint64_t span__acks_expire(struct span__acks *all, uint64_t now_ns,
			   uint64_t *end)
{
	struct span__ack *a;
	uint64_t n = 0;

	while ((a = TAILQ_FIRST(&all->waiting)) &&
	       now_ns - a->since_ns >= all->limit_ns) {
		*end = a->end;
		tell(a, SPAN__ANSWER_LATE);
		n++;
	}
	return n;
}

uint64_t span__acks_end(struct span__acks *all, enum span__answer answer)
{
	struct span__ack *a;
	uint64_t n = 0;

	while ((a = TAILQ_FIRST(&all->waiting))) {
		tell(a, answer);
		n++;
	}
	return n;
}

uint64_t span__acks_first(const struct span__acks *all)
{
	const struct span__ack *a = TAILQ_FIRST(&all->waiting);

	return a ? a->end : 0;
}

uint64_t span__acks_age_ns(const struct span__acks *all, uint64_t now_ns)
{
	const struct span__ack *a = TAILQ_FIRST(&all->waiting);

	return a ? now_ns - a->since_ns : 0;
}
