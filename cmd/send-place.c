/* SPDX-License-Identifier: Apache-2.0 */
#include "send-place.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

#define HEAD "span-send spool 1\nstore "
#define UUID_TEXT 32u

bool send_place_begin(struct send_place *p, uint64_t first, uint64_t last)
{
	if (p->n == SEND_PLACE_RANGES)
		return false;
	/* What was settled in an earlier run may lie behind it. */
	size_t at = p->n;

	while (at && p->ranges[at - 1].first > first) {
		p->ranges[at] = p->ranges[at - 1];
		at--;
	}
	p->ranges[at] = (struct send_range){first, last, false};
	p->n++;
	p->begun = last;
	return true;
}

void send_place_settle(struct send_place *p, uint64_t first)
{
	size_t i = 0;

	while (i < p->n && p->ranges[i].first != first)
		i++;
	if (i == p->n)
		return;
	p->ranges[i].settled = true;
	/*
	 * Numbers have gaps; what was settled in an earlier run is next to what
	 * comes before it only when that has all begun.
	 */
	for (i = 0;
	     i < p->n && p->ranges[i].settled && p->ranges[i].first <= p->begun;
	     i++)
		if (p->ranges[i].last > p->seq)
			p->seq = p->ranges[i].last;
	p->n -= i;
	memmove(p->ranges, p->ranges + i, p->n * sizeof(p->ranges[0]));
}

bool send_place_has(const struct send_place *p, uint64_t seq)
{
	if (seq <= p->seq)
		return true;
	for (size_t i = 0; i < p->n; i++)
		if (p->ranges[i].settled && seq >= p->ranges[i].first &&
		    seq <= p->ranges[i].last)
			return true;
	return false;
}

/* WORD at *P, which is moved behind it. */
static bool take(const char **p, const char *word)
{
	size_t len = strlen(word);

	if (strncmp(*p, word, len) != 0)
		return false;
	*p += len;
	return true;
}

static bool take_number(const char **p, uint64_t *v, char end)
{
	const char *at = *p;

	*v = 0;
	while (*at >= '0' && *at <= '9') {
		if (__builtin_mul_overflow(*v, 10, v) ||
		    __builtin_add_overflow(*v, (uint64_t)(*at - '0'), v))
			return false;
		at++;
	}
	if (at == *p || *at != end)
		return false;
	*p = at + 1;
	return true;
}

static bool take_uuid(const char **p, uint8_t uuid[16])
{
	struct span_str text = {*p, strnlen(*p, UUID_TEXT)};

	if (text.len != UUID_TEXT || span_trace_id_parse(text, uuid) < 0)
		return false;
	*p += UUID_TEXT;
	return take(p, "\n");
}

static bool parse(struct send_place *p, const char *text)
{
	struct send_range r = {.settled = true};

	if (!take(&text, HEAD) || !take_uuid(&text, p->uuid) ||
	    !take(&text, "seq ") || !take_number(&text, &p->seq, '\n'))
		return false;
	while (take(&text, "done ")) {
		if (!take_number(&text, &r.first, ' ') ||
		    !take_number(&text, &r.last, '\n') || r.last < r.first ||
		    p->n == SEND_PLACE_RANGES ||
		    (p->n && r.first <= p->ranges[p->n - 1].last))
			return false;
		p->ranges[p->n++] = r;
	}
	return take(&text, "end\n") && !*text;
}

int send_place_read(struct send_place *p, const char *path,
		    struct span_error *err)
{
	struct span_buf text = {0};
	int rc = cmd_file_read(path, &text, err);

	*p = (struct send_place){0};
	if (rc == SPAN_E_NOTFOUND)
		return 0;
	span_buf_putc(&text, '\0');
	if (rc >= 0 && text.failed)
		rc = span_error_set(err, SPAN_E_NOMEM, "memory is out");
	else if (rc >= 0 && !parse(p, text.p))
		rc = span_error_set(err, SPAN_E_CORRUPT, "%s is damaged", path);
	span_buf_release(&text);
	return rc < 0 ? rc : 1;
}

int send_place_write(const struct send_place *p, const char *path,
		     struct span_error *err)
{
	struct span_buf b = {0};
	int rc;

	span_buf_puts(&b, HEAD);
	span_text_hex(&b, (struct span_str){(const char *)p->uuid, 16});
	span_buf_printf(&b, "\nseq %llu\n", (unsigned long long)p->seq);
	for (size_t i = 0; i < p->n; i++)
		if (p->ranges[i].settled)
			span_buf_printf(&b, "done %llu %llu\n",
					(unsigned long long)p->ranges[i].first,
					(unsigned long long)p->ranges[i].last);
	span_buf_puts(&b, "end\n");
	rc = b.failed ? span_error_set(err, SPAN_E_NOMEM, "memory is out")
		      : cmd_file_replace(path, b.p, b.len, err);
	span_buf_release(&b);
	return rc;
}
