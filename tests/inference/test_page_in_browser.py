"""The page of pictures in a real browser: keys, verdicts that stay, the file that is saved, and hostile names."""

import json
import re
import time
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from tests.support.browser import browser
from wsolkit.formats.found_boxes import Failure, FoundBox, ImageResult
from wsolkit.formats.found_masks import FoundMask
from wsolkit.inference.page import write_page
from wsolkit.inference.pictures import PICTURES, choose_pictures
from wsolkit.inference.run_summary import RunSummary

CLASSES = ("Grünfink", "</script><img src=x onerror=\"document.title='ran'\">")
SETTINGS = {
    "threshold": 0.65, "threshold_source": "fixed", "min_score": None, "multi_label": False, "classes": "folder",
    "topk": None, "input_size": [224, 224], "config": "label_objects",
}  # fmt: skip
HOSTILE = "robin/\"'`<script>document.title=1</script>${0} ü\udce9.jpg"
MASK = FoundMask.of(np.tri(80, 100, dtype=bool))


def box(doubt, label=0, mask=None, sides=(10.004, 20.0, 60.0, 70.0)):
    return FoundBox(sides, label, CLASSES[label], 0.9, 0.8, doubt, mask)


RESULTS = [
    ImageResult("wren/1.jpg", "", (100, 80), [box(0.1), box(0.4, 1, MASK)]),
    ImageResult(HOSTILE, "", (100, 80), [box(0.9)]),
    ImageResult("wren/2.jpg", "", (100, 80), [box(0.2, 1)]),
    ImageResult("wren/none.jpg", "", (100, 80)),
]


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """The page of four images, most doubtful first: the hostile name, 1, 2; then the one without a box."""
    folder = tmp_path_factory.mktemp("run")
    pictures = choose_pictures(RESULTS)
    (folder / PICTURES).mkdir()
    for picture in pictures:
        Image.new("RGB", (806, 433)).save(folder / PICTURES / picture.name)
    summary = RunSummary(folder, images=4, boxes=4, without_box=1, failed=1)
    summary.verdict = 'check these 2 first: "a" & <b>'
    summary.next_steps = ["wsolkit label 'my photos' --out labels --verified verdicts.json"]
    return write_page(folder, pictures, [Failure("<b>", "", "empty & <i>")], CLASSES, SETTINGS, summary)


@pytest.fixture(scope="module")
def started(tmp_path_factory):
    with browser(tmp_path_factory.mktemp("browser")) as found:
        yield found


@pytest.fixture
def opened(started, page):
    """The page as one sees it for the first time."""
    started.open(page)
    started.read("localStorage.clear()")
    reopen(started, page, "0 accepted, 0 rejected, 4 open")
    return started


def reopen(opened, page, tally):
    """Open the page again until it shows a tally: what one page keeps reaches the next one a moment later."""
    end = time.monotonic() + 20
    while opened.open(page) or opened.read("tally.value") != tally:
        assert time.monotonic() < end, f"kept: {opened.read('tally.value')}"


def saved(opened):
    """Save the verdicts by the button and return what the file holds."""
    path = opened.folder / "downloads" / "verdicts.json"
    opened.click("#save")
    end = time.monotonic() + 20
    while not path.exists():
        assert time.monotonic() < end, "nothing was saved"
        time.sleep(0.02)
    return json.loads(path.read_text("utf-8"))


CURRENT = "document.activeElement.dataset.name || ''"


