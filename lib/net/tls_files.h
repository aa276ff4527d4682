/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net/tls_files.h - are files of certificates and keys what they should be?
 *
 * Whoever connects finds out late, and in the words of a library.
 */
#ifndef NET_TLS_FILES_H
#define NET_TLS_FILES_H

#include <span/base.h>

/*
 * Files of PEM, each of them NULL for none; KEY is in the file of CERT when it
 * is NULL. 0, or SPAN_E_INVALID with the file's name.
 */
SPAN_NODISCARD int span__tls_files_check(const char *cacert, const char *cert,
					 const char *key,
					 struct span_error *err);

#endif
