"""As whom the embedded Postgres runs, because it refuses to run as root.

An ordinary user runs it as himself. Root runs it as the owner of the data folder's home, or as
`nobody` where that is root too. Such a user usually cannot enter root's folders (a home below
/root, a private virtual environment). Opening those folders to everybody would be a poor trade, so
the server keeps exactly one right of root's, the one to pass folders (CAP_DAC_READ_SEARCH, or
CAP_DAC_OVERRIDE in containers, which lack the former), and only if it needs it.
"""

import os
import pwd
import shutil
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quantdesk.core.errors import Refused

_NOBODY = "nobody"
_RIGHTS = {"dac_read_search": 1 << 2, "dac_override": 1 << 1}  # capabilities(7), weakest first


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom a child process becomes: `uid` None is ourselves; `prefix` carries a right along."""

    uid: int | None = None
    gid: int | None = None
    prefix: tuple[str, ...] = ()

    @property
    def becomes(self) -> dict[str, Any]:
        """Return the arguments of `subprocess` that change the user."""
        if self.uid is None or self.prefix:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def own(self, path: Path) -> None:
        """Give a file or a folder with all it holds to this identity."""
        if self.uid is None or self.gid is None:
            return
        os.chown(path, self.uid, self.gid, follow_symlinks=False)
        for folder, folders, files in os.walk(path):
            for name in folders + files:
                os.chown(Path(folder, name), self.uid, self.gid, follow_symlinks=False)


OURSELVES = Identity()


def choose(home: Path, needed: Iterable[Path]) -> Identity:
    """Return the identity for a server in `home` that must reach the needed files and folders.

    Raises Refused `database.root` when root has no way to run one.
    """
    if os.geteuid() != 0:
        return OURSELVES
    account = _account(home)
    uid, gid = account.pw_uid, account.pw_gid
    closed = next((f for path in needed for f in path.parents if not _passes(f, uid, gid)), None)
    if closed is None:
        return Identity(uid, gid)
    setpriv = shutil.which("setpriv")
    right = _right()
    if setpriv is None or right is None:
        detail = f"Postgres does not run as root, and {account.pw_name} cannot enter {closed}"
        cure = "run the desk as an ordinary user, or let others pass that folder (chmod o+x)"
        raise Refused(f"{detail}: {cure}", code="database.root")
    return Identity(uid, gid, _prefix(setpriv, uid, gid, right))


def _account(home: Path) -> pwd.struct_passwd:
    owner = home.stat().st_uid
    try:
        return pwd.getpwuid(owner) if owner else pwd.getpwnam(_NOBODY)
    except KeyError:  # initdb wants a name for its user
        return pwd.getpwnam(_NOBODY)


def _passes(folder: Path, uid: int, gid: int) -> bool:
    status = folder.stat()
    if status.st_uid == uid:
        return bool(status.st_mode & stat.S_IXUSR)
    if status.st_gid == gid:
        return bool(status.st_mode & stat.S_IXGRP)
    return bool(status.st_mode & stat.S_IXOTH)


def _right() -> str | None:
    status = Path("/proc/self/status")
    if not status.exists():
        return None
    line = next(x for x in status.read_text("ascii").splitlines() if x.startswith("CapEff"))
    held = int(line.split()[1], 16)
    return next((name for name, bit in _RIGHTS.items() if held & bit), None)


def _prefix(setpriv: str, uid: int, gid: int, right: str) -> tuple[str, ...]:
    # no_setuid_fixup: access(2) ignores the rights of other users than root without it, and
    # Postgres tests its own binary with access(2).
    return (
        setpriv,
        f"--reuid={uid}",
        f"--regid={gid}",
        "--clear-groups",
        f"--inh-caps=-all,+{right}",
        f"--ambient-caps=-all,+{right}",
        f"--bounding-set=-all,+{right}",
        "--securebits=+no_setuid_fixup",
        "--",
    )
