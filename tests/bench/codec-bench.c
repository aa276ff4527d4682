/* SPDX-License-Identifier: Apache-2.0 */
/*
 * codec-bench - how fast spans become messages of each format, and back
 *
 * usage: codec-bench [ROUNDS] <spans
 *
 * Reads a span stream into memory, makes messages of 512 spans (fewer where a
 * message has one process), and decodes them; CPU time, the best of ROUNDS
 * (3) counts. A format that does not give back as many spans as it was given
 * ends it as failed.
 */
#include <span/span.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/banned.h"

#define BATCH 512u /* spans of one message */

static struct {
	struct span_arena arena;
	struct span_buf spans;	  /* struct span */
	struct span_buf messages; /* one after the other */
	struct span_buf ends;	  /* size_t: where each ends */
	uint64_t decoded;
} all;

static size_t n_spans(void)
{
	return all.spans.len / sizeof(struct span);
}

static const struct span *span_at(size_t i)
{
	return (const struct span *)(const void *)all.spans.p + i;
}

static int load(struct span_error *err)
{
	struct span_reader *r = NULL;
	struct span s, copy;
	int rc = span_reader_open(&r, STDIN_FILENO, NULL, err);

	while (rc >= 0 && (rc = span_reader_next(r, &s, err)) > 0) {
		rc = span_copy(&copy, &s, &all.arena);
		span_buf_put(&all.spans, &copy, sizeof(copy));
		if (rc < 0 || all.spans.failed)
			rc = span_error_set(err, SPAN_E_NOMEM, "memory is out");
	}
	span_reader_close(&r);
	return rc;
}

static int count(void *arg, const struct span *s, struct span_error *err)
{
	(void)arg;
	(void)s;
	(void)err;
	all.decoded++;
	return 0;
}

static double cpu_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static bool is_jaeger_thrift(int format)
{
	return format == SPAN_FORMAT_JAEGER_COMPACT ||
	       format == SPAN_FORMAT_JAEGER_BINARY;
}

/* How many spans from FROM on go into one message. */
static size_t batch(int format, size_t from)
{
	size_t n = 1;

	while (n < BATCH && from + n < n_spans() &&
	       (!is_jaeger_thrift(format) ||
		span_at(from)->process->serial ==
			span_at(from + n)->process->serial))
		n++;
	return n;
}

static int encode_all(int format, struct span_error *err)
{
	all.messages.len = all.ends.len = 0;
	for (size_t from = 0, n; from < n_spans(); from += n) {
		int rc;

		n = batch(format, from);
		rc = span_encode_message(&all.messages, format, span_at(from),
					 n, err);
		if (rc < 0)
			return rc;
		span_buf_put(&all.ends, &all.messages.len, sizeof(size_t));
	}
	return 0;
}

static int decode_all(int format, struct span_decoder *d,
		      struct span_error *err)
{
	const size_t *ends = (const size_t *)(const void *)all.ends.p;
	size_t from = 0;

	all.decoded = 0;
	for (size_t i = 0; i < all.ends.len / sizeof(*ends); i++) {
		int rc = span_decoder_message(d, format, all.messages.p + from,
					      ends[i] - from, count, NULL, err);

		if (rc < 0)
			return rc;
		from = ends[i];
	}
	if (all.decoded != n_spans())
		return span_error_set(
			err, SPAN_E_CORRUPT, "%llu spans of %zu came back",
			(unsigned long long)all.decoded, n_spans());
	return 0;
}

static int measure(int format, struct span_decoder *d, int rounds,
		   struct span_error *err)
{
	double encode = 1e9, decode = 1e9;

	for (int i = 0; i < rounds; i++) {
		double start = cpu_seconds(), middle, end;
		int rc = encode_all(format, err);

		if (rc < 0)
			return rc;
		middle = cpu_seconds();
		rc = decode_all(format, d, err);
		if (rc < 0)
			return rc;
		end = cpu_seconds();
		encode = middle - start < encode ? middle - start : encode;
		decode = end - middle < decode ? end - middle : decode;
	}
	printf("%-15s %6.2f  %6.2f  %6.0f\n", span_format_name(format),
	       (double)n_spans() / decode / 1e6,
	       (double)n_spans() / encode / 1e6,
	       (double)all.messages.len / (double)n_spans());
	return 0;
}

int main(int argc, char **argv)
{
	int rounds = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 3;
	struct span_decoder *d = NULL;
	struct span_error err = {0};
	int rc = load(&err);

	if (rc >= 0)
		rc = span_decoder_open(&d, NULL, &err);
	if (rc >= 0)
		printf("%-15s %6s  %6s  %6s\n", "M spans/s", "decode", "encode",
		       "B/span");
	for (int f = SPAN_FORMAT_AUTO + 1; rc >= 0 && f < SPAN_FORMATS; f++)
		rc = measure(f, d, rounds, &err);
	if (rc < 0)
		fprintf(stderr, "codec-bench: %s\n", err.msg);
	span_decoder_close(&d);
	span_arena_release(&all.arena);
	span_buf_release(&all.spans);
	span_buf_release(&all.messages);
	span_buf_release(&all.ends);
	return rc < 0;
}
