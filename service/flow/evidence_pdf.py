"""The summary of a chargeback's evidence as a PDF: what an acquirer's clerk reads first."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from service.core.code_page import transliterate

# The PDF's own fonts hold Latin-1 only, which lacks these signs of Windows-1252.
_SPELLED = str.maketrans(
    {"€": "EUR ", "‚": ",", "„": '"', "…": "...", "‘": "'", "’": "'", "“": '"', "”": '"', "•": "-", "–": "-",
     "—": "-", "™": "(TM)", "Š": "S", "š": "s", "Ž": "Z", "ž": "z", "Ÿ": "Y", "Œ": "OE", "œ": "oe", "‹": "<",
     "›": ">"}
)  # fmt: skip
_LABEL, _LINE = 48, 5.0
_LONGEST = 400


class Section(Struct, frozen=True, kw_only=True):
    """A part of the summary: labelled facts, then a table.

    Attributes:
        facts: label and value; an empty value is shown as not known.
        widths: of the table's columns in millimetres, 190 in all.
        note: what is left out, or why there is nothing.
    """

    title: str
    facts: tuple[tuple[str, str], ...] = ()
    header: tuple[str, ...] = ()
    widths: tuple[int, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    note: str = ""


def latin(text: str) -> str:
    """The same text in letters that the PDF's own fonts have; what they lack becomes `?`."""
    plain = transliterate(text.translate(_SPELLED))
    return plain.encode("latin-1", "replace").decode("latin-1")[:_LONGEST]


def render(title: str, sections: Sequence[Section], made_at: datetime) -> bytes:
    """The PDF, the same bytes for the same facts."""
    # Imported when it is needed: it brings fonts and images along, which the road never uses.
    from fpdf import FPDF

    class Summary(FPDF):
        def footer(self) -> None:
            self.set_y(-12)
            self.set_font("Helvetica", size=7)
            self.cell(0, 5, f"Made {made_at:%Y-%m-%d %H:%M} UTC - page {self.page_no()}", align="C")

    pdf = Summary()
    # The archive around it is compressed; this way its text can be searched as it is.
    pdf.set_compression(False)
    pdf.set_creation_date(made_at)
    pdf.set_title(latin(title))
    pdf.set_auto_page_break(True, margin=15)
    pdf.add_page()
    pdf.set_font("Helvetica", "B", 15)
    pdf.multi_cell(0, 8, latin(title), new_x="LMARGIN", new_y="NEXT")
    for section in sections:
        pdf.ln(3)
        pdf.set_font("Helvetica", "B", 11)
        pdf.cell(0, 7, latin(section.title), new_x="LMARGIN", new_y="NEXT")
        for label, value in section.facts:
            pdf.set_font("Helvetica", "B", 9)
            pdf.cell(_LABEL, _LINE, latin(label))
            pdf.set_font("Helvetica", size=9)
            pdf.multi_cell(0, _LINE, latin(value) or "not known", new_x="LMARGIN", new_y="NEXT")
        for style, line in (("B", section.header), *(("", row) for row in section.rows)):
            pdf.set_font("Helvetica", style, 8)
            if not line:
                continue
            for width, text in zip(section.widths, line, strict=True):
                # Some two millimetres a letter: what is longer would run into the next column.
                pdf.cell(width, _LINE, latin(text)[: max(4, int(width / 1.7))])
            pdf.ln(_LINE)
        if section.note:
            pdf.set_font("Helvetica", "I", 8)
            pdf.multi_cell(0, _LINE, latin(section.note), new_x="LMARGIN", new_y="NEXT")
    return bytes(pdf.output())
