/* SPDX-License-Identifier: Apache-2.0 */
/* store-durable.h - --sync and --ack-fd of span-store append */
#ifndef STORE_DURABLE_H
#define STORE_DURABLE_H

#include "cmd.h"

/* What was given, NULL: the default. */
extern struct durable_opts {
	const char *sync, *ack_fd;
} durable;

/* Put it into O: when to sync, and whom to tell. Wrong usage exits. */
SPAN_NODISCARD int durable_parse(struct span_store_opts *o,
				 struct span_error *err);

#endif
