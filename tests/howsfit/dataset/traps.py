"""The tree of AI Hub with each of its traps in it, and what has to come of it."""

from tests.howsfit.dataset.aihub_tree import AiHub, cut_short, record

BROKEN = "1119_1119_720_D_D022_458_458_D022_000"


def plant(root):
    """Draw the tree."""
    tree = AiHub(root)
    for half, number, colour in (
        ("Training", "1001", (180, 60, 60)), ("Training", "1002", (60, 140, 90)), ("Training", "1003", (70, 80, 170)),
        ("Training", "1004", (245, 245, 245)), ("Training", "1005", (90, 90, 90)), ("Training", "1006", (30, 30, 30)),
        ("Validation", "2001", (200, 150, 40)), ("Validation", "1002", (60, 140, 90)), ("Validation", "2002", (20, 90, 90)),
    ):  # fmt: skip
        tree.item(half, number, colour)
    train, test = (
        lambda *args, half=half, **options: tree.wearer(half, *args, **options) for half in ("Training", "Validation")
    )
    train("10_A", "1001")
    train("11_B", "1001", x=-40)  # the same garment on somebody else
    train("12_C", None, "1002", x=60)  # nothing over it
    train("13_D", "1003", "1001", turned=True)
    train("14_E.x", "1004", label="14_E", top_colour=(235, 235, 235))  # a second dot; white on nearly white
    train("15_F.y", "1004", x=20)
    train("16_G", "1005")
    train("17_H", "9999")  # its garment was never fetched
    train("18_I", "1006", picture=False)
    train("19_J", None)
    train(BROKEN.removesuffix("_000"), "1006")
    tree.records["Training"].append(record("10_A_000.jpg", "1003"))  # a second record of a photo
    test("20_K", "2001", scale=0.9)
    test("21_L", "1002")  # its garment is trained on
    test("22_M", "2002")
    tree.finish()
    _, items, people = tree._folders("Training")
    cut_short(people / "Model-Image_deid" / "16_G_000.jpg")
    return tree
