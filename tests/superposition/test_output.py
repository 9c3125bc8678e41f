import json
import math

import numpy as np
import pytest

from myopia.common.files import write_text
from myopia.superposition.output import text_table, to_json


def test_table_is_aligned():
    text = text_table([{"name": "a", "value": 1.23456}, {"name": "long", "value": None}])
    assert text.splitlines() == [
        "name  value",
        "----  -----",
        "a     1.235",
        "long      -",
    ]
    assert text_table([]) == ""


def test_json_has_no_nan():
    assert json.loads(to_json({"a": [math.nan, np.float32(1)], "b": np.array([math.inf, 2])})) == {
        "a": [None, 1.0],
        "b": [None, 2.0],
    }


def test_a_file_is_whole_or_not_there(tmp_path):
    write_text(tmp_path / "new" / "file.txt", "text")
    assert (tmp_path / "new" / "file.txt").read_text() == "text"
    with pytest.raises(TypeError):
        write_text(tmp_path / "other.txt", None)
    assert [path.name for path in tmp_path.iterdir()] == ["new"]


def test_answers_are_tables_not_dicts() -> None:
    from myopia.superposition.output import answer_text

    text = answer_text(
        {
            "share": 0.25,
            "interval": [0.1, 0.4],
            "nobody": None,
            "by rank": {1: 0.5, 10: None},
            "by flatness": {"3%": {1: 0.0, 2: 1.0}, "10%": {1: 0.5, 2: 1.0}},
        }
    )
    assert "{" not in text
    assert text.split("\n") == [
        "share: 0.25",
        "interval: 0.1 to 0.4",
        "nobody: -",
        "by rank",
        "  1    10",
        "  ---  --",
        "  0.5  -",
        "by flatness",
        "       1    2",
        "  ---  ---  -",
        "  3%   0    1",
        "  10%  0.5  1",
    ]
