#!/bin/sh
# Record examples/traffic.pcap: what real programs send to a small server, as its interface sees it come in.
#
#	scripts/make-capture.sh [OUT.pcap] [VLAN_OBJECT]
#
# Needs root.  Two network namespaces joined by a pair of veth interfaces, in a mount and a process namespace
# of the script's own: nothing of it can be seen outside, and all of it is gone when the script ends.
#
#	client   192.0.2.10    2001:db8::10       curl, dig, ping: a user
#	         203.0.113.66  2001:db8:bad::66   nmap, curl: an attacker (further addresses of the client)
#	server   192.0.2.1     2001:db8::1        HTTP on 80 (python3), DNS on 53 (dnsmasq)
#	vlan 7   198.51.100.10 -> 198.51.100.1    the same user and server, tagged
#
# Where the kernel has no 8021q, the tags are pushed and popped by examples/tc_vlan on a macvlan interface.
set -eu
cd "$(dirname "$0")/.."
out=$(realpath -m "${1:-examples/traffic.pcap}")
vlan_object=$(realpath -m "${2:-build/examples/tc_vlan.bpf.o}")

if [ "${SKEP_CAPTURE_INSIDE:-}" != yes ]; then
	scripts/need.sh capture
	[ "$(id -u)" = 0 ] || { echo "make-capture.sh: needs root, for network namespaces" >&2; exit 4; }
	SKEP_CAPTURE_INSIDE=yes exec unshare --mount --pid --fork --kill-child --mount-proc \
		"$0" "$out" "$vlan_object"
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p /run/netns
mount -t tmpfs none /run/netns

server() { ip netns exec server "$@"; }
client() { ip netns exec client "$@"; }

# $1: namespace, $2: interface, then addresses
addresses() {
	ns=$1 dev=$2
	shift 2
	for address; do
		ip -n "$ns" addr add "$address" dev "$dev" $(case $address in *:*) echo nodad ;; esac)
	done
	ip -n "$ns" link set "$dev" up
}

# $1: namespace; makes the interface vlan7 on top of eth0
vlan() {
	if ip -n "$1" link add link eth0 name vlan7 type vlan id 7 2>/dev/null; then
		return
	fi
	ip -n "$1" link add vlan7 link eth0 type macvlan mode private
	ip netns exec "$1" tc qdisc add dev vlan7 clsact
	ip netns exec "$1" tc filter add dev vlan7 egress bpf da obj "$vlan_object" program push
	ip netns exec "$1" tc filter add dev vlan7 ingress bpf da obj "$vlan_object" program pop
}

# Frames as they travel on a wire: with checksums, and no larger than the MTU.
like_a_wire() {
	ip netns exec "$1" ethtool -K eth0 tx off tso off gso off gro off >/dev/null 2>&1
}

ip netns add server
ip netns add client
ip -n server link add eth0 type veth peer name eth0 netns client
for ns in server client; do
	ip -n $ns link set lo up
	like_a_wire $ns
	vlan $ns
done
addresses server eth0 192.0.2.1/24 203.0.113.1/24 2001:db8::1/64 2001:db8:bad::1/64
addresses client eth0 192.0.2.10/24 203.0.113.66/24 2001:db8::10/64 2001:db8:bad::66/64
addresses server vlan7 198.51.100.1/24 2001:db8:7::1/64
addresses client vlan7 198.51.100.10/24 2001:db8:7::10/64

mkdir "$work/www"
seq 1 2500 >"$work/www/numbers.txt"
echo '<h1>skep</h1>' >"$work/www/index.html"
server python3 -m http.server --directory "$work/www" --bind :: 80 >/dev/null 2>&1 &
server dnsmasq --keep-in-foreground --no-resolv --no-hosts --user=root --pid-file="$work/dns.pid" \
	--address=/example.test/192.0.2.1 --address=/example.test/2001:db8::1 >/dev/null 2>&1 &
sleep 1.5
ip netns exec server tcpdump -i eth0 -Q in -n -U -w "$work/traffic.pcap" 2>/dev/null &
tcpdump=$!
sleep 1

get() { client curl -sS -m 5 -o /dev/null "$@" || true; }

get http://192.0.2.1/
get http://192.0.2.1/numbers.txt
get 'http://[2001:db8::1]/'
get 'http://[2001:db8::1]/numbers.txt'
get http://192.0.2.1/nowhere -H 'X-Note: a request that is answered with 404'
client dig +short @192.0.2.1 example.test A >/dev/null
client dig +short @2001:db8::1 example.test AAAA >/dev/null
client dig +short +tcp @192.0.2.1 example.test A >/dev/null
client dig +short @192.0.2.1 nowhere.example >/dev/null || true
client ping -q -c 5 -i 0.2 192.0.2.1 >/dev/null
client ping -q -c 5 -i 0.2 2001:db8::1 >/dev/null
client ping -q -c 2 -i 0.2 -s 4000 192.0.2.1 >/dev/null
client ping -q -c 2 -i 0.2 -s 4000 2001:db8::1 >/dev/null

get http://198.51.100.1/
get 'http://[2001:db8:7::1]/numbers.txt'
client ping -q -c 2 -i 0.2 198.51.100.1 >/dev/null
client ping -q -c 2 -i 0.2 -s 4000 198.51.100.1 >/dev/null

# somebody knocks at telnet's door, and asks for pages
client curl -sS -m 2 telnet://192.0.2.1:23 </dev/null >/dev/null 2>&1 || true
get --interface 203.0.113.66 http://203.0.113.1/
get --interface 2001:db8:bad::66 'http://[2001:db8:bad::1]/'
# one scan from an address that the demo blocks, one from an address that it does not
client nmap -n -Pn -sS --max-retries 0 -p 1-300 -S 203.0.113.66 -e eth0 203.0.113.1 >/dev/null
client nmap -n -Pn -sS --max-retries 0 -T5 --min-rate 5000 -p 1-400 192.0.2.1 >/dev/null
client nmap -n -Pn -sU --max-retries 0 -p 53,67,123,161 192.0.2.1 >/dev/null
client nmap -6 -n -Pn -sS --max-retries 0 -p 1-100 -S 2001:db8:bad::66 -e eth0 2001:db8:bad::1 >/dev/null

sleep 1
kill "$tcpdump"
wait "$tcpdump" || true
cp "$work/traffic.pcap" "$out"
ls -l "$out"
