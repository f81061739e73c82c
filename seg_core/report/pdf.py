"""A report as PDF, A4 upright.

Letters are DejaVu's, which matplotlib ships: Latin, Greek, Cyrillic, Hebrew, Arabic and more. What
they lack (Chinese, for instance) is shown as □, and a line under the title says so.
"""

import io
from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast

from fpdf import FPDF
from fpdf.enums import TableBordersLayout, TableCellFillMode
from fpdf.fonts import FontFace, TTFFont

from seg_core.classes import rgb_of
from seg_core.figures.paper import FONTS, draw_on_paper
from seg_core.picture.encoding import encode_jpeg
from seg_core.report.document import (
    Beside,
    Block,
    Crops,
    Document,
    Facts,
    Heading,
    Picture,
    Plots,
    Section,
    Table,
    Words,
)
from seg_core.unbroken import unbroken

_FONT = "DejaVu"
_MARGIN_MM, _GAP_MM = 14.0, 6.0
_LACKING = "□"
_PAGES = "{nb}"  # stands for their number until it is known
_INK, _FAINT, _RULE = (28, 28, 28), (90, 90, 90), (214, 214, 214)
_WARNING_PAPER, _WARNING_EDGE = (255, 243, 205), (230, 159, 0)
_MM_PER_INCH = 25.4
_TEXT_PT, _SMALL_PT, _TABLE_PT = 9.0, 8.0, 7.5

# A picture that is higher than wide stays on one page with its caption and a heading.
_HIGHEST_MM, _HIGHEST_BESIDE_MM = 90.0, 58.0
_PLOT_SHAPE = 0.5  # height to width
_CROPS_A_ROW, _CROP_GAP_MM = 10, 1.5

# Rows of a table that its heading does not leave alone, and words that lead on to what they announce.
_SOME_ROWS_MM = 25.0
_LEADS_ON, _LETTERS_A_LINE = 200, 125


def pdf_of(document: Document) -> bytes:
    """Return a report as a PDF.

    Parameters
    ----------
    document : Document
    """
    paper = _Paper(document)
    paper.write_title(document)
    for section in document.sections:
        paper.write_section_title(section)
        for number, block in enumerate(section.blocks):
            paper.keep_together(section.blocks[number:])
            paper.write_block(block)
    return bytes(paper.output())


