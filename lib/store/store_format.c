/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two small text files of a store: FORMAT, and the line in MAINT. Both
 * end with the CRC of what is before it, so that a torn one is seen.
 */
#include "store/store_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crc32c.h"
#include "store/log_reader.h"
#include "store/seg_file.h"

#include "base/banned.h"

#define FORMAT_MAX 4096u
#define EXPIRED_LINE 59u /* "expired ", 20 digits, 20 digits, 8, newline */

/* The whole of a small file, terminated: its length, or -1 with errno. */
static ssize_t read_small(const struct span__dir *d, const char *name,
			  char *out, size_t cap)
{
	const struct span__io *io = d->io;
	struct span__io_stat st;
	ssize_t len = -1;
	int fd;

	fd = io->open(io->self, d->fd, name, O_RDONLY | O_NOFOLLOW, 0);
	if (fd < 0)
		return -1;
	if (io->fstat(io->self, fd, &st) == 0) {
		len = st.size < cap ? (ssize_t)st.size : (ssize_t)cap - 1;
		if (span__io_pread_all(io, fd, out, (size_t)len, 0) < 0)
			len = -1;
		else
			out[len] = '\0';
	}
	io->close(io->self, fd);
	return len;
}

/* The line of TEXT that begins with KEY and a space: what follows, or NULL. */
static const char *find_line(const char *text, const char *key)
{
	size_t len = strlen(key);

	while (text && *text) {
		if (!strncmp(text, key, len) && text[len] == ' ')
			return text + len + 1;
		text = strchr(text, '\n');
		if (text)
			text++;
	}
	return NULL;
}

static bool crc_holds(const char *text, size_t len)
{
	static const char key[] = "crc32c ";
	const size_t line = sizeof(key) - 1 + 9; /* 8 digits and newline */
	uint32_t crc;

	if (len < line || text[len - 1] != '\n' ||
	    strncmp(text + len - line, key, sizeof(key) - 1))
		return false;
	crc = (uint32_t)strtoul(text + len - 9, NULL, 16);
	return crc == span__crc32c(0, text, len - line);
}

static bool parse_uuid(const char *text, uint8_t out[16])
{
	char digits[33];
	size_t n = 0;

	for (; text && *text && *text != '\n' && n < 32; text++) {
		if (*text != '-')
			digits[n++] = *text;
	}
	digits[n] = '\0';
	if (n != 32 || strspn(digits, "0123456789abcdef") != 32)
		return false;
	for (size_t i = 0; i < 16; i++) {
		char pair[3] = {digits[2 * i], digits[2 * i + 1], '\0'};

		out[i] = (uint8_t)strtoul(pair, NULL, 16);
	}
	return true;
}

static uint64_t hex_line(const char *text, const char *key)
{
	const char *value = find_line(text, key);

	return value ? strtoull(value, NULL, 16) : 0;
}

int span__format_read(struct span__dir *d, bool writer, const char **text,
		      struct span_error *err)
{
	struct span__features f;
	const char *major;
	char buf[FORMAT_MAX];
	ssize_t len = read_small(d, "FORMAT", buf, sizeof(buf));

	d->has_format = false;
	if (len < 0 && errno == ENOENT) {
		*text = "FORMAT is missing";
		return 0;
	}
	if (len < 0)
		return span_error_set(err, SPAN_E_IO, "FORMAT: cannot read");
	*text = "FORMAT is damaged";
	major = find_line(buf, "span-store");
	if (!crc_holds(buf, (size_t)len) || !major ||
	    !parse_uuid(find_line(buf, "uuid"), d->uuid))
		return 0;
	f = (struct span__features){hex_line(buf, "compat"),
				    hex_line(buf, "ro-compat"),
				    hex_line(buf, "incompat")};
	if (strtoul(major, NULL, 10) != LOG_MAJOR)
		return span_error_set(err, SPAN_E_FORMAT,
				      "a later version wrote it");
	d->has_format = true;
	len = span__features_check(&f, writer, err);
	return len < 0 ? (int)len : 1;
}

