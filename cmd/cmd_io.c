/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where input comes from and output goes.
 *
 * --output FILE is written beside FILE and renamed over it at the end, so
 * that a reader never sees half of it and a command may write to the file it
 * reads. What is no regular file (a FIFO, /dev/null) is written in place.
 */
#include "cmd_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/banned.h"

static struct {
	const char *path;
	bool force;
	char *temp; /* being written, on the heap */
	int fd;
} output = {.fd = -1};

const struct cmd_option cmd_output_options[] = {
	{CMD_STRING, 0, "output", &output.path, "FILE",
	 "write to FILE instead of standard output", NULL},
	{CMD_FLAG, 0, "force", &output.force, NULL,
	 "write binary data to a terminal too", NULL},
	{CMD_END, 0, NULL, NULL, NULL, NULL, NULL},
};

static bool output_is_file(void)
{
	return output.path && strcmp(output.path, "-");
}

int cmd__temp_open(int *fd, char **temp, const char *path, int flags,
		   struct span_error *err)
{
	size_t len = strlen(path) + 32;
	bool exists;
	struct stat st;
	char *name;

	exists = !stat(path, &st);
	if (exists && !S_ISREG(st.st_mode)) {
		*temp = NULL;
		*fd = open(path, O_WRONLY | O_CLOEXEC | flags);
		if (*fd < 0)
			return span_error_set(err, SPAN_E_IO, "cannot open %s",
					      path);
		return 0;
	}
	name = malloc(len);
	if (!name)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	snprintf(name, len, "%s.%ld.tmp", path, (long)getpid());
	*fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
		   0666);
	if (*fd < 0) {
		span_error_set(err, SPAN_E_IO, "cannot create %s", name);
		free(name);
		return SPAN_E_IO;
	}
	if (exists && fchmod(*fd, st.st_mode & 0777) < 0) {
		span_error_set(err, SPAN_E_IO, "cannot set the mode of %s",
			       name);
		close(*fd);
		unlink(name);
		free(name);
		return SPAN_E_IO;
	}
	*temp = name;
	return 0;
}

static int open_file(struct span_error *err)
{
	/* A symbolic link stays one: its target is replaced. */
	char *real = realpath(output.path, NULL);
	int rc;

	if (real)
		output.path = real;
	rc = cmd__temp_open(&output.fd, &output.temp, output.path, 0, err);
	if (rc < 0)
		free(real);
	else
		cmd__remove_on_signal(output.temp);
	return rc;
}

int cmd_output_open(int *fd, bool binary, struct span_error *err)
{
	int rc;

	if (output_is_file() && output.fd < 0) {
		rc = open_file(err);
		if (rc < 0)
			return rc;
	}
	*fd = output.fd < 0 ? STDOUT_FILENO : output.fd;
	if (binary && !output.force && isatty(*fd))
		return span_error_set(err, SPAN_E_INVALID,
				      "this is no output for a terminal: use a "
				      "pipe, --output FILE, or --force");
	return 0;
}

int cmd_output_close(int fd, struct span_error *err)
{
	char *temp = output.temp;
	int rc;

	if (fd == STDOUT_FILENO)
		return cmd__flush_stdout(err);
	/* What was read was not all: keep the old file. */
	rc = cmd_input_check(err);
	if (rc < 0)
		return rc;
	output.temp = NULL;
	output.fd = -1;
	if (close(fd) < 0)
		rc = span_error_set(err, SPAN_E_IO, "cannot write %s",
				    output.path);
	else if (temp && rename(temp, output.path) < 0)
		rc = span_error_set(err, SPAN_E_IO, "cannot replace %s",
				    output.path);
	if (rc < 0 && temp)
		unlink(temp);
	cmd__remove_on_signal(NULL);
	free(temp);
	return rc;
}

void cmd__output_abandon(void)
{
	if (output.temp)
		unlink(output.temp);
	cmd__remove_on_signal(NULL);
	free(output.temp);
	output.temp = NULL;
}

static int output_fd(void)
{
	if (output.fd >= 0)
		return output.fd;
	return output_is_file() ? -1 : STDOUT_FILENO;
}

