"""emaudit: an auditor's instrument for emergent misalignment in fine-tuned chat models."""

from typing import Final

__version__: Final = "0.1.0"
