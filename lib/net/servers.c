/* SPDX-License-Identifier: Apache-2.0 */
#include "net/servers.h"

#include <errno.h>

#include "net/clock.h"

#include "base/banned.h"

#define PACE_NS 50000000u /* between two looks at servers that stop */

int span__servers_add(struct span__servers *all, const struct span__server *s,
		      struct span_error *err)
{
	if (all->n == SPAN__SERVERS_MAX)
		return span_error_set(err, SPAN_E_LIMIT, "more than %u servers",
				      SPAN__SERVERS_MAX);
	all->v[all->n++] = *s;
	return 0;
}

uint64_t span__servers_fill(struct span__servers *all, struct pollfd *fds,
			    uint64_t limit_ns)
{
	uint64_t now = all->n ? span__monotonic_ns() : 0;
	uint64_t late = span__intake_timeout_ns(all->intake);

	if (late < limit_ns)
		limit_ns = late;
	fds[all->n] = (struct pollfd){
		.fd = span__intake_written_fd(all->intake), .events = POLLIN};
	for (size_t i = 0; i < all->n; i++) {
		const struct span__server *s = &all->v[i];
		uint64_t wait = s->timeout_ns(s->self);

		fds[i] = (struct pollfd){.fd = s->poll_fd(s->self),
					 .events = POLLIN};
		all->due_ns[i] =
			wait < UINT64_MAX - now ? now + wait : UINT64_MAX;
		if (wait < limit_ns)
			limit_ns = wait;
	}
	return limit_ns;
}

int span__servers_turn(struct span__servers *all, const struct pollfd *fds,
		       struct span_error *err)
{
	uint64_t now = all->n ? span__monotonic_ns() : 0;
	bool told = span__intake_answer(all->intake, fds[all->n].revents);
	int rc = 0;

	for (size_t i = 0; i < all->n && rc >= 0; i++)
		if (told || fds[i].revents || now >= all->due_ns[i])
			rc = all->v[i].turn(all->v[i].self, err);
	span__intake_push(all->intake);
	return rc;
}

static bool are_idle(const struct span__servers *all)
{
	for (size_t i = 0; i < all->n; i++)
		if (!all->v[i].is_idle(all->v[i].self))
			return false;
	return true;
}

int span__servers_finish(struct span__servers *all, uint64_t limit_ns,
			 struct span_error *err)
{
	struct pollfd fds[SPAN__SERVERS_FDS];
	uint64_t end_ns = span__monotonic_ns() + limit_ns;
	int rc = 0;

	for (size_t i = 0; i < all->n; i++)
		all->v[i].stop(all->v[i].self);
	while (rc >= 0 && !are_idle(all) && span__monotonic_ns() < end_ns) {
		uint64_t ns = span__servers_fill(all, fds, PACE_NS);
		struct timespec t = {.tv_nsec = (long)ns};

		if (ppoll(fds, all->n + 1, &t, NULL) < 0 && errno != EINTR)
			return span_error_set(err, SPAN_E_IO,
					      "cannot wait for connections");
		rc = span__servers_turn(all, fds, err);
	}
	span__intake_hurry(all->intake);
	for (size_t i = 0; i < all->n && rc >= 0; i++)
		rc = all->v[i].turn(all->v[i].self, err);
	return rc;
}

struct span__server_counts span__servers_counts(const struct span__servers *all)
{
	struct span__server_counts sum = {0};

	for (size_t i = 0; i < all->n; i++) {
		struct span__server_counts c = {0};

		all->v[i].counts(all->v[i].self, &c);
		sum.connections += c.connections;
		sum.open += c.open;
		sum.requests += c.requests;
		sum.refused += c.refused;
		sum.too_large += c.too_large;
		sum.timeouts += c.timeouts;
		sum.overloaded += c.overloaded;
	}
	return sum;
}

void span__servers_close(struct span__servers *all)
{
	for (size_t i = 0; i < all->n; i++)
		all->v[i].close(all->v[i].self);
	all->n = 0;
}
