"""How many threads compute."""

from __future__ import annotations

import operator

import joblib
from joblib.parallel import get_active_backend

from dashnas import _dashnas
from dashnas.errors import ConfigError


def threads(n_jobs: int | None) -> int:
    """The number of threads for `n_jobs`, as scikit-learn counts: -1 is one for each core.

    Without it, the number is that of joblib's `parallel_config`, 1 in a thread of joblib's, and otherwise that of
    `dashnas.set_threads`, or one for each core within the limits that joblib gives its processes.
    """
    if n_jobs is not None:
        try:
            n_jobs = operator.index(n_jobs)
        except TypeError:
            n_jobs_is = f"n_jobs is {n_jobs!r}, not a whole number"
            raise ConfigError(n_jobs_is, "give the number of threads, or -1 for one for each core") from None
        if n_jobs == 0:
            raise ConfigError("n_jobs is 0", "give the number of threads, or -1 for one for each core")
        return max(1, n_jobs if n_jobs > 0 else joblib.cpu_count() + 1 + n_jobs)
    backend, wanted = get_active_backend()
    if getattr(backend, "nesting_level", 0) and getattr(backend, "supports_sharedmem", False):
        return 1
    if wanted is not None and wanted not in (1, -1) and wanted > 1:
        return min(int(wanted), _dashnas.threads())
    return _dashnas.threads()
