#!/usr/bin/env bats
# span-query --limit: the newest traces are found without looking at all.

load lib

# Segments, closed logs and an open one, of traffic at times of their own that
# are not in the order in which it arrived; the same in one stream.
make_store() {
	local part=0 start spans
	while read -r start spans seal; do
		part=$((part + 1))
		span-gen --seed $part --spans "$spans" --rate 200 \
			--start "$start" >part.spans
		cat part.spans >>all.spans
		span-store append --no-seal s part.spans
		[ -z "$seal" ] || span-store seal -q --all s
	done <<-'PARTS'
		2026-01-01T00:00:40Z 40000 seal
		2026-01-01T00:00:00Z 16000 seal
		2026-01-01T00:01:00Z 5000 seal
		2026-01-01T00:00:50Z 4000
		2026-01-01T00:00:55Z 3000
	PARTS
}

@test "newest: a store gives the same traces as a stream, in the same order" {
	make_store
	[ "$(span-store stat -o json s | jq .segments)" -ge 2 ]
	for limit in 1 7 40 300; do
		while read -ra select; do
			span-query --limit "$limit" -o ids "${select[@]}" \
				--memory 1G all.spans >want || [ $? = 1 ]
			span-query --limit "$limit" -o ids "${select[@]}" \
				-s s >got || [ $? = 1 ]
			diff -u want got
			[ "${select[*]}" = "--service nobody" ] || [ -s got ]
		done <<-'SELECT'

			--error
			--service payment
			--service nobody
			--tag http.status_code=200
			--min-duration 50ms
			--tag user.id~^1
			--until 2026-01-01T00:00:52Z --operation GET*
		SELECT
	done
}

@test "newest: what cannot be newer is not read" {
	[ "$SANITIZERS" != yes ] || skip "the leak checker does not run in strace"
	make_store
	for limit in '' 5; do
		strace -f -e trace=pread64 -o trace.txt \
			span-query ${limit:+--limit $limit} -o ids -s s >/dev/null
		awk '{ n += $NF } END { print n }' trace.txt
	done >bytes
	[ "$(sed -n 2p bytes)" -lt "$(($(sed -n 1p bytes) / 2))" ]
}
