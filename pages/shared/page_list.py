"""All pages of the dashboard, in the order of the menu.

To add one, write its file below `pages` and name it here: navigation, menu, help, links and tests
read this list.
"""

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import NoReturn

import streamlit as st

NAMED = ("slide", "run")
"""What the address of a page names: ids of the slide and of the run that are shown."""


@dataclass(frozen=True, slots=True)
class PageEntry:
    """One page, as the menu and the help tell of it.

    Attributes
    ----------
    file : str
        Below the folder of ``streamlit_app.py``.
    title : str
    icon : str
    manual : str
        How to use it, Markdown; its paragraphs are points of the help.
    default : bool
        It is the one that the address of the dashboard itself opens.
    """

    file: str
    title: str
    icon: str
    manual: str
    default: bool = False

    @property
    def address(self) -> str:
        """What stands behind the address of the dashboard, as Streamlit derives it from the file."""
        return "" if self.default else PurePosixPath(self.file).stem

    def offer(self) -> None:
        """Show its line of the menu."""
        st.page_link(self.file, label=self.title, icon=self.icon, width="stretch")

    def link(self, label: str) -> None:
        """Show a link to it below a sentence that says why."""
        st.page_link(self.file, label=label, icon=":material/arrow_forward:")

    def open(self) -> NoReturn:
        """Turn to it; the page that runs ends here."""
        # Streamlit would take what the address names from the entry of the page that is left.
        named = {name: st.query_params[name] for name in NAMED if name in st.query_params}
        st.switch_page(self.file, query_params=named)


SLIDES = PageEntry(
    "pages/slides.py",
    "Slides",
    ":material/grid_view:",
    """
choose a sample or bring a slide; *Library* has those that you brought before. Where the file does not say how large a pixel is, type it: about
0.25 µm at 40x, 0.5 µm at 20x. Everything measured depends on it. *Estimate it from the nuclei* offers
a size with its uncertainty; compare it with what the scanner was set to before you take it.
""",
    default=True,
)

VIEWER = PageEntry(
    "pages/viewer.py",
    "Viewer",
    ":material/biotech:",
    """
drag to move, scroll or **+** and **−** to zoom, **0** for the whole slide, **?** for all keys.
Draw a rectangle, an ellipse or a free outline, or paint one (**b**; Alt takes away), and press **Analyse region**, or press **Analyse slide**. What
is stopped is kept: *Stopped analyses* shows what is there, and **Resume** goes on from it. While an
analysis works, what it has found grows on the slide. With **Shift** the selected region is moved by
its inside. Measured distances (**m**) are listed, to be copied or removed. Under *Edit* a region is named, called *Tumour* or marked
to be left out; *Files* exchanges regions with QuPath. Measure a scale bar and say how long it is:
*µm/px from this line* offers the size of a pixel. Click a nucleus for its measures; **←** and **→** go
through its class from left to right, strip by strip. Copy the page's address to show a colleague
the same place. Several analyses of a slide are told apart under *Shown analysis*;
give yours a **Name**. *Options*: **Original**, **Fast** and **Best** trade time for
accuracy, and say how much of both; **Stain** evens out a pale scan; **Skip glass** and **Skip pen
marks** say what is not worth a look (*Tissue* and *Flaws* show it; what is out of focus is
analysed, and said).

**Correct** (**c**) – click a nucleus, or select several in a rectangle (**r**) or an outline
(**p**), and call them by the keys **1** to **9**, or *not a nucleus* (**0**). **Ctrl + z** takes
back. Numbers, scores, layers and files follow; *Show the model's own answer* shows them without.

**Layers** – *Classes* is the network's opinion of each pixel, *Boundaries* its outlines and
insides, *Score* how sure it is, *Nuclei* what is counted. Click a class in the legend to hide it.
Zoomed out, the stronger a colour, the more of the area is nuclei of that class. *Flaws* are
tissue out of focus and pen marks. *Classes* does not show nuclei that are not counted.
**Compare** bares the slide to the left of a line, or shows another analysis there: drag the line, or
use the arrow keys. *Brightness and contrast* change the slide on the screen, nothing else. Colours safe for colour blindness can be chosen in the sidebar. Where a host
sends tiles only along with the page, the viewer is slower and **Full size** is refused.
""",
)

