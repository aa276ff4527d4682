/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Round trips of random spans through frames, on memory and on pipes, whole,
 * sliced, split, damaged.
 */
#include <span/stream.h>

#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include "base/crc32c.h"
#include "tests/unit/random-span.h"
#include "tests/unit/tap.h"

#define N 3000

static struct span_arena arena;
static struct span spans[N];
static struct span_error err;

static void make_spans(uint64_t seed)
{
	struct rnd r = {seed, &arena};
	const struct span_process *p = NULL;

	diag("seed %llu", (unsigned long long)seed);
	for (size_t i = 0; i < N; i++) {
		if (!p || !rnd_below(&r, 20))
			p = rnd_process(&r);
		spans[i] = rnd_span(&r, p);
	}
}

static void write_spans(struct span_buf *out)
{
	struct span_writer *w;
	int bad = 0;

	bad |= span_writer_open_mem(&w, out, &err);
	for (size_t i = 0; i < N; i++)
		bad |= span_writer_put(w, &spans[i], &err);
	bad |= span_writer_flush(w, &err);
	ok(!bad, "all spans are written: %s", err.msg);
	is_uint(span_writer_spans(w), N, "the writer counts them");
	is_uint(span_writer_bytes(w), out->len, "and their bytes");
	span_writer_close(&w);
}

/* Compare what the reader gives with spans FROM and on; returns how many. */
static size_t compare(struct span_reader *r, size_t from, int *rc)
{
	struct span s;
	size_t n = 0;

	while ((*rc = span_reader_next(r, &s, &err)) > 0) {
		if (from + n >= N || !span_equal(&s, &spans[from + n]))
			break;
		if (span_hash(&s) != span_hash(&spans[from + n]))
			break;
		n++;
	}
	return n;
}

static void test_round_trip(const struct span_buf *b)
{
	struct span_reader *r;
	int rc = span_reader_open_mem(&r, b->p, b->len, NULL, &err);

	is_uint(compare(r, 0, &rc), N, "all spans come back equal");
	is_int(rc, 0, "and then the end");
	is_uint(span_reader_pos(r), b->len, "at the last byte");
	span_reader_close(&r);
}

struct feed {
	const struct span_buf *b;
	size_t piece;
	int fd;
};

static void *feeder(void *arg)
{
	struct feed *f = arg;

	for (size_t at = 0; at < f->b->len; at += f->piece) {
		size_t left = f->b->len - at;
		size_t len = left < f->piece ? left : f->piece;

		if (span_write_all(f->fd, f->b->p + at, len, NULL) < 0)
			break;
	}
	close(f->fd);
	return NULL;
}

static void test_pipe(const struct span_buf *b, size_t piece)
{
	struct span_reader *r;
	pthread_t thread;
	int fd[2], rc;

	if (pipe(fd))
		abort();
	rc = span_reader_open(&r, fd[0], NULL, &err);
	pthread_create(&thread, NULL, feeder, &(struct feed){b, piece, fd[1]});
	is_uint(compare(r, 0, &rc), N, "through a pipe, %zu bytes at a time",
		piece);
	is_int(rc, 0, "and then the end");
	pthread_join(thread, NULL);
	span_reader_close(&r);
	close(fd[0]);
}

/* Every cut inside a frame is an error, between two it is the end. */
static void test_cuts(const struct span_buf *b)
{
	struct span_frame *f;
	size_t used = 0, bad = 0;
	int rc = span_frame_open(&f, &err);

	rc = span_frame_parse(f, b->p, b->len, &used, &err);
	is_int(rc, 1, "the first frame is read");
	for (size_t len = 1; len < used; len += len < 600 ? 1 : 997) {
		struct span_reader *r;
		struct span s;

		span_frame_close(&f);
		if (span_frame_open(&f, &err) ||
		    span_reader_open_mem(&r, b->p, len, NULL, &err))
			abort();
		bad += span_reader_next(r, &s, &err) != SPAN_E_TRUNCATED;
		bad += span_reader_next(r, &s, &err) != SPAN_E_TRUNCATED;
		span_reader_close(&r);
	}
	is_uint(bad, 0, "each prefix of it is cut, and stays so");
	span_frame_close(&f);
}

static void test_bit_flips(const struct span_buf *b)
{
	struct span_frame *f;
	size_t used, undetected = 0;
	char *copy;

	if (span_frame_open(&f, &err) ||
	    span_frame_parse(f, b->p, b->len, &used, &err) != 1)
		abort();
	copy = malloc(used);
	memcpy(copy, b->p, used);
	for (size_t bit = 0; bit < used * 8; bit += 1 + bit / 64) {
		size_t n;
		int rc;

		copy[bit / 8] ^= (char)(1 << bit % 8);
		rc = span_frame_parse(f, copy, used, &n, &err);
		undetected += rc >= 0;
		copy[bit / 8] ^= (char)(1 << bit % 8);
	}
	is_uint(undetected, 0, "a flipped bit is always seen");
	free(copy);
	span_frame_close(&f);
}

