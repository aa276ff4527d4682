/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hash.h"

#include <sys/random.h>

#include "base/banned.h"

static int draw(void *p, size_t len, struct span_error *err)
{
	if (getrandom(p, len, 0) != (ssize_t)len)
		return span_error_set(err, SPAN_E_IO,
				      "cannot get random bytes");
	return 0;
}

int span__key_init(struct span__key *k, struct span_error *err)
{
	return draw(k->secret, sizeof(k->secret), err);
}

int span__serial_init(uint64_t *serial, struct span_error *err)
{
	return draw(serial, sizeof(*serial), err);
}
