/* SPDX-License-Identifier: Apache-2.0 */
#include "net/sender_say.h"

#include <stdio.h>
#include <string.h>

#include "net/clock.h"

#include "base/banned.h"

#define SAY_AGAIN_NS 60000000000ull

void span__causes_init(struct span__causes *c, const char *name,
		       void (*say)(void *arg, const char *text), void *arg)
{
	*c = (struct span__causes){.name = name, .say = say, .arg = arg};
}

/* Whether a cause is new, or was not heard of for a while. */
static bool is_news(struct span__causes *c, const char *text)
{
	uint64_t now = span__monotonic_ns();
	size_t i = 0;

	while (i < c->n &&
	       strncmp(c->v[i].text, text, sizeof(c->v[i].text) - 1) != 0)
		i++;
	c->n_more += i == SPAN__CAUSES;
	if (i == SPAN__CAUSES ||
	    (i < c->n && now - c->v[i].said_ns < SAY_AGAIN_NS))
		return false;
	if (i == c->n)
		snprintf(c->v[c->n++].text, sizeof(c->v[i].text), "%s", text);
	c->v[i].said_ns = now;
	return true;
}

static void say(const struct span__causes *c, const char *first,
		const char *between, const char *last)
{
	struct span_buf b = {0};

	span_buf_printf(&b, "%s: %s%s%s", c->name, first, between, last);
	span_buf_putc(&b, '\0');
	if (!b.failed)
		c->say(c->arg, b.p);
	span_buf_release(&b);
}

void span__causes_say(struct span__causes *c, const char *cause,
		      const char *result)
{
	if (is_news(c, cause))
		say(c, cause, "; ", result);
}

void span__causes_end(struct span__causes *c)
{
	char text[32];

	if (!c->n_more)
		return;
	snprintf(text, sizeof(text), "%llu", (unsigned long long)c->n_more);
	say(c, "and ", text, " more failures, for other reasons");
	c->n_more = 0;
}

void span__causes_say_lost(struct span__causes *c, const char *cause,
			   uint64_t n, const char *verb)
{
	char text[64];

	snprintf(text, sizeof(text), "%llu span%s %s", (unsigned long long)n,
		 n == 1 ? " is" : "s are", verb);
	span__causes_say(c, cause, text);
}