/* One frame is damaged: with skip_bad the others come through. */
static void test_resync(const struct span_buf *b)
{
	struct span_reader_opts o = {.skip_bad = true};
	struct span_buf cut = {0};
	struct span_reader *r;
	struct span_frame *f;
	struct span s;
	size_t used, second, places, n = 0, equal = 0, first;
	uint32_t lost;
	int rc;

	if (span_frame_open(&f, &err) ||
	    span_frame_parse(f, b->p, b->len, &used, &err) != 1)
		abort();
	first = span_frame_info(f)->n_spans;
	if (span_frame_parse(f, b->p + used, b->len - used, &second, &err) != 1)
		abort();
	lost = span_frame_info(f)->n_spans;
	span_buf_put(&cut, b->p, used);
	span_buf_put(&cut, b->p + used, second / 2);
	span_buf_put(&cut, b->p + used + second, b->len - used - second);
	if (span_reader_open_mem(&r, cut.p, cut.len, &o, &err))
		abort();
	while ((rc = span_reader_next(r, &s, &err)) > 0) {
		n += n == first ? lost : 0;
		equal += n < N && span_equal(&s, &spans[n]);
		n++;
	}
	is_int(rc, 0, "damage is passed over");
	is_uint(equal, N - lost, "all spans of the other frames come through");
	is_uint(span_reader_skipped(r, &places), second / 2,
		"what was passed over is counted");
	is_uint(places, 1, "as one place");
	span_reader_close(&r);
	if (span_reader_open_mem(&r, cut.p, cut.len, NULL, &err))
		abort();
	compare(r, 0, &rc);
	ok(rc == SPAN_E_CORRUPT || rc == SPAN_E_LIMIT,
	   "without skip_bad it is an error: %s", err.msg);
	is_uint(err.pos, used, "that names the place");
	span_reader_close(&r);
	span_buf_release(&cut);
	span_frame_close(&f);
}

/* Keep every K-th span: by frames, slices, or one by one. */
static void test_slices(const struct span_buf *b, uint32_t k)
{
	struct span_reader *in, *back;
	struct span_frame *f;
	struct span_writer *w;
	struct span_buf out = {0};
	struct span s;
	size_t i = 0, equal = 0, want = 0;
	int rc;

	if (span_reader_open_mem(&in, b->p, b->len, NULL, &err) ||
	    span_writer_open_mem(&w, &out, &err))
		abort();
	while ((rc = span_reader_next_frame(in, &f, &err)) > 0) {
		uint8_t keep[SPAN_FRAME_SPANS / 8] = {0};
		uint32_t n = span_frame_info(f)->n_spans;

		for (uint32_t j = 0; j < n; j++, i++)
			if (i % k == 0 || k == 2)
				keep[j / 8] |=
					(uint8_t)((i % k == 0 || i % 8 < 3)
						  << j % 8);
		rc = span_writer_put_slice(w, f, keep, &err);
		if (rc < 0)
			break;
	}
	is_int(rc, 0, "frames are sliced, 1 of %u: %s", k, err.msg);
	rc = span_writer_flush(w, &err);
	if (span_reader_open_mem(&back, out.p, out.len, NULL, &err))
		abort();
	for (i = 0; i < N; i++) {
		if (i % k != 0 && !(k == 2 && i % 8 < 3))
			continue;
		want++;
		if (span_reader_next(back, &s, &err) == 1)
			equal += span_equal(&s, &spans[i]);
	}
	is_uint(equal, want, "and hold the spans that were kept");
	is_int(span_reader_next(back, &s, &err), 0, "and no others");
	span_reader_close(&in);
	span_reader_close(&back);
	span_writer_close(&w);
	span_buf_release(&out);
}

/* All of a span but attributes and events, and whether it failed. */
static void test_outline(const struct span_buf *b)
{
	struct span_reader *r;
	size_t found = 0, errors = 0, want = 0;
	struct span s;

	if (span_reader_open_mem(&r, b->p, b->len, NULL, &err))
		abort();
	for (size_t i = 0; span_reader_next_outline(r, &s, &err) > 0; i++) {
		struct span bare = spans[i];

		errors += span_is_error(&s) && s.status != SPAN_STATUS_ERROR;
		want += span_is_error(&bare) &&
			bare.status != SPAN_STATUS_ERROR;
		bare.events = NULL;
		bare.n_events = 0;
		bare.attrs.n = s.attrs.n = 0;
		found += span_equal(&s, &bare);
	}
	is_uint(found, N, "outlines of spans");
	ok(want && errors == want, "%zu failed by an attribute", want);
	span_reader_close(&r);
}

