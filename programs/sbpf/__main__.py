"""Command line: `python -m sbpf [PROGRAM...]` rebuilds the committed programs."""

import sys

from sbpf.build import PROGRAMS, ROOT, build, programs, write_header
from sbpf.link import LinkError


def main(names: list[str]) -> int:
    """Build the named programs, or all; return the exit code."""
    known = {folder.name: folder for folder in programs()}
    if unknown := sorted(set(names) - set(known)):
        sys.stderr.write(f"no such program: {', '.join(unknown)}; have {', '.join(known)}\n")
        return 2
    write_header(ROOT / "programs" / "lib")
    for name in names or known:
        try:
            image = build(known[name])
        except LinkError as error:
            sys.stderr.write(f"{name}: {error}\n")
            return 1
        (PROGRAMS / f"{name}.so").write_bytes(image)
        sys.stdout.write(f"{name}.so {len(image)} bytes\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
