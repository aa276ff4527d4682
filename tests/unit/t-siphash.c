/* SPDX-License-Identifier: Apache-2.0 */
/* SipHash-2-4 against the values of its authors. */
#include "tap.h"

#include "base/siphash.h"

#include "base/banned.h"

/* Of the bytes 0, 1, 2 ... under the key 0, 1, 2 ... */
static const struct {
	size_t len;
	uint64_t hash;
} known[] = {
	{0, UINT64_C(0x726fdb47dd0e0e31)},
	{1, UINT64_C(0x74f839c593dc67fd)},
	{8, UINT64_C(0x93f5f5799a932462)},
	{15, UINT64_C(0xa129ca6149be45e5)},
};

int main(void)
{
	uint8_t key[SIPHASH_KEY], text[64];

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (uint8_t)i;
	for (size_t i = 0; i < sizeof(key); i++)
		key[i] = (uint8_t)i;
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		is_uint(span__siphash(key, text, known[i].len), known[i].hash,
			"%zu bytes", known[i].len);
	key[15]++;
	ok(span__siphash(key, text, 15) != known[3].hash,
	   "another key, another hash");
	return done_testing();
}
