"""The documentation says what is true: commands, fields, settings, exit codes, files and links."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from index.query import FIELDS
from lumina_fs.cli import COMMANDS
from lumina_fs.cli.search import LANGUAGE
from lumina_fs.errors import ExitCode
from lumina_fs.settings import ENVIRONMENT, Settings
from tui.entry import FRONT_ENDS

REPOSITORY = Path(__file__).resolve().parents[2]
PAGES = [*sorted((REPOSITORY / "docs").glob("*.md")), *sorted(REPOSITORY.glob("*.md"))]


def text(name: str) -> str:
    return (REPOSITORY / name).read_text()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?://)([^)#]+)", page.read_text()):
        assert (page.parent / target).exists(), target


def test_every_command_and_exit_code_is_documented() -> None:
    page = text("docs/cli.md")
    for command in (*COMMANDS, *FRONT_ENDS):
        assert f"| `{command}" in page, command
    for code in ExitCode:
        assert f"| {code.value} |" in page, code


def test_every_search_field_is_documented() -> None:
    for name in FIELDS:
        assert f"`{name}:" in text("docs/cli.md"), name
        assert f"{name}:" in LANGUAGE, name


def test_every_setting_is_documented_with_its_default() -> None:
    page = text("docs/settings.md")
    for name, field in Settings.model_fields.items():
        default = field.get_default(call_default_factory=True)
        assert f"| `{name}` | {default if default != [] else '`[]`'} |" in page, name
    for variable in ENVIRONMENT:
        assert f"`{variable}`" in page, variable


def test_every_strategy_and_template_field_is_documented() -> None:
    from lumina_fs.plans.strategies import NAMED
    from lumina_fs.plans.templates import FIELDS

    page = text("docs/plans.md")
    for name in NAMED:
        assert f"`{name}`" in page, name
    for name in FIELDS:
        assert f"`{{{name}" in page, name


def test_every_dependency_has_its_reason() -> None:
    import tomllib

    project = tomllib.loads(text("pyproject.toml"))["project"]
    wanted = [*project["dependencies"], *(one for extra in project["optional-dependencies"].values() for one in extra)]
    for requirement in wanted:
        name = re.split(r"[><=\[ ]", requirement)[0]
        if name != "lumina-fs":
            assert name in text("docs/design.md"), name


def test_every_module_has_its_place_in_the_design() -> None:
    page = text("docs/design.md")
    for module in [*(REPOSITORY / "lumina_fs").glob("*.py"), *(REPOSITORY / "index").glob("*.py")]:
        if module.stem not in ("__init__", "__main__", "errors", "progress", "terminal", "locations"):
            assert re.search(rf"`(\w+/)?[^`]*\b{module.stem}\b", page), module.name


def test_no_module_is_too_long_and_each_says_what_it_is() -> None:
    for package in ("schemas", "index", "lumina_fs", "tui"):
        for module in (REPOSITORY / package).rglob("*.py"):
            lines = module.read_text().splitlines()
            assert len(lines) <= 480, f"{module} has {len(lines)} lines"
            assert not lines or lines[0].startswith('"""'), module
