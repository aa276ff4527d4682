/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_dir.h - the directory of a store: names, FORMAT, locks
 */
#ifndef SPAN_STORE_DIR_H
#define SPAN_STORE_DIR_H

#include <span/store.h>

#include "base/io.h"
#include "store/log_format.h"

/* In the order in which a reader prefers them, for one number. */
enum span__file_kind {
	FILE_DRAFT = 0, /* a segment of the log's first frames: draft_fit.h */
	FILE_LOG,
	FILE_OPEN,
	FILE_BAD,
	FILE_NEW, /* a log that recovery writes, under LOCK */
	FILE_DEL,
	FILE_TMP, /* a segment that is being written, under MAINT */
	FILE_SEG,
	FILE_KINDS,
};

/* Only segments, being written or removed as well, can be foreign. */
struct span__file {
	bool foreign; /* its name begins with the UUID of its origin */
	uint8_t uuid[16];
	uint64_t number;
	enum span__file_kind kind;
};

/*
 * Files of the store, foreign ones first, by origin, number, then kind. A
 * zeroed struct is empty.
 */
struct span__listing {
	struct span__file *v;
	size_t n, cap;
	bool strangers; /* there are names that no store has */
};

struct span__dir {
	const struct span__io *io;
	int fd; /* -1: closed */
	bool has_format;
	uint8_t uuid[16];
};

/* "00000012.log" */
void span__file_name(char *out, size_t cap, uint64_t number,
		     enum span__file_kind kind);
/* The same, or "4f3c1a529e0b4c7d8a6152d7e9b0c3f4-00000012.seg". */
void span__file_name_of(char *out, size_t cap, const struct span__file *file);

/* By the order of a listing: below 0, 0 or above. */
int span__file_order(const struct span__file *a, const struct span__file *b);

/*
 * Open the directory PATH, and with CREATE make it where there is none. 0,
 * SPAN_E_NOTFOUND, SPAN_E_INVALID when everybody may write to it, SPAN_E_IO.
 */
SPAN_NODISCARD int span__dir_open(struct span__dir *d,
				  const struct span__io *io, const char *path,
				  bool create, struct span_error *err);
void span__dir_close(struct span__dir *d);

/* Make the names in it durable. */
SPAN_NODISCARD int span__dir_sync(const struct span__dir *d,
				  struct span_error *err);

/* What is there now; L is emptied first. 0, SPAN_E_IO or SPAN_E_NOMEM. */
SPAN_NODISCARD int span__dir_list(const struct span__dir *d,
				  struct span__listing *l,
				  struct span_error *err);
/* Add one file at the end. 0 or SPAN_E_NOMEM. */
SPAN_NODISCARD int span__listing_put(struct span__listing *l,
				     const struct span__file *file,
				     struct span_error *err);
/* Add the files of FROM, and sort. 0 or SPAN_E_NOMEM. */
SPAN_NODISCARD int span__listing_add(struct span__listing *l,
				     const struct span__listing *from,
				     struct span_error *err);
void span__listing_release(struct span__listing *l);
/* A file of this store itself. */
bool span__listing_has(const struct span__listing *l, uint64_t number,
		       enum span__file_kind kind);
/* The highest number of the store itself, 0 when there is none. */
uint64_t span__listing_last(const struct span__listing *l);

/*
 * Read FORMAT. 1; 0 when it is missing or damaged, TEXT (40 bytes) then says
 * which; SPAN_E_FORMAT, SPAN_E_IO.
 */
SPAN_NODISCARD int span__format_read(struct span__dir *d, bool writer,
				     const char **text, struct span_error *err);
/*
 * Write FORMAT again, with the store's UUID from the youngest log in L, else
 * a new one.
 */
SPAN_NODISCARD int span__format_make(struct span__dir *d,
				     const struct span__listing *l,
				     struct span_error *err);
/* The UUID that the youngest log in L names: true when one does. */
bool span__format_guess(struct span__dir *d, const struct span__listing *l);

/*
 * What FORMAT says of retention now, all zero where it says nothing. 0 or
 * SPAN_E_IO.
 */
SPAN_NODISCARD int span__format_policy(const struct span__dir *d,
				       struct span_store_policy *out,
				       struct span_error *err);
/* Write FORMAT again with this policy. MAINT is locked. 0 or SPAN_E_IO. */
SPAN_NODISCARD int span__format_set_policy(struct span__dir *d,
					   const struct span_store_policy *p,
					   struct span_error *err);

/*
 * Take the lock NAME at once: 0 with *FD to be kept open, SPAN_E_BUSY,
 * SPAN_E_IO.
 */
SPAN_NODISCARD int span__dir_lock(const struct span__dir *d, const char *name,
				  int *fd, struct span_error *err);

/*
 * Take MAINT, within WAIT_NS when another one has it: meanwhile it is told that
 * somebody waits. As span__dir_lock().
 */
SPAN_NODISCARD int span__dir_maintain(const struct span__dir *d,
				      uint64_t wait_ns, int *fd,
				      struct span_error *err);
/*
 * Where somebody waits for MAINT, which is locked as *FD: let it have that,
 * and take it back with another *FD when that is done. 1; 0 when nobody waits;
 * SPAN_E_BUSY, with *FD -1, when it is not given back within a minute;
 * SPAN_E_IO.
 */
SPAN_NODISCARD int span__dir_yield(const struct span__dir *d, int *fd,
				   struct span_error *err);

/* The highest number and sequence number that were expired, 0 for none. */
struct span__expired {
	uint64_t number, seq;
};
void span__expired_read(const struct span__dir *d, struct span__expired *out);
/* FD is the locked MAINT. */
SPAN_NODISCARD int span__expired_write(const struct span__dir *d, int fd,
				       const struct span__expired *e,
				       struct span_error *err);

#endif
