/* SPDX-License-Identifier: Apache-2.0 */
/* view-options.h - the options of trace-view */
#ifndef VIEW_OPTIONS_H
#define VIEW_OPTIONS_H

#include "view-show.h"

extern const struct cmd_option view_options[];
extern struct view_opts view_wanted; /* what they say */

/* After the command line was read: options that do not go together exit. */
void view_options_check(void);
/* How it is to look, on this terminal too. */
void view_options_look(struct span_render_opts *look);

#endif
