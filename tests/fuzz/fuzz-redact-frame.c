/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames under rules of redaction: the first byte says which rules, the rest is
 * put together to a frame whose checksum holds. One that goes as a whole has
 * the spans that it has one by one, and whatever it is, it can be read then.
 */
#include <span/redact.h>

#include <stdlib.h>

#include "stream/writer.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

static void check(bool good)
{
	if (!good)
		abort();
}

static const char *const sets[] = {
	NULL,
	"mask *",
	"mask zzz",
	"hash span:*",
	"truncate=3 *",
	"mask=ab field:key ~[a-m]",
	"drop field:state",
	"keep a\nmask * @ip",
};
#define N_SETS (sizeof(sets) / sizeof(*sets))

static struct span_redact *open_rules(const char *rules)
{
	static const uint8_t key[SPAN_REDACT_KEY] = "a fuzzer's key";
	const struct span_redact_opts o = {.key = key};
	struct span_error err;
	struct span_redact *r;

	check(span_redact_open(&r, &o, &err) == 0);
	if (!rules)
		check(span_redact_defaults(r, &err) == 0);
	for (struct span_str line = {rules, 0}; rules && *line.p;
	     line.p += line.len + (line.p[line.len] == '\n')) {
		line.len = strcspn(line.p, "\n");
		check(span_redact_rule(r, line, &err) == 0);
	}
	return r;
}

/* Is FRAME, which was read from OUT, what one by one makes of IN? */
static void compare(struct span_redact *r, struct span_frame *in,
		    const struct span_buf *out, uint32_t changed)
{
	struct span_frame *f;
	struct span_error err;
	struct span s, want, got;
	uint32_t n = 0;
	size_t used;

	check(span_frame_open(&f, &err) == 0);
	check(span_frame_parse(f, out->p, out->len, &used, &err) == 1);
	check(used == out->len && span_frame_validate(f, &err) == 0);
	span_frame_rewind(in);
	span_redact_frame(r);
	for (uint32_t i = span_frame_info(in)->n_spans; i; i--) {
		int rc;

		check(span_frame_next(in, &s, &err) == 1);
		check(span_frame_next(f, &got, &err) == 1);
		rc = span_redact_span(r, &s, &want, &err);
		check(rc >= 0 && span_equal(&want, &got));
		n += rc > 0;
	}
	check(span_frame_next(in, &s, &err) == 0 && n == changed);
	span_frame_close(&f);
}

static void redact(struct span_redact *r, const struct span_buf *in)
{
	struct span_buf out = {0};
	struct span_frame *f;
	struct span_writer *w;
	struct span_error err;
	uint32_t changed = 0;
	size_t used;

	check(span_frame_open(&f, &err) == 0);
	check(span_writer_open_mem(&w, &out, &err) == 0);
	if (span_frame_parse(f, in->p, in->len, &used, &err) == 1) {
		int rc = span_redact_put_frame(r, f, w, &changed, &err);

		check(rc == 0 || rc == 1);
		check(rc || !out.len);
		if (rc)
			compare(r, f, &out, changed);
	}
	span_writer_close(&w);
	span_frame_close(&f);
	span_buf_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	struct span__parts parts = {.base_ns = 1700000000000000000,
				    .max_end_ns = UINT64_MAX};
	struct span_buf in = {0};
	struct span_redact *r;
	size_t tables;

	if (len < 4)
		return 0;
	parts.n_spans = p[1];
	tables = (size_t)(p[2] << 8 | p[3]) % (len - 3);
	parts.tables[0] = (struct span_str){(const char *)p + 4, tables};
	parts.body = (struct span_str){(const char *)p + 4 + tables,
				       len - 4 - tables};
	span__frame_compose(&in, &parts);
	check(!in.failed);
	r = open_rules(sets[p[0] % N_SETS]);
	redact(r, &in);
	span_redact_close(&r);
	span_buf_release(&in);
	return 0;
}
