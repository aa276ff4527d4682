/* SPDX-License-Identifier: Apache-2.0 */
/*
 * simdisk_state.h - a simulated disk from the inside
 *
 * A file has its content as a process sees it (CACHE) and as the last sync
 * left it on the disk (DISK), and the writes and cuts between the two. A
 * directory has the same for names. Memory that is out aborts.
 */
#ifndef SIMDISK_STATE_H
#define SIMDISK_STATE_H

#include "simdisk.h"

#define NAME_LEN 64
#define MAX_NAMES 128
#define MAX_FDS 256
#define SECTOR 512u

struct sim_bytes {
	uint8_t *p;
	size_t len, cap;
};

struct sim_op {
	uint64_t pos;
	size_t len; /* of the write; a cut to POS when it is 0 */
	uint8_t *p;
};

struct sim_file {
	struct sim_bytes cache, disk;
	struct sim_op *ops;
	size_t n_ops, cap_ops;
	size_t refs; /* names, pending names and descriptors */
	int locked;  /* by this descriptor; -1: not */
	int wanted;  /* likewise */
};

struct sim_entry {
	char name[NAME_LEN];
	struct sim_file *file;
	uint64_t born; /* the order of a listing */
};

struct sim_names {
	struct sim_entry v[MAX_NAMES];
	size_t n;
	uint64_t born;
};

/* A name that was set (FILE) or removed, after the last sync. */
struct sim_name_op {
	char name[NAME_LEN], removed[NAME_LEN]; /* "": none */
	struct sim_file *file;
};

struct sim_dir {
	bool made, synced; /* it is there; its name is on the disk */
	struct sim_names cache, disk;
	struct sim_name_op *ops;
	size_t n_ops, cap_ops;
};

struct sim_fd {
	enum { FREE, ROOT, STORE, FILE_FD } kind;
	struct sim_file *file;
	struct sim_dir *dir; /* STORE */
};

#define SIM_DIRS 2 /* "store", "other" */

struct simdisk {
	struct span__io io;
	struct sim_dir dirs[SIM_DIRS];
	struct sim_fd fds[MAX_FDS];
	uint64_t calls, fail_at, kill_at, call_at;
	int fail_sys;
	bool dead, sync_failed;
	void (*call)(void *);
	void *call_arg;
	uint64_t capacity, realtime, mono, boot, drawn;
	const char *remote;
};

/* "store" or "other", NULL for another name. */
struct sim_dir *simdisk__dir(struct simdisk *d, const char *name);

/* The calls, without self. */
extern const struct span__io simdisk__calls;

void *simdisk__must(void *p);
void simdisk__resize(struct sim_bytes *b, size_t len);
void simdisk__write_at(struct sim_bytes *b, const void *p, size_t len,
		       uint64_t pos);
void simdisk__apply_op(struct sim_bytes *b, const struct sim_op *op);
void simdisk__clear_ops(struct sim_file *f);
void simdisk__unref(struct sim_file *f);
struct sim_file *simdisk__new_file(void);
struct sim_entry *simdisk__find_name(struct sim_names *n, const char *name);
void simdisk__remove_name(struct sim_names *n, const char *name);
void simdisk__set_name(struct sim_names *n, const char *name,
		       struct sim_file *f);
void simdisk__add_name_op(struct sim_dir *d, const char *name,
			  struct sim_file *f, const char *removed);
void simdisk__apply_name(struct sim_names *n, const struct sim_name_op *op);
void simdisk__sync_names(struct sim_dir *d, bool keep);
void simdisk__clear_names(struct sim_names *n);

#endif
