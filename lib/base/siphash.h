/* SPDX-License-Identifier: Apache-2.0 */
/*
 * siphash.h - SipHash-2-4, a hash with a key that stays secret
 *
 * Who does not have the key cannot tell what was hashed, nor try a list of
 * guesses. Source: Aumasson and Bernstein, SipHash: a fast short-input PRF,
 * 2012.
 */
#ifndef SPAN_SIPHASH_H
#define SPAN_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

#define SIPHASH_KEY 16u /* bytes */

uint64_t span__siphash(const uint8_t key[SIPHASH_KEY], const void *p,
		       size_t len);

#endif
