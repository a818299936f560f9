"""Seeds for the fuzz targets, taken from objects that a compiler made, captures and texts.

	seeds.py OUT-FOLDER KIND FILE...

KIND elf, verify, asm: the files themselves; btf: that section of objects; insns: every section of code; pcap: the first
packets of a capture, as pcap, pcapng and compressed.
"""
import gzip
import os
import struct
import sys

PACKETS = 60

SHT_PROGBITS = 1
SHF_EXECINSTR = 4


def sections(data):
    """(name, type, flags, bytes) of each section of a little-endian ELF64 file."""
    offset, = struct.unpack_from('<Q', data, 0x28)
    size, count, names = struct.unpack_from('<HHH', data, 0x3a)
    headers = [struct.unpack_from('<IIQQQQ', data, offset + i * size) for i in range(count)]
    strings = headers[names][4]
    for name, kind, flags, _, start, length in headers:
        end = data.index(b'\0', strings + name)
        yield data[strings + name:end].decode(), kind, flags, data[start:start + length]


def first_packets(data):
    """(header, records) of the start of a little-endian pcap file."""
    records = []
    at = 24
    while at + 16 <= len(data) and len(records) < PACKETS:
        length, = struct.unpack_from('<I', data, at + 8)
        records.append(data[at:at + 16 + length])
        at += 16 + length
    return data[:24], records


def block(kind, body):
    body += bytes(-len(body) % 4)
    size = struct.pack('<I', len(body) + 12)
    return struct.pack('<I', kind) + size + body + size


def pcapng(records):
    out = block(0x0a0d0d0a, struct.pack('<IHHq', 0x1a2b3c4d, 1, 0, -1)) + block(1, struct.pack('<HHI', 1, 0, 65535))
    for record in records:
        seconds, micros, length, wire = struct.unpack_from('<IIII', record)
        time = seconds * 1000000 + micros
        out += block(6, struct.pack('<IIIII', 0, time >> 32, time & 0xffffffff, length, wire) + record[16:])
    return out


def pieces(kind, data):
    if kind in ('elf', 'verify', 'asm'):
        return [data]
    if kind == 'btf':
        return [body for name, _, _, body in sections(data) if name == '.BTF']
    if kind == 'pcap':
        header, records = first_packets(data)
        pcap = header + b''.join(records)
        return [pcap, pcapng(records), gzip.compress(pcap, mtime=0)]
    return [body for _, type_, flags, body in sections(data)
            if type_ == SHT_PROGBITS and flags & SHF_EXECINSTR and body]


def main(folder, kind, *objects):
    os.makedirs(folder, exist_ok=True)
    for path in objects:
        with open(path, 'rb') as source:
            data = source.read()
        for i, piece in enumerate(pieces(kind, data)):
            with open(os.path.join(folder, f'{os.path.basename(path)}.{i}'), 'wb') as out:
                out.write(piece)


if __name__ == '__main__':
    main(*sys.argv[1:])