def test_keys_step_judge_and_undo_and_the_verdicts_stay_and_are_saved(opened, page):
    assert opened.read("document.getElementById('save').disabled")
    opened.press("j")
    assert "ü" in opened.read(CURRENT)  # the most doubtful
    assert opened.read("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    opened.press("r", "a", "k")  # each verdict goes on to the next
    assert opened.read(CURRENT) == "wren/1.jpg"
    opened.press("ArrowRight", "a", "a")
    assert opened.read("tally.value") == "3 accepted, 1 rejected, 0 open"
    opened.press("u", "u")
    assert opened.read("tally.value") == "1 accepted, 1 rejected, 2 open"
    assert opened.read(CURRENT) == "wren/2.jpg"
    opened.press("ArrowLeft", "ArrowRight", "r", "j", "a")
    reopen(opened, page, "2 accepted, 2 rejected, 0 open")
    content = saved(opened)
    assert content["info"]["description"] == "verdicts of wsolkit"
    images = {each["file_name"]: each for each in content["images"]}
    assert {name: each["verdict"] for name, each in images.items()} == {
        HOSTILE: "rejected", "wren/1.jpg": "accepted", "wren/2.jpg": "rejected", "wren/none.jpg": "accepted"
    }  # fmt: skip
    assert [(each["width"], each["height"]) for each in content["images"]] == [(100, 80)] * 4
    assert content["categories"] == [{"id": 1, "name": CLASSES[0]}, {"id": 2, "name": CLASSES[1]}]
    first, second = content["annotations"]
    assert first["image_id"] == second["image_id"] == images["wren/1.jpg"]["id"]
    assert (first["bbox"], first["category_id"], first["area"]) == ([10, 20, 50, 50], 1, 2500)
    assert second["segmentation"] == MASK.coco()
    assert "segmentation" not in first
    assert images[HOSTILE]["rejected"] == [[10, 20, 50, 50]]
    assert not [name for name, each in images.items() if each["verdict"] == "accepted" and "rejected" in each]


def test_photographs_drawn_at_random_are_shown_in_their_order(opened, tmp_path):
    summary = RunSummary(tmp_path, images=4, boxes=4, without_box=1, sample=["wren/2.jpg", "gone.jpg", HOSTILE])
    opened.open(write_page(tmp_path, choose_pictures(RESULTS), [], CLASSES, SETTINGS, summary))
    opened.read("order.value = 'sample', order.dispatchEvent(new Event('change'))")
    shown = opened.read("[...grid.children].map(card => card.dataset.name)")
    assert (shown[0], shown[2]) == ("wren/2.jpg", "wren/1.jpg")


def test_what_was_given_back_is_shown_and_can_be_said_otherwise(opened, page, tmp_path):
    known = [replace(RESULTS[0], verdict="accepted"), replace(RESULTS[1], verdict="rejected"), *RESULTS[2:]]
    summary = RunSummary(tmp_path, images=4, boxes=4, without_box=1)
    again = write_page(tmp_path, choose_pictures(known), [], CLASSES, SETTINGS, summary)
    reopen(opened, again, "1 accepted, 1 rejected, 2 open")
    assert opened.read("order.querySelector('[value=sample]')") is None
    opened.press("j", "a")  # the rejected one is accepted after all
    reopen(opened, again, "2 accepted, 0 rejected, 2 open")
    opened.press("j")
    opened.click(".card[data-known=rejected] button[value=accepted]")  # taken back
    reopen(opened, again, "1 accepted, 0 rejected, 3 open")


def test_a_page_of_fewer_pictures_with_other_numbers_forgets_no_verdict(opened, page, tmp_path):
    opened.press("j", "a", "r", "a", "a")
    reopen(opened, page, "3 accepted, 1 rejected, 0 open")
    results = [ImageResult("new.jpg", "", (100, 80)), RESULTS[3], RESULTS[1]]
    summary = RunSummary(tmp_path, images=3, boxes=1, without_box=2)
    fewer = write_page(tmp_path, choose_pictures(results), [], CLASSES, SETTINGS, summary)
    reopen(opened, fewer, "2 accepted, 0 rejected, 1 open")
    opened.press("j", "r")
    assert opened.read("tally.value") == "1 accepted, 1 rejected, 1 open"
    assert opened.read("judged().images.length") == 2
    reopen(opened, page, "2 accepted, 2 rejected, 0 open")


def test_the_mouse_and_the_filters_judge_too(opened):
    opened.click(".card[data-name='wren/2.jpg'] button[value=accepted]")
    assert opened.read("tally.value") == "1 accepted, 0 rejected, 3 open"
    opened.read("which.value = 'open', which.dispatchEvent(new Event('change'))")
    assert opened.read("document.getElementById('shown').value") == "3 of 4 pictures"
    opened.read("text.focus(), text.value = 'wren/', text.dispatchEvent(new Event('input'))")
    opened.press("a", "r", "u")  # letters of a name are no verdicts
    assert opened.read("tally.value") == "1 accepted, 0 rejected, 3 open"
    assert opened.read("text.value") == "wren/aru"
    opened.read("which.value = text.value = '', text.dispatchEvent(new Event('input')), order.value = 'name'")
    opened.read("order.dispatchEvent(new Event('change'))")
    names = opened.read("[...grid.children].map(card => card.dataset.name)")
    assert names[1:] == ["wren/1.jpg", "wren/2.jpg"]
    opened.click(".card[data-name='wren/2.jpg'] button[value=accepted]")
    assert opened.read("tally.value") == "0 accepted, 0 rejected, 4 open"


def test_names_are_text_and_nothing_is_asked_of_a_network(opened, page):
    assert opened.read("document.title") == "label_objects: 4 boxes in 4 images"
    assert opened.read("document.querySelectorAll('script').length") == 2
    assert opened.read("[...document.images].every(each => each.getAttribute('src').startsWith('pictures/'))")
    words = opened.read("document.body.innerText")
    for text in (CLASSES[1], "<script>document.title=1</script>", 'check these 2 first: "a" & <b>', "empty & <i>"):
        assert text in words
    assert "--verified verdicts.json" in opened.read("document.querySelector('.next code').innerText")
    html = page.read_text("utf-8")
    assert not re.search(r"https?:|//[a-z]+\.", html)
    assert "doubt 0.90" in words
