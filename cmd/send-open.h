/* SPDX-License-Identifier: Apache-2.0 */
/*
 * send-open.h - the spool and the sender as the options want them
 */
#ifndef SEND_OPEN_H
#define SEND_OPEN_H

#include "send-auth.h"

#include "net/sender.h"

#define SEND_BATCH_MEMORY (8u << 20) /* of spans: what has more is sent */

/* WAITS: as in struct send_spool_opts. 0 or a negative code. */
SPAN_NODISCARD int send_open_spool(bool waits, struct span_error *err);
/* Files of certificates are checked. 0 or a negative code. */
SPAN_NODISCARD int send_open_sender(struct span__sender **out,
				    const struct span__send_url *url,
				    const char *name,
				    const struct send_headers *h,
				    struct span_error *err);

/*
 * Has nothing been settled for --retry-max-time, as far as was looked, or is
 * all refused?
 */
bool send_is_quiet(struct span__sender *s);

#endif
