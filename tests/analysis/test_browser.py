"""The report in a real headless browser: the slider is moved, and the numbers are compared."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from myopia.agents.policies.agent import Agent
from myopia.agents.runs.run import RunConfig
from myopia.agents.training.train import train
from myopia.analysis.evaluation.evaluate_run import evaluate_run
from myopia.analysis.report.report import write_report
from myopia.analysis.report.results import collect
from myopia.envs import make_world
from myopia.envs.env import EpochEnv

REQUIRED = os.environ.get("MYOPIA_BROWSER") == "required"
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]


def missing() -> str | None:
    """Why there is no browser to test with."""
    try:
        import playwright.sync_api  # noqa: F401 - only whether it is there
    except ImportError:
        return "playwright is not installed: pip install 'myopia[browser]'"
    return None if CHROMIUM else "there is no chromium: apt-get install chromium"


pytestmark = pytest.mark.skipif(
    missing() is not None and not REQUIRED, reason=missing() or "there is one"
)


@pytest.fixture(scope="module")
def runs(tmp_path_factory) -> dict[str, Path]:
    """Two agents, hardly trained."""
    root = tmp_path_factory.mktemp("runs")
    found = {}
    for name, credit in (("first", "lifetime"), ("second", "epoch")):
        dials = make_world("Investment", max_epochs=6).dials()
        config = RunConfig("Investment", dials, credit=credit, total_timesteps=8192)
        found[name] = train(config, root / name)
        evaluate_run(root / name)
    return found


@pytest.fixture(scope="module")
def url(runs: dict[str, Path]) -> str:
    root = next(iter(runs.values())).parent
    return write_report(collect(root), root / "index.html").as_uri()


@pytest.fixture(scope="module")
def browser():
    assert missing() is None, missing()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def open_page(browser, url: str):
    """A function that opens the report; afterwards: no error, and only the file was asked for."""
    contexts, complaints, asked = [], [], []

    def open_one(**settings):
        context = browser.new_context(**settings)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda message: complaints.append(message.text))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(url)
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert complaints == []
    assert set(asked) == {url}


def told(page) -> np.ndarray:
    """The percentages in the table, (states, actions)."""
    rows = page.locator("#explorer-rows tr").all()
    cells = [[cell.inner_text() for cell in row.locator("td[data-share]").all()] for row in rows]
    return np.array([[float(text.removesuffix(" %")) for text in row] for row in cells])


def expected(folder: Path, labels: list[str], shown: int) -> np.ndarray:
    """What the agent does there, asked for one state after the other through the env's own eyes."""
    env = EpochEnv(make_world("Investment", max_epochs=6, index=f"frozen:at={shown}"))
    seen, agent, rng = {}, Agent.load(folder), np.random.default_rng(0)
    for invests in np.linspace(0, 1, 30):
        observation, ended = env.reset(seed=0)[0], False
        for step in range(24):
            now, more = 4 * observation[:2].astype(float)  # over max_wealth, as it sees them
            then = f", {now + more:g} from the next epoch on" if more else ""
            label = f"wealth {now:g}{then}, step {step % 4}"
            if label not in seen:
                seen[label] = agent(observation[None])[0]
            observation, _, ended, _, _ = env.step(int(rng.random() < invests))
        assert ended
    return np.array([100 * seen[label] if label in seen else [np.nan] * 3 for label in labels])


@pytest.mark.parametrize("name", ["first", "second"])
def test_the_slider_shows_what_the_agent_would_do(name: str, open_page, runs) -> None:
    page = open_page()
    page.select_option("#explorer-agent", label=f"{name}, seed 0")
    labels = page.locator("#explorer-rows tr td:first-child").all_inner_texts()
    moved = []
    for shown in (0, 3, 6):
        page.locator("#explorer-index").fill(str(shown))
        numbers = told(page)
        wanted = expected(runs[name], labels, shown)
        known = ~np.isnan(wanted[:, 0])
        assert known.sum() >= 8, labels
        np.testing.assert_allclose(numbers[known], wanted[known], atol=0.06)
        np.testing.assert_allclose(numbers.sum(axis=1), 100, atol=0.2)
        moved.append(numbers)
    assert np.abs(moved[0] - moved[1]).max() > 0.1, "the index made no difference"
    assert page.locator("#explorer-shown").inner_text() == "6 (out of range)"


def test_with_the_keyboard_alone(open_page) -> None:
    page = open_page()
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "explorer-index":
            break
    assert page.evaluate("document.activeElement.id") == "explorer-index"
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    assert page.locator("#explorer-shown").inner_text() == "4 (past the cutoff)"
    spoken = page.locator("#explorer-index").get_attribute("aria-valuetext")
    assert spoken == "4 (past the cutoff)"


LUMINANCE = """([selector, property]) => {
  const [r, g, b] = getComputedStyle(document.querySelector(selector))[property]
    .match(/[0-9.]+/g).map((part) => part / 255)
    .map((part) => part <= .03928 ? part / 12.92 : ((part + .055) / 1.055) ** 2.4);
  return .2126 * r + .7152 * g + .0722 * b;
}"""


@pytest.mark.parametrize(("scheme", "dark"), [("light", False), ("dark", True)])
def test_every_text_can_be_read_in_both_schemes(scheme: str, dark: bool, open_page) -> None:
    """Contrast of at least 4.5, the least that the WCAG ask for."""
    page = open_page(color_scheme=scheme)
    paper = page.evaluate(LUMINANCE, ["body", "backgroundColor"])
    assert (paper < 0.1) is dark
    for selector in ("body", ".note", "dfn", "figcaption"):
        ink = page.evaluate(LUMINANCE, [selector, "color"])
        assert (max(ink, paper) + 0.05) / (min(ink, paper) + 0.05) >= 4.5, selector
    # an SVG's words have an ink of their own, which is not their colour
    ink = page.evaluate(LUMINANCE, ["figure svg text", "fill"])
    assert (max(ink, paper) + 0.05) / (min(ink, paper) + 0.05) >= 4.5
    bar = page.evaluate(
        "getComputedStyle(document.querySelector('#explorer td[data-share]')).backgroundImage"
    )
    assert "gradient" in bar


@pytest.mark.parametrize("width", [360, 1200])
def test_nothing_sticks_out(width: int, open_page) -> None:
    page = open_page(viewport={"width": width, "height": 800})
    assert page.evaluate("document.scrollingElement.scrollWidth") <= width
    assert page.locator("figure svg").count() >= 5


def test_it_prints(open_page) -> None:
    page = open_page()
    page.emulate_media(media="print")
    assert page.locator("nav").is_hidden()
    for svg in page.locator("figure svg").all():
        box = svg.bounding_box()
        assert box is not None
        assert box["width"] <= page.viewport_size["width"]
    assert page.pdf().startswith(b"%PDF")
