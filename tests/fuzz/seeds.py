"""Seeds for the fuzz targets, taken from objects that a compiler made.

	seeds.py OUT-FOLDER KIND OBJECT...

KIND elf: the objects themselves; btf, btf_ext: those sections; insns: every section of code.
"""
import os
import struct
import sys

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


def pieces(kind, data):
    if kind == 'elf':
        return [data]
    wanted = {'btf': '.BTF', 'btf_ext': '.BTF.ext'}.get(kind)
    if wanted:
        return [body for name, _, _, body in sections(data) if name == wanted]
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
