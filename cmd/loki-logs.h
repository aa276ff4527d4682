/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loki-logs.h - the other direction: from logs to traces, and from the id of a
 * trace to its lines
 */
#ifndef LOKI_LOGS_H
#define LOKI_LOGS_H

#include "cmd.h"

extern const struct cmd_option loki_logs_options[];

/* The option that was given, "--fetch", or NULL: none. Two are wrong usage. */
const char *loki_logs_wanted(void);
/* True when Loki is asked. */
bool loki_logs_asks(void);

/*
 * Do what is wanted with the ids in ARGV and write it to FD: 0; CMD_NONE when
 * there is nothing; or a negative code. PARSER is "json" or "logfmt".
 */
SPAN_NODISCARD int loki_logs_run(int fd, int argc, char **argv,
				 const char *parser, struct span_error *err);

#endif
