"""The settings table: its values, its errors, and its copy in the README."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from effviz.core import settings
from effviz.core.errors import DesignError
from effviz.core.settings import SETTINGS, Number, Text

ROOT = Path(__file__).resolve().parents[2]
NUMBERS = [setting for setting in SETTINGS if isinstance(setting, Number)]


@pytest.fixture(autouse=True)
def unset(monkeypatch: pytest.MonkeyPatch) -> None:
    for setting in SETTINGS:
        monkeypatch.delenv(setting.variable, raising=False)


@pytest.mark.parametrize("setting", NUMBERS, ids=lambda setting: setting.variable)
def test_a_number(setting: Number, monkeypatch: pytest.MonkeyPatch) -> None:
    assert setting.minimum <= setting.default <= setting.maximum
    assert setting.value == setting.default
    monkeypatch.setenv(setting.variable, "  ")
    assert setting.value == setting.default
    monkeypatch.setenv(setting.variable, f" {setting.maximum} ")
    assert setting.value == setting.maximum
    settings.check()
    for wrong in ("x", "1.5", "1e3", "nan", str(setting.minimum - 1), str(setting.maximum + 1), "9" * 5_000):
        monkeypatch.setenv(setting.variable, wrong)
        with pytest.raises(DesignError, match=f"^{setting.variable} = .* must be ") as caught:
            settings.check()
        assert len(str(caught.value)) < 200


def test_a_text(monkeypatch: pytest.MonkeyPatch) -> None:
    assert settings.HOSTS.value is None
    assert settings.HOSTS.words == []
    monkeypatch.setenv("EFFVIZ_HOSTS", " a.example , ,*.b.example,")
    assert settings.HOSTS.words == ["a.example", "*.b.example"]
    monkeypatch.setenv("EFFVIZ_CACHE", "")
    assert settings.CACHE.value == ""


def test_all_settings_are_in_the_table() -> None:
    declared = [value for value in vars(settings).values() if isinstance(value, Text | Number)]
    assert declared == list(SETTINGS)
    assert len({setting.variable for setting in SETTINGS}) == len(SETTINGS)


def test_the_readme_contains_exactly_this_table() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(EFFVIZ_\w+)` \| (.*?) \| (.*) \|$", readme, flags=re.M)
    shown = [str(each.default) if isinstance(each, Text) else f"{each.default:,}" for each in SETTINGS]
    assert rows == [(each.variable, default, each.meaning) for each, default in zip(SETTINGS, shown, strict=True)]


def test_no_other_variable_is_read() -> None:
    sources = [ROOT / "app.py", *(ROOT / "effviz").rglob("*.py"), *(ROOT / "pages").glob("*.py")]
    named = {name for path in sources for name in re.findall(r"EFFVIZ_[A-Z_]*[A-Z]", path.read_text(encoding="utf-8"))}
    assert named == {setting.variable for setting in SETTINGS}
