"""VoxCeleb1 and 2 as people have them: voices, videos and frames in many places, tables in many dialects."""

import json
from collections import Counter

import numpy as np
import pytest
from small_media import touch, write_film, write_sound

from v2f_bench.datasets.voxceleb import PEOPLE, Voxceleb, VoxcelebOptions
from v2f_bench.datasets.voxceleb_tables import read_hq_split, read_identification
from v2f_bench.harness.make_bench import make_protocol
from v2f_bench.harness.prepare import prepare
from v2f_bench.harness.workplace import Workplace
from v2f_bench.interfaces import DataError

# VoxCeleb1: id, VGGFace1 name, sex, nationality, set; VoxCeleb2: id, VGGFace2 id, sex, set. The ids of the last two say
# different people on purpose: n000001 is not id00001.
VOX1 = [("id10001", "Ada_Ash", "f", "Ireland", "dev"), ("id10002", "Bo_Birch", "m", "USA", "test")]
VOX2 = [("id00012", "n000001", "m", "dev"), ("id00017", "n000012", "f", "test")]
VIDEO, OTHER = "5r0dWxy17C8", "-_Aabc12345"
DIALECTS = {"blanks": (" ,", ""), "tabs": ("\t", "   "), "clean": (",", "")}


def write_metas(root, dialect="tabs"):
    separator, trailing = DIALECTS[dialect]
    headings = {
        "vox1_meta.csv": ("VoxCeleb1 ID", "VGGFace1 ID", "Gender", "Nationality", "Set"),
        "vox2_meta.csv": ("VoxCeleb2 ID", "VGGFace2 ID", "Gender", "Set"),
    }
    for (name, heading), people in zip(headings.items(), (VOX1, VOX2), strict=True):
        lines = [separator.join(row) + trailing for row in (heading, *people)]
        (root / name).write_text("\n".join(lines) + "\n")


def lay_out(root):
    root.mkdir(exist_ok=True)
    write_metas(root)
    for segment in ("00001", "00002"):
        touch(root / f"vox1/wav/id10001/{VIDEO}/{segment}.wav")
        touch(root / f"wav/id10002/{OTHER}/{segment}.wav")
        touch(root / f"dev/aac/id00012/{VIDEO}/{segment}.m4a")
        touch(root / f"dev/mp4/id00012/{VIDEO}/{segment}.mp4")
        touch(root / f"test/mp4/id00017/{VIDEO}/{segment}.mp4")
    for name, video in (("Ada_Ash", VIDEO), ("Bo_Birch", OTHER), ("id10002", VIDEO)):
        touch(root / f"unzippedFaces/{name}/1.6/{video}/0000010.jpg")
    return root


def index_of(root, **options):
    return Voxceleb(VoxcelebOptions(**options), root).index()


def usable(index):
    return index.assign(voice=index["voice"] != "", face=index["face"] != "").set_index("clip", drop=False)


def test_every_form_in_one_folder(tmp_path):
    index = index_of(lay_out(tmp_path / "data")).set_index("clip")
    assert not index["fault"].any()
    assert index.index.is_unique
    both = index.loc[f"id00012/{VIDEO}/00001"]
    assert (both["voice"], both["face"]) == (
        f"dev/aac/id00012/{VIDEO}/00001.m4a",
        f"dev/mp4/id00012/{VIDEO}/00001.mp4",
    )
    assert (both["speaker"], both["sex"], both["group"]) == ("id00012", "male", VIDEO)
    film = index.loc[f"id00017/{VIDEO}/00002"]
    assert film["voice"] == film["face"] == f"test/mp4/id00017/{VIDEO}/00002.mp4"
    frames = index[index["face"].str.startswith("unzippedFaces")]
    assert list(frames["speaker"]) == ["id10001", "id10002", "id10002"], "by name or by id"
    assert Counter(index["speaker"]) == {"id10001": 3, "id10002": 4, "id00012": 2, "id00017": 2}
    assert set(index.loc[index["speaker"] == "id10001", "nationality"]) == {"Ireland"}


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_dialect_says_the_same(tmp_path, dialect):
    root = lay_out(tmp_path / "data")
    plain = index_of(root)
    write_metas(root, dialect)
    assert index_of(root).equals(plain)


def test_the_other_collections_numbers_name_nobody(tmp_path):
    root = lay_out(tmp_path / "data")
    touch(root / f"unzippedFaces/n000012/1.6/{VIDEO}/0000010.jpg")
    index = index_of(root).set_index("clip")
    row = index.loc[f"n000012/{VIDEO}/0000010"]
    assert row["speaker"] == "id00017", "joined by the table"
    touch(root / f"wav/id00001/{VIDEO}/00001.wav")
    assert "id00001 is not in" in index_of(root).set_index("clip").at[f"id00001/{VIDEO}/00001", "fault"]


