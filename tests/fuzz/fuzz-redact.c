/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules of redaction, and texts under them: what is before the first NUL are
 * rules, a line each, the rest is a text in every part of a span. Then it goes
 * through the default rules alone, and once more: that changes nothing, but for
 * keys, which may name what was found in them.
 */
#include <span/redact.h>

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

static const uint8_t key[SPAN_REDACT_KEY] = "a fuzzer's key";

static struct span_redact *open_rules(bool anonymize)
{
	const struct span_redact_opts o = {.key = key, .anonymize = anonymize};
	struct span_redact *r;
	struct span_error err;

	if (span_redact_open(&r, &o, &err) < 0)
		abort();
	return r;
}

static void add_rules(struct span_redact *r, const char *p, size_t len)
{
	const char *end = p + len;
	struct span_error err;

	while (p < end) {
		const char *stop = memchr(p, '\n', (size_t)(end - p));
		struct span_str line = {p, (size_t)((stop ? stop : end) - p)};

		if (span_redact_rule(r, line, &err) < 0 && !err.msg[0])
			abort();
		p += line.len + 1;
	}
}

static void check(struct span_redact *r, struct span_str text, bool again)
{
	struct span_value item = {SPAN_STRING, {.str = text}};
	struct span_attr attrs[] = {
		{again ? (struct span_str){"note", 4} : text, item},
		{{"list", 4}, {SPAN_ARRAY, {.array = {&item, 1}}}},
	};
	const struct span_attrs list = {attrs, 2, 0};
	struct span_process process = {.service = text, .attrs = list};
	struct span_event event = {.name = text, .attrs = list};
	struct span_ref ref = {.trace_state = text, .attrs = list};
	struct span s = {
		.process = &process,
		.name = text,
		.status_message = text,
		.attrs = list,
		.events = &event,
		.n_events = 1,
		.refs = &ref,
		.n_refs = 1,
	};
	struct span_arena arena = {0};
	struct span_error err;
	struct span out;
	int rc = span_redact_span(r, &s, &out, &err);

	if (rc < 0 && rc != SPAN_E_LIMIT)
		abort();
	if (rc > 0 && again) {
		if (span_copy(&s, &out, &arena) < 0 ||
		    span_redact_span(r, &s, &out, &err) != 0)
			abort();
	}
	span_arena_release(&arena);
}

/* The default rules, which are the same for all inputs. */
static struct span_redact *open_defaults(bool anonymize)
{
	struct span_redact *r = open_rules(anonymize);
	struct span_error err;

	if (span_redact_defaults(r, &err) < 0)
		abort();
	return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	static struct span_redact *safe, *anonymous;
	const char *rules = (const char *)p;
	size_t n = strnlen(rules, len);
	struct span_str text = {rules + n, len - n};
	struct span_redact *r;

	if (!safe) {
		safe = open_defaults(false);
		anonymous = open_defaults(true);
	}
	if (text.len) {
		text.p++;
		text.len--;
	}
	if (text.len > SPAN_MAX_STRING)
		return 0;
	r = open_rules(false);
	add_rules(r, rules, n);
	check(r, text, false);
	span_redact_close(&r);
	check(anonymous, text, false);
	check(safe, text, true);
	return 0;
}
