"""Fitted estimators from files.

A pickle is a program: reading one runs it. Only the commands that are told to use an estimator (`convert`, `verify`,
`bench --estimator`) ever read one, and only the file they are given. `.skops` files are data: types that skops does not
know are refused unless named.
"""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

from ..errors import InputError
from .paths import check_file

#: endings of files that are pickles, whoever wrote them (pickle, joblib, cloudpickle)
PICKLES = (".pkl", ".pickle", ".joblib", ".cloudpickle")


def load_estimator(path: Path, trust: Sequence[str] = ()) -> Any:
    """Read a fitted estimator.

    Parameters
    ----------
    path : Path
        A ``.skops`` file, or a pickle (`PICKLES`), which is executed.
    trust : sequence of str
        Types that a ``.skops`` file may hold beyond the known ones.

    Raises
    ------
    InputError
        If there is no such file, its ending is unknown, it cannot be read, or it holds types that are not trusted.
    """
    check_file(path)
    if path.suffix == ".skops":
        return _load_skops(path, trust)
    if path.suffix in PICKLES:
        return _load_pickle(path)
    raise InputError(f"{path.name}: a fitted estimator is read from {', '.join(PICKLES)} or .skops files.")


def _load_pickle(path: Path) -> Any:
    import joblib  # comes with scikit-learn; reads plain pickles too

    try:
        return joblib.load(path)
    except (pickle.UnpicklingError, EOFError, ValueError, KeyError, IndexError) as error:
        what = str(error) or type(error).__name__  # the end of the file has no words
        raise InputError(f"{path.name} is not a readable pickle ({what}). Write it again with joblib.dump.") from error
    except (ImportError, AttributeError) as error:
        raise InputError(f"{path.name} needs code that is not installed here: {error}.") from error


def _load_skops(path: Path, trust: Sequence[str]) -> Any:
    try:
        from skops import io
    except ImportError as error:
        raise InputError("reading .skops files needs skops: pip install skops") from error
    try:
        found = io.get_untrusted_types(file=path)
        if unknown := sorted(set(found) - set(trust)):
            options = " ".join(f"--trust {name}" for name in unknown)
            raise InputError(
                f"{path.name} holds types that skops does not know: {', '.join(unknown)}. If you know them: {options}"
            )
        return io.load(path, trusted=sorted(set(trust)))
    except (OSError, KeyError, ValueError, TypeError, BadZipFile) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(
            f"{path.name} is not a readable skops file ({error}). Write it again with skops.io.dump."
        ) from error
