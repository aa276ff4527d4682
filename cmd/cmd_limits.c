/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd.h"

#include <sys/resource.h>

#include "base/banned.h"

#define STORE_FILES 8u	 /* of an open one: its directory, and its logs */
#define OTHER_FILES 256u /* besides those of connections and stores */

void cmd_allow_files(uint64_t connections, uint64_t stores)
{
	struct rlimit limit;
	rlim_t need = (rlim_t)connections + (rlim_t)stores * STORE_FILES +
		      OTHER_FILES;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= need)
		return;
	limit.rlim_cur = need < limit.rlim_max ? need : limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_cur < need)
		cmd_warn("the system allows %llu open files, too few for "
			 "%llu connections",
			 (unsigned long long)limit.rlim_cur,
			 (unsigned long long)connections);
}
