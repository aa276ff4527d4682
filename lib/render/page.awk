# SPDX-License-Identifier: Apache-2.0
#
# page.awk - the SHA-256 that sha256sum prints as C: the base64 text by which a
# policy of HTML allows an inline element. NAME is what it is called.

BEGIN {
	hex = "0123456789abcdef"
	digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
}

# Twelve bits are three digits of 16, or two of 64; the last four are alone.
{
	text = ""
	for (i = 1; i <= 61; i += 3) {
		n = 0
		for (k = 0; k < 3; k++)
			n = n * 16 + index(hex, substr($1, i + k, 1)) - 1
		text = text substr(digits, int(n / 64) + 1, 1) substr(digits, n % 64 + 1, 1)
	}
	n = (index(hex, substr($1, 64, 1)) - 1) * 4
	print "#define " name " \"sha256-" text substr(digits, n + 1, 1) "=\""
}