const char *cmd_output_path(void)
{
	return output.path;
}

bool cmd_output_is_terminal(void)
{
	return output_fd() >= 0 && isatty(output_fd());
}

size_t cmd_output_columns(void)
{
	const char *env = getenv("COLUMNS");
	struct winsize size;
	uint64_t n;

	if (output_fd() >= 0 && !ioctl(output_fd(), TIOCGWINSZ, &size) &&
	    size.ws_col)
		return size.ws_col;
	if (cmd_output_is_terminal() && env && !cmd_parse_int(env, &n, NULL) &&
	    n >= 20 && n <= 10000)
		return (size_t)n;
	return 80;
}

/*
 * Look at the first bytes of FD without taking them: tee(2) copies them out
 * of a pipe, and waits for the first. Returns how many were seen.
 */
static size_t peek(int fd, const struct stat *st, unsigned char *bytes,
		   size_t len)
{
	ssize_t n = 0;
	int copy[2];

	if (S_ISREG(st->st_mode))
		n = pread(fd, bytes, len, lseek(fd, 0, SEEK_CUR));
	else if (S_ISSOCK(st->st_mode))
		n = recv(fd, bytes, len, MSG_PEEK);
	else if (S_ISFIFO(st->st_mode) && !pipe2(copy, O_CLOEXEC)) {
		do {
			n = tee(fd, copy[1], len, 0);
		} while (n < 0 && errno == EINTR && !cmd_stopped);
		if (n > 0)
			n = read(copy[0], bytes, len);
		close(copy[0]);
		close(copy[1]);
	}
	return n > 0 ? (size_t)n : 0;
}

/*
 * No stream, capture or message that a program here reads from a pipe begins
 * with 0x1f or with '(', so that the first byte is enough when no others are
 * there yet. A file has them all, and a damaged message may have one.
 */
static enum cmd__packed find_packed(int fd, const struct stat *st)
{
	static const unsigned char gzip[] = {0x1f, 0x8b};
	static const unsigned char zstd[] = {0x28, 0xb5, 0x2f, 0xfd};
	unsigned char bytes[4];
	size_t n = peek(fd, st, bytes, sizeof(bytes));

	if (n && !memcmp(bytes, zstd, n) &&
	    (n == sizeof(zstd) || !S_ISREG(st->st_mode)))
		return CMD__ZSTD;
	return n && !memcmp(bytes, gzip, n < 2 ? n : 2) ? CMD__GZIP
							: CMD__PLAIN;
}

static int check_input(int fd, const char *name, struct stat *st,
		       struct span_error *err)
{
	if (fstat(fd, st) < 0)
		return span_error_set(err, SPAN_E_IO, "cannot read %s", name);
	if (S_ISDIR(st->st_mode))
		return span_error_set(err, SPAN_E_INVALID,
				      "%s is a directory (a store is read with "
				      "-s)",
				      name);
	if (isatty(fd))
		return span_error_set(err, SPAN_E_INVALID,
				      "%s is a terminal: name a FILE, or use a "
				      "pipe",
				      name);
	return 0;
}

int cmd_input_open(int *fd, const char *name, struct span_error *err)
{
	bool standard = !strcmp(name, "-");
	enum cmd__packed packed = CMD__PLAIN;
	struct stat st;
	int in, rc;

	if (standard)
		name = "standard input";
	in = standard ? STDIN_FILENO : open(name, O_RDONLY | O_CLOEXEC);
	if (in < 0)
		return span_error_set(err, SPAN_E_IO, "cannot open %s", name);
	rc = check_input(in, name, &st, err);
	/* Looking waits for the first byte: a signal may come before it. */
	if (!rc)
		cmd_signals_drain(in);
	if (!rc)
		packed = find_packed(in, &st);
	if (packed)
		rc = cmd__gzip_open(&in, packed, name, err);
	if (rc < 0 && in != STDIN_FILENO)
		close(in);
	else if (!rc)
		*fd = in;
	return rc;
}

void cmd_input_close(int *fd)
{
	if (*fd > STDERR_FILENO && !cmd__gzip_close(*fd))
		close(*fd);
	*fd = -1;
}
