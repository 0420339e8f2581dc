"""What a terminal has shown, as a picture: for the scripts that make those of the pages."""

from __future__ import annotations

import re
from html import escape

FONT_PX, ROW_PX, COLUMN_PX, MARGIN_PX, BAR_PX = 13, 18, 7.83, 14, 26
FONT = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace"
STYLES = {"1": "b", "32": "g", "33": "y", "31": "r"}
CODE = re.compile(r"\x1b\[([0-9;]*)m")
COLOURS = """.b {font-weight: bold; fill: #ffffff} .g {fill: #7fdb8a}
    .y {fill: #f0c674} .r {fill: #ff7b72}"""


def spans(text: str) -> str:
    """A line with its colours as classes."""
    parts, style = [], ""
    for number, piece in enumerate(CODE.split(text)):
        if number % 2:
            style = STYLES.get(piece, "")
        elif piece:
            said = escape(piece, quote=False)
            parts.append(f'<tspan class="{style}">{said}</tspan>' if style else said)
    return "".join(parts)


def window(title: str, style: str, rows: list[str], columns: int, lines: int,
           shift: str = "") -> str:
    """A terminal of so many columns and lines around rows that are text elements."""
    width = round(columns * COLUMN_PX + 2 * MARGIN_PX)
    height = BAR_PX + lines * ROW_PX + 2 * MARGIN_PX
    body = "\n".join(rows)
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}">
  <title>{title}</title>
  <style>
    {style}
  </style>
  <rect width="{width}" height="{height}" rx="8" fill="#161b22" stroke="#6e7681"/>
  <g fill="#6e7681">
    <circle cx="18" cy="14" r="5"/><circle cx="36" cy="14" r="5"/><circle cx="54" cy="14" r="5"/>
  </g>
  <svg x="{MARGIN_PX}" y="{BAR_PX + MARGIN_PX}" width="{width}" height="{lines * ROW_PX}">
  <g id="all"{shift} xml:space="preserve" fill="#d6deeb"
    font-family="{FONT}" font-size="{FONT_PX}">
{body}
  </g>
  </svg>
</svg>
"""
