/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gzip and zstd files as input: a thread inflates into a pipe, and the command
 * reads the pipe as it would read the file.
 *
 * When the file is damaged or ends early the pipe just ends, which could look
 * like a clean end. The thread therefore leaves its error behind, and the
 * command fails with it however well the rest went. A reader that has enough
 * closes its end: that is no error, and the thread notices without having to
 * write, so that it never outlives its reader.
 */
#include "config.h"

#include "cmd_private.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#ifdef HAVE_ZSTD
#include <zstd.h>
#endif

#include "base/banned.h"

#define CHUNK 65536

struct gzip {
	struct gzip *next;
	const char *name;
	int in, out, reader;
	pthread_t thread;
	enum cmd__packed packed;
	z_stream z; /* of zstd where the input is, too */
#ifdef HAVE_ZSTD
	ZSTD_DCtx *zstd;
#endif
	uint64_t pos;	       /* in the file */
	struct span_error err; /* the thread's, until DONE */
	atomic_bool done;      /* set before the pipe is closed */
	unsigned char from[CHUNK], to[CHUNK];
};

static struct gzip *all;
static struct span_error first_error;

/* 1 when there is something to read, 0 when nobody wants it. */
static int wait_for_input(struct gzip *g)
{
	struct pollfd p[2] = {{.fd = g->in, .events = POLLIN},
			      {.fd = g->out, .events = 0}};

	while (poll(p, 2, -1) < 0)
		if (errno != EINTR && errno != EAGAIN)
			break;
	return !(p[1].revents & POLLERR);
}

