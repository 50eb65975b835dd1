#!/usr/bin/env bash
# Resources and warm pool decided together, live: chain gets the same runs at the
# same times twice. First with the resources of its manifest and instances that the
# pool keeps by forecast alone; then, after a tuning, by the plan that was decided
# for both on these recorded runs. The begin of the second half is as warm as the
# tuning left it. Takes about ten minutes; nothing else should use the machine.
set -euo pipefail
cd "$(dirname "$0")/../.."

seed=${SEED:-1} seconds=${SECONDS_EACH:-240} rate=${RATE:-1} patience=${PATIENCE:-900} qos=${QOS:-600ms}

state=$(mktemp -d)
server=

cleanup() {
	trap '' INT TERM
	if [[ -n $server ]]; then
		kill -TERM "$server" 2>/dev/null || true
		wait "$server" || true
	fi
	rm -rf "$state"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

set -m
bin/aquatope up --listen 127.0.0.1:0 --data "$state/data" --ready-file "$state/url" \
	--pool apply --window 1s >"$state/log" 2>&1 &
server=$!
set +m
for ((i = 0; i < 3000; i++)); do
	[[ -s $state/url ]] && break
	kill -0 "$server" 2>/dev/null || { cat "$state/log" >&2; exit 1; }
	sleep 0.1
done
AQUATOPE_SERVER=$(<"$state/url")
export AQUATOPE_SERVER
sed "s/latency: 600ms/latency: $qos/" examples/chain/workflow.yaml >"$state/workflow.yaml"
bin/aquatope deploy -f examples/chain/functions.yaml -f "$state/workflow.yaml" >/dev/null

load() {
	bin/aquatope load chain --poisson --rate "$rate" --seed "$seed" --duration "${seconds}s" \
		-d @examples/chain/payloads/friday.json -o json >"$state/$1.json" 2>"$state/$1.err" || {
		cat "$state/$1.err" >&2
		exit 1
	}
}

# The plan that serves, as the server tells it; nothing as long as there is none.
plan() { bin/aquatope status -o json | grep -A60 '"joint"' | grep -q '"applied": true'; }

load before
echo 'tuning' >&2
bin/aquatope tune chain --apply >"$state/tune" 2>"$state/tune.err" || {
	cat "$state/tune" "$state/tune.err" >&2
	exit 1
}
echo 'waiting for a plan' >&2
for ((i = 0; i < patience; i++)); do
	plan && break
	sleep 1
done
plan || {
	echo "no plan was followed within $patience s:" >&2
	bin/aquatope explain chain >&2 || true
	grep joint "$state/log" >&2 || true
	exit 3
}
load after

# The figures are those of the two load reports.
first() { grep -oE "\"$1\": *[0-9.e+-]+" "$2" | head -1 | grep -oE '[0-9.e+-]+$'; }
printf '%-28s %6s %11s %12s %8s %14s %14s %10s\n' 'chain' runs violations 'cold starts' 'p95 ms' 'serving/run' 'idle/run' 'cost/run'
for half in before after; do
	name='manifest, pool alone'
	[[ $half == after ]] && name='resources and pool together'
	file=$state/$half.json
	awk -v name="$name" -v runs="$(first runs "$file")" -v bad="$(first violations "$file")" -v cold="$(first coldStarts "$file")" \
		-v p95="$(first p95Nanos "$file")" -v cost="$(first cost "$file")" -v idle="$(first idleCost "$file")" \
		'BEGIN { printf "%-28s %6d %11d %12d %8.0f %14.3g %14.3g %10.3g\n", name, runs, bad, cold, p95 / 1e6, cost / runs, idle / runs, (cost + idle) / runs }'
done
bin/aquatope status -o json | grep -A60 '"joint"' | grep -m1 '"reason"' | sed 's/^ *//'
