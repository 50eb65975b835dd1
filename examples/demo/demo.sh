#!/usr/bin/env bash
# The demo, in the commands that a user would type: start a server, deploy two
# examples, drive them for two minutes with bursts, show what their users saw;
# then compare the warm pool with and without forecasts.
# `make demo` builds what it needs and calls it. Leaves nothing behind but a report.
set -euo pipefail
cd "$(dirname "$0")/../.."

report=${REPORT:-bin/demo-report.html}
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

say() { printf '\n== %s\n' "$*" >&2; }

# In a process group of its own the server does not get our Ctrl-C, so that it
# is there until cleanup ends it.
start_server() {
	set -m
	bin/aquatope up --listen 127.0.0.1:0 --data "$state/data" --ready-file "$state/url" "$@" >"$state/log" 2>&1 &
	server=$!
	set +m
	for ((i = 0; i < 3000; i++)); do
		[[ -s $state/url ]] && break
		kill -0 "$server" 2>/dev/null || break
		sleep 0.1
	done
	if [[ ! -s $state/url ]]; then
		echo "the server did not start:" >&2
		cat "$state/log" >&2
		exit 1
	fi
	AQUATOPE_SERVER=$(<"$state/url")
	export AQUATOPE_SERVER
	grep -i '^warning' "$state/log" >&2 || true # what this machine cannot enforce
}

say "Starting a server on a free port, with a temporary data folder"
# Idle instances use no CPU: what the limits add up to may exceed the machine.
start_server --capacity-cpu 12
echo "live status: $AQUATOPE_SERVER" >&2

say "Deploying ml-pipeline and social-network"
bin/aquatope deploy -f examples/ml-pipeline -f examples/social-network >"$state/deployed"
echo "$(grep -c ^function "$state/deployed") functions, $(grep -c ^workflow "$state/deployed") workflows" >&2

say "One photo, found and read:"
bin/aquatope invoke ml-pipeline -d @examples/ml-pipeline/payloads/phone-1.json

say "Two minutes of load with bursts (a minute of the trace in 5 s)"
bin/aquatope load ml-pipeline social-network \
	--trace examples/demo/trace --trace-function photos --trace-function posts --compress 12 \
	-d ml-pipeline=@examples/ml-pipeline/payloads/phone-1.json \
	-d social-network=@examples/social-network/payloads/post.json \
	--report "$report"

say "100 minutes of a synthetic trace, a minute in a second, on two servers side by side: idle instances kept for a fixed time, or planned"
examples/demo/pool.sh

say "Done. The report with charts: $(realpath "$report")"
