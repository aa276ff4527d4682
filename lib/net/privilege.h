/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net/privilege.h - give up root once everything is open
 */
#ifndef NET_PRIVILEGE_H
#define NET_PRIVILEGE_H

#include <span/base.h>

/*
 * Become USER for good: its groups, group and user, real, effective and
 * saved; then check that there is no way back. 0; SPAN_E_INVALID when there
 * is no such user; SPAN_E_IO when it is not allowed.
 */
SPAN_NODISCARD int span__become_user(const char *user, struct span_error *err);

/* Nothing that is executed from now on gains privileges. */
void span__no_new_privileges(void);

#endif
