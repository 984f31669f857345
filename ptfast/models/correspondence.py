"""CorrTrack's keypoint correspondences: where the joints of one image's people are in another image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

import torch
from torch import Tensor, nn

from ptfast._check import check_integer, check_shape
from ptfast.models.affinity import Normalisation, Precision, affinity_maps, check_pair
from ptfast.models.bn_inception import (
    NARROWEST,
    STEM,
    InceptionStage,
    InceptionStem,
    begin_near_zero,
    channels_at,
    initialise,
)
from ptfast.models.images import check_images
from ptfast.models.layers import MOST_CHANNELS
from ptfast.ops import heatmap_peaks


@dataclass(frozen=True)
class CorrespondenceArchitecture:
    """Sizes of a CorrespondenceNetwork.

    Attributes:
        width: Factor on the embedding's channels, but those of its output; 32 * width must be a whole number. 1 is the
            published network.
        refinement_width: The same of the refinement, which runs once a person.
        joints: K.
        channels: C of the embedding's output.
        normalise: "l2" as in the paper, or "published" as in the released code; as `affinity_maps` takes it.
    """

    width: float = 1.0
    refinement_width: float = 1.0
    joints: int = 17
    channels: int = 32
    normalise: Normalisation = "l2"


class InceptionEmbedding(InceptionStem):
    """A batch-normalised GoogleNet up to layer 17 that describes each fourth pixel of an image.

    Args:
        channels: C of the descriptions.
        width: Factor on all other channels.
    """

    def __init__(self, channels: int = 32, width: float = 1.0) -> None:
        super().__init__(width)
        self.pd1 = InceptionStage(channels_at(width, STEM), channels, width)

    def forward(self, images: Tensor) -> Tensor:
        """Embeddings (B, C, H / 4, W / 4) float32 of images (B, 3, H, W), as CorrespondenceNetwork.embed has them."""
        check_images(images, self.multiple)
        return self.pd1(self.stem(images)).float()


class CorrespondenceNetwork(nn.Module):
    """CorrTrack's networks. Parameters have the names of the public code, whose weights `load_correspondences` reads.

    Each image is embedded once. Joints of one image then have an affinity map in another, by correlation, and a second
    network refines the maps of a person together.

    Args:
        architecture: Its sizes.

    Attributes:
        architecture: The same.
        model: The embedding alone, of Siamese training.
        pd: The refinement alone.
        multiple: Height and width of images must be multiples of it, 32.
        stride: Image pixels from one pixel of the maps to the next, 4.

    Raises:
        ValueError: An entry of the architecture is out of range.

    Source:
        Rafi et al. 2020 (CorrTrack), sections 4.1 and 4.2.
    """

    multiple = InceptionStem.multiple
    stride = InceptionStem.stride

    def __init__(self, architecture: CorrespondenceArchitecture | None = None) -> None:
        super().__init__()
        self.architecture = a = architecture or CorrespondenceArchitecture()
        check_architecture(a)
        self.model = nn.ModuleDict({"model": InceptionEmbedding(a.channels, a.width)})
        self.pd = InceptionStage(2 * a.channels + a.joints, a.joints, a.refinement_width)
        initialise(self)
        begin_near_zero(self.pd)

    def forward(self, first: Tensor, second: Tensor, queries: Tensor) -> tuple[Tensor, Tensor]:
        """Affinity maps of joints of the first images in the second, for training.

        Args:
            first: (B, 3, H, W), as `embed` takes them.
            second: The same of the images in which the joints are looked for.
            queries: (B, P, K, 2), as `affinities` takes them.

        Returns:
            Affinities (B, P, K, H / 4, W / 4), and the refined ones, of the same shape, before the sigmoid.
        """
        one, other = self.embed(first), self.embed(second)
        maps = self.affinities(one, other, queries)
        return maps, self.refine(one, other, maps)

    def embed(self, images: Tensor) -> Tensor:
        """Embeddings of images, which serve for the images before and after.

        Args:
            images: (B, 3, H, W) red, green, blue from 0 to 1, with H and W multiples of `multiple`.

        Returns:
            (B, C, H / 4, W / 4) float32. Pixel p stands for the image's pixel 4 p.

        Raises:
            ValueError: `images` has another shape.
        """
        return self.model["model"](images)

    def affinities(self, first: Tensor, second: Tensor, queries: Tensor, *, precision: Precision = "float32") -> Tensor:
        """`affinity_maps` of embeddings, normalised as these weights need it.

        Args:
            first: (B, C, h, w) embeddings.
            second: (B, C, h, w) embeddings of the images in which the joints are looked for.
            queries: (B, P, K, 2) x and y of joints in the first embeddings' pixels, image pixels over `stride`. One
                outside, or NaN, has a map of zeros.
            precision: Of the correlation alone.

        Returns:
            (B, P, K, h, w) float32.
        """
        check_shape("queries", queries, ("B", "P", "K", 2), K=self.architecture.joints)
        return affinity_maps(first, second, queries, normalise=self.architecture.normalise, precision=precision)

    def refine(self, first: Tensor, second: Tensor, affinities: Tensor, *, batch: int = 16) -> Tensor:
        """Refined affinity maps, person by person.

        Args:
            first: (B, C, h, w) embeddings.
            second: (B, C, h, w) embeddings.
            affinities: (B, P, K, h, w), as `affinities` gives them. h and w are multiples of 8.
            batch: People that the network sees at a time. In training it sees all.

        Returns:
            (B, P, K, h, w) float32 before the sigmoid.

        Raises:
            ValueError: A shape is another one.
        """
        check_pair(first, second)
        size = {"B": len(first), "h": first.shape[2], "w": first.shape[3]}
        check_shape("affinities", affinities, ("B", "P", "K", "h", "w"), K=self.architecture.joints, **size)
        if first.shape[2] % 8 or first.shape[3] % 8:
            raise ValueError(f"first must have a height and a width of multiples of 8, got {tuple(first.shape[2:])}")
        check_integer("batch", batch, 1)
        maps = affinities.flatten(0, 1)
        image = torch.arange(len(first), device=first.device).repeat_interleave(affinities.shape[1])
        seen = torch.cat([first, second], 1)
        step = max(len(maps), 1) if self.training else batch
        parts = [
            self.pd(torch.cat([seen[image[i : i + step]], maps[i : i + step]], 1)).float()
            for i in range(0, len(maps), step)
        ]
        return torch.cat(parts or [maps]).view(affinities.shape)

    def locate(self, refined: Tensor) -> tuple[Tensor, Tensor]:
        """Corresponding joints, at the peaks of refined maps.

        Args:
            refined: (..., h, w) before the sigmoid.

        Returns:
            (..., 2) x and y in the image's pixels and (...) affinities from 0 to 1; float32, on the maps' device and
            detached.

        Source:
            Rafi et al. 2020 (CorrTrack), section 5.1.
        """
        places, peaks = heatmap_peaks(refined)
        return places * self.stride, peaks.sigmoid()


def check_architecture(a: CorrespondenceArchitecture) -> None:
    """Raises ValueError unless a CorrespondenceNetwork can be built so."""
    for name in ("width", "refinement_width"):
        channels_at(getattr(a, name), NARROWEST, name)
    check_integer("joints", a.joints, 1, MOST_CHANNELS)
    check_integer("channels", a.channels, 1, MOST_CHANNELS)
    if a.normalise not in get_args(Normalisation):
        raise ValueError(f'normalise must be "l2" or "published", got {a.normalise!r}')
