/* SPDX-License-Identifier: Apache-2.0 */
/* redact-rules.h - the rules of span-redact: options, files, the key */
#ifndef REDACT_RULES_H
#define REDACT_RULES_H

#include "cmd.h"

/* --rule, --rules, --no-default-rules, --anonymize, --key-file */
extern const struct cmd_option redact_rules_options[];

/* What the options say. A rule that cannot be read is wrong usage: exits. */
SPAN_NODISCARD int redact_rules_open(struct span_redact **out,
				     span_redact_fn *found, void *arg,
				     struct span_error *err);
/* Write the rules to FD, a line each. */
SPAN_NODISCARD int redact_rules_show(const struct span_redact *r, int fd,
				     struct span_error *err);

#endif
