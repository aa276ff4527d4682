/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/banned.h"

#define LINE_MAX_BYTES ((size_t)1 << 20)

/* Hand over the whole lines in BUF, of N bytes: how many were taken. */
static int take_lines(const char *buf, size_t n, size_t *taken, cmd_line_fn *fn,
		      void *arg, struct span_error *err)
{
	int rc = 0;

	*taken = 0;
	while (rc >= 0 && *taken < n) {
		const char *p = buf + *taken;
		const char *end = memchr(p, '\n', n - *taken);
		size_t len;

		if (!end && n - *taken < LINE_MAX_BYTES)
			break;
		len = end ? (size_t)(end - p) : n - *taken;
		*taken += len + (end != NULL);
		if (len && p[len - 1] == '\r')
			len--;
		rc = fn(arg, (struct span_str){p, len}, err);
	}
	return rc;
}

static int read_lines(int fd, const char *name, char *buf, cmd_line_fn *fn,
		      int (*wait)(struct span_error *err), void *arg,
		      struct span_error *err)
{
	size_t n = 0, taken;
	ssize_t got = 1;
	int rc = 0;

	while (rc >= 0 && got) {
		if (wait && (rc = wait(err)) < 0)
			break;
		got = read(fd, buf + n, LINE_MAX_BYTES - n);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return span_error_set(err, SPAN_E_IO, "cannot read %s",
					      name);
		n += (size_t)got;
		rc = take_lines(buf, n, &taken, fn, arg, err);
		n -= taken;
		memmove(buf, buf + taken, n);
	}
	if (rc >= 0 && n)
		rc = fn(arg, (struct span_str){buf, n}, err);
	return rc < 0 ? rc : 0;
}

int cmd_input_lines(const char *name, cmd_line_fn *fn,
		    int (*wait)(struct span_error *err), void *arg,
		    struct span_error *err)
{
	char *buf = malloc(LINE_MAX_BYTES);
	int fd, rc;

	if (!buf)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	rc = cmd_input_open(&fd, name, err);
	if (rc >= 0) {
		rc = read_lines(fd, name, buf, fn, wait, arg, err);
		cmd_input_close(&fd);
	}
	if (rc >= 0)
		rc = cmd_input_check(err);
	free(buf);
	return rc;
}