static void test_find(const struct span_buf *b)
{
	const uint8_t(*id)[16] = (const uint8_t(*)[16])spans[7].trace_id;
	struct span_reader *r;
	struct span_frame *f;
	struct span s;
	size_t found = 0, want = 0;

	for (size_t i = 0; i < N; i++)
		want += !memcmp(spans[i].trace_id, *id, 16);
	if (span_reader_open_mem(&r, b->p, b->len, NULL, &err))
		abort();
	while (span_reader_next_frame(r, &f, &err) > 0)
		while (span_frame_next_of(f, id, 1, &s, &err) > 0)
			found += !memcmp(s.trace_id, *id, 16);
	is_uint(found, want, "spans of one trace are found among the others");
	span_reader_close(&r);
	if (span_reader_open_mem(&r, b->p, b->len, NULL, &err))
		abort();
	found = 0;
	for (size_t i = 0; span_reader_next_frame(r, &f, &err) > 0;)
		for (; span_frame_next_head(f, NULL, 0, &s, &err) > 0; i++)
			if (i % 3 != 0)
				found += !s.n_events;
			else if (span_frame_complete(f, &s, &err) == 0)
				found += span_equal(&s, &spans[i]);
	is_uint(found, N, "heads alone, and every third one completed");
	span_reader_close(&r);
	test_outline(b);
}

static void test_limits(void)
{
	struct span_process p = {.service = SPAN_STR("svc")};
	char *big = calloc(1, SPAN_MAX_STRING + 1);
	struct span s = {.process = &p};
	struct span_attr a[17];
	struct span_buf b = {0};
	struct span_writer *w;
	struct span_value nest[SPAN_MAX_DEPTH + 2] = {0};
	struct span_attr deep = {SPAN_STR("deep"), {0}};
	size_t len;

	if (span_writer_open_mem(&w, &b, &err))
		abort();
	s.name = (struct span_str){big, SPAN_MAX_STRING + 1};
	is_int(span_writer_put(w, &s, &err), SPAN_E_LIMIT,
	       "a string of 64 KiB and a byte is refused: %s", err.msg);
	s.name.len--;
	is_int(span_writer_put(w, &s, &err), 0, "one of 64 KiB is not");
	for (int i = 0; i < 17; i++) {
		a[i].key = SPAN_STR("k");
		a[i].value.type = SPAN_BYTES;
		a[i].value.str = (struct span_str){big, SPAN_MAX_STRING};
	}
	s.attrs = (struct span_attrs){a, 17, 0};
	is_int(span_writer_put(w, &s, &err), SPAN_E_LIMIT,
	       "a span above 1 MiB is refused: %s", err.msg);
	for (int i = 0; i < 17; i++)
		a[i].value.type = SPAN_STRING;
	is_int(span_writer_put(w, &s, &err), SPAN_E_LIMIT,
	       "and one whose texts are: %s", err.msg);
	p.attrs = s.attrs;
	s.attrs = (struct span_attrs){0};
	is_int(span_writer_put(w, &s, &err), SPAN_E_LIMIT,
	       "and one of such a process: %s", err.msg);
	p.attrs = (struct span_attrs){0};
	for (unsigned i = 0; i <= SPAN_MAX_DEPTH; i++) {
		nest[i].type = SPAN_ARRAY;
		nest[i].array.v = &nest[i + 1];
		nest[i].array.n = 1;
	}
	deep.value = nest[0];
	s.attrs = (struct span_attrs){&deep, 1, 0};
	is_int(span_writer_put(w, &s, &err), SPAN_E_LIMIT,
	       "65 levels are refused: %s", err.msg);
	deep.value = nest[1];
	is_int(span_writer_put(w, &s, &err), 0, "64 are not");
	is_uint(span_writer_spans(w), 2, "what is refused is not counted");
	len = b.len;
	is_int(span_writer_flush(w, &err), 0, "the writer goes on");
	ok(b.len > len, "and has written the good ones");
	span_writer_close(&w);
	span_buf_release(&b);
	free(big);
}

