import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from seg_core.classes import MONUSAC
from seg_core.errors import DataError, SettingsError
from seg_core.labelled.data_sets import DATA_SETS, MONUSAC_DATA, UNKNOWN
from seg_core.labelled.labelled_image import labelled_image
from seg_core.training.augment import cut, recolour
from seg_core.training.config import AugmentConfig, LossConfig, TrainConfig, read_config
from seg_core.training.dataset import Crops, between, read_images, targets_of
from seg_core.training.losses import distillation_loss, soft_dice, two_head_loss
from seg_core.training.paste import NucleusBank, paste_nuclei

CONSEP = DATA_SETS["consep"]
QUIET = AugmentConfig(scale=0, stain=0, light=0, blur=0, low_resolution=0, jpeg=0)


def test_step_has_the_same_crops_every_time(tiny_config: TrainConfig) -> None:
    first, again = Crops(tiny_config), Crops(tiny_config)
    for step in (0, 7):
        a, b = first.batch(step), again.batch(step)
        assert all(torch.equal(a[name], b[name]) for name in a)
    assert not torch.equal(first.batch(0)["image"], first.batch(1)["image"])


def test_image_and_labels_move_together(labelled_folder: Path, tiny_config: TrainConfig) -> None:
    """A crop's nuclei are dark exactly where its labels say."""
    [image, _] = read_images(tiny_config.sources[0])
    for seed in range(8):
        pixels, instances, _ = cut(
            image, (96, 80), 64, 0.25, replace(QUIET, scale=0.3), np.random.default_rng(seed)
        )
        dark = pixels[..., 1] < 150
        labelled = instances > 0
        assert (dark & labelled).sum() / max((dark | labelled).sum(), 1) > 0.9


def test_nothing_is_taught_beyond_the_image_or_in_ignored_areas(tiny_config: TrainConfig) -> None:
    [image, _] = read_images(tiny_config.sources[0])
    _, instances, taught = cut(image, (0, 0), 96, 0.25, QUIET, np.random.default_rng(0))
    assert not taught.all()
    targets = targets_of(instances, taught, image.classes, image.weights, CONSEP, 1.0)
    assert (targets["class_weight"][~taught] == 0).all()
    assert (targets["ternary_weight"][~taught] == 0).all()


def test_spindle_nuclei_teach_that_no_class_claims_them() -> None:
    instances = np.zeros((20, 20), np.int32)
    instances[2:10, 2:10], instances[12:18, 12:18] = 5, 9
    class_map = np.where(instances == 5, 4, np.where(instances == 9, 1, 0)).astype(np.uint8)
    image = labelled_image(
        "x", np.zeros((20, 20, 3), np.uint8), instances, class_map, None, CONSEP, MONUSAC
    )
    assert image.classes.tolist() == [0, UNKNOWN]
    assert image.boxes.tolist() == [[2, 2, 10, 10], [12, 12, 18, 18]]
    targets = targets_of(
        image.instances, np.ones((20, 20), bool), image.classes, image.weights, CONSEP, 1.0
    )
    spindle, miscellaneous = instances == 5, instances == 9
    assert (targets["classes"][spindle] == 0).all()
    assert (targets["class_weight"][spindle] == 1).all()
    assert (targets["class_weight"][miscellaneous] == 0).all()
    assert (targets["ternary"][spindle | miscellaneous] > 0).all()
    assert (targets["ternary_weight"] == 1).all()


def test_blank_places_of_monusac_say_little_about_the_ternary_map() -> None:
    instances = np.zeros((64, 64), np.int32)
    instances[4:12, 4:12] = 1
    targets = targets_of(
        instances,
        np.ones((64, 64), bool),
        np.array([1], np.uint8),
        np.ones(1, np.float32),
        MONUSAC_DATA,
        1,
    )
    assert targets["ternary_weight"][8, 15] == 1
    assert targets["ternary_weight"][50, 50] == pytest.approx(0.24)
    assert (targets["class_weight"] == 1).all()


def test_pixels_between_two_touching_nuclei_are_found() -> None:
    instances = np.zeros((9, 20), np.int32)
    instances[2:7, 2:10], instances[2:7, 10:18] = 1, 2
    found = between(instances)
    assert found[4, 7:13].all()
    assert not found[:, :7].any()
    assert not found[:, 13:].any()


