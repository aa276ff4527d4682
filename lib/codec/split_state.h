/* SPDX-License-Identifier: Apache-2.0 */
/* split_state.h - a splitter, for the files that it is made of */
#ifndef SPAN__SPLIT_STATE_H
#define SPAN__SPLIT_STATE_H

#include <span/split.h>

#include "codec/csv_field.h"
#include "codec/json_scan.h"
#include "stream/input.h"

/* Where the next byte is, from the outside in. */
enum level {
	ARRAY,	/* at the top */
	OBJECT, /* at the top, in that array, or the result of such a one */
	ITEMS,	/* in a list that such an object has */
	VALUE,	/* in one item, to be given out whole */
};

enum member { KEY, NAME, COLON, MEMBER };

struct span_splitter {
	struct span__input in;
	struct span_splitter_opts o;
	int (*next)(struct span_splitter *s, struct span_piece *piece,
		    struct span_error *err);
	/* CSV: the header, and it with records; where they end. */
	struct span_buf header, records;
	struct span__csv_scan record;
	size_t whole;
	bool ended;
	size_t given; /* of the last piece, to be taken */

	enum level levels[6];
	size_t depth; /* how many of them; 0: at the top */

	/* The value being gathered: it begins at in.p unless it is dropped. */
	struct span__json_scan scan;
	size_t at;	/* bytes of it that were looked at */
	uint64_t start; /* where it began in the input */
	bool dropped;	/* too long, or of no interest */

	enum member member; /* of OBJECT */
	bool container;	    /* OBJECT has a list of items */
	size_t name;	    /* where a member's name begins, of AT bytes */
	bool is_result;	    /* such an object may follow */
	int key, items;	    /* format of such a list: of the key, of ITEMS */
	bool comma;	    /* a list's next item may come */

	/* Of the value at the top. */
	bool content, multi, newline;
	bool after;    /* it was on one line, whose end was not seen */
	bool lines;    /* such values follow */
	uint64_t line; /* where in the input the last one began that was seen */
	bool sequence; /* of records that 0x1e begins */
	bool resync;
};

static inline bool opens(unsigned char c)
{
	return c == '{' || c == '[';
}

/*
 * Of the value on top AT bytes were looked at, and it cannot be: go back to
 * the end of its first line, when that was cut and others follow it.
 */
bool span__split_again(struct span_splitter *s, size_t at);

int span__split_json(struct span_splitter *s, struct span_piece *piece,
		     struct span_error *err);

#endif
