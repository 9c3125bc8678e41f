"""What `myopia represent` found is on the page of the report."""

from support.agents import fresh_policy, inspection_of

from myopia.analysis.report.results import Results, Run
from myopia.analysis.report.sections.representations import representations
from myopia.analysis.representations.inspection import inspect
from myopia.analysis.representations.parts import dictionaries
from myopia.common.files import write_text
from myopia.envs import make_world
from myopia.superposition.output import to_json


def test_the_section_shows_what_was_found_and_says_what_is_null(tmp_path, monkeypatch):
    monkeypatch.setattr(dictionaries, "STEPS", 3)
    world = make_world("Work", max_epochs=4, schedule="linear:cutoff=2,upkeep=0.5")
    runs = [Run(tmp_path / name, {}, {}, {}) for name in ("seed-0", "seed-1")]
    results = Results("title", {"mine": runs})
    assert representations(results) is None
    entries = inspect(inspection_of(world, fresh_policy(world, units=4), directions=4))
    write_text(tmp_path / "seed-1/representations/representations.json", to_json(entries))
    page = representations(results)
    assert page is not None
    assert "mine, seed-1" in page
    assert "seed-0" not in page
    assert page.count("<svg") == sum(any(t.values()) for t in entries["parts"].values())
    for row in entries["parts"]["erasure"]["erasures"]:
        assert f"<td>{row['total variation']:.3f}</td>" in page
    assert "the run keeps no snapshots of its weights" in page
