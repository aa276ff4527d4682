/* SPDX-License-Identifier: Apache-2.0 */
/*
 * simdisk.h - a disk in memory that fails, dies and loses power on demand
 *
 * It has two directories, "store" and "other", in a root directory, files, and
 * an io table over them. It remembers which writes and which names were synced,
 * so that it can tell what a power cut may leave. A sync that is made to fail
 * loses what was written since the last one, as Linux does: reads still see it,
 * the disk never gets it.
 */
#ifndef SIMDISK_H
#define SIMDISK_H

#include "base/io.h"

struct simdisk;

struct simdisk *simdisk_open(void);
void simdisk_close(struct simdisk **d);

/* The table whose calls go to this disk. */
const struct span__io *simdisk_io(struct simdisk *d);

/* How many calls there were; calls below are counted from 1. */
uint64_t simdisk_calls(const struct simdisk *d);

/*
 * Let call NTH fail with SYS; a write with SYS 0 is short instead: half of it
 * is written. Calls that cannot fail are not counted.
 */
void simdisk_fail(struct simdisk *d, uint64_t nth, int sys);

/* From call NTH on the process is dead: nothing is done any more. A write
 * that is call NTH is done in part. */
void simdisk_kill(struct simdisk *d, uint64_t nth);

/* Has a sync failed because of simdisk_fail(), or the process been killed? */
bool simdisk_sync_failed(const struct simdisk *d);
bool simdisk_dead(const struct simdisk *d);

/* Call FN before call NTH, once. It may use the disk. */
void simdisk_call(struct simdisk *d, uint64_t nth, void (*fn)(void *arg),
		  void *arg);

/* Files can take so many bytes together; 0: no limit. */
void simdisk_capacity(struct simdisk *d, uint64_t bytes);

/* The file system is a remote one of this name; NULL: it is local. */
void simdisk_remote(struct simdisk *d, const char *name);

/* Move all clocks; or only the one that says the date, like date(1). */
void simdisk_pass(struct simdisk *d, uint64_t ns);
void simdisk_set_clock(struct simdisk *d, uint64_t realtime_ns);
/* Another boot id, and a monotonic clock that begins again. */
void simdisk_reboot(struct simdisk *d);

/* The disk as the next process finds it: the page cache is kept. */
struct simdisk *simdisk_copy(const struct simdisk *d);

/*
 * One of the states that a power cut may leave, chosen by SEED: synced bytes
 * and names are there, of all others some, writes in pieces of 512 bytes.
 */
struct simdisk *simdisk_power_cut(const struct simdisk *d, uint64_t seed);

/*
 * The content of a file of the store ("other/NAME": of the other directory),
 * NULL where there is none. It may be changed in place.
 */
uint8_t *simdisk_file(struct simdisk *d, const char *name, size_t *len);
/* Create or replace a file. */
void simdisk_put(struct simdisk *d, const char *name, const void *p,
		 size_t len);
void simdisk_remove(struct simdisk *d, const char *name);
/* Name number I of the store, NULL at the end. */
const char *simdisk_name(const struct simdisk *d, size_t i);
/* How many names end with SUFFIX. */
size_t simdisk_count(const struct simdisk *d, const char *suffix);
size_t simdisk_count_other(const struct simdisk *d, const char *suffix);
/* Descriptors that are open. */
size_t simdisk_descriptors(const struct simdisk *d);

#endif
