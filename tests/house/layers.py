"""An include of src/ points only to folders that src/LAYERS lists earlier, and to its own.

	layers.py ROOT
"""
import pathlib
import re
import sys

INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.M)


def main(root):
    src = pathlib.Path(root) / 'src'
    order = [line.removeprefix('src/') for line in (src / 'LAYERS').read_text().split()]
    bad = 0
    files = sorted(path for path in src.rglob('*') if path.suffix in ('.c', '.h', '.def'))
    for path in files:
        folder = path.relative_to(src).parts[0]
        if folder not in order:
            print(f'{path}: src/LAYERS does not list its folder')
            bad += 1
            continue
        for name in INCLUDE.findall(path.read_text()):
            other = name.split('/')[0]
            if '/' in name and order.index(folder) < (order.index(other) if other in order else len(order)):
                print(f'{path}: includes "{name}", which is not above it in src/LAYERS')
                bad += 1
    print(f'{len(files)} files')
    return 1 if bad or not files else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1]))
