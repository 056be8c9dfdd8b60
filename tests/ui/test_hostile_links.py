"""Links with illegal, unknown or dangerous parameters: the page shows its defaults and a notice."""

from __future__ import annotations

import pytest
from page_reader import PUBLISHED, cards, changes, expected_cards, go_to, line, open_page, report, run, show_part

from effviz import ARCHITECTURES

LONG = "x" * 10_000
HOSTILE: dict[str, dict[str, str | list[str]]] = {
    "script": {"net": "<script>alert(1)</script>"},
    "unknown internal name": {"net": "mobilenet_v9"},
    "empty name": {"net": ""},
    "two names": {"net": ["AlexNet", "VGG-16"]},
    "nan": {"width": "nan"},
    "infinite width": {"width": "inf"},
    "negative": {"width": "-1"},
    "huge": {"width": "1e9"},
    "zero width": {"width": "0"},
    "two widths": {"width": ["0.5", "0.75"]},
    "word": {"depth": "deep"},
    "overflow": {"depth": "1e400"},
    "zero pixels": {"res": "0"},
    "half a pixel": {"res": "7.5"},
    "infinite pixels": {"res": "inf"},
    "nan pixels": {"res": "nan"},
    "endless pixels": {"res": "9" * 400},
    "no classes": {"classes": "0"},
    "half a class": {"classes": "10.5"},
    "infinite classes": {"classes": "1e400"},
    "another case": {"count": "MACS"},
    "empty switch": {"count": ""},
    "two units": {"unit": ["float32", "int8"]},
    "no memory": {"memory": "none"},
    "nonsense layer": {"layer": "nonsense"},
    "two layers": {"layer": ["stem.conv", "classifier.linear"]},
    "long value": {"net": LONG},
    "long number": {"width": "9" * 10_000},
    "long key": {LONG: "1"},
    "unicode": {"net": "ünïcødé \u202e ☃ 🦊"},
    "null": {"net": "a\x00b"},
    "unknown key": {"nonsense": "1"},
    "session state": {"_link_query": "1"},
    "slider": {"width_slider": "0.5"},
    "guess": {"half_guess": "3"},
    "markdown": {"net": "**b** [x](javascript:alert(1)) ![y](https://example.org/y.png)"},
    "html": {"<img src=x onerror=alert(1)>": "1"},
    "control of another network": {"groups": "3"},
    "scale of other groups": {"net": "ShuffleNetV1", "groups": "4", "scale": "0.5"},
    "width that was not published": {"net": "ShuffleNetV1", "width": "0.6"},
    "width under two names": {"net": "ShuffleNetV1", "scale": "1", "width": "0.5"},
    "half a resolution": {"res": "512x"},
    "three sides": {"res": "1x2x3"},
    "a side too large": {"resolution": "64x4096"},
    "no input channels": {"in_channels": "0"},
    "half an input channel": {"in_channels": "1.5"},
    "too small for the network": {"net": "AlexNet", "res": "62"},
}
LEGAL = {"AlexNet": "alexnet", "ShuffleNetV1": "shufflenet_v1"}


@pytest.mark.parametrize("query", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_link_shows_the_default_and_reports_it(query: dict[str, str | list[str]]) -> None:
    at = open_page(**query)
    net, groups = query.get("net"), query.get("groups")
    known = LEGAL.get(net, "mobilenet_v2") if isinstance(net, str) else "mobilenet_v2"
    options = {"groups": int(groups)} if known == "shufflenet_v1" and isinstance(groups, str) else {}
    assert cards(at) == expected_cards(report(known, **options))
    assert changes(at) == PUBLISHED
    key, value = list(query.items())[-1]
    notice = line(at)
    assert notice.startswith("Ignored in the link: ")
    assert key[:30] in notice
    if key in ("net", "width", "depth", "res", "classes", "count", "unit", "memory", "layer", "scale"):
        given = ", ".join(value) if isinstance(value, list) else value
        assert given[:30] in notice or "no such setting here" in notice
    assert len(notice) < 300
    assert notice.count("\n") == 0
    run(at)
    assert line(at) == notice


@pytest.mark.parametrize("query", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_link_does_not_hurt_home(query: dict[str, str | list[str]]) -> None:
    at = open_page("", **query)
    assert line(at).startswith("Ignored in the link: ")
    assert len(show_part(at, "All counts").dataframe[0].value) == len(ARCHITECTURES)


def test_many_bad_values_at_once() -> None:
    at = open_page(net="x", width="nan", depth="0", res="-5", classes="x", count="x", unit="x", memory="x", layer="x")
    assert cards(at) == expected_cards(report())
    for key in ("net", "width", "depth", "res", "classes", "count", "unit", "memory"):
        assert f"{key} = " in line(at)


def test_a_bad_value_does_not_spoil_the_good_ones() -> None:
    at = open_page(net="MobileNetV1", width="0.5", res="9999", classes="10")
    assert cards(at) == expected_cards(report("mobilenet_v1", width_mult=0.5, num_classes=10))
    assert line(at) == "Ignored in the link: res = 9999 (1 to 2048, or height × width)."


def test_a_bad_value_of_a_hidden_part_is_reported_when_the_part_is_opened() -> None:
    at = open_page(part="Layers", layer="nonsense")
    assert line(at) == ""
    show_part(at, "How this is computed")
    assert line(at).startswith("Ignored in the link: layer = nonsense (choices: ")
    assert "layer" not in at.query_params


def test_the_notice_ends_with_the_visit_to_the_page() -> None:
    at = open_page(nonsense="1")
    assert line(at)
    for file in ("home.py", "architectures.py"):
        assert line(go_to(at, file)) == ""


def test_embedding_is_no_setting_of_a_page() -> None:
    assert line(open_page(embed="true")) == ""
