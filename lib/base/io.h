/* SPDX-License-Identifier: Apache-2.0 */
/*
 * io.h - every call by which the store touches files, clocks and randomness
 *
 * The store never calls the system itself, so that a test can put a simulated
 * disk in its place and fail, shorten, reorder or forget any call.
 *
 * The functions behave as the system calls they are named after: -1 with
 * errno for failure, short counts, EINTR. Names are relative to a directory
 * descriptor and never follow a symbolic link.
 */
#ifndef SPAN_IO_H
#define SPAN_IO_H

#include <span/base.h>

#include <sys/types.h>

struct span__io_stat {
	uint64_t size;
	uint64_t mtime_ns;
	unsigned mode; /* permission bits */
};

/* Called with each name of a directory but . and ..; below 0 ends it. */
typedef int span__io_name_fn(void *arg, const char *name);

struct span__io {
	void *self;
	/* DIRFD AT_FDCWD: relative to the working directory. */
	int (*open)(void *self, int dirfd, const char *name, int flags,
		    mode_t mode);
	int (*close)(void *self, int fd);
	ssize_t (*pread)(void *self, int fd, void *p, size_t len, uint64_t pos);
	ssize_t (*pwrite)(void *self, int fd, const void *p, size_t len,
			  uint64_t pos);
	int (*ftruncate)(void *self, int fd, uint64_t size);
	int (*fdatasync)(void *self, int fd);
	int (*fsync)(void *self, int fd);
	int (*fstat)(void *self, int fd, struct span__io_stat *out);
	/* The first LEN bytes, more than 0, to be read; NULL with errno. */
	void *(*map)(void *self, int fd, size_t len);
	void (*unmap)(void *self, void *p, size_t len);
	/*
	 * Read LEN bytes of a map, at the begin of a page, from the disk: -1
	 * when that fails, where touching them would raise SIGBUS. 0 also
	 * where the system cannot tell.
	 */
	int (*touch)(void *self, const void *p, size_t len);
	int (*mkdir)(void *self, int dirfd, const char *name, mode_t mode);
	int (*rename)(void *self, int dirfd, const char *from, const char *to);
	int (*unlink)(void *self, int dirfd, const char *name);
	int (*list)(void *self, int dirfd, span__io_name_fn *fn, void *arg);
	/* Exclusive and at once: EWOULDBLOCK when somebody has it. */
	int (*flock)(void *self, int fd);
	/* Say, or say no more, that somebody waits for that lock. */
	int (*want)(void *self, int fd, bool on);
	/* 1 when somebody says so of the file by another descriptor; 0; -1. */
	int (*wanted)(void *self, int fd);
	void (*pause)(void *self, uint64_t ns);
	/* Bytes that may still be written to the file system of FD. */
	int (*space)(void *self, int fd, uint64_t *bytes);
	/* What the file system is called when it is not a local one: NULL. */
	const char *(*remote)(void *self, int fd);
	uint64_t (*clock)(void *self, int id); /* clock_gettime(2) in ns */
	int (*random)(void *self, void *p, size_t len);
	void (*boot_id)(void *self, uint8_t out[16]); /* zero: unknown */
};

/* The system itself. */
extern const struct span__io span__io_system;

/* Read or write all of it: 0, or -1 with errno. A short file is EIO. */
int span__io_pread_all(const struct span__io *io, int fd, void *p, size_t len,
		       uint64_t pos);
/* On failure *DONE (or NULL) bytes were written. */
int span__io_pwrite_all(const struct span__io *io, int fd, const void *p,
			size_t len, uint64_t pos, size_t *done);

#endif
