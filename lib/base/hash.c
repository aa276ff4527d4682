/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hash.h"

#include <sys/random.h>

#include "base/banned.h"

int span__key_init(struct span__key *k, struct span_error *err)
{
	if (getrandom(k->secret, sizeof(k->secret), 0) !=
	    (ssize_t)sizeof(k->secret))
		return span_error_set(err, SPAN_E_IO,
				      "cannot get random bytes");
	return 0;
}
