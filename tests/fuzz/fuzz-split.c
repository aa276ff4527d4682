/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first byte says which format and how long a piece may be; the rest is
 * a file. Pieces are parts of it, in order and not longer; the end comes.
 */
#include <span/split.h>

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

static void check(bool good)
{
	if (!good)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	static const int formats[] = {SPAN_FORMAT_AUTO, SPAN_FORMAT_OTLP_JSON,
				      SPAN_FORMAT_JAEGER_JSON,
				      SPAN_FORMAT_ZIPKIN_JSON};
	struct span_splitter_opts o = {0};
	struct span_splitter *s;
	struct span_error err = {0};
	struct span_piece piece;
	uint64_t behind = 0;
	size_t calls = 0;
	int rc;

	if (!len)
		return 0;
	o.format = formats[p[0] % 4];
	o.max = p[0] & 4 ? 1 + p[0] / 8 : 0;
	p++;
	len--;
	check(span_splitter_open_mem(&s, p, len, &o, &err) == 0);
	while ((rc = span_splitter_next(s, &piece, &err)) != 0) {
		check(++calls <= len + 2);
		if (rc < 0) {
			check(rc == err.code && err.pos <= len && err.msg[0]);
			continue;
		}
		check(piece.data.len && piece.pos >= behind &&
		      piece.pos + piece.data.len <= len);
		check(!o.max || piece.data.len <= o.max);
		check(!memcmp(piece.data.p, p + piece.pos, piece.data.len));
		check(span_format_name(piece.format) != NULL);
		behind = piece.pos + piece.data.len;
	}
	check(span_splitter_next(s, &piece, &err) == 0);
	span_splitter_close(&s);
	return 0;
}
