/* SPDX-License-Identifier: Apache-2.0 */
/* What a rule of redaction does to a text. */
#include "query/redact.h"

#include <string.h>

#include "base/banned.h"

/* The text between FROM and where the next thing that is looked for begins. */
struct parts {
	struct span__redact_rule *rule;
	struct span_str text;
	size_t at; /* up to here it was looked at */
};

const char *span__redact_kind(const struct span__redact_rule *rule)
{
	return rule->secret < 0
		       ? "redacted"
		       : span__secret_name((enum span__secret)rule->secret);
}

/* What stands where WHAT stood. */
static void put_instead(struct span_buf *out,
			const struct span__redact_rule *rule,
			const uint8_t *key, struct span_str what)
{
	if (rule->action == REDACT_HASH) {
		span_buf_puts(out, SECRET_HASHED);
		span__redact_put_hash(out, key, what);
		span_buf_putc(out, ']');
	} else if (rule->action == REDACT_TRUNCATE) {
		span__redact_put_first(out, what, rule->keep);
	} else if (rule->action == REDACT_TEMPLATE) {
		span__redact_template_put(out, rule, key, what);
	} else if (rule->mask.len) {
		span_buf_str(out, rule->mask);
	} else if (rule->secret == SECRET_SQL) {
		span_buf_putc(out, '?');
	} else {
		span_buf_putc(out, '[');
		span_buf_puts(out, span__redact_kind(rule));
		span_buf_putc(out, ']');
	}
}

/* The next part that is looked for: 1, 0 or a negative code. */
static int next_part(struct parts *p, struct span_str *part,
		     struct span_error *err)
{
	size_t start, end;
	int rc;

	if (p->rule->secret >= 0)
		return span__secret_find((enum span__secret)p->rule->secret,
					 p->text, p->at, part);
	while (p->at <= p->text.len) {
		rc = span__regex_find(p->rule->regex, p->text, p->at, &start,
				      &end, err);
		if (rc <= 0)
			return rc;
		*part = (struct span_str){p->text.p + start, end - start};
		if (part->len)
			return 1;
		p->at = end + 1; /* nothing is there to replace */
	}
	return 0;
}

static int out_of_memory(struct span_error *err)
{
	return span_error_set(err, SPAN_E_NOMEM, "memory is out");
}

/* Replace each part; REDACT_SAME when there is none. */
static int replace_parts(struct span__redact_rule *rule, const uint8_t *key,
			 struct span_str text, struct span_buf *out,
			 bool *settled, struct span_error *err)
{
	struct parts p = {rule, text, 0};
	struct span_str part;
	size_t copied = 0;
	int rc, n = 0;

	while ((rc = next_part(&p, &part, err)) > 0) {
		size_t start = (size_t)(part.p - text.p);

		if (rule->action == REDACT_KEEP ||
		    rule->action == REDACT_DROP) {
			*settled = true;
			return rule->action == REDACT_KEEP ? REDACT_SAME
							   : REDACT_DROPPED;
		}
		span_buf_put(out, text.p + copied, start - copied);
		put_instead(out, rule, key, part);
		p.at = copied = start + part.len;
		n++;
	}
	if (rc < 0)
		return rc;
	if (!n)
		return REDACT_SAME;
	span_buf_put(out, text.p + copied, text.len - copied);
	return out->failed ? out_of_memory(err) : REDACT_CHANGED;
}

static bool is_equal(const struct span_buf *b, struct span_str text)
{
	return span_str_equal((struct span_str){b->p, b->len}, text);
}

int span__redact_text(struct span__redact_rule *rule, const uint8_t *key,
		      struct span_str text, struct span_buf *out, bool *settled,
		      struct span_error *err)
{
	int rc;

	*settled = rule->secret < 0 && !rule->regex;
	if (!*settled)
		rc = replace_parts(rule, key, text, out, settled, err);
	else if (rule->action == REDACT_KEEP)
		return REDACT_SAME;
	else if (rule->action == REDACT_DROP)
		return REDACT_DROPPED;
	else {
		put_instead(out, rule, key, text);
		rc = out->failed ? out_of_memory(err) : REDACT_CHANGED;
	}
	return rc == REDACT_CHANGED && is_equal(out, text) ? REDACT_SAME : rc;
}
