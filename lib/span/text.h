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

/*
 * What a terminal would act on is never written as it is: controls (C0, DEL,
 * C1), format characters (bidi overrides, zero-width ones), line and paragraph
 * separators; and neither are noncharacters. Below they are called unsafe. A
 * visible escape of one is \n, \r, \t, \x1b, \u202e or \U000e0001.
 */

/*
 * A JSON string with its quotes (RFC 8259). Unsafe characters are written as
 * \n, \r, \t or \u00xx, so that the text is harmless on a terminal too.
 */
SPAN_API void span_text_json(struct span_buf *b, struct span_str s);

/*
 * A JSON string in a script element of HTML, for a page that shows it as text:
 * < > & as \u00xx, so that nothing in it ends the element or begins a comment,
 * newline and tab as they are, other unsafe characters as visible escapes.
 */
SPAN_API void span_text_script(struct span_buf *b, struct span_str s);

/*
 * For a terminal: unsafe and unassigned characters as visible escapes, and
 * combining marks too where they have nothing to stand on or pile up. No
 * quotes.
 */
SPAN_API void span_text_terminal(struct span_buf *b, struct span_str s);

/*
 * A label of Prometheus for the key S of an attribute: "_" for each character
 * that is no ASCII letter or digit, and before a digit at the begin.
 */
SPAN_API void span_text_label(struct span_buf *b, struct span_str s);

/*
 * A double-quoted DOT string for a label: what Graphviz draws is S, newlines
 * as line breaks and other unsafe characters as visible escapes. Escapes like
 * \N, entities and HTML-like labels in S mean nothing.
 */
SPAN_API void span_text_dot(struct span_buf *b, struct span_str s);

/*
 * For HTML, XML and SVG text and quoted attributes: & < > " ' as entities,
 * newline and tab as they are, other unsafe characters as visible escapes.
 */
SPAN_API void span_text_html(struct span_buf *b, struct span_str s);

/*
 * A double-quoted string by Go's rules, as logfmt and LogQL read it, unsafe
 * characters as \n, \r, \t, \u00xx or \U000xxxxx.
 */
SPAN_API void span_text_quoted(struct span_buf *b, struct span_str s);

/*
 * A logfmt key or value: bare when it needs no quotes, else
 * span_text_quoted(). Empty text and the text null are quoted.
 */
SPAN_API void span_text_logfmt(struct span_buf *b, struct span_str s);

/*
 * One CSV field by RFC 4180 with libcsv's quoting, always quoted. SAFE puts a
 * ' before a text that a spreadsheet would take for a formula (= + - @ or
 * their full-width forms, tab, CR, LF), unless it is a plain number. Newline,
 * CR LF and tab stay, other unsafe characters become visible escapes.
 */
SPAN_API void span_text_csv(struct span_buf *b, struct span_str s, bool safe);

/*
 * A literal of SQL for sqlite: quoted, quotes doubled; a text with unsafe
 * characters as CAST(X'...' AS TEXT).
 */
SPAN_API void span_text_sql(struct span_buf *b, struct span_str s);

SPAN_API void span_text_hex(struct span_buf *b, struct span_str bytes);
SPAN_API void span_text_base64(struct span_buf *b, struct span_str bytes);

/* Bytes that a text of LEN characters may hold in base64. */
#define SPAN_BASE64_ROOM(len) ((len) / 4 * 3 + 3)

/*
 * The bytes that TEXT says in base64 (RFC 4648, both alphabets, padded or not)
 * to OUT, which has SPAN_BASE64_ROOM(text.len) bytes, and their number to *LEN.
 * False when TEXT is no such text; OUT has anything then.
 */
SPAN_API SPAN_NODISCARD bool span_text_from_base64(struct span_str text,
						   char *out, size_t *len);

SPAN_API void span_text_uint(struct span_buf *b, uint64_t n);
SPAN_API void span_text_int(struct span_buf *b, int64_t n);

/*
 * The shortest decimal that reads back as the same double, in any locale:
 * "72.5", "0.1", "1e+30", with an exponent below 1e-6 and from 1e21 on. NaN
 * and infinities as "NaN", "Infinity", "-Infinity", without quotes.
 */
SPAN_API void span_text_double(struct span_buf *b, double d);

/*
 * A value as text, as Jaeger matches and shows it: the string itself, true
 * or false, decimal, span_text_double(), lower hex of bytes, JSON of arrays
 * and maps, nothing for SPAN_NULL. Not escaped.
 */
SPAN_API void span_text_value(struct span_buf *b, const struct span_value *v);

/*
 * A value as JSON: int64 exact, bytes as base64 strings, NaN and infinities
 * as strings, SPAN_NULL and what lies deeper than SPAN_MAX_DEPTH as null.
 */
SPAN_API void span_text_value_json(struct span_buf *b,
				   const struct span_value *v);

/*
 * RFC 3339 in UTC with DIGITS (0 to 9) decimals, cut and not rounded:
 * "2026-11-22T10:00:00.000Z".
 */
SPAN_API void span_text_time(struct span_buf *b, uint64_t ns, int digits);

/* The same in local time, "2026-11-22 10:00:00.000". */
SPAN_API void span_text_local_time(struct span_buf *b, uint64_t ns, int digits);

/*
 * Three digits and a unit up to a minute, then two units, from 1000 days on
 * one: "0", "830ns", "12.3us", "2.61s", "4m12s", "3h2m", "2d", "213504d".
 * Rounded half up; 7 characters at most.
 */
SPAN_API void span_text_duration(struct span_buf *b, uint64_t ns);

/* "512 B", "13.1 KiB", "4.0 GiB". */
SPAN_API void span_text_size(struct span_buf *b, uint64_t bytes);

/* A count with thousands separated: "1,048,576". */
SPAN_API void span_text_count(struct span_buf *b, uint64_t n);

/*
 * Columns of a terminal that S takes as span_text_terminal() writes it: wide
 * and combining characters are known, escapes count in full.
 */
SPAN_API size_t span_text_width(struct span_str s);

/*
 * S for a terminal, cut to at most WIDTH columns with a final ellipsis where
 * it was longer, padded with spaces to WIDTH when PAD. An escape is never
 * cut.
 */
SPAN_API void span_text_fit(struct span_buf *b, struct span_str s, size_t width,
			    bool pad);

/*
 * Both with ASCII only: other characters are visible escapes, as \u00fc, and
 * what was longer ends in "~".
 */
SPAN_API size_t span_text_width_ascii(struct span_str s);
SPAN_API void span_text_fit_ascii(struct span_buf *b, struct span_str s,
				  size_t width, bool pad);

/*
 * The longest prefix of S that is at most MAX bytes and does not end inside
 * a UTF-8 character.
 */
SPAN_API size_t span_text_cut(struct span_str s, size_t max);

#ifdef __cplusplus
}
#endif
#endif
