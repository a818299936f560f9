#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The demo's firewall on a real interface: what the kernel does with packets that arrive there is what skep run says of
the same packets in a capture; and a program is replaced under load without one packet missing it.

    veth.py SKEP FIREWALL CAPTURE

Everything happens in a network and mount namespace of its own.  Exit status 77 where that is not allowed.
"""
import json
import os
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

RULES = ["--var", "rate_per_second=0", "--set", "blocked_v4", "203.0.113.0/24", "0", "--set", "blocked_v6",
         "2001:db8:bad::/48", "0", "--set", "blocked_ports", "23", "0"]
COUNTER = """.map veth_hits array key 4 value 8 entries 1 pin
.section xdp
.program NAME
*(u32 *)(r10 - 4) = 0
r2 = r10
r2 += -4
r1 = map[veth_hits]
call map_lookup_elem
if r0 == 0 goto out
r1 = 1
lock *(u64 *)(r0 + 0) += r1
out:
r0 = 1
exit
"""


def sh(line):
    subprocess.run(line, shell=True, check=True, capture_output=True)


def packets(path):
    """The packets of a pcap file of this machine's byte order."""
    data = open(path, "rb").read()
    at = 24
    while at < len(data):
        length, = struct.unpack_from("=I", data, at + 8)
        yield data[at + 16:at + 16 + length]
        at += 16 + length


def maps_of(lines):
    rows = [json.loads(line) for line in lines.splitlines() if line.startswith("{")]
    return {row["map"]: [(entry["key"], entry["value"]) for entry in row["entries"]] for row in rows if "map" in row}


class Interface:
    """A pair of interfaces: what is sent into left arrives at right."""

    def __enter__(self):
        sh("ip link add left type veth peer name right")
        for end in ("left", "right"):
            sh(f"sysctl -qw net.ipv6.conf.{end}.disable_ipv6=1 2>/dev/null || true; ip link set {end} up")
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
        self.socket.bind(("left", 0))
        time.sleep(0.3)
        return self

    def send(self, packet):
        self.socket.send(packet)

    def __exit__(self, *_):
        self.socket.close()
        sh("ip link del left")


def attached(interface):
    return "prog/xdp" in subprocess.run(["ip", "link", "show", interface], capture_output=True, text=True,
                                        check=True).stdout


def wait_for(condition, seconds=10):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.02)
    return condition()


def same_as_on_a_capture(skep, firewall, capture, folder):
    """Attached to an interface, the firewall counts what skep run counts; returns what is wrong."""
    sent = [p for p in packets(capture) if len(p) >= 14]
    with Interface() as interface:
        out = open(folder + "/live", "w+", encoding="utf-8")
        process = subprocess.Popen([skep, "attach", firewall, "--to", "xdp:right", "--json", "--events", "0", "--maps",
                                    "all", *RULES], stdout=out, stderr=subprocess.PIPE, text=True)
        if not wait_for(lambda: attached("right")):
            return ["not attached: " + process.stderr.read()]
        for packet in sent:
            interface.send(packet)
        time.sleep(0.2)
        process.send_signal(2)
        process.wait(10)
        if attached("right"):
            return ["still attached after Ctrl-C"]
    out.seek(0)
    live = maps_of(out.read())
    run = subprocess.run([skep, "run", firewall, "--pcap", capture, "--json", "--events", "0", "--maps", "all", *RULES],
                         capture_output=True, text=True, check=True)
    dry = maps_of(run.stdout)
    return [f"map {name}: {live.get(name)} on the interface, {dry[name]} on the capture"
            for name in ("blocked_v4", "blocked_v6", "blocked_ports", "counters") if live.get(name) != dry[name]]


def nothing_missed(skep, folder):
    """Two programs replace each other again and again while packets arrive; both count in one pinned map."""
    for name in ("first", "second"):
        subprocess.run([skep, "asm", "-", "-o", f"{folder}/{name}.o"], input=COUNTER.replace("NAME", name), text=True,
                       check=True)
    pin = "/sys/fs/bpf/link"
    done = threading.Event()
    sent = 0

    def load():
        nonlocal sent
        while not done.is_set():
            interface.send(b"\xff" * 12 + b"\x88\xb5" + bytes(50))
            sent += 1
            if sent % 64 == 0:
                time.sleep(0.0005)

    with Interface() as interface:
        subprocess.run([skep, "attach", f"{folder}/first.o", "--to", "xdp:right", "--pin", pin], check=True,
                       capture_output=True)
        sender = threading.Thread(target=load)
        sender.start()
        for i in range(20):
            subprocess.run([skep, "attach", f"{folder}/{('second', 'first')[i % 2]}.o", "--replace", pin], check=True,
                           capture_output=True)
        done.set()
        sender.join()
        time.sleep(0.3)
        shown = subprocess.run([skep, "map", "get", "veth_hits", "0", "--json"], capture_output=True, text=True, check=False)
        counted = json.loads(shown.stdout.splitlines()[0])["value"] if shown.returncode == 0 else shown.stderr
        os.unlink(pin)
    print(f"{sent} packets during 20 replacements, {counted} counted")
    return [] if counted == sent and sent > 1000 else [f"{sent} packets were sent, {counted} counted"]


def main():
    skep, firewall, capture = map(os.path.abspath, sys.argv[1:])
    if "--inside" not in os.environ.get("SKEP_VETH", ""):
        allowed = subprocess.run(["unshare", "-nm", "mount", "-t", "bpf", "none", "/sys/fs/bpf"], capture_output=True,
                                 text=True, check=False)
        if allowed.returncode:
            print("skipped: " + allowed.stderr.strip())
            return 77
        os.environ["SKEP_VETH"] = "--inside"
        os.execvp("unshare", ["unshare", "-nm", "sh", "-c", 'mount -t bpf none /sys/fs/bpf && exec "$@"', "sh",
                              sys.executable, __file__, skep, firewall, capture])
    with tempfile.TemporaryDirectory() as folder:
        checks = [same_as_on_a_capture(skep, firewall, capture, folder), nothing_missed(skep, folder)]
    for wrong in sum(checks, []):
        print(wrong)
    print(f"{sum(not c for c in checks)} passed, {sum(bool(c) for c in checks)} failed")
    return any(checks)


if __name__ == "__main__":
    sys.exit(main())