static void test_crc(void)
{
	char zero[32] = {0}, *p = malloc(20000);
	unsigned bad = 0;

	is_uint(span__crc32c(0, zero, 32), 0x8a9136aa, "CRC-32C of RFC 3720");
	is_uint(span__crc32c(0, "123456789", 9), 0xe3069283, "and of digits");
	is_uint(span__crc32c(span__crc32c(0, "1234", 4), "56789", 5),
		0xe3069283, "and in two parts");
	for (size_t i = 0; i < 20000; i++)
		p[i] = (char)(i * i >> 3);
	/* in pieces too short for several lanes, and at once */
	for (size_t len = 0; len < 20000; len += 61) {
		uint32_t crc = 0;

		for (size_t at = 0; at < len; at += 1000)
			crc = span__crc32c(crc, p + at,
					   len - at < 1000 ? len - at : 1000);
		bad += crc != span__crc32c(0, p, len);
	}
	is_uint(bad, 0, "and in many parts, of every length");
	free(p);
}

/*
 * A frame that lies about its times: the low byte of the earliest start,
 * behind an array head, the mark, three small numbers and the base, is moved.
 */
static void test_times(void)
{
	struct span_process p = {.service = SPAN_STR("svc")};
	struct span s = {.start_ns = 1795341600000000000, .process = &p};
	struct span_buf b = {0};
	struct span_frame *f;
	struct span_writer *w;
	uint32_t crc;
	size_t used;

	if (span_writer_open_mem(&w, &b, &err) || span_frame_open(&f, &err) ||
	    span_writer_put(w, &s, &err) || span_writer_flush(w, &err))
		abort();
	for (int step = 1; step >= -1; step -= 2) {
		unsigned char *low = (unsigned char *)b.p + 8 + 9 + 8;

		*low = (unsigned char)(*low + step);
		crc = htobe32(span__crc32c(0, b.p, b.len - 5));
		memcpy(b.p + b.len - 4, &crc, 4);
		is_int(span_frame_parse(f, b.p, b.len, &used, &err), 1,
		       "times of a frame: it is parsed");
		is_int(span_frame_info(f)->min_start_ns == s.start_ns, step < 0,
		       "times of a frame: they were changed");
		is_int(span_frame_validate(f, &err),
		       step > 0 ? SPAN_E_CORRUPT : 0,
		       "times of a frame: a span is %s",
		       step > 0 ? "outside" : "inside");
	}
	span_frame_close(&f);
	span_writer_close(&w);
	span_buf_release(&b);
}

/* A lone span reaches the next program within the flush time. */
static void test_tie(void)
{
	struct span_reader_opts o = {0};
	struct span_process p = {.service = SPAN_STR("svc")};
	struct span s = {.process = &p}, got;
	struct span_buf b = {0}, out = {0};
	struct span_writer *w, *w2;
	struct span_reader *r;
	struct feed f = {&b, 1 << 20, -1};
	int fd[2], rc;

	if (pipe(fd) || span_writer_open_mem(&w, &b, &err) ||
	    span_writer_open_mem(&w2, &out, &err) ||
	    span_writer_put(w, &s, &err) || span_writer_flush(w, &err))
		abort();
	o.tie = w2;
	rc = span_reader_open(&r, fd[0], &o, &err);
	if (span_write_all(fd[1], b.p, b.len, &err))
		abort();
	rc = span_reader_next(r, &got, &err);
	is_int(rc, 1, "a span is read while the input stays open");
	rc = span_writer_put(w2, &got, &err);
	is_uint(out.len, 0, "it waits for others");
	ok(span_writer_due_ns(w2) <= SPAN_FLUSH_NS, "but not for long");
	f.fd = fd[1];
	/* the reader flushes before it would block; then input comes */
	if (fcntl(fd[0], F_SETFL, O_NONBLOCK))
		abort();
	while (!out.len)
		if (span_writer_due_ns(w2) == 0)
			break;
	close(f.fd);
	is_int(span_reader_next(r, &got, &err), 0, "the input ends");
	is_uint(out.len, b.len, "and the tied writer was flushed before");
	span_reader_close(&r);
	span_writer_close(&w);
	span_writer_close(&w2);
	span_buf_release(&b);
	span_buf_release(&out);
	close(fd[0]);
}

int main(int argc, char **argv)
{
	struct span_buf b = {0};

	make_spans(argc > 1 ? strtoull(argv[1], NULL, 10) : 1);
	test_crc();
	write_spans(&b);
	test_round_trip(&b);
	test_pipe(&b, 1);
	test_pipe(&b, 4099);
	test_pipe(&b, 1 << 20);
	test_cuts(&b);
	test_bit_flips(&b);
	test_resync(&b);
	test_slices(&b, 1);
	test_slices(&b, 2);
	test_slices(&b, 50);
	test_find(&b);
	test_limits();
	test_times();
	test_tie();
	span_buf_release(&b);
	span_arena_release(&arena);
	return done_testing();
}
