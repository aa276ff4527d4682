/* SPDX-License-Identifier: Apache-2.0 */
/*
 * To append a record and sync its data costs a fraction of what it takes to
 * replace a file, whose name has to be synced, too. So a record follows the
 * other, and only now and then, when they have become many, the last one takes
 * the place of all.
 */
#include "send-place.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <zlib.h>

#include "base/banned.h"

#define HEAD "span-send spool 1\nstore "
#define UUID_TEXT 32u
#define SUM_TEXT sizeof("end 01234567\n")
#define FILE_LONG (1u << 20) /* and four records: then it begins anew */

/* ---- Writing ---- */

void send_place_put(struct send_place *p, struct span_buf *b)
{
	send_place_tidy(p);
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

/* The last line of a record is "end\n". */
static void put_sum(struct span_buf *text)
{
	size_t len = text->len - strlen("end\n");

	if (text->failed)
		return;
	text->len = len;
	span_buf_printf(text, "end %08lx\n",
			crc32(0, (const Bytef *)text->p, (uInt)len));
}

int send_place_replace(struct send_place_file *f, struct span_buf *text,
		       struct span_error *err)
{
	int rc;

	send_place_close(f);
	put_sum(text);
	if (text->failed)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	rc = cmd_file_replace(f->path, text->p, text->len, err);
	if (rc < 0)
		return rc;
	f->fd = open(f->path, O_WRONLY | O_APPEND | O_CLOEXEC);
	if (f->fd < 0)
		return span_error_set(err, SPAN_E_IO, "cannot open %s",
				      f->path);
	f->len = text->len;
	f->n_more = 0;
	return 0;
}

int send_place_save(struct send_place_file *f, struct span_buf *text,
		    struct span_error *err)
{
	if (text->failed || f->fd < 0 || f->len > FILE_LONG + 4 * text->len)
		return send_place_replace(f, text, err);
	put_sum(text);
	if (text->failed)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	if (span_write_all(f->fd, text->p, text->len, err) < 0)
		return err->code;
	if (fdatasync(f->fd) < 0)
		return span_error_set(err, SPAN_E_IO, "cannot write %s",
				      f->path);
	f->len += text->len;
	f->n_more++;
	return 0;
}

void send_place_close(struct send_place_file *f)
{
	if (f->fd >= 0)
		close(f->fd);
	f->fd = -1;
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
		r->n_left -= r->bits[i / 8] >> i % 8 & 1;
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
	struct send_range r;
	bool found;

	while (take_range(text, &r, &found)) {
		if (!found)
			return true;
		if (!send_place_add(p, &r))
			return false;
	}
	return false;
}

/*
 * "end", and the sum of what comes before it from START on, which only the
 * FIRST one may go without: it was put there as a whole.
 */
static bool take_end(const char **p, const char *start, bool first)
{
	unsigned long sum = crc32(0, (const Bytef *)start, (uInt)(*p - start));
	char want[SUM_TEXT];

	snprintf(want, sizeof(want), "end %08lx\n", sum);
	return take(p, want) || (first && take(p, "end\n"));
}

static bool take_record(struct send_place *p, const char **at, bool first)
{
	const char *start = *at;

	if (!take(at, HEAD) || !take_uuid(at, p->uuid) || !take(at, "seq ") ||
	    !take_number(at, &p->seq, '\n') || !take_ranges(p, at) ||
	    !take_end(at, start, first))
		return false;
	send_place_normalise(p);
	return true;
}

/* The last record that is whole; what follows it was being written. */
static bool parse(struct send_place *p, const char *text)
{
	bool found = false;

	while (*text) {
		struct send_place next = {0};

		if (!take_record(&next, &text, !found)) {
			send_place_release(&next);
			break;
		}
		send_place_release(p);
		*p = next;
		found = true;
	}
	return found;
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
