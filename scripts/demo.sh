#!/bin/sh
# Run the example firewall on examples/traffic.pcap, with a block list: what a user would type.
#
#	scripts/demo.sh [BUILD FOLDER]
set -eu
build=${1:-build}
set -- "$build/skep" run "$build/examples/xdp_firewall.bpf.o" --pcap examples/traffic.pcap \
	--set blocked_v4 203.0.113.0/24 0 --set blocked_v6 2001:db8:bad::/48 0 \
	--set blocked_ports 23 0 --var rate_per_second=200 --events 8
echo "$ $*"
exec "$@"
