/* SPDX-License-Identifier: Apache-2.0 */
/*
 * watched-disk.h - a simulated disk whose calls are looked at on their way, and
 * counted when the store has promised not to make them
 */
#ifndef WATCHED_DISK_H
#define WATCHED_DISK_H

#include <errno.h>
#include <fcntl.h>
#include <time.h>

#include "seal-model.h"

#define NS UINT64_C(1000000000)
#define FDS 512

struct watch {
	struct span__io io;
	struct simdisk *disk;
	const struct span__io *to;
	struct open_file {
		char name[64];
		bool torn;     /* the last write was not whole */
		bool unsynced; /* since WRITTEN_NS */
		bool failed;   /* a sync did */
		uint64_t written_ns;
	} fds[FDS];
	bool fail_syncs;
	/* wrong ones */
	unsigned changes, late_syncs, maps, writes_by_reader, odd_unlinks;
	/* all of them */
	unsigned log_writes, locks, unlinks, cuts_back;
	bool reading, renamed; /* RENAMED: no sync of the directory since */
	uint64_t longest_ns, closed_bytes;
};

static struct watch w;
static struct span_error err;

static inline void must(bool good)
{
	if (good)
		return;
	diag("%s", err.msg);
	abort();
}

static inline bool ends(const char *name, const char *suffix)
{
	size_t n = strlen(name), k = strlen(suffix);

	return n >= k && !strcmp(name + n - k, suffix);
}

static inline bool is_closed(const char *name)
{
	return ends(name, ".log") || ends(name, ".seg") || ends(name, ".bad");
}

static inline struct open_file *file(int fd)
{
	must(fd >= 0 && fd < FDS);
	return &w.fds[fd];
}

static inline uint64_t now(void)
{
	return w.to->clock(w.to->self, CLOCK_MONOTONIC);
}

/* ---- the calls ---- */

static inline int watch_open(void *self, int dirfd, const char *name, int flags,
			     mode_t mode)
{
	int fd = w.to->open(w.to->self, dirfd, name, flags, mode);

	(void)self;
	w.writes_by_reader += w.reading && (flags & O_ACCMODE) != O_RDONLY;
	if (fd < 0)
		return fd;
	*file(fd) = (struct open_file){.torn = false};
	snprintf(file(fd)->name, sizeof(file(fd)->name), "%s", name);
	return fd;
}

static inline ssize_t watch_pread(void *self, int fd, void *p, size_t len,
				  uint64_t pos)
{
	ssize_t n = w.to->pread(w.to->self, fd, p, len, pos);

	(void)self;
	if (n > 0 && is_closed(file(fd)->name))
		w.closed_bytes += (uint64_t)n;
	return n;
}

static inline ssize_t watch_pwrite(void *self, int fd, const void *p,
				   size_t len, uint64_t pos)
{
	struct open_file *f = file(fd);
	struct span__io_stat st;
	ssize_t n;

	(void)self;
	must(w.to->fstat(w.to->self, fd, &st) == 0);
	w.writes_by_reader += w.reading;
	w.changes += is_closed(f->name) ||
		     (ends(f->name, ".open") && (pos < st.size || f->torn));
	n = w.to->pwrite(w.to->self, fd, p, len, pos);
	if (!ends(f->name, ".open"))
		return n;
	w.log_writes++;
	f->torn = n < 0 || (size_t)n < len;
	if (!f->unsynced)
		f->written_ns = now();
	f->unsynced = true;
	return n;
}

static inline int watch_ftruncate(void *self, int fd, uint64_t size)
{
	struct open_file *f = file(fd);

	(void)self;
	w.writes_by_reader += w.reading;
	w.changes += is_closed(f->name) || (ends(f->name, ".open") && !f->torn);
	w.cuts_back += f->torn;
	f->torn = false;
	return w.to->ftruncate(w.to->self, fd, size);
}

static inline bool sync_fails(struct open_file *f)
{
	w.late_syncs += f->failed;
	f->failed = w.fail_syncs;
	errno = EIO;
	return w.fail_syncs;
}

static inline int watch_fdatasync(void *self, int fd)
{
	struct open_file *f = file(fd);

	(void)self;
	if (sync_fails(f))
		return -1;
	if (f->unsynced && now() - f->written_ns > w.longest_ns)
		w.longest_ns = now() - f->written_ns;
	f->unsynced = false;
	return w.to->fdatasync(w.to->self, fd);
}

static inline int watch_fsync(void *self, int fd)
{
	(void)self;
	if (sync_fails(file(fd)))
		return -1;
	w.renamed = false;
	return w.to->fsync(w.to->self, fd);
}

static inline void *watch_map(void *self, int fd, size_t len)
{
	const char *name = file(fd)->name;

	(void)self;
	w.maps += !ends(name, ".seg") && !ends(name, ".tmp");
	return w.to->map(w.to->self, fd, len);
}

static inline int watch_rename(void *self, int dirfd, const char *from,
			       const char *to)
{
	(void)self;
	w.writes_by_reader += w.reading;
	w.renamed |= ends(to, ".del");
	return w.to->rename(w.to->self, dirfd, from, to);
}

static inline int watch_unlink(void *self, int dirfd, const char *name)
{
	(void)self;
	w.writes_by_reader += w.reading;
	w.unlinks++;
	w.odd_unlinks += !ends(name, ".del") || w.renamed;
	return w.to->unlink(w.to->self, dirfd, name);
}

static inline int watch_mkdir(void *self, int dirfd, const char *name,
			      mode_t mode)
{
	(void)self;
	w.writes_by_reader += w.reading;
	return w.to->mkdir(w.to->self, dirfd, name, mode);
}

static inline int watch_flock(void *self, int fd)
{
	(void)self;
	w.locks++;
	return w.to->flock(w.to->self, fd);
}

static inline void watch(struct simdisk *disk)
{
	w = (struct watch){.disk = disk, .to = simdisk_io(disk)};
	w.io = *w.to;
	w.io.open = watch_open;
	w.io.pread = watch_pread;
	w.io.pwrite = watch_pwrite;
	w.io.ftruncate = watch_ftruncate;
	w.io.fdatasync = watch_fdatasync;
	w.io.fsync = watch_fsync;
	w.io.map = watch_map;
	w.io.rename = watch_rename;
	w.io.unlink = watch_unlink;
	w.io.mkdir = watch_mkdir;
	w.io.flock = watch_flock;
}

#endif