NUCLEI = PageEntry(
    "pages/nuclei.py",
    "Nuclei",
    ":material/bar_chart:",
    """
yellow sentences above the numbers say what speaks against trusting them: nuclei that do not fit the
pixel size, or a slide unlike all that the model has learnt from. Below them
counts, densities per mm² of tissue, measures, the table, a gallery, files for Excel, R, QuPath,
scanpy and SpatialData, and a report as HTML or PDF, of everything or one file per region. Below the class score you choose, a nucleus
counts as *uncertain*, in the viewer too. Click a row or a picture to see the nucleus on the
slide. *Analyses* tells the slide's analyses apart and compares two of them where both have looked.
""",
)

TIL_SCORE = PageEntry(
    "pages/til_score.py",
    "TIL score",
    ":material/grain:",
    """
lymphocytes in the stroma around the epithelium, with map, plots and formulas. Choose a ROI,
change the settings, click a square to see it in the viewer. Draw the tumour in the viewer and
call the region *Tumour*: epithelium and stroma are then sought in it alone. Leave out necrosis,
carcinoma in situ and artefacts with regions of that kind.
""",
)

TEACH = PageEntry(
    "pages/teach.py",
    "Teach",
    ":material/school:",
    """
where the model errs on your tissue, teach it. Choose finished analyses, under *Classes* name your
own with the role that scores take them for, and under *Label* answer nuclei by the keyboard: **1** to
**9** for the class (a button for those beyond), **0** for what is no nucleus, **Space** where the shown class is right, **←** and
**→** to pass over, **Backspace** to take back, **Enter** for the next screen. Corrections made in
the viewer are labels too. *Train* shows how well the classifier does on places it has not seen and
what it would change; **Apply** lets it name all nuclei, **Forget** goes back. *Files* takes
classifiers and labels along, and exchanges labels with QuPath.
""",
)

EVALUATE = PageEntry(
    "pages/evaluate.py",
    "Evaluate",
    ":material/rule:",
    """
how good an analysis is beside what somebody labelled on the slide: outlines of QuPath (GeoJSON) or
ImageScope (XML), dots (GeoJSON or CSV with *x*, *y*, *class*), a mask with or without a second one of
classes, or an analysis as people corrected it. Say what their classes are among
ours, and in which regions every nucleus is labelled: outside nothing is scored. Figures come with 95 %
intervals over regions. Click a cell of *Confusion* for its nuclei, and a nucleus for its place; the
viewer's layers *Found*, *Missed*, *Spurious* and *Wrong class* show all of them. A second analysis is
compared on the same nuclei. *A model, on a folder of images* lets a model answer labelled images of this
machine (*images*, *inst* and *class*, dots, or MoNuSAC's folders) and measures it on them.
""",
)

MODEL = PageEntry(
    "pages/model.py",
    "Model",
    ":material/neurology:",
    """
what the model learned from and under which licence, its figures by class with how many nuclei or dots they
rest on and their intervals, what it misses and confuses, in words. *Failures* has pictures of it, *Class
scores* whether a score of .8 means that eight in ten are right, *Speed* what presets, precision and tile
cost at 40x and 20x, *Training* the curves. *Add a model* checks one of your own and offers it everywhere.
Read it before you trust a number: tissue unlike its training data can be answered worse.
""",
)

COHORT = PageEntry(
    "pages/cohort.py",
    "Cohort",
    ":material/table_view:",
    """
many slides in one table. Name a folder, or a CSV with the columns *slide*, *patient* and *group*, or
choose slides that are known here, and press **Start**. A size of a pixel that is given there counts for
files that state none; that it wins over what files state is a tick of its own. Whatever stops it, the next start goes on, and
a slide or a row that makes no sense has its reason in the table. *Groups* compares patients, not slides:
a patient's slides are averaged first. *Scatter* plots a measure against any other column; draw around
points, and *Table*, *Groups* and *TIL maps* show their slides alone until **All slides**. *TIL maps*
stand side by side in one scale of colours, in the order of a measure. Click the left edge of a row to
see the slide in the viewer. *Report* is the whole cohort as one file. Cohorts follow one another, and
one at work makes way for an analysis that somebody waits for in the viewer; it then goes on by itself.
*Remove this cohort* takes one that is not at work from the list; its analyses stay unless you say otherwise.
""",
)

PAGES = (SLIDES, VIEWER, NUCLEI, TIL_SCORE, TEACH, EVALUATE, COHORT, MODEL)