/* Read what follows in the file: 1, 0 at its end, or negative. */
static int fill(struct gzip *g)
{
	ssize_t n;

	if (!wait_for_input(g))
		return SPAN_E_PIPE;
	do {
		n = read(g->in, g->from, CHUNK);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return span_error_set(&g->err, SPAN_E_IO, "cannot read %s",
				      g->name);
	g->z.next_in = g->from;
	g->z.avail_in = (uInt)n;
	g->pos += (uint64_t)n;
	return n > 0;
}

/* Inflate what was read. 1: a member has ended, 0: more is needed. */
static int inflate_some(struct gzip *g)
{
	int z, rc;

	do {
		g->z.next_out = g->to;
		g->z.avail_out = CHUNK;
		z = inflate(&g->z, Z_NO_FLUSH);
		if (z == Z_MEM_ERROR)
			return span_error_set(&g->err, SPAN_E_NOMEM,
					      "memory is out");
		if (z != Z_OK && z != Z_STREAM_END && z != Z_BUF_ERROR)
			return span_error_at(
				&g->err, SPAN_E_CORRUPT, g->pos - g->z.avail_in,
				"%s: damaged gzip data near byte %llu", g->name,
				(unsigned long long)(g->pos - g->z.avail_in));
		rc = span_write_all(g->out, g->to, CHUNK - g->z.avail_out,
				    &g->err);
		if (rc < 0)
			return rc;
	} while (z != Z_STREAM_END && !g->z.avail_out);
	return z == Z_STREAM_END;
}

/*
 * Members may follow each other, with zero bytes after the last one, as
 * gzip(1) has it.
 */
static int inflate_all(struct gzip *g)
{
	bool inside = true;
	int rc;

	for (;;) {
		if (!g->z.avail_in) {
			rc = fill(g);
			if (rc < 0 || (!rc && !inside))
				return rc;
			if (!rc)
				return span_error_at(
					&g->err, SPAN_E_TRUNCATED, g->pos,
					"%s: the gzip data ends "
					"early, at byte %llu",
					g->name, (unsigned long long)g->pos);
		}
		if (!inside) {
			while (g->z.avail_in && !*g->z.next_in) {
				g->z.next_in++;
				g->z.avail_in--;
			}
			if (!g->z.avail_in)
				continue;
			inflateReset(&g->z);
			inside = true;
		}
		rc = inflate_some(g);
		if (rc < 0)
			return rc;
		inside = !rc;
	}
}

#ifdef HAVE_ZSTD
/* The window that zstd -d takes too; more is for who asks for it. */
#define WINDOW_LOG 27

/* Frames may follow each other, and ones to be passed over between them. */
static int zstd_all(struct gzip *g)
{
	size_t left = 0;
	int rc = 1;

	while ((rc = fill(g)) > 0) {
		ZSTD_inBuffer in = {g->from, g->z.avail_in, 0};
		bool full = false;

		while (in.pos < in.size || (full && left)) {
			ZSTD_outBuffer out = {g->to, CHUNK, 0};

			left = ZSTD_decompressStream(g->zstd, &out, &in);
			if (ZSTD_isError(left))
				return span_error_at(
					&g->err, SPAN_E_CORRUPT, g->pos,
					"%s: damaged zstd data near byte %llu",
					g->name, (unsigned long long)g->pos);
			rc = span_write_all(g->out, g->to, out.pos, &g->err);
			if (rc < 0)
				return rc;
			full = out.pos == out.size;
		}
	}
	if (rc == 0 && left)
		return span_error_at(
			&g->err, SPAN_E_TRUNCATED, g->pos,
			"%s: the zstd data ends early, at byte %llu", g->name,
			(unsigned long long)g->pos);
	return rc;
}

static bool zstd_open(struct gzip *g)
{
	g->zstd = ZSTD_createDCtx();
	if (!g->zstd)
		return false;
	ZSTD_DCtx_setParameter(g->zstd, ZSTD_d_windowLogMax, WINDOW_LOG);
	return true;
}

static void zstd_close(struct gzip *g)
{
	ZSTD_freeDCtx(g->zstd);
}
#else
static int zstd_all(struct gzip *g)
{
	(void)g;
	return 0;
}

static bool zstd_open(struct gzip *g)
{
	(void)g;
	return false;
}

static void zstd_close(struct gzip *g)
{
	(void)g;
}
#endif

static bool open_unpacker(struct gzip *g)
{
	return g->packed == CMD__ZSTD ? zstd_open(g)
				      : inflateInit2(&g->z, 15 + 16) == Z_OK;
}

static void close_unpacker(struct gzip *g)
{
	if (g->packed == CMD__ZSTD)
		zstd_close(g);
	else
		inflateEnd(&g->z);
}

static void *run(void *arg)
{
	struct gzip *g = arg;
	int rc = g->packed == CMD__ZSTD ? zstd_all(g) : inflate_all(g);

	if (rc == SPAN_E_PIPE)
		g->err.code = 0;
	atomic_store(&g->done, true);
	close(g->out);
	return NULL;
}

static void release(struct gzip *g)
{
	close_unpacker(g);
	if (g->in > STDERR_FILENO)
		close(g->in);
	free(g);
}

int cmd__gzip_open(int *fd, enum cmd__packed packed, const char *name,
		   struct span_error *err)
{
	struct gzip *g;
	sigset_t every, before;
	int ends[2], rc;

#ifndef HAVE_ZSTD
	if (packed == CMD__ZSTD)
		return span_error_set(err, SPAN_E_INVALID,
				      "%s is compressed with zstd, which this "
				      "build does not read",
				      name);
#endif
	g = calloc(1, sizeof(*g));
	if (g)
		g->packed = packed;
	if (!g || !open_unpacker(g)) {
		free(g);
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	}
	if (pipe2(ends, O_CLOEXEC) < 0) {
		close_unpacker(g);
		free(g);
		return span_error_set(err, SPAN_E_IO, "cannot make a pipe");
	}
	g->name = name;
	g->in = *fd;
	g->reader = ends[0];
	g->out = ends[1];
	/* Signals are for the thread that looks at cmd_stopped. */
	sigfillset(&every);
	pthread_sigmask(SIG_SETMASK, &every, &before);
	rc = pthread_create(&g->thread, NULL, run, g);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (rc) {
		close(ends[0]);
		close(ends[1]);
		close_unpacker(g);
		free(g);
		errno = rc;
		return span_error_set(err, SPAN_E_IO, "cannot start a thread");
	}
	g->next = all;
	all = g;
	*fd = ends[0];
	return 0;
}

bool cmd__gzip_close(int fd)
{
	struct gzip **at = &all, *g;

	while (*at && (*at)->reader != fd)
		at = &(*at)->next;
	g = *at;
	if (!g)
		return false;
	*at = g->next;
	close(fd);
	pthread_join(g->thread, NULL);
	if (g->err.code && !first_error.code)
		first_error = g->err;
	release(g);
	return true;
}

int cmd_input_check(struct span_error *err)
{
	for (struct gzip *g = all; g && !first_error.code; g = g->next)
		if (atomic_load(&g->done) && g->err.code)
			first_error = g->err;
	if (first_error.code && err)
		*err = first_error;
	return first_error.code;
}

int cmd__gzip_finish(struct span_error *err)
{
	while (all)
		cmd__gzip_close(all->reader);
	return cmd_input_check(err);
}
