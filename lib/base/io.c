/* SPDX-License-Identifier: Apache-2.0 */
#include "base/io.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "base/banned.h"

#define NS 1000000000ull

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22 /* of Linux 5.14; unknown before: EINVAL */
#endif

static int sys_open(void *self, int dirfd, const char *name, int flags,
		    mode_t mode)
{
	(void)self;
	return openat(dirfd, name, flags | O_CLOEXEC | O_NOCTTY, mode);
}

static int sys_close(void *self, int fd)
{
	(void)self;
	return close(fd);
}

static ssize_t sys_pread(void *self, int fd, void *p, size_t len, uint64_t pos)
{
	(void)self;
	return pread(fd, p, len, (off_t)pos);
}

static ssize_t sys_pwrite(void *self, int fd, const void *p, size_t len,
			  uint64_t pos)
{
	(void)self;
	return pwrite(fd, p, len, (off_t)pos);
}

static int sys_ftruncate(void *self, int fd, uint64_t size)
{
	(void)self;
	return ftruncate(fd, (off_t)size);
}

static int sys_fdatasync(void *self, int fd)
{
	(void)self;
	return fdatasync(fd);
}

static int sys_fsync(void *self, int fd)
{
	(void)self;
	return fsync(fd);
}

static int sys_fstat(void *self, int fd, struct span__io_stat *out)
{
	struct stat st;

	(void)self;
	if (fstat(fd, &st) < 0)
		return -1;
	out->size = (uint64_t)st.st_size;
	out->mtime_ns =
		(uint64_t)st.st_mtim.tv_sec * NS + (uint64_t)st.st_mtim.tv_nsec;
	out->mode = st.st_mode & 07777;
	return 0;
}

static void *sys_map(void *self, int fd, size_t len)
{
	void *p = mmap(NULL, len, PROT_READ, MAP_SHARED, fd, 0);

	(void)self;
	return p == MAP_FAILED ? NULL : p;
}

static void sys_unmap(void *self, void *p, size_t len)
{
	(void)self;
	munmap(p, len);
}

static int sys_touch(void *self, const void *p, size_t len)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	uintptr_t from = (uintptr_t)p & ~(page - 1);

	(void)self;
	if (!madvise((void *)from, (uintptr_t)p + len - from,
		     MADV_POPULATE_READ))
		return 0;
	return errno == EFAULT || errno == EHWPOISON ? -1 : 0;
}

static int sys_mkdir(void *self, int dirfd, const char *name, mode_t mode)
{
	(void)self;
	return mkdirat(dirfd, name, mode);
}

static int sys_rename(void *self, int dirfd, const char *from, const char *to)
{
	(void)self;
	return renameat(dirfd, from, dirfd, to);
}

static int sys_unlink(void *self, int dirfd, const char *name)
{
	(void)self;
	return unlinkat(dirfd, name, 0);
}

/* A directory stream of its own: DIRFD's position is not touched. */
static int sys_list(void *self, int dirfd, span__io_name_fn *fn, void *arg)
{
	int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dirent *entry;
	int rc = 0;
	DIR *dir;

	(void)self;
	if (fd < 0)
		return -1;
	dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return -1;
	}
	while (errno = 0, (entry = readdir(dir))) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		rc = fn(arg, entry->d_name);
		if (rc < 0)
			break;
	}
	if (!entry && errno)
		rc = -1;
	closedir(dir);
	return rc;
}

static int sys_flock(void *self, int fd)
{
	(void)self;
	return flock(fd, LOCK_EX | LOCK_NB);
}

/*
 * The first byte of the file is locked for reading, which many can at once; it
 * has nothing to do with flock(2).
 */
static int sys_want(void *self, int fd, bool on)
{
	struct flock l = {
		.l_type = on ? F_RDLCK : F_UNLCK,
		.l_whence = SEEK_SET,
		.l_len = 1,
	};

	(void)self;
	return fcntl(fd, F_OFD_SETLK, &l);
}

static int sys_wanted(void *self, int fd)
{
	struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1};

	(void)self;
	if (fcntl(fd, F_OFD_GETLK, &l) < 0)
		return -1;
	return l.l_type != F_UNLCK;
}

