"""Verify a store and what was exported of it: chains, hashes, and every number again."""

from emaudit.verifying.exports import verify_export
from emaudit.verifying.report import Report
from emaudit.verifying.stores import verify_store

__all__ = ["Report", "verify_export", "verify_store"]
