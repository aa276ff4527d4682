/* SPDX-License-Identifier: Apache-2.0 */
/*
 * decode-bench - how fast messages become spans, and spans frames
 *
 * usage: decode-bench [ROUNDS] <payloads
 *
 * Reads a payload stream into memory, then measures the CPU time of decoding
 * it, and of decoding it into frames; the best of ROUNDS (5) counts. Make
 * payloads with `span-gen ... | udp-send --payloads`.
 */
#include <span/span.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/banned.h"

struct message {
	size_t off, len;
};

static struct {
	struct span_buf bytes, messages;
	struct span_buf frames;
	struct span_writer *w;
	uint64_t spans, frame_bytes;
} all;

static int load(struct span_error *err)
{
	struct span_payload_reader *r = NULL;
	struct span_payload p;
	int rc = span_payload_reader_open(&r, STDIN_FILENO, NULL, err);

	while (rc >= 0 && (rc = span_payload_reader_next(r, &p, err)) > 0) {
		struct message m = {all.bytes.len, p.data.len};

		span_buf_put(&all.messages, &m, sizeof(m));
		span_buf_str(&all.bytes, p.data);
	}
	span_payload_reader_close(&r);
	if (all.bytes.failed || all.messages.failed)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	return rc;
}

static int count(void *arg, const struct span *s, struct span_error *err)
{
	(void)arg;
	(void)s;
	(void)err;
	all.spans++;
	return 0;
}

static int put(void *arg, const struct span *s, struct span_error *err)
{
	(void)arg;
	all.spans++;
	return span_writer_put(all.w, s, err);
}

static double cpu_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int decode_all(struct span_decoder *d, span_decode_fn *fn,
		      struct span_error *err)
{
	const struct message *m = (const struct message *)all.messages.p;
	size_t n = all.messages.len / sizeof(*m);

	all.spans = 0;
	all.frame_bytes = 0;
	for (size_t i = 0; i < n; i++) {
		int rc = span_decoder_message(d, SPAN_FORMAT_AUTO,
					      all.bytes.p + m[i].off, m[i].len,
					      fn, NULL, err);

		if (rc < 0)
			return rc;
		all.frame_bytes += all.frames.len;
		all.frames.len = 0;
	}
	return 0;
}

static int measure(const char *name, struct span_decoder *d, span_decode_fn *fn,
		   int rounds, struct span_error *err)
{
	double best = 1e9;

	for (int i = 0; i < rounds; i++) {
		double start = cpu_seconds(), took;
		int rc = decode_all(d, fn, err);

		if (rc == 0 && all.w)
			rc = span_writer_flush(all.w, err);
		if (rc < 0)
			return rc;
		took = cpu_seconds() - start;
		best = took < best ? took : best;
	}
	printf("%-17s %6.2f M spans/s  %6.3f us/span  %6.0f MB/s in", name,
	       (double)all.spans / best / 1e6, best * 1e6 / (double)all.spans,
	       (double)all.bytes.len / best / 1e6);
	if (all.w)
		printf("  %.0f B/span out",
		       (double)all.frame_bytes / (double)all.spans);
	printf("\n");
	return 0;
}

int main(int argc, char **argv)
{
	int rounds = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 5;
	struct span_decoder *d = NULL;
	struct span_error err = {0};
	int rc = load(&err);

	if (rc >= 0)
		rc = span_decoder_open(&d, NULL, &err);
	if (rc >= 0)
		rc = measure("decode", d, count, rounds, &err);
	if (rc >= 0)
		rc = span_writer_open_mem(&all.w, &all.frames, &err);
	if (rc >= 0)
		rc = measure("decode to frames", d, put, rounds, &err);
	if (rc < 0)
		fprintf(stderr, "decode-bench: %s\n", err.msg);
	span_writer_close(&all.w);
	span_decoder_close(&d);
	span_buf_release(&all.bytes);
	span_buf_release(&all.messages);
	span_buf_release(&all.frames);
	return rc < 0;
}
