"""A judge beside people, beside other judges and beside itself: agreement.csv, the dashboard, corrected values.

Pure but for `gathering`, which reads the store; numpy and scipy are loaded by the statistics when first needed.
"""

from emaudit.scores.agreement.board import Dashboard
from emaudit.scores.agreement.gathering import Checks, agreement_tables, blind_labels, dashboard, spot_check
from emaudit.scores.agreement.rows import COLUMNS, CONFUSION_COLUMNS, AgreementRow, ConfusionRow, Table
from emaudit.scores.agreement.text import Section, lines, sections, verdict_section

__all__ = [
    "COLUMNS",
    "CONFUSION_COLUMNS",
    "AgreementRow",
    "Checks",
    "ConfusionRow",
    "Dashboard",
    "Section",
    "Table",
    "agreement_tables",
    "blind_labels",
    "dashboard",
    "lines",
    "sections",
    "spot_check",
    "verdict_section",
]