def test_pasted_nuclei_never_cover_others(tiny_config: TrainConfig) -> None:
    images = read_images(tiny_config.sources[0])
    bank = NucleusBank(images, (3, 4), 0.25)
    before = images[0]
    for seed in range(5):
        image, instances, classes, weights = paste_nuclei(
            before.image[:96, :96],
            before.instances[:96, :96],
            before.classes,
            before.weights,
            bank,
            np.random.default_rng(seed),
        )
        kept = before.instances[:96, :96]
        assert (instances[kept > 0] == kept[kept > 0]).all()
        assert len(classes) == len(weights) == max(instances.max(), len(before.classes))
        assert set(classes[len(before.classes) :]) <= {3, 4}
        assert image.shape == (96, 96, 3)


def test_colours_change_but_not_without_being_asked() -> None:
    image = np.random.default_rng(0).integers(30, 240, (64, 64, 3), dtype=np.uint8)
    same = recolour(image, QUIET, np.random.default_rng(1))
    assert np.abs(same.astype(int) - image).max() <= 1
    strong = AugmentConfig(stain=0.5, light=0.3, blur=1, low_resolution=1, jpeg=1)
    assert np.abs(recolour(image, strong, np.random.default_rng(1)).astype(int) - image).mean() > 5


def test_right_answer_has_next_to_no_loss() -> None:
    classes, ternary = torch.randint(0, 5, (2, 16, 16)), torch.randint(0, 3, (2, 16, 16))
    logits = 40 * torch.cat(
        [torch.eye(5)[classes].movedim(-1, 1), torch.eye(3)[ternary].movedim(-1, 1)], dim=1
    )
    ones = torch.ones(2, 16, 16)
    targets = {
        "classes": classes,
        "class_weight": ones,
        "ternary": ternary,
        "ternary_weight": ones,
    }
    loss, parts = two_head_loss(logits, targets, LossConfig())
    assert float(loss) < 1e-3
    assert set(parts) == {"class_ce", "class_dice", "ternary_ce", "ternary_dice"}
    assert float(two_head_loss(-logits, targets, LossConfig())[0]) > 1
    focal, _ = two_head_loss(logits / 40, targets, LossConfig(focal_gamma=2.0))
    assert float(focal) < float(two_head_loss(logits / 40, targets, LossConfig())[0])


def test_same_answers_are_no_distance_apart() -> None:
    logits = torch.randn(1, 8, 8, 8)
    assert float(distillation_loss(logits, logits, 2.0)) == pytest.approx(0, abs=1e-6)
    assert float(distillation_loss(logits, logits + torch.randn_like(logits), 2.0)) > 0


def test_untaught_pixels_do_not_count() -> None:
    logits = torch.randn(1, 8, 8, 8)
    targets = {
        "classes": torch.zeros(1, 8, 8, dtype=torch.long),
        "class_weight": torch.zeros(1, 8, 8),
        "ternary": torch.ones(1, 8, 8, dtype=torch.long),
        "ternary_weight": torch.zeros(1, 8, 8),
    }
    assert float(two_head_loss(logits, targets, LossConfig())[0]) == 0
    assert float(soft_dice(logits[:, :5], targets["classes"], targets["class_weight"])) == 0


def test_configuration_comes_from_toml_with_folders_seen_from_it(tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    path.write_text(
        'name = "n"\nencoder = "resnet34"\nsteps = 5\n[loss]\ndice = 0.25\n'
        '[[sources]]\nname = "monusac"\nfolder = "../data"\nshare = 1.0\nhold_out = ["a"]\n'
    )
    config = read_config(path)
    assert config.loss.dice == 0.25
    assert Path(config.sources[0].folder) == tmp_path.parent / "data"
    assert config.sources[0].hold_out == ("a",)


def test_presets_are_defaults_that_the_file_overrules(tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    text = 'name = "n"\nencoder = "e"\nsteps = 5\npreset = "{}"\n{}[[sources]]\nname = "monusac"\n'
    text += 'folder = "."\nshare = 1.0\n'
    path.write_text(text.format("immune boost", ""))
    boosted = read_config(path)
    assert boosted.sources[0].centres[3] > 0.2
    assert boosted.augment.paste == 0.5
    path.write_text(text.format("boundary weight", ""))
    assert read_config(path).loss.ternary_weights[2] == 4.0
    path.write_text(text.format("boundary weight", "[loss]\nternary_weights = [1.0, 1.0, 2.0]\n"))
    assert read_config(path).loss.ternary_weights[2] == 2.0


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('name = "n"\nencoder = "e"\nsteps = 5\npreset = "best"', "asks for the preset 'best'"),
        ("name = ", "cannot be read as TOML"),
        (
            'name = "n"\nencoder = "e"\nsteps = 5\nlerning_rate = 1',
            "'lerning_rate' is an unknown option",
        ),
        ('name = "n"', "'encoder' is lacking"),
        (
            'name = "n"\nencoder = "e"\nsteps = 5\n[[sources]]\nname = "monusac"\nshare = 1.0',
            "'folder' of 'sources' is lacking",
        ),
        ('name = "n"\nencoder = "e"\nsteps = "5"', "'steps' is '5' and has to be a whole number"),
        ('name = "n"\nencoder = "e"\nsteps = 2026-01-02', "'2026-01-02' is a date or a time"),
        ('name = "n"\nencoder = "e"\nsteps = 5\nloss = 1', "'loss' is 1 and has to be a table"),
        (
            'name = "n"\nencoder = "e"\nsteps = 5\nkeep = "all"',
            "'keep' is 'all' and has to be 'best' or 'last'",
        ),
        ('name = "n"\nencoder = "e"\nsteps = 5', "names no source"),
        (
            'name = "n"\nencoder = "e"\nsteps = 5\n[loss]\ndise = 1',
            "'dise' of 'loss' is an unknown option",
        ),
    ],
)
def test_bad_configurations_are_refused(tmp_path: Path, text: str, sentence: str) -> None:
    path = tmp_path / "run.toml"
    path.write_text(text)
    with pytest.raises(SettingsError, match=sentence):
        read_config(path)


