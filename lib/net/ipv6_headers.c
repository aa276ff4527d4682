/* SPDX-License-Identifier: Apache-2.0 */
#include "net/ipv6_headers.h"

#include "base/banned.h"

bool span__ipv6_is_extension(uint8_t next)
{
	switch (next) {
	case 0:	  /* hop-by-hop options */
	case 43:  /* routing */
	case 51:  /* authentication */
	case 60:  /* destination options */
	case 135: /* mobility */
	case 139: /* host identity */
	case 140: /* shim6 */
		return true;
	default:
		return false;
	}
}

static size_t extension_len(uint8_t next, const uint8_t *p)
{
	return next == 51 ? (p[1] + 2u) * 4 : (p[1] + 1u) * 8;
}

bool span__ipv6_skip(uint8_t *next, struct span__window *w)
{
	for (size_t i = 0; span__ipv6_is_extension(*next); i++) {
		size_t len;

		if (i == SPAN__IPV6_HEADERS || w->len < 8)
			return false;
		len = extension_len(*next, w->p);
		if (len > w->len)
			return false;
		*next = w->p[0];
		span__window_advance(w, len);
	}
	return true;
}
