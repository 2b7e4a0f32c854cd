"""Options as people type them."""

import pytest

from wsolkit.config.parse import parse_options
from wsolkit.errors import ConfigError


def read(text):
    return parse_options([f"key={text}"])["key"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3", 3),
        ("1e-3", 1e-3),
        ("-2", -2),
        ("True", True),
        ("false", False),
        ("None", None),
        ("none", "none"),
        ("", ""),
        ("'3'", "3"),
        ('"a, b"', "a, b"),
        ("photos of cats/x.jpg", "photos of cats/x.jpg"),
        ("runs(1)", "runs(1)"),
        ("runs(1", "runs(1"),
        ("it's here", "it's here"),
        ("https://a.b/c?d=e", "https://a.b/c?d=e"),
        ("{train}/best.pth", "{train}/best.pth"),
        ("{train}", "{train}"),
        ("{{train}}/x", "{{train}}/x"),
        ("'[1].jpg'", "[1].jpg"),
        ("a,b", ["a", "b"]),
        ("a,", ["a"]),
        ("1,(2,3)", [1, (2, 3)]),
    ],
)
def test_plain_values(text, value):
    found = read(text)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("[]", []),
        ("()", ()),
        ("{}", {}),
        ("dict()", {}),
        ("[1, [2, (3, None)], True,]", [1, [2, (3, None)], True]),
        ("(1)", (1,)),
        ("[cat, it's, /data/a b.jpg]", ["cat", "it's", "/data/a b.jpg"]),
        ("['a,b', \"[c\", 'it\\'s']", ["a,b", "[c", "it's"]),
        ("[dict(type='DropBlock',at='layer3')]", [{"type": "DropBlock", "at": "layer3"}]),
        ("[{'type': 'DropBlock', 'at': 'layer3'}]", [{"type": "DropBlock", "at": "layer3"}]),
        ("{type: DropBlock, 3: [x]}", {"type": "DropBlock", 3: ["x"]}),
        ("dict(of=dict(type=HeadMaps), scales=[.5, 1])", {"of": {"type": "HeadMaps"}, "scales": [0.5, 1]}),
        ("dict(url='a=b', at={'c:d': None})", {"url": "a=b", "at": {"c:d": None}}),
    ],
)
def test_nested_values(text, value):
    found = read(text)
    assert (found, type(found)) == (value, type(value))
    assert repr(found) == repr(value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[1, 2", r"\] is missing at the end of \[1, 2"),
        ("[1].jpg", r"the bracket '\[' is not closed at the end of \[1\]\.jpg"),
        ("[1)", r"a bracket '\)' closes nothing"),
        ("[1,,2]", "something is missing in 1,,2"),
        ("['a]", "' is missing at the end"),
        ("dict('a')", "'a' has no '=' between name and value"),
        ("dict(a.b=1)", r"a\.b is no name of an argument; dict\(\.\.\.\) is written dict\(name=value\)"),
        ("dict(a=1, a=2)", "a cannot be a name here, or is there twice"),
        ("dict(a=)", "something is missing"),
        ("{1, 2}", "1 has no ':' between name and value"),
        ("{[1]: 2}", r"\[1\] cannot be a name here"),
        ("[__import__('os').system('ls')]", r"__import__\(\.\.\.\) is never run; only dict"),
        ("[Dict(a=1)]", r"Dict\(\.\.\.\) is never run"),
    ],
)
def test_what_begins_with_a_bracket_and_cannot_be_read_is_refused(text, said):
    with pytest.raises(ConfigError, match=rf"^The option key=.* cannot be read: {said}.*Write values as Python does"):
        read(text)


def test_a_tilde_at_the_beginning_is_the_home_folder(monkeypatch):
    monkeypatch.setenv("HOME", "/home/ann")
    assert parse_options(["a=~/my photos", "b=x~/y", "c=[~, ~bob]", "d='~/z'"]) == {
        "a": "/home/ann/my photos",
        "b": "x~/y",
        "c": ["/home/ann", "~bob"],
        "d": "/home/ann/z",
    }


def test_options_have_a_key():
    assert parse_options([]) == {}
    assert parse_options(["a.b=1", "c=d=e"]) == {"a.b": 1, "c": "d=e"}
    for text in ("seed 3", "=3"):
        with pytest.raises(ConfigError, match=f"written KEY=VALUE.*but got '{text}'"):
            parse_options([text])
