/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seal-bench - how fast spans become a segment, and how large it is
 *
 * usage: seal-bench STREAM SEGMENT [THREADS]
 *
 * Reads a span stream frame by frame, builds one segment of it, and prints the
 * CPU time, memory, and bytes a span by section and by what columns are for.
 */
#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "store/seg_build.h"
#include "store/seg_types.h"

#include "base/banned.h"

static const char *const sections[SEG_SECTION_TYPES] = {
	[SEG_STRINGS] = "strings",
	[SEG_PROCESSES] = "processes",
	[SEG_PROCESS_ENDS] = "process ends",
	[SEG_PROCESS_SERVICES] = "process services",
	[SEG_SCOPES] = "scopes",
	[SEG_SCOPE_ENDS] = "scope ends",
	[SEG_TYPES] = "types",
	[SEG_SHAPES] = "shapes",
	[SEG_TRACE_HIGH] = "trace ids, high",
	[SEG_TRACE_LOW] = "trace ids, low",
	[SEG_TRACE_START] = "trace starts",
	[SEG_TRACE_END] = "trace ends",
	[SEG_TRACE_SHAPE] = "trace shapes",
	[SEG_SPAN_IDS] = "span ids",
	[SEG_EXPLICIT_TRACE] = "explicit, trace",
	[SEG_EXPLICIT_NODE] = "explicit, node",
	[SEG_EXPLICIT_ID] = "explicit, id",
	[SEG_BLOCK_TRACE] = "block traces",
	[SEG_BLOCK_SPAN] = "block spans",
	[SEG_BLOCK_MIN_START] = "block min start",
	[SEG_BLOCK_MAX_START] = "block max start",
	[SEG_RANKS] = "ranks",
	[SEG_BUCKETS] = "buckets",
	[SEG_BUCKET_TRACES] = "bucket traces",
	[SEG_COLUMNS] = "columns",
	[SEG_HEAP] = "heap",
	[SEG_AGGREGATES] = "aggregates",
	[SEG_EDGES] = "edges",
	[SEG_SHORT_STRINGS] = "short-strings",
};

static const char *const roles[] = {
	"start",      "duration",  "process", "message", "state", "tag",
	"event time", "event tag", "refs",    "name",	 "rest"};

#define ROLES (sizeof(roles) / sizeof(*roles))

static double cpu_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* The peak so far, in MiB. */
static double memory(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (double)u.ru_maxrss / 1024;
}

static int put_all(struct span__seg_builder *b, int fd, double *put_seconds,
		   struct span_error *err)
{
	struct span_reader *r = NULL;
	struct span_frame *f;
	int rc = span_reader_open(&r, fd, NULL, err);

	while (rc >= 0 && (rc = span_reader_next_frame(r, &f, err)) > 0) {
		double start = cpu_seconds();

		rc = span__seg_builder_put_frame(b, f, err);
		*put_seconds += cpu_seconds() - start;
	}
	span_reader_close(&r);
	return rc;
}

static void show(const char *name, uint64_t bytes, uint64_t n)
{
	if (bytes)
		printf("  %-20s %10llu  %7.3f B/span\n", name,
		       (unsigned long long)bytes, (double)bytes / (double)n);
}

static void show_columns(struct span__seg_file *f, uint64_t n)
{
	struct span__area area = span__seg_area(f, SEG_TYPES);
	uint64_t bytes[ROLES] = {0}, values[SPAN_MAP + 1] = {0};
	struct span_arena arena = {0};
	struct span__types types;
	struct span__seg_type t;

	if (!span__types_open(&types, &area, f->header.n_types))
		return;
	for (uint64_t i = 0; i < f->header.n_types; i++) {
		if (!span__types_get(&types, i, &arena, &t))
			continue;
		for (unsigned k = 0; k < t.n_slots; k++) {
			bytes[t.slots[k].role] += t.slots[k].len;
			if (t.slots[k].role == SLOT_TAG)
				values[t.slots[k].value] += t.slots[k].len;
		}
	}
	for (size_t i = 0; i < ROLES; i++)
		show(roles[i], bytes[i], n);
	show("tags: text", values[SPAN_STRING], n);
	show("tags: int", values[SPAN_INT], n);
	show("tags: double", values[SPAN_DOUBLE], n);
	span_arena_release(&arena);
}

static int show_file(const char *name, struct span_error *err)
{
	struct span__seg_file f;
	int rc = span__seg_file_open(&f, &span__io_system, AT_FDCWD, name, err);
	uint64_t n;

	if (rc < 0)
		return rc;
	n = f.header.sum.n_spans;
	printf("%llu traces, %llu types, %llu shapes, %llu blocks\n",
	       (unsigned long long)f.header.n_traces,
	       (unsigned long long)f.header.n_types,
	       (unsigned long long)f.header.n_shapes,
	       (unsigned long long)f.header.n_blocks);
	for (int i = 1; i < SEG_SECTION_TYPES; i++)
		show(sections[i],
		     span__seg_area(&f, (enum span__seg_section)i).len, n);
	printf("columns:\n");
	show_columns(&f, n);
	span__seg_file_close(&f);
	return 0;
}

int main(int argc, char **argv)
{
	struct span__seg_header h = {.id.number = 1, .first_number = 1};
	struct span__seg_builder *b = NULL;
	struct span_error err = {0};
	double put = 0, finish;
	uint64_t size = 0, n = 0, claim = 0;
	int fd = argc >= 3 ? open(argv[1], O_RDONLY) : -1, rc;

	if (fd < 0) {
		fprintf(stderr, "usage: seal-bench STREAM SEGMENT [THREADS]\n");
		return 2;
	}
	/* what is given back goes back to the system, as in span-store seal */
	(void)mallopt(M_MMAP_THRESHOLD, 128 << 10);
	rc = span__seg_builder_open(&b, span__seg_codec_best(), &err);
	if (rc >= 0 && argc > 3)
		span__seg_builder_bound(b, 0,
					(unsigned)strtoul(argv[3], NULL, 10));
	if (rc >= 0)
		rc = put_all(b, fd, &put, &err);
	if (rc >= 0) {
		n = span__seg_builder_spans(b);
		claim = span__seg_builder_memory(b);
		printf("put: %.1f MiB\n", memory());
	}
	finish = cpu_seconds();
	if (rc >= 0)
		rc = span__seg_builder_finish(b, &span__io_system, AT_FDCWD,
					      argv[2], &h, &size, &err);
	finish = cpu_seconds() - finish;
	span__seg_builder_close(&b);
	if (rc >= 0)
		rc = show_file(argv[2], &err);
	if (rc < 0)
		fprintf(stderr, "seal-bench: %s\n", err.msg);
	else
		printf("%llu spans: put %.3f s, finish %.3f s: %.2f M "
		       "spans/s; %.2f bytes a span; memory %.1f MiB, said "
		       "%.1f MiB\n",
		       (unsigned long long)n, put, finish,
		       (double)n / (put + finish) / 1e6,
		       (double)size / (double)n, memory(),
		       (double)claim / (1 << 20));
	close(fd);
	return rc < 0;
}
