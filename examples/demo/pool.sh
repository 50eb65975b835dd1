#!/usr/bin/env bash
# The warm pool with and without forecasts: two servers side by side get the same
# load at the same time, two hours of a workflow that a timer starts every
# quarter of an hour, a minute of it in a second. One keeps idle instances for
# ten minutes (seconds here), the other plans them. The demo calls it.
set -euo pipefail
cd "$(dirname "$0")/../.."

state=$(mktemp -d)
servers=()

cleanup() {
	trap '' INT TERM
	for pid in "${servers[@]}"; do
		kill -TERM "$pid" 2>/dev/null || true
		wait "$pid" || true
	done
	rm -rf "$state"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

modes=(off apply)
for mode in "${modes[@]}"; do
	set -m
	bin/aquatope up --listen 127.0.0.1:0 --data "$state/$mode" --ready-file "$state/$mode.url" \
		--pool "$mode" --window 1s --capacity-cpu 12 >"$state/$mode.log" 2>&1 &
	servers+=($!)
	set +m
done
for mode in "${modes[@]}"; do
	for ((i = 0; i < 300; i++)); do
		[[ -s $state/$mode.url ]] && break
		sleep 0.1
	done
	bin/aquatope deploy --server "$(<"$state/$mode.url")" -f examples/social-network >/dev/null
done
loads=()
for mode in "${modes[@]}"; do
	bin/aquatope load social-network --server "$(<"$state/$mode.url")" \
		--trace examples/demo/timer --trace-function digest --compress 60 \
		-d social-network=@examples/social-network/payloads/post.json -o json >"$state/$mode.json" 2>"$state/$mode.err" &
	loads+=($!)
done
for pid in "${loads[@]}"; do
	wait "$pid" || { cat "$state"/*.err >&2; exit 1; }
done

# The figures are those of the two load reports.
first() { grep -oE "\"$1\": *[0-9.e+-]+" "$2" | head -1 | grep -oE '[0-9.e+-]+$'; }
printf '%-28s %12s %26s\n' 'warm pool' 'cold starts' 'idle instance-seconds'
for mode in "${modes[@]}"; do
	idle=$(grep -oE '"idleNanos": *[0-9]+' "$state/$mode.json" | grep -oE '[0-9]+$' | awk '{s += $1} END {printf "%.0f", s / 1e9}')
	name='fixed keep-alive (off)'
	[[ $mode == apply ]] && name='forecast (apply)'
	printf '%-28s %12s %26s\n' "$name" "$(first coldStarts "$state/$mode.json")" "$idle"
done
