"""Types: what each data set calls its nuclei, told apart by what the network knows of a nucleus.

The network answers five classes, and what a data set tells apart may be one class of ours, or none:
plasma cells count with lymphocytes, and eosinophils are of no class. Who teaches a classifier on
what the network knows of a nucleus (`seg_core.model.features`) may want just these. So a linear map
of these features, which is thrown away after the training, answers in each data set's own names,
and the features learn to be what a linear classifier can use (an auxiliary classifier on a hidden
layer, as in Lee et al. 2015, on the very layer that is handed out).
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from seg_core.labelled.labelled_image import LabelledImage
from seg_core.model.features import FEATURE_STRIDE_PX
from seg_core.model.network import TwoHeadUnet, feature_count
from seg_core.training.losses import median_frequency_weights

NONE = -1
"""Stands where there is no nucleus, or nobody has told its type."""

_RARE_COUNTS_AT_MOST = 4.0


class Types:
    """The types of all data sets of a run, numbered through.

    Parameters
    ----------
    images : sequence of LabelledImage
        All that is learned from.

    Attributes
    ----------
    groups : list of slice
        The numbers of each data set's types; sets that tell fewer than two apart have none.
    weights : (T,) float32
        Of each type in the loss, the higher the rarer in its data set.
    """

    def __init__(self, images: Sequence[LabelledImage]) -> None:
        counts: dict[str, npt.NDArray[np.int64]] = {}
        for image in images:
            highest = max(image.data_set.ids)
            if image.own_ids is not None and highest > 1:
                found = np.bincount(image.own_ids, minlength=highest + 1)[1:]
                counts[image.data_set.name] = found + counts.get(image.data_set.name, 0)
        self._first = dict(
            zip(counts, np.cumsum([0, *map(len, counts.values())]).tolist(), strict=False)
        )
        self.groups = [
            slice(first, first + len(counts[name])) for name, first in self._first.items()
        ]
        self.weights = np.array(
            [
                weight
                for each in counts.values()
                for weight in median_frequency_weights(each, _RARE_COUNTS_AT_MOST)
            ],
            np.float32,
        )

    def targets(
        self, labelled: LabelledImage, instances: npt.NDArray[np.int32]
    ) -> npt.NDArray[np.int64]:
        """Return the type at each square of the features of a crop.

        Parameters
        ----------
        labelled : LabelledImage
            From which the crop was cut.
        instances : (H, W) int32
            k is the nucleus in row k - 1; higher numbers were copied in from elsewhere.

        Returns
        -------
        types : (H / 4, W / 4) int64
            `NONE` where there is none.
        """
        middle = FEATURE_STRIDE_PX // 2
        seen = instances[middle::FEATURE_STRIDE_PX, middle::FEATURE_STRIDE_PX]
        first = self._first.get(labelled.data_set.name)
        if first is None or labelled.own_ids is None:
            return np.full(seen.shape, NONE, np.int64)
        ids = np.concatenate([[0], labelled.own_ids, [0]]).astype(np.int64)
        own = ids[np.minimum(seen, len(ids) - 1)]
        return np.where(own > 0, first + own - 1, NONE)


class TypeHead(nn.Module):
    """A linear map from the features of each square, made comparable, to the types.

    Parameters
    ----------
    network : TwoHeadUnet
        Whose features it takes.
    types : Types
    """

    def __init__(self, network: TwoHeadUnet, types: Types) -> None:
        super().__init__()
        features = feature_count(network.base["encoder"], network.base["decoder"])
        self.standardised = nn.BatchNorm2d(features, affine=False)
        self.linear = nn.Conv2d(features, len(types.weights), kernel_size=1)
        self._groups = types.groups
        self._weights = torch.from_numpy(types.weights)

    def loss(self, seen: Sequence[Tensor], targets: Tensor) -> Tensor:
        """Return the cross-entropy of the types, each among those of its own data set.

        Parameters
        ----------
        seen : sequence of (N, F, H / 4, W / 4) Tensor
            As `features_seen` has them.
        targets : (N, H / 4, W / 4) int64
        """
        features = torch.cat([each.float() for each in seen], dim=1)
        told = targets != NONE
        answers = self.linear(self.standardised(features)).movedim(1, -1)[told]
        truth = targets[told]
        weights = self._weights[truth]
        total = answers.sum() * 0
        for group in self._groups:
            own = (truth >= group.start) & (truth < group.stop)
            each = functional.cross_entropy(
                answers[own][:, group], truth[own] - group.start, reduction="none"
            )
            total = total + (each * weights[own]).sum()
        return total / weights.sum().clamp_min(1.0)
