"""The only place that runs a program as somebody who is not root, and gives away what root makes.

Law: an ordinary user is never changed; root becomes the owner of the place it works in, or nobody
in a namespace of its own, or nobody; what root makes in another user's folder belongs to that user.
"""

import ctypes
import errno
import functools
import os
import pwd
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

NOBODY = 65534  # has a name everywhere, which initdb asks for
SET_PARENT_DEATH_SIGNAL, SET_DUMPABLE = 1, 4  # of prctl
type Prctl = Callable[[int, int], int]

# All that a program sees of our environment: PG* and LD_LIBRARY_PATH would change what it does.
ENVIRONMENT = {"LC_ALL": "C", "PATH": os.defpath}


class Identity(NamedTuple):
    """Whom a program runs as, and so to whom its files belong."""

    uid: int
    gid: int

    @property
    def mapped(self) -> bool:
        """Whether to call them nobody: Postgres refuses root, initdb a user without a name."""
        with suppress(KeyError):
            return pwd.getpwuid(self.uid).pw_uid == 0
        return True


def owner(path: Path) -> Identity:
    status = path.stat()
    return Identity(status.st_uid, status.st_gid)


def candidates(folder: Path, made: Path) -> list[Identity]:
    """Only root has a choice: the folder's owner, root itself in a namespace, nobody.

    `made` is what the program made in the folder, where it has run before.
    """
    ours = Identity(os.geteuid(), os.getegid())
    if ours.uid != 0:
        return [ours]
    places = [made] if made.exists() else [folder, folder.parent]
    others = [identity for identity in map(owner, places) if identity.uid != 0]
    if others and made.exists():
        return others  # what was made is never taken from whom it belongs to
    with suppress(KeyError):
        nobody = pwd.getpwnam("nobody")
        return [*others[:1], ours, Identity(nobody.pw_uid, nobody.pw_gid)]
    return [*others[:1], ours]


def make_folder(folder: Path) -> None:
    """Make it where it is missing, for its parent's owner alone."""
    with suppress(FileExistsError):
        folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.mkdir(mode=0o700)
        give([folder], owner(folder.parent))
    if not folder.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder))


def give(paths: Iterable[Path], identity: Identity) -> None:
    """Give what root made to whom it is for; others have made it for themselves."""
    if os.geteuid() == 0:
        for path in paths:
            os.chown(path, *identity, follow_symlinks=False)


def spawn(
    command: list[str], identity: Identity, *, reaching: Path, output: int, inherited: int
) -> subprocess.Popen[bytes]:
    """Run a program as this user; it is interrupted when the thread that started it ends.

    `reaching` is the folder it starts in. OSError or SubprocessError when this user cannot run it.
    """
    prctl = ctypes.CDLL(None).prctl if sys.platform == "linux" else None
    mapped = identity if identity.mapped else None
    switched = identity.uid != os.geteuid()
    return subprocess.Popen(  # noqa: S603 our own words
        command,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        env=ENVIRONMENT,
        pass_fds=[inherited],
        start_new_session=True,  # Ctrl-C is for us; we end the program when we have drained
        user=identity.uid if switched else None,
        group=identity.gid if switched else None,
        extra_groups=[] if switched else None,
        preexec_fn=functools.partial(  # noqa: PLW1509 it only makes system calls
            _prepare, prctl, os.getpid(), mapped, reaching
        ),
    )


def _prepare(  # pragma: no cover -- between fork and exec nothing can be measured
    prctl: Prctl | None, parent: int, mapped: Identity | None, folder: Path
) -> None:
    """Make the forked child ready to become the program."""
    if mapped is not None:
        _enter_namespace(prctl, mapped)
    os.chdir(folder)  # proves that this user gets there
    if prctl is not None:  # last, because a change of user takes it back
        prctl(SET_PARENT_DEATH_SIGNAL, signal.SIGINT)
        if os.getppid() != parent:
            os._exit(1)


def _enter_namespace(  # pragma: no cover -- likewise
    prctl: Prctl | None, identity: Identity
) -> None:
    """Become nobody in name while the files stay those of the identity."""
    if sys.platform == "linux":
        if prctl is not None:
            prctl(SET_DUMPABLE, 1)  # or who has just changed user may not write their own maps
        os.unshare(os.CLONE_NEWUSER)
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{NOBODY} {identity.uid} 1")
        Path("/proc/self/gid_map").write_text(f"{NOBODY} {identity.gid} 1")
    else:
        raise OSError("only Linux has user namespaces")