static size_t print_format(char *out, size_t cap, const uint8_t u[16])
{
	int len = snprintf(
		out, cap,
		"span-store %u\nuuid %02x%02x%02x%02x-%02x%02x-%02x%02x-"
		"%02x%02x-%02x%02x%02x%02x%02x%02x\n"
		"compat 0\nro-compat 0\nincompat 0\n",
		LOG_MAJOR, u[0], u[1], u[2], u[3], u[4], u[5], u[6], u[7], u[8],
		u[9], u[10], u[11], u[12], u[13], u[14], u[15]);

	len += snprintf(out + len, cap - (size_t)len, "crc32c %08x\n",
			span__crc32c(0, out, (size_t)len));
	return (size_t)len;
}

/* Write TEXT as NEW, which then becomes FORMAT. */
static int replace_format(struct span__dir *d, const char *new,
			  const char *text, size_t len, struct span_error *err)
{
	const struct span__io *io = d->io;
	int fd, rc;

	fd = io->open(io->self, d->fd, new,
		      O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return span_error_set(err, SPAN_E_IO, "FORMAT: cannot create");
	rc = span__io_pwrite_all(io, fd, text, len, 0, NULL);
	if (!rc)
		rc = io->fdatasync(io->self, fd);
	if (rc < 0)
		rc = span_error_set(err, SPAN_E_IO, "FORMAT: cannot write");
	if (io->close(io->self, fd) < 0 && !rc)
		rc = span_error_set(err, SPAN_E_IO, "FORMAT: cannot close");
	if (rc < 0)
		return rc;
	if (io->rename(io->self, d->fd, new, "FORMAT") < 0)
		return span_error_set(err, SPAN_E_IO, "FORMAT: cannot rename");
	d->has_format = true;
	return span__dir_sync(d, err);
}

static bool guess_by_segment(struct span__dir *d, const char *name)
{
	struct span__seg_file f;

	if (span__seg_file_open(&f, d->io, d->fd, name, NULL) < 0)
		return false;
	memcpy(d->uuid, f.header.id.uuid, 16);
	span__seg_file_close(&f);
	return true;
}

bool span__format_guess(struct span__dir *d, const struct span__listing *l)
{
	static const struct span__log_id none;
	bool found = false;

	for (size_t i = l->n; i-- > 0 && !found;) {
		const struct span__file *f = &l->v[i];
		struct span__log log;
		char name[LOG_NAME];

		if (f->foreign)
			break;
		span__file_name_of(name, sizeof(name), f);
		if (f->kind == FILE_SEG)
			found = guess_by_segment(d, name);
		if (f->kind > FILE_BAD)
			continue;
		if (span__log_open(&log, d->io, d->fd, name, &none, false,
				   NULL) < 0)
			continue;
		found = log.header_ok;
		if (found)
			memcpy(d->uuid, log.id.uuid, 16);
		span__log_close(&log);
	}
	return found;
}

int span__format_make(struct span__dir *d, const struct span__listing *l,
		      struct span_error *err)
{
	const struct span__io *io = d->io;
	char buf[512];

	if (!span__format_guess(d, l)) {
		if (io->random(io->self, d->uuid, 16) < 0)
			return span_error_set(err, SPAN_E_IO, "no randomness");
		d->uuid[6] = (uint8_t)((d->uuid[6] & 0x0f) | 0x40);
		d->uuid[8] = (uint8_t)((d->uuid[8] & 0x3f) | 0x80);
	}
	return replace_format(d, "FORMAT.new", buf,
			      print_format(buf, sizeof(buf), d->uuid), err);
}

/* The text of FORMAT, in buf[FORMAT_MAX]: its length, 0 when it is no use. */
static ssize_t read_format(const struct span__dir *d, char *buf)
{
	ssize_t len = read_small(d, "FORMAT", buf, FORMAT_MAX);

	if (len < 0)
		return errno == ENOENT ? 0 : -1;
	return crc_holds(buf, (size_t)len) ? len : 0;
}

static uint64_t number_line(const char *text, const char *key)
{
	const char *value = find_line(text, key);

	return value ? strtoull(value, NULL, 10) : 0;
}

int span__format_policy(const struct span__dir *d,
			struct span_store_policy *out, struct span_error *err)
{
	char buf[FORMAT_MAX];
	ssize_t len = read_format(d, buf);

	*out = (struct span_store_policy){0};
	if (len < 0)
		return span_error_set(err, SPAN_E_IO, "FORMAT: cannot read");
	if (!len)
		return 0;
	out->max_age_ns = number_line(buf, "max-age");
	out->max_bytes = number_line(buf, "max-bytes");
	out->min_free = number_line(buf, "min-free");
	return 0;
}

/* Take a line with KEY out of TEXT, which is terminated. */
static void cut_line(char *text, const char *key)
{
	const char *value = find_line(text, key);
	char *line, *next;

	if (!value)
		return;
	line = text + (value - text) - strlen(key) - 1;
	next = strchr(line, '\n');
	next = next ? next + 1 : line + strlen(line);
	memmove(line, next, strlen(next) + 1);
}

static size_t add_line(char *text, size_t len, const char *key, uint64_t value)
{
	if (!value)
		return len;
	return len + (size_t)snprintf(text + len, FORMAT_MAX + 256 - len,
				      "%s %" PRIu64 "\n", key, value);
}

int span__format_set_policy(struct span__dir *d,
			    const struct span_store_policy *p,
			    struct span_error *err)
{
	static const char *const keys[] = {"max-age", "max-bytes", "min-free",
					   "crc32c"};
	char buf[FORMAT_MAX + 256];
	ssize_t old = read_format(d, buf);
	size_t len;

	if (old < 0)
		return span_error_set(err, SPAN_E_IO, "FORMAT: cannot read");
	if (!old)
		print_format(buf, sizeof(buf), d->uuid);
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		cut_line(buf, keys[i]);
	len = strlen(buf);
	len = add_line(buf, len, keys[0], p->max_age_ns);
	len = add_line(buf, len, keys[1], p->max_bytes);
	len = add_line(buf, len, keys[2], p->min_free);
	len += (size_t)snprintf(buf + len, sizeof(buf) - len, "crc32c %08x\n",
				span__crc32c(0, buf, len));
	if (len >= FORMAT_MAX)
		return span_error_set(err, SPAN_E_LIMIT, "FORMAT is too long");
	return replace_format(d, "FORMAT.tmp", buf, len, err);
}

void span__expired_read(const struct span__dir *d, struct span__expired *out)
{
	const size_t crc_at = EXPIRED_LINE - 9;
	char buf[EXPIRED_LINE + 1];
	ssize_t len = read_small(d, "MAINT", buf, sizeof(buf));

	*out = (struct span__expired){0};
	if (len != (ssize_t)EXPIRED_LINE || strncmp(buf, "expired ", 8) ||
	    strtoul(buf + crc_at, NULL, 16) != span__crc32c(0, buf, crc_at))
		return;
	out->number = strtoull(buf + 8, NULL, 10);
	out->seq = strtoull(buf + 29, NULL, 10);
}

int span__expired_write(const struct span__dir *d, int fd,
			const struct span__expired *e, struct span_error *err)
{
	const struct span__io *io = d->io;
	char buf[EXPIRED_LINE + 1];
	int len = snprintf(buf, sizeof(buf),
			   "expired %020" PRIu64 " %020" PRIu64 " ", e->number,
			   e->seq);

	snprintf(buf + len, sizeof(buf) - (size_t)len, "%08x\n",
		 span__crc32c(0, buf, (size_t)len));
	if (span__io_pwrite_all(io, fd, buf, EXPIRED_LINE, 0, NULL) < 0 ||
	    io->fdatasync(io->self, fd) < 0)
		return span_error_set(err, SPAN_E_IO, "MAINT: cannot write");
	return 0;
}
