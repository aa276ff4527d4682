/* SPDX-License-Identifier: Apache-2.0 */
/*
 * span/text.h - the one place where wire data becomes text for people
 *
 * Names, keys and values come from the network and reach a terminal, JSON,
 * CSV, DOT, HTML or LogQL only through these functions. All append to a
 * struct span_buf and cannot fail but for memory (buf->failed). Invalid
 * UTF-8 is replaced by U+FFFD, a byte at a time.
 */
#ifndef SPAN_TEXT_H
#define SPAN_TEXT_H

#include <span/model.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A JSON string with its quotes (RFC 8259); NUL and controls as \u00xx. */
SPAN_API void span_text_json(struct span_buf *b, struct span_str s);

/*
 * For a terminal: controls (C0, DEL, C1), bidi and other format characters
 * become visible escapes (\n, \x1b, \u202e); no quotes.
 */
SPAN_API void span_text_terminal(struct span_buf *b, struct span_str s);

/* A double-quoted DOT string, safe from escapes like \N and from HTML. */
SPAN_API void span_text_dot(struct span_buf *b, struct span_str s);

/* For HTML text and quoted attributes: & < > " ' as entities. */
SPAN_API void span_text_html(struct span_buf *b, struct span_str s);

/* A double-quoted string by Go's rules, as logfmt and LogQL read it. */
SPAN_API void span_text_quoted(struct span_buf *b, struct span_str s);

/* A logfmt value: bare when it needs no quotes, else span_text_quoted(). */
SPAN_API void span_text_logfmt(struct span_buf *b, struct span_str s);

/*
 * One CSV field by RFC 4180 with libcsv's quoting, always quoted. SAFE puts a
 * ' before a text that a spreadsheet would take for a formula (= + - @ tab
 * CR), unless it is a plain number.
 */
SPAN_API void span_text_csv(struct span_buf *b, struct span_str s, bool safe);

SPAN_API void span_text_hex(struct span_buf *b, struct span_str bytes);
SPAN_API void span_text_base64(struct span_buf *b, struct span_str bytes);

/*
 * The shortest decimal that reads back as the same double: "72.5", "1e+30",
 * "0.1". NaN and infinities as "NaN", "Infinity", "-Infinity", without
 * quotes.
 */
SPAN_API void span_text_double(struct span_buf *b, double d);

/*
 * A value as text, as Jaeger matches and shows it: the string itself, true
 * or false, decimal, span_text_double(), lower hex of bytes, JSON of arrays
 * and maps. Not escaped.
 */
SPAN_API void span_text_value(struct span_buf *b, const struct span_value *v);

/*
 * A value as JSON: int64 exact, bytes as base64 strings, NaN and infinities
 * as strings.
 */
SPAN_API void span_text_value_json(struct span_buf *b,
				   const struct span_value *v);

/* RFC 3339 in UTC with DIGITS (0 to 9) decimals, "2026-11-22T10:00:00.000Z". */
SPAN_API void span_text_time(struct span_buf *b, uint64_t ns, int digits);

/* The same in local time, "2026-11-22 10:00:00.000". */
SPAN_API void span_text_local_time(struct span_buf *b, uint64_t ns, int digits);

/* Three digits and a unit: "0", "830ns", "12.3us", "2.61s", "4m12s", "3h2m". */
SPAN_API void span_text_duration(struct span_buf *b, uint64_t ns);

/* "512 B", "13.1 KiB", "4.0 GiB". */
SPAN_API void span_text_size(struct span_buf *b, uint64_t bytes);

/* A count with thousands separated: "1,048,576". */
SPAN_API void span_text_count(struct span_buf *b, uint64_t n);

/* Columns of a terminal that UTF-8 text takes (wide and combining known). */
SPAN_API size_t span_text_width(struct span_str s);

/*
 * S for a terminal, cut to at most WIDTH columns with a final ellipsis where
 * it was longer, padded with spaces to WIDTH when PAD.
 */
SPAN_API void span_text_fit(struct span_buf *b, struct span_str s, size_t width,
			    bool pad);

/*
 * The longest prefix of S that is at most MAX bytes and does not end inside
 * a UTF-8 character.
 */
SPAN_API size_t span_text_cut(struct span_str s, size_t max);

#ifdef __cplusplus
}
#endif
#endif