class _Paper(FPDF):
    """Pages that are written on from top to bottom."""

    def __init__(self, document: Document) -> None:
        super().__init__(format="A4")
        self.add_font(_FONT, "", FONTS / "DejaVuSans.ttf")
        self.add_font(_FONT, "B", FONTS / "DejaVuSans-Bold.ttf")
        self._letters = cast(TTFFont, self.fonts[_FONT.lower()]).cmap
        self._lacks_letters = False
        self.title_line = self.shown(document.title)
        self.set_margin(_MARGIN_MM)
        self.set_auto_page_break(True, margin=_MARGIN_MM + 4)
        self.alias_nb_pages(_PAGES)
        self.set_title(document.title.encode("utf-8", "replace").decode("utf-8"))
        self.set_lang("en")
        if document.finished:
            # not the present time: equal content, equal bytes
            self.set_creation_date(datetime.fromisoformat(document.finished))
        self.add_page()

    def footer(self) -> None:
        """Write title and page number at the foot of a page."""
        self.set_y(-_MARGIN_MM)
        self._pen(_SMALL_PT - 1, colour=_FAINT)
        page = f"Page {self.page_no()} of {_PAGES}"
        self.cell(self.epw - 28, 5, self._cut(self.title_line, self.epw - 32))
        self.cell(28, 5, page, align="R")

    def shown(self, text: Any) -> str:
        """Return a text in letters that the font has; no line of it ends between number and unit."""
        kept = [
            letter if ord(letter) in self._letters or letter == "\n" else _LACKING
            for letter in unbroken(str(text))
        ]
        self._lacks_letters |= _LACKING in kept
        return "".join(kept)

    def write_title(self, document: Document) -> None:
        """Write the head of the first page, and what the reader has to beware of."""
        self._pen(17, "B")
        self._paragraph(self.title_line, 8)
        self._pen(_SMALL_PT, colour=_FAINT)
        self._paragraph(self.shown(document.subtitle), 4.2)
        if self._lacks_letters:
            self._paragraph(
                f"{_LACKING} stands for a letter that this file's font lacks; the report as HTML "
                "shows it.",
                4.2,
            )
        for warning in document.warnings:
            self.write_block(Words(warning, "warning"))

    def write_section_title(self, section: Section) -> None:
        """Write a heading with a rule, on the page of what stands under it."""
        self.keep_together(section.blocks, 16)
        self.ln(5)
        self._pen(12.5, "B")
        self.start_section(section.title)
        self._paragraph(self.shown(section.title), 6.5)
        self.set_draw_color(*_RULE)
        self.line(self.l_margin, self.get_y(), self.l_margin + self.epw, self.get_y())
        self.ln(2)

    def keep_together(self, blocks: Sequence[Block], before: float = 0.0) -> None:
        """Go on with a new page where the first blocks, up to one that shows something, don't fit.

        Parameters
        ----------
        blocks : sequence of Block
        before : float
            Height that is needed besides, mm.
        """
        height = before
        for block in blocks:
            height += self._height(block)
            leads_on = isinstance(block, Heading) or (
                isinstance(block, Words) and len(block.text) < _LEADS_ON
            )
            if not leads_on:
                break
        if self.will_page_break(height):
            self.add_page()

    def write_block(self, block: Block) -> None:
        """Write a block of any kind."""
        match block:
            case Words():
                self._write_words(block)
            case Heading():
                self._write_heading(block)
            case Facts():
                self._write_facts(block, self.l_margin, self.epw)
            case Table():
                self._write_table(block)
            case Picture():
                self._write_picture(block)
            case Beside():
                self._write_beside(block)
            case Plots():
                self._write_plots(block)
            case Crops():
                self._write_crops(block)

    def _write_words(self, words: Words) -> None:
        if words.tone == "warning":
            self._pen(_SMALL_PT)
            self.set_fill_color(*_WARNING_PAPER)
            self.set_draw_color(*_WARNING_EDGE)
            self.set_line_width(0.8)
            self.ln(1)
            self.multi_cell(
                self.epw, 4.6, self.shown(words.text), border="L", align="L", fill=True, padding=(1, 2, 1, 3),
                new_x="LMARGIN", new_y="NEXT",
            )  # fmt: skip
            self.set_line_width(0.2)
        else:
            plain = words.tone == "plain"
            size, colour = (_TEXT_PT, _INK) if plain else (_SMALL_PT, _FAINT)
            if words.strong:
                self._pen(15 if plain else size, "B", _INK if plain else colour)
                self.write(6 if plain else 4.2, self.shown(f"{words.strong} "))
            self._pen(size, colour=colour)
            self.write(6 if plain else 4.2, self.shown(words.text))
            self.ln(6 if plain else 4.2)
        self.ln(1.2)

    def _write_heading(self, heading: Heading) -> None:
        self.ln(1.5)
        if heading.colour:
            self._swatch(heading.colour)
        self._pen(10, "B")
        self._paragraph(self.shown(heading.text), 5.2)

    def _write_facts(self, facts: Facts, left: float, width: float) -> None:
        table = Table(
            titles=(),
            rows=[[str(name), str(value)] for name, value in facts.rows],
            numbers=(False, False),
            widths=(38, 62) if width < self.epw else (22, 78),
        )
        self._write_table(table, left, width)

    def _write_table(self, table: Table, left: float | None = None, width: float = 0.0) -> None:
        width = width or self.epw
        is_narrow = len(table.widths) > 7
        self._pen(_TABLE_PT - 1 if is_narrow else _TABLE_PT)
        self.set_draw_color(*_RULE)
        # cells are painted, too
        self.set_fill_color(255)
        self.set_x(self.l_margin if left is None else left)
        # a class's colour is a column of its own, as wide as a bar
        swatch = (1.4,) if table.colours else ()
        share = (width - sum(swatch)) / sum(table.widths)
        with self.table(
            width=width,
            col_widths=(*swatch, *(share * each for each in table.widths)),
            text_align=(*("L" for _ in swatch), *("R" if each else "L" for each in table.numbers)),
            align="L",
            line_height=3.8 if is_narrow else 4.1,
            padding=(0.5, 1),
            borders_layout=TableBordersLayout.HORIZONTAL_LINES,
            first_row_as_headings=bool(table.titles),
            headings_style=FontFace(emphasis="B", color=_FAINT),
            cell_fill_mode=TableCellFillMode.NONE,
            v_align="T",
        ) as grid:
            if table.titles:
                grid.row([*("" for _ in swatch), *map(self.shown, table.titles)])
            for number, values in enumerate(table.rows):
                row = grid.row()
                for colour in table.colours[number : number + 1]:
                    row.cell("", style=FontFace(fill_color=rgb_of(colour)))
                for value in values:
                    row.cell(self.shown(value))
        self.ln(2)

    def _write_picture(self, picture: Picture) -> None:
        self._place(picture, self.l_margin, self.epw)
        for words, colour in picture.legend:
            self._pen(_SMALL_PT, colour=_FAINT)
            if self.get_x() + self.get_string_width(words) + 8 > self.l_margin + self.epw:
                self.ln(4.2)
            self._swatch(colour)
            self.cell(self.get_string_width(self.shown(words)) + 4, 4.2, self.shown(words))
        self._pen(_SMALL_PT, colour=_FAINT)
        self.write(4.2, self.shown(picture.caption))
        self.ln(6)

    def _write_beside(self, block: Beside) -> None:
        half = self._half
        top = self.get_y()
        self._place(block.picture, self.l_margin, half)
        self._pen(_SMALL_PT, colour=_FAINT)
        self.multi_cell(
            half, 4.2, self.shown(block.picture.caption), align="L", new_x="LMARGIN", new_y="NEXT"
        )
        bottom = self.get_y()
        self.set_y(top)
        self._write_facts(block.facts, self.l_margin + half + _GAP_MM, half)
        self.set_xy(self.l_margin, max(bottom, self.get_y()))

    def _write_plots(self, plots: Plots) -> None:
        width, height = self._half, self._half * _PLOT_SHAPE
        for number in range(0, len(plots.figures), 2):
            pair = plots.figures[number : number + 2]
            self.keep_together([plots])
            top = self.get_y()
            titled = any(title for title, _ in pair)
            for column, (title, figure) in enumerate(pair):
                left = self.l_margin + column * (width + _GAP_MM)
                if title:
                    self.set_xy(left, top)
                    self._pen(_SMALL_PT, colour=_FAINT)
                    self.cell(width, 4.5, self._cut(self.shown(title), width))
                drawn = draw_on_paper(figure, width / _MM_PER_INCH, height / _MM_PER_INCH)
                self.image(drawn, left, top + (5 if titled else 0), width, height)
            self.set_xy(self.l_margin, top + height + (8 if titled else 3))

    def _write_crops(self, row: Crops) -> None:
        side = self._crop_side
        top = self.get_y()
        self._pen(_SMALL_PT - 1, colour=_FAINT)
        for number, crop in enumerate(row.crops):
            left = self.l_margin + number * (side + _CROP_GAP_MM)
            self.image(io.BytesIO(encode_jpeg(crop.rgb)), left, top, side, side)
            self.set_xy(left, top + side)
            self.cell(side, 4, crop.score, align="C")
        self.set_xy(self.l_margin, top + side + 5)

    def _place(self, picture: Picture, left: float, widest: float) -> None:
        """Put a picture at the present height, and go on below it."""
        width, height = self._size(picture, widest)
        self.image(
            io.BytesIO(encode_jpeg(picture.rgb)), left, self.get_y(), width, height,
            alt_text=picture.alt,
        )  # fmt: skip
        self.set_xy(self.l_margin, self.get_y() + height + 1)

    def _swatch(self, colour: str) -> None:
        self.set_fill_color(*rgb_of(colour))
        self.rect(self.get_x(), self.get_y() + 0.9, 2.6, 2.6, style="F")
        self.set_x(self.get_x() + 3.6)

    def _pen(self, size: float, emphasis: str = "", colour: tuple[int, int, int] = _INK) -> None:
        self.set_font(_FONT, emphasis, size)
        self.set_text_color(*colour)

    def _paragraph(self, text: str, line_mm: float) -> None:
        self.multi_cell(0, line_mm, text, align="L", new_x="LMARGIN", new_y="NEXT")

    def _height(self, block: Block) -> float:
        """Return about how high a block is, or the least of it that may stand at the foot, mm."""
        match block:
            case Words():
                return 6 + 4.2 * (len(block.text) // _LETTERS_A_LINE)
            case Heading():
                return 7
            case Picture():
                return self._size(block, self.epw)[1] + 12
            case Beside():
                height = self._size(block.picture, self._half)[1]
                return max(height, 5.2 * len(block.facts.rows)) + 8
            case Plots():
                return self._half * _PLOT_SHAPE + 10
            case Crops():
                return self._crop_side + 6
        return _SOME_ROWS_MM

    @property
    def _half(self) -> float:
        return float(self.epw - _GAP_MM) / 2

    @property
    def _crop_side(self) -> float:
        return float(self.epw - _CROP_GAP_MM * (_CROPS_A_ROW - 1)) / _CROPS_A_ROW

    def _size(self, picture: Picture, widest: float) -> tuple[float, float]:
        """Return how wide and high a picture is on paper, mm."""
        height, width = picture.rgb.shape[:2]
        highest = _HIGHEST_MM if widest > self._half else _HIGHEST_BESIDE_MM
        shown = min(widest, highest * width / height)
        return shown, shown * height / width

    def _cut(self, text: str, width: float) -> str:
        """Return what of a text fits, with … for the rest."""
        if self.get_string_width(text) <= width:
            return text
        while text and self.get_string_width(text + "…") > width:
            text = text[:-1]
        return text + "…"
