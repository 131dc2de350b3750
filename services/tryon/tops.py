"""For engines that dress the upper body only."""

import stagekit


def warn_of_what_is_worn_as_top(inputs: stagekit.Artifacts, warn: stagekit.Warn) -> None:
    """Warn `worn-as-top` where the garment's category is another: by its picture, since the gateway refuses one that was
    said."""
    category = inputs.get("category", "upper")
    if category != "upper":
        what = {"lower": "trousers or a skirt", "dress": "a dress"}[category]
        warn(
            "worn-as-top",
            f"The garment looks like {what}, and this engine dresses the upper body only: it was worn as a top. If it is one, "
            "say category=upper.",
        )
