import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_regress.core.answers import ANSWER_TYPES, dump_raw, load_raw, to_raw, typed_answer
from ml_regress.core.typed_column import typed_column

RAW = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([0, 1, 2**53, 2**53 + 1, 2**63 - 1, 2**63, -(2**63), 10**400]),
    st.floats(),
    st.text(max_size=5),
    st.sampled_from(["1", "01", "1.0", " 1 ", "1e3", "True", "FALSE", "nan", "1_000", "-0", "9" * 30, "9" * 5000]),
)
COLUMNS = st.one_of(
    st.lists(RAW, max_size=8),
    *(
        st.lists(strategy, max_size=8)
        for strategy in (
            st.booleans(),
            st.integers(),
            st.integers(-(2**63), 2**63 - 1),
            st.floats(),
            st.text(max_size=5),
        )
    ),
)


@pytest.mark.parametrize(
    ("answer_type", "raw", "typed"),
    [
        ("integer", 1, 1),
        ("integer", 1.0, 1),
        ("integer", "1", 1),
        ("integer", True, 1),
        ("integer", "01", 1),
        ("integer", "1.0", 1),
        ("integer", 1.5, None),
        ("integer", "one", None),
        ("integer", None, None),
        ("integer", float("nan"), None),
        ("integer", 2**63, None),
        ("integer", str(2**63), None),
        ("integer", 2**63 - 1, 2**63 - 1),
        ("text", 1, "1"),
        ("text", 1.0, "1"),
        ("text", "01", "01"),
        ("text", 0.5, "0.5"),
        ("text", True, "true"),
        ("text", "nan", "nan"),
        ("text", "NA", "NA"),
        ("text", "None", "None"),
        ("text", float("nan"), None),
        ("boolean", True, True),
        ("boolean", 1, True),
        ("boolean", 0.0, False),
        ("boolean", "TRUE", True),
        ("boolean", 2, None),
        ("number", "2.5", 2.5),
        ("number", 3, 3.0),
        ("number", "nan", None),
        ("number", float("inf"), None),
        ("number", 10**400, None),
    ],
)
def test_a_raw_answer_is_brought_to_the_type_of_the_problem(answer_type: str, raw: Any, typed: Any) -> None:
    found = typed_answer(answer_type, raw)
    assert found == typed and type(found) is type(typed)


@given(raws=COLUMNS, answer_type=st.sampled_from(ANSWER_TYPES))
def test_a_column_is_typed_as_its_answers_one_by_one(raws: list[Any], answer_type: str) -> None:
    column = typed_column(answer_type, raws)
    found = [value if usable else None for value, usable in zip(column.values.tolist(), column.usable, strict=True)]
    wanted = [typed_answer(answer_type, raw) for raw in raws]
    assert found == wanted
    assert [type(item) for item in found] == [type(item) for item in wanted]


def test_a_column_of_a_frame_keeps_its_missing_answers_unusable() -> None:
    column = typed_column("text", pd.Series(["cat", None, "nan"]))
    assert column.usable.tolist() == [True, False, True]


@pytest.mark.parametrize(
    ("values", "raw"),
    [
        (np.array([1, 2], dtype=np.int32), [1, 2]),
        (np.array([1.0, np.nan, np.inf]), [1.0, None, None]),
        (np.array(["8", "08"]), ["8", "08"]),
        (np.array([True, False]), [True, False]),
        ([1, "a", 2.5, True, None], [1, "a", 2.5, True, None]),
        ([1, 2.5], [1, 2.5]),
        ([2**63, -1], [2**63, -1]),
        ([np.int64(3), np.str_("x"), np.float32(0.5)], [3, "x", 0.5]),
        (pd.array([1, None], dtype="Int64"), [1, None]),
        ([pd.NA, pd.NaT], [None, None]),
        ([b"cat"], ["cat"]),
        (np.array(["2026-06-01", "NaT"], dtype="datetime64[ns]"), ["2026-06-01 00:00:00", None]),
    ],
)
def test_outputs_become_plain_scalars_of_their_own_type(values: Any, raw: list[Any]) -> None:
    found = to_raw(values)
    assert found == raw
    assert [type(item) for item in found] == [type(item) for item in raw]


def test_a_raw_answer_comes_back_from_its_text_as_it_was() -> None:
    for raw in (1, 1.0, "1", "é", True, None, 2**70):
        back = load_raw(dump_raw(raw))
        assert back == raw and type(back) is type(raw)
    assert load_raw(None) is None
    assert json.loads(dump_raw("NA")) == "NA"
