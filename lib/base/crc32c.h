/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SPAN_CRC32C_H
#define SPAN_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/*
 * CRC-32C (Castagnoli) of LEN bytes at P, continued from CRC, the result for
 * what came before (0 to begin). The value that RFC 3720 gives as example:
 * 32 zero bytes have 0x8a9136aa.
 */
uint32_t span__crc32c(uint32_t crc, const void *p, size_t len);

#endif
