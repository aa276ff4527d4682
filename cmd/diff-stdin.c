/* SPDX-License-Identifier: Apache-2.0 */
#include "diff-stdin.h"

#include "cmd_source.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/banned.h"

static off_t start;

/* A file that is gone when it is closed. */
static int open_temporary(char path[4096], struct span_error *err)
{
	const char *dir = getenv("TMPDIR");
	int fd;

	snprintf(path, 4096, "%s/trace-diff-XXXXXX",
		 dir && *dir ? dir : "/tmp");
	fd = mkstemp(path);
	if (fd < 0)
		return span_error_set(err, SPAN_E_IO, "cannot create %s", path);
	unlink(path);
	return fd;
}

/* All that is still to come. */
static int copy(int to, const char *path, struct span_error *err)
{
	static char part[1u << 16];
	ssize_t n;
	int rc = 0;

	while (rc >= 0 && (n = read(STDIN_FILENO, part, sizeof(part))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return span_error_set(err, SPAN_E_IO,
					      "cannot read standard input");
		rc = span_write_all(to, part, (size_t)n, err);
	}
	if (rc == SPAN_E_IO)
		rc = span_error_set(err, rc, "cannot write %s", path);
	return rc;
}

static int keep(struct span_error *err)
{
	char path[4096];
	struct stat st;
	int fd, rc;

	if (!fstat(STDIN_FILENO, &st) && S_ISREG(st.st_mode)) {
		start = lseek(STDIN_FILENO, 0, SEEK_CUR);
		return 0;
	}
	if (isatty(STDIN_FILENO))
		return span_error_set(err, SPAN_E_INVALID,
				      "standard input is a terminal: name a "
				      "FILE, or use a pipe");
	cmd_signals_drain(STDIN_FILENO);
	fd = open_temporary(path, err);
	if (fd < 0)
		return fd;
	rc = copy(fd, path, err);
	if (rc >= 0 && dup2(fd, STDIN_FILENO) < 0)
		rc = span_error_set(err, SPAN_E_IO, "cannot read %s", path);
	close(fd);
	return rc < 0 ? rc : 0;
}

int diff_stdin_keep(int argc, char **argv, struct span_error *err)
{
	struct stat st;

	for (int i = 0; i < argc; i++)
		if (strcmp(argv[i], "-") && !stat(argv[i], &st) &&
		    S_ISFIFO(st.st_mode))
			return span_error_set(err, SPAN_E_INVALID,
					      "%s is a pipe, which cannot be "
					      "read twice: give it as standard "
					      "input",
					      argv[i]);
	return cmd_source_reads_stdin(argc, argv) ? keep(err) : 0;
}

int diff_stdin_rewind(int argc, char **argv, struct span_error *err)
{
	if (cmd_source_reads_stdin(argc, argv) &&
	    lseek(STDIN_FILENO, start, SEEK_SET) < 0)
		return span_error_set(err, SPAN_E_IO,
				      "cannot read standard input again");
	return 0;
}
