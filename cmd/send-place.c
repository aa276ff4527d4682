/* SPDX-License-Identifier: Apache-2.0 */
#include "send-place.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

#define HEAD "span-send spool 1\nstore "
#define UUID_TEXT 32u

/* The first range that ends at SEQ or behind it. */
static size_t find(const struct send_place *p, uint64_t seq)
{
	size_t low = 0, high = p->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (p->ranges[middle].last < seq)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool holds(const struct send_place *p, size_t at, uint64_t seq)
{
	return at < p->n && p->ranges[at].first <= seq;
}

/* One more at AT, which the caller fills; NULL without memory. */
static struct send_range *insert(struct send_place *p, size_t at)
{
	if (p->n == p->size) {
		size_t size = p->size ? 2 * p->size : 64;
		struct send_range *more =
			realloc(p->ranges, size * sizeof(*more));

		if (!more)
			return NULL;
		p->ranges = more;
		p->size = size;
	}
	memmove(p->ranges + at + 1, p->ranges + at,
		(p->n - at) * sizeof(p->ranges[0]));
	p->n++;
	return &p->ranges[at];
}

bool send_place_begin(struct send_place *p, uint64_t seq, uint32_t n_spans)
{
	size_t at = find(p, seq);
	struct send_range *r;

	p->begun = seq;
	if (holds(p, at, seq) && p->ranges[at].n_spans == n_spans)
		return true;
	if (p->n >= SEND_PLACE_FRAMES || !(r = insert(p, at)))
		return false;
	*r = (struct send_range){.first = seq,
				 .last = seq,
				 .n_spans = n_spans,
				 .n_left = n_spans};
	return true;
}

/* The bit of a span, set where SET; was it? */
static bool bit(struct send_range *r, uint32_t index, bool set)
{
	uint8_t mask = (uint8_t)(1u << index % 8);
	bool was = index < SEND_PLACE_SPANS && r->bits[index / 8] & mask;

	if (set && index < SEND_PLACE_SPANS)
		r->bits[index / 8] |= mask;
	return was;
}

bool send_place_settle(struct send_place *p, uint64_t seq, uint32_t index)
{
	size_t at = find(p, seq);
	struct send_range *r = &p->ranges[at];

	if (!holds(p, at, seq) || !r->n_left || index >= r->n_spans ||
	    bit(r, index, true))
		return false;
	r->n_left--;
	return true;
}

bool send_place_has(const struct send_place *p, uint64_t seq, uint32_t n_spans,
		    uint32_t index)
{
	size_t at = find(p, seq);

	if (seq <= p->seq)
		return true;
	if (!holds(p, at, seq))
		return false;
	/* What tells of another frame with this number tells nothing. */
	return !p->ranges[at].n_left || (p->ranges[at].n_spans == n_spans &&
					 bit(&p->ranges[at], index, false));
}

uint32_t send_place_left(const struct send_place *p, uint64_t seq,
			 uint32_t n_spans)
{
	size_t at = find(p, seq);

	if (seq <= p->seq)
		return 0;
	if (!holds(p, at, seq))
		return n_spans;
	return p->ranges[at].n_left && p->ranges[at].n_spans != n_spans
		       ? n_spans
		       : p->ranges[at].n_left;
}

bool send_place_cut(struct send_place *p, uint64_t last)
{
	bool cut = p->seq > last;

	if (cut)
		p->seq = last;
	while (p->n && p->ranges[p->n - 1].first > last) {
		p->n--;
		cut = true;
	}
	if (p->n && p->ranges[p->n - 1].last > last) {
		p->ranges[p->n - 1].last = last;
		cut = true;
	}
	return cut;
}

/*
 * Is B, which follows A, to become one with it? Numbers have gaps; what was
 * settled in an earlier run is next to what comes before it only when that has
 * all begun, or has the number before.
 */
static bool joins(const struct send_place *p, const struct send_range *a,
		  const struct send_range *b)
{
	return !a->n_left && !b->n_left &&
	       (b->first <= p->begun || b->first - a->last <= 1);
}

static void tidy(struct send_place *p)
{
	struct send_range *kept = p->ranges;
	struct send_range before = {.last = p->seq};
	size_t n = 0;

	for (size_t i = 0; i < p->n; i++) {
		struct send_range *r = &p->ranges[i];

		if (!n && joins(p, &before, r))
			before.last = r->last;
		else if (n && joins(p, &kept[n - 1], r))
			kept[n - 1].last = r->last;
		else
			kept[n++] = *r;
	}
	p->n = n;
	p->seq = before.last;
}

void send_place_put(struct send_place *p, struct span_buf *b)
{
	tidy(p);
	span_buf_puts(b, HEAD);
	span_text_hex(b, (struct span_str){(const char *)p->uuid, 16});
	span_buf_printf(b, "\nseq %llu\n", (unsigned long long)p->seq);
	for (size_t i = 0; i < p->n; i++) {
		const struct send_range *r = &p->ranges[i];

		if (!r->n_left) {
			span_buf_printf(b, "done %llu %llu\n",
					(unsigned long long)r->first,
					(unsigned long long)r->last);
		} else if (r->n_left < r->n_spans &&
			   r->n_spans <= SEND_PLACE_SPANS) {
			span_buf_printf(b, "part %llu %u ",
					(unsigned long long)r->first,
					r->n_spans);
			span_text_hex(b,
				      (struct span_str){(const char *)r->bits,
							(r->n_spans + 7) / 8});
			span_buf_putc(b, '\n');
		}
	}
	span_buf_puts(b, "end\n");
}

/* ---- Reading ---- */

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

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool take_bits(const char **p, struct send_range *r)
{
	for (uint32_t i = 0; i < (r->n_spans + 7) / 8; i++) {
		int high = hex_digit((*p)[0]);
		int low = high < 0 ? -1 : hex_digit((*p)[1]);

		if (low < 0)
			return false;
		r->bits[i] = (uint8_t)(high << 4 | low);
		*p += 2;
	}
	for (uint32_t i = 0; i < r->n_spans; i++)
		r->n_left -= bit(r, i, false);
	return take(p, "\n");
}

static bool take_range(const char **p, struct send_range *r, bool *found)
{
	uint64_t n;

	*r = (struct send_range){0};
	*found = true;
	if (take(p, "done "))
		return take_number(p, &r->first, ' ') &&
		       take_number(p, &r->last, '\n') && r->first <= r->last;
	*found = take(p, "part ");
	if (!*found)
		return true;
	if (!take_number(p, &r->first, ' ') || !take_number(p, &n, ' ') || !n ||
	    n > SEND_PLACE_SPANS)
		return false;
	r->last = r->first;
	r->n_spans = r->n_left = (uint32_t)n;
	return take_bits(p, r);
}

/* In any order, at first. */
static bool take_ranges(struct send_place *p, const char **text)
{
	struct send_range r, *to;
	bool found;

	while (take_range(text, &r, &found)) {
		if (!found)
			return true;
		if (p->n == SEND_PLACE_FRAMES || !(to = insert(p, p->n)))
			return false;
		*to = r;
	}
	return false;
}

static int by_first(const void *a, const void *b)
{
	const struct send_range *x = a, *y = b;

	if (x->first != y->first)
		return x->first < y->first ? -1 : 1;
	/* What is settled comes before parts of it. */
	return (x->n_left > 0) - (y->n_left > 0);
}

/* Ranges may lie in each other, and behind SEQ: what is settled wins. */
static void normalise(struct send_place *p)
{
	size_t n = 0;

	if (p->n)
		qsort(p->ranges, p->n, sizeof(p->ranges[0]), by_first);
	for (size_t i = 0; i < p->n; i++) {
		struct send_range r = p->ranges[i];
		uint64_t before = n ? p->ranges[n - 1].last : p->seq;

		if (r.last <= before)
			continue;
		if (r.first <= before)
			r.first = before + 1;
		p->ranges[n++] = r;
	}
	p->n = n;
	tidy(p);
}

static bool parse(struct send_place *p, const char *text)
{
	if (!take(&text, HEAD) || !take_uuid(&text, p->uuid) ||
	    !take(&text, "seq ") || !take_number(&text, &p->seq, '\n') ||
	    !take_ranges(p, &text) || !take(&text, "end\n") || *text)
		return false;
	normalise(p);
	return true;
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

void send_place_release(struct send_place *p)
{
	free(p->ranges);
	*p = (struct send_place){0};
}
