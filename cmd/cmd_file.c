/* SPDX-License-Identifier: Apache-2.0 */
/* Small files that are read and replaced as a whole. */
#include "cmd_private.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/banned.h"

#define MAX_FILE (256u << 20)
#define PIECE 65536u

static int read_all(int fd, const char *path, struct span_buf *out,
		    struct span_error *err)
{
	ssize_t n = 1;

	while (n > 0 && out->len <= MAX_FILE) {
		if (!span_buf_reserve(out, PIECE))
			return span_error_set(err, SPAN_E_NOMEM,
					      "memory is out");
		n = read(fd, out->p + out->len, PIECE);
		if (n > 0)
			out->len += (size_t)n;
		else if (n < 0 && errno == EINTR)
			n = 1;
	}
	if (n < 0)
		return span_error_set(err, SPAN_E_IO, "cannot read %s", path);
	if (n)
		return span_error_set(err, SPAN_E_LIMIT, "%s is too large",
				      path);
	return 0;
}

int cmd_file_read(const char *path, struct span_buf *out,
		  struct span_error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), rc;

	if (fd < 0) {
		bool missing = errno == ENOENT;

		span_error_set(err, SPAN_E_IO, "cannot open %s", path);
		return missing ? SPAN_E_NOTFOUND : SPAN_E_IO;
	}
	rc = read_all(fd, path, out, err);
	close(fd);
	return rc;
}

int cmd_file_text(const char *path, struct span_buf *out,
		  struct span_error *err)
{
	int rc = cmd_file_read(path, out, err);

	if (rc < 0)
		return rc;
	span_buf_putc(out, '\0');
	return out->failed ? span_error_set(err, SPAN_E_NOMEM, "out of memory")
			   : 0;
}

int cmd_input_read(const char *name, struct span_buf *out,
		   struct span_error *err)
{
	int fd, rc = cmd_input_open(&fd, name, err);

	if (rc < 0)
		return rc;
	rc = read_all(fd, strcmp(name, "-") ? name : "standard input", out,
		      err);
	if (!rc)
		rc = cmd_input_check(err);
	cmd_input_close(&fd);
	return rc;
}

int cmd_file_lock(const char *path, struct span_error *err)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666), rc;

	if (fd < 0)
		return span_error_set(err, SPAN_E_IO, "cannot open %s", path);
	if (!flock(fd, LOCK_EX | LOCK_NB))
		return 0; /* and left open */
	if (errno == EWOULDBLOCK)
		rc = span_error_set(err, SPAN_E_BUSY,
				    "%s: another process has it", path);
	else
		rc = span_error_set(err, SPAN_E_IO, "cannot lock %s", path);
	close(fd);
	return rc;
}

/* Make the new name of PATH durable. */
static int sync_directory(const char *path)
{
	char *copy = strdup(path);
	int fd = -1, rc = -1;

	if (copy)
		fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0)
		rc = fsync(fd);
	if (fd >= 0)
		close(fd);
	free(copy);
	return rc;
}

int cmd_file_replace(const char *path, const void *p, size_t len,
		     struct span_error *err)
{
	/* A symbolic link stays one: its target is replaced. */
	char *real = realpath(path, NULL), *temp = NULL;
	const char *target = real ? real : path;
	int fd, rc = cmd__temp_open(&fd, &temp, target, 0, err);

	if (rc < 0) {
		free(real);
		return rc;
	}
	cmd__remove_on_signal(temp);
	rc = span_write_all(fd, p, len, err);
	if (!rc && temp && fsync(fd) < 0)
		rc = span_error_set(err, SPAN_E_IO, "cannot write %s", path);
	if (close(fd) < 0 && !rc)
		rc = span_error_set(err, SPAN_E_IO, "cannot write %s", path);
	if (!rc && temp &&
	    (rename(temp, target) < 0 || sync_directory(target) < 0))
		rc = span_error_set(err, SPAN_E_IO, "cannot replace %s", path);
	if (rc < 0 && temp)
		unlink(temp);
	cmd__remove_on_signal(NULL);
	free(temp);
	free(real);
	return rc;
}
