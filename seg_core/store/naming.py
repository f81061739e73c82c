"""Who named the nuclei of a run: its model, a taught classifier, or people."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from seg_core.classes import ROLE_PLURALS, ClassScheme, Role
from seg_core.errors import ModelError, counted
from seg_core.store.answer import (
    ANSWER_FILE,
    Answer,
    AnswerFacts,
    read_answer,
    read_answer_facts,
)
from seg_core.store.journal import Correction, Journal, corrected_in_words
from seg_core.store.overlay import Overlay, differing, version_of_names
from seg_core.store.own_classes import OWN_CLASSES_FILE, read_own_classes

AS_FOUND = "found"
"""The version of the names where nobody's word counts but the model's."""


@dataclass(frozen=True, slots=True)
class Naming:
    """What nuclei of a run are called, and who says so.

    Attributes
    ----------
    run : Path
        Folder of the run.
    model_scheme : ClassScheme
        The model's classes.
    nuclei_checksum : str
        Of the file of nuclei; empty before the run is finished.
    said_in : Path
        Folder of what was said of the nuclei since: that of the run, or one person's.
    journal : Journal
        What people say of them.
    only_found : bool
        Whether nobody's word counts but the model's.
    """

    run: Path
    model_scheme: ClassScheme
    nuclei_checksum: str
    said_in: Path
    journal: Journal
    only_found: bool = False

    @property
    def scheme(self) -> ClassScheme:
        """The model's classes, or a classifier's, and those that people have named for the run."""
        if self.only_found:
            return self.model_scheme
        said = self.named_by
        named = self.model_scheme if said is None else said.scheme
        return named.joined_with(read_own_classes(self.said_in))

    @property
    def named_by(self) -> AnswerFacts | None:
        """The taught classifier that named the nuclei; None: the model did."""
        return next((facts for _, facts in self._answers() if self._is_of_these(facts)), None)

    @property
    def outdated_classifier(self) -> str | None:
        """What the taught classifier is called whose answer is of nuclei of an earlier analysis.

        None where an answer that counts goes before it.
        """
        first = next((facts for _, facts in self._answers()), None)
        return None if first is None or self._is_of_these(first) else first.classifier

    @property
    def has_own_answer(self) -> bool:
        """Whether a classifier's answer lies in `said_in`."""
        return (self.said_in / ANSWER_FILE).is_file()

    def require_roles(self, roles: Sequence[Role], purpose: str) -> None:
        """Refuse a purpose whose roles are not told apart; see `seg_core.store.Run.require_roles`."""
        said = self.named_by
        if said is None:
            self.model_scheme.require_roles(roles, purpose)
            return
        for role in roles:
            if not {*said.scheme.names_of_role(role)} & {*said.names}:
                raise ModelError(
                    f"{purpose} need {ROLE_PLURALS[role]}, which the taught classifier "
                    f"{said.classifier} does not tell from other nuclei (it knows "
                    f"{', '.join(said.names)}); label some and teach it anew, or give one of its "
                    f"classes the role {role}."
                )

    def version(self, *, anywhere: bool) -> str:
        """Return a word that is another one whenever nuclei are called something else.

        Parameters
        ----------
        anywhere : bool
            Whether it is the same where the run was moved or is called otherwise.
        """
        if self.only_found:
            return AS_FOUND
        answers = [folder / ANSWER_FILE for folder in self._answer_folders()]
        files = [*answers, self.said_in / OWN_CLASSES_FILE, self.journal.path]
        return version_of_names(files, nuclei=self.nuclei_checksum, anywhere=anywhere)

    def overlay(self) -> Overlay:
        """Read the names that go over those in the file of nuclei; none as they were found."""
        return Overlay() if self.only_found else Overlay(self._answer(), self.journal.said())

    def corrections(self, found: Callable[[Sequence[int]], pd.DataFrame]) -> dict[int, Correction]:
        """Return what is corrected now, by id of the nucleus; none as they were found.

        Parameters
        ----------
        found : callable
            Returns ``nucleus_id`` and ``class_name`` of some nuclei as the model found them.
        """
        said = {} if self.only_found else self.journal.said()
        right = [number for number, each in said.items() if each.name == each.found]
        return differing(said, Overlay(self._answer()), found(right)) if right else said

    def in_words(self, corrections: dict[int, Correction]) -> list[str]:
        """Return sentences on who named the nuclei but the model; none where nobody did."""
        sentences = []
        named_by = self.named_by
        if named_by is not None:
            sentences.append(f"Nuclei are named by the taught classifier {named_by.classifier}.")
        if corrections:
            sentences.append(corrected_in_words(corrections.values()))
        return [*sentences, *self._set_aside_in_words()]

    def _set_aside_in_words(self) -> list[str]:
        """Return sentences on what was said of nuclei that an analysis since does not have."""
        sentences = []
        outdated = self.outdated_classifier
        if outdated is not None:
            sentences.append(
                f"The taught classifier {outdated} named the nuclei of an earlier analysis; apply "
                "it again to name these."
            )
        count = 0 if self.only_found else self.journal.set_aside()
        if count:
            sentences.append(
                f"What people said of {counted(count, 'nucleus', 'nuclei')} that this analysis no "
                "longer finds does not count."
            )
        return sentences

    def _answer(self) -> Answer | None:
        for folder, facts in self._answers():
            if self._is_of_these(facts):
                answer = read_answer(folder)
                if answer is not None and self._is_of_these(answer):  # it may be another one by now
                    return answer
        return None

    def _answers(self) -> Iterator[tuple[Path, AnswerFacts]]:
        """Give the answers that lie here, a person's own before that of the run, and their folders."""
        for folder in () if self.only_found else self._answer_folders():
            facts = read_answer_facts(folder)
            if facts is not None:
                yield folder, facts

    def _answer_folders(self) -> list[Path]:
        """Return where answers lie; where none does, the folder of the run."""
        folders = [*dict.fromkeys((self.said_in, self.run))]
        return [each for each in folders if (each / ANSWER_FILE).is_file()] or [self.run]

    def _is_of_these(self, said: Answer | AnswerFacts) -> bool:
        """Tell whether an answer is of the nuclei of now, which others have not taken the place of.

        Ids are others in a run that was made anew. Where either is not known, it is.
        """
        return not said.nuclei or not self.nuclei_checksum or said.nuclei == self.nuclei_checksum