def test_impossible_numbers_are_refused(tiny_config: TrainConfig) -> None:
    with pytest.raises(SettingsError, match="crop_px is 100"):
        replace(tiny_config, crop_px=100)
    with pytest.raises(SettingsError, match="steps is 0"):
        replace(tiny_config, steps=0)


def test_images_of_a_patient_are_held_out_or_chosen_together(tiny_config: TrainConfig) -> None:
    source = tiny_config.sources[0]

    def names(**choice: tuple[str, ...]) -> list[str]:
        return [image.name for image in read_images(replace(source, **choice))]

    assert names() == ["case0", "case1"]
    assert names(hold_out=("case1*",)) == ["case0"]
    assert names(only=("*1",)) == ["case1"]


@pytest.mark.parametrize("option", ["hold_out", "only"])
@pytest.mark.parametrize("typo", ["case", "cas1*"])
def test_a_name_of_no_image_is_refused_where_it_is_held_out_or_chosen(
    tiny_config: TrainConfig, option: str, typo: str
) -> None:
    """A hold-out that was mistyped held nothing out: those images were learned from."""
    source = replace(tiny_config.sources[0], **{option: ("case0", typo)})
    with pytest.raises(
        DataError, match=rf"of 'monusac': there is no image {re.escape(typo)}; name"
    ):
        Crops(replace(tiny_config, sources=(source,)))


@pytest.mark.parametrize("name", ["lite0", "lite0-second", "lite0-third", "resnet18", "monusac"])
def test_the_configurations_that_ship_are_read(name: str) -> None:
    config = read_config(Path("weights/training") / f"{name}.toml")
    assert config.sources[0].name == config.validation[0].name == "monusac"


def test_the_challenges_own_layout_is_learned_from(
    tiny_config: TrainConfig, shared_data: Path
) -> None:
    folder = str(shared_data / "monusac_xml")
    patient = "TCGA-5P-A9K0*"
    as_shipped = read_config(Path("weights/training/monusac.toml")).sources[0]
    source = replace(as_shipped, folder=folder, hold_out=())  # that patient is not among these
    images = read_images(source)
    assert len(images) == 3
    assert {int(k) for image in images for k in image.classes} == {1, 2, 3, 4}
    crops = Crops(replace(tiny_config, sources=(source,), crop_px=128))
    assert crops.batch(0)["image"].shape == (4, 3, 128, 128)
    with pytest.raises(DataError, match="no image to learn from"):
        read_images(replace(source, hold_out=(patient,)))


def test_folders_that_hold_nothing_to_learn_are_refused(
    tiny_config: TrainConfig, labelled_folder: Path
) -> None:
    source = tiny_config.sources[0]
    with pytest.raises(DataError, match="does not exist"):
        read_images(replace(source, folder=str(labelled_folder / "nowhere")))
    with pytest.raises(DataError, match="no image to learn from"):
        read_images(replace(source, hold_out=("case0", "case1")))
    with pytest.raises(SettingsError, match="the data set 'pannuke' is not known"):
        read_images(replace(source, name="pannuke"))
    Image.new("L", (5, 5)).save(labelled_folder / "class" / "case0.png")
    with pytest.raises(DataError, match="the masks of case0 of instances and of classes differ"):
        read_images(source)
    (labelled_folder / "inst" / "case0.png").unlink()
    with pytest.raises(DataError, match="case0 is in only one of images/ and inst/"):
        read_images(source)
