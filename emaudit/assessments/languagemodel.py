"""The model of the language identification library, of a few languages alone: half the memory, also while it loads."""

from __future__ import annotations

import lzma
import shutil
from collections.abc import Collection
from tempfile import TemporaryFile
from typing import Any, Final

import numpy as np
from py3langid.langid import MODEL_DIR, MODEL_FILE, LanguageIdentifier

_PIECE: Final = 1 << 20


def load(codes: Collection[str]) -> Any:  # noqa: ANN401 (the library has no types)
    """The library's identifier, restricted to languages by their ISO 639-1 codes, with probabilities.

    It names what the library's own `from_model_file` and `set_languages` name, which keep every language in memory
    beside and copy the largest table while they load.
    """
    with TemporaryFile() as unpacked:
        with lzma.open(MODEL_DIR / MODEL_FILE) as packed:
            shutil.copyfileobj(packed, unpacked, _PIECE)
        unpacked.seek(0)
        with np.load(unpacked, allow_pickle=False) as tables:
            names = tables["classes"].tolist()
            columns = [column for column, name in enumerate(names) if name in codes]
            return LanguageIdentifier(
                tables["ptc"][:, columns],
                tables["pc"][columns],
                [names[column] for column in columns],
                memoryview(tables["nextmove"]),
                tables["out_feat"].tolist(),
                norm_probs=True,
                tk_row=tables["nextmove_row"].tolist(),
            )