def test_ages_come_from_any_table_that_has_them(tmp_path):
    root = lay_out(tmp_path / "data")
    assert "age" not in index_of(root)
    rows = [
        "Name,gender,VoxCeleb_ID,birth_year,recording_year,speaker_age,video_id",
        f"Ada Ash,f,id10001,1980,2010,30,{VIDEO}",
        f"Bo Birch,m,id10002,,2010,,{OTHER}",
    ]
    (root / "enrichment.csv").write_text("\n".join(rows))
    (root / "other.csv").write_text('no "table\nat all')
    ages = index_of(root).groupby("speaker")["age"].agg(list)
    assert ages["id10001"] == [30.0, 30.0, 30.0]
    assert np.isnan(ages["id10002"]).all()


def test_the_official_split(tmp_path):
    dataset = Voxceleb(VoxcelebOptions(split="official"), lay_out(tmp_path / "data"))
    split_of = dataset.split(["id10001", "id10002", "id00012", "id00017"])
    assert {speaker for speaker, split in split_of.items() if split == "test"} == {"id10002", "id00017"}
    assert dataset.split_name == "official"


def write_many(root, people=12):
    """Speakers of two videos with three segments and two frames each, and their metadata."""
    root.mkdir()
    ids = [f"id1{number:04d}" for number in range(people)]
    rows = [f"{identity}\tName_{identity}\tm\tUSA\tdev" for identity in ids]
    (root / "vox1_meta.csv").write_text("\n".join(["VoxCeleb1 ID\tVGGFace1 ID\tGender\tNationality\tSet", *rows]))
    for identity in ids:
        for video in (VIDEO, OTHER, "third"):
            for segment in (1, 2):
                touch(root / f"wav/{identity}/{video}/{segment:05d}.wav")
            for frame in (1, 2):
                touch(root / f"unzippedFaces/{identity}/1.6/{video}/{frame:07d}.jpg")
    return ids


def test_the_identification_split_has_its_speakers_in_all_parts(tmp_path):
    ids = write_many(tmp_path / "data")
    lines = []
    for identity in ids:
        for video, part in ((VIDEO, 1), (OTHER, 3)):
            lines += [f"{part} {identity}/{video}/{segment:05d}.wav" for segment in (1, 2)]
        lines += [f"1 {identity}/third/00001.wav", f"2 {identity}/third/00002.wav"]
    dataset = Voxceleb(VoxcelebOptions(split="identification"), tmp_path / "data")
    with pytest.raises(DataError, match=r"MISSING  iden_split\.txt"):
        dataset.index()
    (tmp_path / "data/iden_split.txt").write_text("\n".join(lines) + "\n")
    clips = usable(dataset.index())
    protocol = make_protocol(dataset, clips, "identity")
    assert protocol.name == "identity-identification-v2-no-face-check@12-of-1251-speakers"
    test = set(protocol.splits["test"])
    assert {f"{ids[0]}/{OTHER}/00001", f"{ids[0]}/{OTHER}/0000001"} <= test
    assert set(protocol.splits["validation"]) == {f"{identity}/third/00002" for identity in ids}
    frames = {clip for clip in clips.index if clips.at[clip, "face"] and "/third/" in clip}
    assert not frames & {clip for split in protocol.splits.values() for clip in split}, "their video is in two parts"


@pytest.mark.parametrize("line", ["4 id10001/v/00001.wav", "id10001/v/00001.wav", "1 00001.wav", "one two"])
def test_a_line_of_the_identification_split_that_is_none(tmp_path, line):
    path = tmp_path / "iden_split.txt"
    path.write_text(f"1 id10001/v/00001.wav\n{line}\n")
    with pytest.raises(DataError, match=r"iden_split\.txt, line 2"):
        read_identification(path)