static void sys_pause(void *self, uint64_t ns)
{
	const struct timespec t = {
		.tv_sec = (time_t)(ns / 1000000000u),
		.tv_nsec = (long)(ns % 1000000000u),
	};

	(void)self;
	(void)nanosleep(&t, NULL);
}

static int sys_space(void *self, int fd, uint64_t *bytes)
{
	struct statvfs vfs;

	(void)self;
	if (fstatvfs(fd, &vfs) < 0)
		return -1;
	*bytes = (uint64_t)vfs.f_bavail * vfs.f_frsize;
	return 0;
}

/* Numbers that <linux/magic.h> of Debian 12 lacks: statfs(2). */
#define CIFS_MAGIC 0xff534d42u
#define SMB2_MAGIC 0xfe534d42u
#define NINEP_MAGIC 0x01021997u

static const char *sys_remote(void *self, int fd)
{
	struct statfs fs;

	(void)self;
	if (fstatfs(fd, &fs) < 0)
		return NULL;
	switch ((uint32_t)fs.f_type) {
	case NFS_SUPER_MAGIC:
		return "NFS";
	case CIFS_MAGIC:
	case SMB2_MAGIC:
	case SMB_SUPER_MAGIC:
		return "CIFS";
	case FUSE_SUPER_MAGIC:
		return "FUSE";
	case NINEP_MAGIC:
		return "9P";
	default:
		return NULL;
	}
}

static uint64_t sys_clock(void *self, int id)
{
	struct timespec ts;

	(void)self;
	if (clock_gettime(id, &ts) < 0 || ts.tv_sec < 0)
		return 0;
	return (uint64_t)ts.tv_sec * NS + (uint64_t)ts.tv_nsec;
}

static int sys_random(void *self, void *p, size_t len)
{
	(void)self;
	return getrandom(p, len, 0) == (ssize_t)len ? 0 : -1;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* A UUID in text; what is not one reads as zero, which means unknown. */
static void sys_boot_id(void *self, uint8_t out[16])
{
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	char text[36] = {0};
	size_t n = 0;

	(void)self;
	memset(out, 0, 16);
	if (fd < 0)
		return;
	if (read(fd, text, sizeof(text)) != (ssize_t)sizeof(text))
		memset(text, 0, sizeof(text));
	close(fd);
	for (size_t i = 0; i + 1 < sizeof(text) && n < 16; i++) {
		int high = hex_digit(text[i]), low = hex_digit(text[i + 1]);

		if (high < 0 || low < 0)
			continue;
		out[n++] = (uint8_t)(high << 4 | low);
		i++;
	}
	if (n < 16)
		memset(out, 0, 16);
}

const struct span__io span__io_system = {
	.open = sys_open,
	.close = sys_close,
	.pread = sys_pread,
	.pwrite = sys_pwrite,
	.ftruncate = sys_ftruncate,
	.fdatasync = sys_fdatasync,
	.fsync = sys_fsync,
	.fstat = sys_fstat,
	.map = sys_map,
	.unmap = sys_unmap,
	.touch = sys_touch,
	.mkdir = sys_mkdir,
	.rename = sys_rename,
	.unlink = sys_unlink,
	.list = sys_list,
	.flock = sys_flock,
	.want = sys_want,
	.wanted = sys_wanted,
	.pause = sys_pause,
	.space = sys_space,
	.remote = sys_remote,
	.clock = sys_clock,
	.random = sys_random,
	.boot_id = sys_boot_id,
};

int span__io_pread_all(const struct span__io *io, int fd, void *p, size_t len,
		       uint64_t pos)
{
	char *to = p;

	while (len) {
		ssize_t n = io->pread(io->self, fd, to, len, pos);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (!n) {
			errno = EIO;
			return -1;
		}
		to += n;
		pos += (uint64_t)n;
		len -= (size_t)n;
	}
	return 0;
}

int span__io_pwrite_all(const struct span__io *io, int fd, const void *p,
			size_t len, uint64_t pos, size_t *done)
{
	const char *from = p;
	size_t at = 0;

	while (at < len) {
		ssize_t n =
			io->pwrite(io->self, fd, from + at, len - at, pos + at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			if (!n)
				errno = EIO;
			break;
		}
		at += (size_t)n;
	}
	if (done)
		*done = at;
	return at == len ? 0 : -1;
}
