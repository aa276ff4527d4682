# SPDX-License-Identifier: Apache-2.0
#
# Tables and trees for people: expected output that was read by eye.

load lib

probe() {
	"$BUILD/tests/unit/render-probe" "$@"
}

# The named expected output is what these arguments draw.
draws() {
	local want=$DATA/render-$1.want
	shift
	probe "$@" >got
	diff -u "$want" got
}

@test "render: a trace as a tree in 80 columns" {
	draws shop tree shop 80
}

@test "render: a tree in 120 columns has longer bars" {
	draws shop-120 tree shop 120
}

@test "render: a tree in 40 columns has no bars" {
	draws shop-40 tree shop 40
}

@test "render: a tree in ASCII, with matches" {
	draws shop-ascii tree shop 80 ascii match
}

@test "render: a tree in colours" {
	draws shop-colour tree shop 80 colour
}

@test "render: orphans, circles, several roots and duplicates are said" {
	draws odd tree odd 80
}

@test "render: hostile names are escaped and stay in their columns" {
	draws hostile tree hostile 80
}

@test "render: deep spans stop moving to the right" {
	draws steps tree steps 60
}

@test "render: the table of traces" {
	draws traces-80 traces shop 80
	draws traces-120 traces shop 120
}

@test "render: the table of spans" {
	draws spans-80 spans shop 80
	draws spans-120 spans hostile 120
}

@test "render: local time is said by the head" {
	TZ=IST-5:30 probe traces shop 120 local >got
	grep -q '^start  ' got
	grep -q '^2026-11-22 15:30:00.482  ' got
}

@test "render: nothing is wider than the terminal" {
	[ -x /usr/bin/python3 ] || skip "no /usr/bin/python3"
	/usr/bin/python3 "$SRC/tests/render-check.py" \
		"$BUILD/tests/unit/render-probe"
}

@test "render: 200,000 spans in a chain are drawn in linear time" {
	timeout 20 "$BUILD/tests/unit/render-probe" tree huge 80 >got
	[ "$(wc -l <got)" -eq 200002 ]
}