def test_pictures_and_split_of_hq_voxceleb(tmp_path):
    """Its pictures lie by name; VoxCeleb2's real names stand in a table of its own, whose id column has no blank."""
    root = tmp_path / "data"
    lay_out(root)
    (root / "vox2").mkdir()
    (root / "vox2/full_vox2_meta.csv").write_text(
        "Name,VoxCeleb2ID,Set\nCy Cedar,id00012,dev\nDi Dogwood,id00017,test\n"
    )
    for place, name in (("vox1", "Ada_Ash"), ("vox2", "Cy_Cedar"), ("vox2", "Di_Dogwood")):
        touch(root / place / "masked_faces" / name / "0.jpg")
        touch(root / place / "origin_faces" / name / "0.jpg")
    split = {
        "vox1": {"train": ["Ada_Ash"], "val": [], "test": []},
        "vox2": {"train": ["Cy_Cedar"], "test": ["Di_Dogwood"]},
    }
    (root / "split.json").write_text(json.dumps(split))
    dataset = Voxceleb(VoxcelebOptions(split="hq", pictures="masked_faces"), root)
    index = dataset.index().set_index("clip")
    pictures = index[index["face"].str.contains("faces/")]
    assert pictures["speaker"].to_dict() == {
        **{"Ada_Ash/0": "id10001", "Cy_Cedar/0": "id00012", "Di_Dogwood/0": "id00017"}
    }
    assert pictures["face"].str.contains("masked_faces").all()
    assert set(pictures["group"]) == {""}
    assert dataset.split(["id10001", "id00012", "id00017", "id10002"]) == {
        **{"id10001": "train", "id00012": "train", "id00017": "test"}
    }, "who is not listed is in no split"
    assert dataset.split_name == "hq"


@pytest.mark.parametrize("text", ["", "[]", '{"vox1": {"dev": ["a"]}}', '{"v": {"train": ["a"], "test": ["a"]}}'])
def test_an_hq_split_that_is_none(tmp_path, text):
    (tmp_path / "split.json").write_text(text)
    with pytest.raises(DataError, match=r"split\.json"):
        read_hq_split(tmp_path / "split.json")


def test_protocols_are_named_for_the_published_number_of_people(tmp_path, monkeypatch):
    ids = write_many(tmp_path / "data", people=90)
    dataset = Voxceleb(VoxcelebOptions(), tmp_path / "data")
    clips = usable(dataset.index())
    assert make_protocol(dataset, clips, "identity").name == "identity-v2-no-face-check@90-of-1251-speakers", (
        "as in VoxCeleb1's table"
    )
    monkeypatch.setitem(PEOPLE, "id1", 90)
    assert make_protocol(dataset, clips, "identity").name == "identity-v2-no-face-check"
    fewer = clips[clips["speaker"] != ids[3]]
    assert make_protocol(dataset, fewer, "identity").name == "identity-v2-no-face-check@89-of-90-speakers"


def test_a_complete_copy_is_that_of_the_collections_whose_tables_are_there(tmp_path):
    root = lay_out(tmp_path / "data")
    (root / "split.json").write_text('{"vox1": {"train": ["Ada_Ash"]}, "vox2": {"test": ["Cy_Cedar"]}}')
    published = {"speakers": 7363, "identification": 1251, "hq": 2}
    for split, people in published.items():
        assert Voxceleb(VoxcelebOptions(split=split), root).complete() == {"speakers": people}
    (root / "vox1_meta.csv").unlink()
    assert Voxceleb(VoxcelebOptions(), root).complete() == {"speakers": 6112}


def test_real_files_from_disk_to_store(tmp_path):
    from v2f_bench.datasets.synthetic_speakers import SyntheticSpeakers
    from v2f_bench.datasets.synthetic_speakers.dataset import SyntheticOptions

    made = SyntheticSpeakers(SyntheticOptions(speakers=1, clips=1), None)
    entry = made.index()["face"][0]
    samples, rate = made.read_voice(entry)
    root = tmp_path / "data"
    root.mkdir()
    write_metas(root)
    picture = np.pad(made.read_face(entry, 128), ((48, 48), (48, 48), (0, 0)), mode="edge")
    write_film(root / f"dev/mp4/id00012/{VIDEO}/00001.mp4", picture)
    write_sound(root / f"dev/aac/id00012/{VIDEO}/00001.m4a", samples, rate)
    store = prepare(Voxceleb(VoxcelebOptions(), root), Workplace(cache=tmp_path / "cache", jobs=1))
    clip = store.clips.loc[f"id00012/{VIDEO}/00001"]
    assert (clip["voice"], clip["face"]) == (True, True)
    assert clip["voice_samples"] == pytest.approx(len(samples), rel=0.05)


def test_a_folder_that_is_none(tmp_path):
    with pytest.raises(DataError, match=r"MISSING  vox1_meta\.csv or vox2_meta\.csv or full"):
        index_of(tmp_path)


def test_the_real_clips(shared_data):
    root = shared_data / "voxceleb-vggface"
    if not root.is_dir():
        pytest.skip(f"not at {root}")
    index = index_of(root)
    assert ((index["voice"] != "").sum(), (index["face"] != "").sum()) == (328, 328)
    assert index["speaker"].nunique() == 130
    assert index["speaker"].str.fullmatch(r"id1\d{4}").all()
    assert not index["fault"].any()
