"""What the figures of an evaluation mean, in words that stand wherever they are shown."""

CONFUSION_IN_WORDS = (
    "*missed*: nuclei of the reference that were not found; *spurious*: found where the reference has "
    "none; *other*: found, and of no class."
)

FIGURES_IN_WORDS = """
All go from 0 to 1; 1 is perfect. A nucleus is found where its outline and one of the reference share more than half of
their union (for *detection*: where their centroids lie within 3 µm).

- **F1** – of found and true nuclei together, how many are both: 2 × found rightly / (found + in the reference). **Macro
  F1** – its mean over the classes, each counting the same.
- **PQ** (panoptic quality) – F1 times how well the outlines cover each other. **bPQ** – whatever the class. **mPQ+** –
  mean over the classes. With **+** all images are pooled; without, each image counts the same.
- **AJI** (aggregated Jaccard index) – shared area over joint area of all nuclei; **AJI+** pairs each nucleus once.
- **IoU of pixels** – pixels of a class in both, over pixels of it in either.
"""
