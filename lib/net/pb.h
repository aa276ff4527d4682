/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net/pb.h - the few protobuf messages of answers, read and written
 *
 * Programs that use the network have libspan's public interface only, and what
 * answers hold is short: statuses, delays, counts and texts. Nothing is
 * allocated for reading; what is read points into the message.
 *
 * Source: protobuf.dev, "Encoding".
 */
#ifndef NET_PB_H
#define NET_PB_H

#include <span/base.h>

enum span__pb_wire {
	SPAN__PB_VARINT = 0,
	SPAN__PB_I64 = 1,
	SPAN__PB_LEN = 2,
	SPAN__PB_I32 = 5,
};

struct span__pb_field {
	uint64_t id;
	unsigned wire;
	uint64_t number;       /* SPAN__PB_VARINT */
	struct span_str bytes; /* of all others */
};

/*
 * Take the next field of the message *IN, which becomes what follows it: 1; 0
 * at the end; SPAN_E_CORRUPT where the rest cannot be read, groups too.
 */
SPAN_NODISCARD int span__pb_next(struct span_str *in, struct span__pb_field *f);
/* The bytes of the first field ID that has some: was there one? */
bool span__pb_find(struct span_str in, uint64_t id, struct span_str *out);

/* Append a field; memory failures stay in the buffer. */
void span__pb_put_number(struct span_buf *b, unsigned id, uint64_t v);
void span__pb_put_bytes(struct span_buf *b, unsigned id, struct span_str s);
/* A message that was made in PART, which is empty again afterwards. */
void span__pb_put_part(struct span_buf *b, unsigned id, struct span_buf *part);

#endif
