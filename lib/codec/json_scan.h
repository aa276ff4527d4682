/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_scan.h - where a JSON value ends
 *
 * Looks at brackets, at what stands before one that opens, and at quotes: the
 * rest is for whoever reads the value. Bytes come in pieces of any size.
 */
#ifndef SPAN__JSON_SCAN_H
#define SPAN__JSON_SCAN_H

#include "codec/json.h"

enum json_scan_state {
	JSON_SCAN_START = 0, /* nothing but space so far */
	JSON_SCAN_INSIDE,    /* of an object or array */
	JSON_SCAN_STRING,
	JSON_SCAN_ESCAPE,
	JSON_SCAN_SCALAR, /* a number or word; ends before what is neither */
	JSON_SCAN_DONE,
	JSON_SCAN_BROKEN, /* no value can be here, or go on like this */
};

/* A zeroed struct is at the start of a value. */
struct span__json_scan {
	enum json_scan_state state;
	bool lines;   /* a line's end ends the value too, see below */
	bool content; /* more than opening brackets was seen */
	bool newline; /* outside of strings, so was the end of a line */
	bool cut;     /* broken by what begins a line: the one before is cut */
	unsigned char last;   /* but space, before the next byte; 0: none */
	unsigned char before; /* the byte before it */
	size_t depth;
	uint64_t kinds[SPAN__JSON_DEPTH / 64]; /* set: an array */
};

/*
 * Take bytes up to the end of the value, all LEN when it is not among them;
 * returns how many. When it is broken, the byte that breaks it is not taken: a
 * bracket of the wrong kind, one that opens where no value can begin, a control
 * character in a string, the 0x1e before a record of RFC 7464.
 *
 * With LINES a value is broken by the end of a line, unless there are only
 * opening brackets on it: so begins what was written over many lines.
 */
size_t span__json_scan(struct span__json_scan *s, const unsigned char *p,
		       size_t len);

/*
 * Pass over the next value without looking into it. False, after a failure of
 * the cursor, when it has no end.
 */
bool span__json_pass(struct span__json *j);

#endif
