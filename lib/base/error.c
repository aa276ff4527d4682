/* SPDX-License-Identifier: Apache-2.0 */
#include <span/base.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "config.h"

#include "base/banned.h"

struct span_str span_str(const char *s)
{
	return (struct span_str){s, s ? strlen(s) : 0};
}

bool span_str_equal(struct span_str a, struct span_str b)
{
	return a.len == b.len && (!a.len || !memcmp(a.p, b.p, a.len));
}

int span_str_compare(struct span_str a, struct span_str b)
{
	size_t len = a.len < b.len ? a.len : b.len;
	int order = len ? memcmp(a.p, b.p, len) : 0;

	if (order)
		return order;
	return (a.len > b.len) - (a.len < b.len);
}

/*
 * What a message quotes may come from the wire: no control byte may pass to
 * the terminal that will show it.
 */
static void make_printable(char *s)
{
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (c < 0x20 || c >= 0x7f)
			*s = '?';
	}
}

static void set(struct span_error *err, int code, const char *fmt, va_list ap)
{
	int sys = errno;

	if (!err)
		return;
	err->code = code;
	err->sys = code == SPAN_E_IO ? sys : 0;
	vsnprintf(err->msg, sizeof(err->msg), fmt, ap);
	make_printable(err->msg);
}

int span_error_set(struct span_error *err, int code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	set(err, code, fmt, ap);
	va_end(ap);
	return code;
}

int span_error_at(struct span_error *err, int code, uint64_t pos,
		  const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	set(err, code, fmt, ap);
	va_end(ap);
	if (err)
		err->pos = pos;
	return code;
}

int span_write_all(int fd, const void *p, size_t len, struct span_error *err)
{
	const char *next = p;

	while (len) {
		ssize_t n = write(fd, next, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EPIPE)
			return span_error_set(err, SPAN_E_PIPE,
					      "nobody reads the output");
		if (n < 0)
			return span_error_set(err, SPAN_E_IO, "cannot write");
		next += n;
		len -= (size_t)n;
	}
	return 0;
}

const char *span_version(void)
{
	return PACKAGE_VERSION;
}
