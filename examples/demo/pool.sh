#!/usr/bin/env bash
# The warm pool with and without forecasts: two servers side by side get the same
# load at the same time, the first minutes of a function of a synthetic trace, a
# minute of it in a second. One keeps idle instances for ten minutes (seconds
# here), the other decides by forecasts and by what runs that have begun will
# need. Both begin without any history. The demo calls it.
set -euo pipefail
cd "$(dirname "$0")/../.."

# Of the trace that this seed gives, how many minutes, and of which function.
seed=${SEED:-1} minutes=${MINUTES:-100} series=${SERIES:-}

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

bin/aquatope trace generate --functions 1000 --days 1 --seed "$seed" --out "$state/trace" >/dev/null
# Unless one is named: of the functions that are called in 20 to 50 of those
# minutes, at least twice after more than ten quiet ones, and at most thrice in
# each on average, the one with the median number of calls. Those called in fewer
# minutes are cold whatever one does, those called in more are warm whatever one
# does, and more calls at once, of two servers, are more than a laptop can take.
if [[ -z $series ]]; then
	series=$(awk -F, -v minutes="$minutes" '
		NR > 1 {
			calls = called = gaps = last = 0
			for (m = 1; m <= minutes; m++) if ($(m + 4) > 0) {
				calls += $(m + 4); called++
				if (last && m - last > 10) gaps++
				last = m
			}
			if (called >= 20 && called <= 50 && gaps >= 2 && calls <= 3 * called) print calls, $3
		}' "$state"/trace/invocations_*.csv | sort -n | awk '{ name[NR] = $2 } END { print name[int((NR + 1) / 2)] }')
fi

modes=(off apply)
for mode in "${modes[@]}"; do
	set -m
	bin/aquatope up --listen 127.0.0.1:0 --data "$state/$mode" --ready-file "$state/$mode.url" \
		--pool "$mode" --window 1s --capacity-cpu 12 >"$state/$mode.log" 2>&1 &
	servers+=($!)
	set +m
done
for n in "${!modes[@]}"; do
	mode=${modes[n]}
	for ((i = 0; i < 3000; i++)); do
		[[ -s $state/$mode.url ]] && break
		kill -0 "${servers[n]}" 2>/dev/null || { cat "$state/$mode.log" >&2; exit 1; }
		sleep 0.1
	done
	bin/aquatope deploy --server "$(<"$state/$mode.url")" -f examples/social-network >/dev/null
done
loads=()
for mode in "${modes[@]}"; do
	bin/aquatope load social-network --server "$(<"$state/$mode.url")" \
		--trace "$state/trace" --trace-function "$series" --compress 60 --duration "${minutes}s" \
		-d social-network=@examples/social-network/payloads/post.json -o json >"$state/$mode.json" 2>"$state/$mode.err" &
	loads+=($!)
done
for pid in "${loads[@]}"; do
	wait "$pid" || { cat "$state"/*.err >&2; exit 1; }
done

# The figures are those of the two load reports.
first() { grep -oE "\"$1\": *[0-9.e+-]+" "$2" | head -1 | grep -oE '[0-9.e+-]+$'; }
printf 'synthetic trace %s, %s, %s runs in %s minutes\n' "$seed" "$series" "$(first runs "$state/off.json")" "$minutes"
printf '%-28s %12s %26s %12s\n' 'warm pool' 'cold starts' 'idle instance-seconds' 'p95 ms'
for mode in "${modes[@]}"; do
	idle=$(grep -oE '"idleNanos": *[0-9]+' "$state/$mode.json" | grep -oE '[0-9]+$' | awk '{s += $1} END {printf "%.0f", s / 1e9}')
	p95=$(first p95Nanos "$state/$mode.json" | awk '{printf "%.0f", $1 / 1e6}')
	name='fixed keep-alive (off)'
	[[ $mode == apply ]] && name='forecast (apply)'
	printf '%-28s %12s %26s %12s\n' "$name" "$(first coldStarts "$state/$mode.json")" "$idle" "$p95"
done
[[ -z ${STATUS:-} ]] || bin/aquatope status --server "$(<"$state/apply.url")" >&2
