"""Data from tables and from scikit-learn: what is read, and what is refused with a sentence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tables import BAD_TABLES, DATA_DIR, GOOD, needs_data

from bayesnoise.datasets import load, load_inputs, standardizer
from bayesnoise.datasets.dataset import random_split


def csv(folder: Path, text: str) -> str:
    path = folder / "table.csv"
    path.write_text(text)
    return str(path)


def test_csv_regression_with_a_column_of_words(tmp_path: Path) -> None:
    data = load(csv(tmp_path, GOOD), "price")
    assert data.task == "regression"
    assert data.classes == ()
    assert data.inputs.features == ("age", "colour=blue", "colour=red")
    np.testing.assert_array_equal(data.x, [[1, 0, 1], [2, 1, 0], [3, 0, 1], [4, 1, 0], [5, 0, 1]])
    np.testing.assert_array_equal(data.y, [0.5, 1.5, 2.5, 3.5, 4.5])
    assert data.x.dtype == np.float64
    assert sorted([*data.train, *data.test]) == list(range(5))
    assert len(data.test) == 1


@pytest.mark.parametrize(
    ("column", "task", "classes"),
    [
        (["no", "yes", "no", "yes", "yes"], "classification", ("no", "yes")),
        (["True", "False", "True", "False", "False"], "classification", ("False", "True")),
        ([3, 1, 3, 1, 1], "classification", ("1", "3")),
        ([3.0, 1.5, 3.0, 1.0, 2.0], "regression", ()),
    ],
)
def test_the_type_of_the_target_decides_the_task(
    tmp_path: Path, column: list[Any], task: str, classes: tuple[str, ...]
) -> None:
    data = load(csv(tmp_path, "a,t\n" + "".join(f"{i},{v}\n" for i, v in enumerate(column))), "t")
    assert data.task == task
    assert data.classes == classes


def test_many_integers_are_a_regression_and_a_stated_task_wins(tmp_path: Path) -> None:
    path = csv(tmp_path, "a,t\n" + "".join(f"{i},{i // 2}\n" for i in range(80)))
    assert load(path, "t").task == "regression"
    assert len(load(path, "t", "classification").classes) == 40


def test_semicolons_separate_too(tmp_path: Path) -> None:
    assert load(csv(tmp_path, "a;b;t\n1;2;0.5\n3;4;1.5\n"), "t").inputs.features == ("a", "b")


def test_new_data_take_the_columns_of_the_old_by_name(tmp_path: Path) -> None:
    old = load(csv(tmp_path, GOOD), "price").inputs
    new = load_inputs(csv(tmp_path, "colour,other,age\nblue,9,7\n"), old)
    np.testing.assert_array_equal(new.x, [[7, 1, 0]])
    assert new.features == old.features
    with pytest.raises(ValueError, match=r"column 'colour' holds 'green' in row 0, expected one of blue, red"):
        load_inputs(csv(tmp_path, "age,colour\n1,green\n"), old)
    with pytest.raises(ValueError, match=r"column 'age' is missing from .*: did you mean Aged\?"):
        load_inputs(csv(tmp_path, "Aged,colour\n1,red\n"), old)
    np.savez(tmp_path / "x.npz", X=np.ones((2, 2)))
    with pytest.raises(ValueError, match="has 2 features, expected 3"):
        load_inputs(str(tmp_path / "x.npz"), old)


@pytest.mark.parametrize("name", BAD_TABLES)
def test_bad_tables_are_refused_in_one_sentence(tmp_path: Path, name: str) -> None:
    text, expected = BAD_TABLES[name]
    with pytest.raises(ValueError, match=expected) as caught:
        load(csv(tmp_path, text), "t")
    assert "\n" not in str(caught.value)


def test_a_table_needs_a_target(tmp_path: Path) -> None:
    with pytest.raises(
        ValueError, match=r"target is not given, expected the name of a column of .*: age, colour, price"
    ):
        load(csv(tmp_path, GOOD))


def test_binary_files_are_no_tables(tmp_path: Path) -> None:
    path = tmp_path / "picture.csv"
    path.write_bytes(b"\xff\xfe\x00\x01\xff" * 10)
    with pytest.raises(ValueError, match="is not text in UTF-8"):
        load(str(path), "t")


def test_the_task_must_fit_the_target(tmp_path: Path) -> None:
    path = csv(tmp_path, GOOD)
    with pytest.raises(ValueError, match=r"holds 0.5, expected classes: use the task regression"):
        load(path, "price", "classification")
    with pytest.raises(ValueError, match=r"holds 'red', expected numbers for regression"):
        load(path, "colour", "regression")
    with pytest.raises(ValueError, match=r"task is 'regresion', .*did you mean regression"):
        load(path, "price", "regresion")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "task", "features", "classes"),
    [
        ("diabetes", "regression", 10, 0),
        ("breast_cancer", "classification", 30, 2),
        ("wine", "classification", 13, 3),
        ("iris", "classification", 4, 3),
        ("digits", "classification", 64, 10),
    ],
)
def test_the_sets_of_scikit_learn(name: str, task: str, features: int, classes: int) -> None:
    data = load(f"sklearn:{name}")
    assert data.task == task
    assert data.x.shape[1] == features
    assert len(data.classes) == classes
    assert len(data.test) == pytest.approx(0.2 * len(data.y), abs=max(classes, 1))


def test_unknown_names_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"is 'digit', expected one of .*; did you mean digits"):
        load("sklearn:digit")
    with pytest.raises(ValueError, match=r"nowhere.csv does not exist, expected a CSV"):
        load("nowhere.csv")
    with pytest.raises(ValueError, match=r"is a directory"):
        load(str(tmp_path))


def test_a_random_split_is_seeded_and_keeps_the_shares_of_the_classes() -> None:
    y = np.repeat([0, 1], [80, 20])
    rows = random_split(y, 0.25, 3, "classification")
    assert np.sum(y[rows.test] == 1) == 5
    assert len(rows.test) == 25
    assert sorted([*rows.train, *rows.test]) == list(range(100))
    np.testing.assert_array_equal(rows.test, random_split(y, 0.25, 3, "classification").test)
    assert not np.array_equal(rows.test, random_split(y, 0.25, 4, "classification").test)


def test_standardizing_by_columns_and_back() -> None:
    x = np.asarray([[1.0, 0.1, 3.0], [3.0, 0.1, 5.0], [5.0, 0.1, 10.0]])
    s = standardizer(x)
    z = s.apply(x)
    np.testing.assert_allclose(z.mean(axis=0), 0, atol=1e-15)
    np.testing.assert_allclose(z.std(axis=0), [1, 0, 1], atol=1e-15)
    assert s.scale[1] == 1.0  # constant, although its rounded deviation is not 0
    np.testing.assert_allclose(s.undo(z), x, rtol=1e-15)
    assert standardizer(x, together=True).mean.shape == ()
    with pytest.raises(ValueError, match="standard deviation of x"):
        standardizer(np.asarray([1e308, -1e308]))


@needs_data
@pytest.mark.parametrize(("name", "rows", "test"), [("concrete", 1030, 103), ("yacht", 308, 31)])
def test_the_uci_sets_have_twenty_splits(name: str, rows: int, test: int) -> None:
    data = load(str(DATA_DIR / "uci" / f"{name}.npz"), split=19)
    assert (len(data.x), len(data.test), len(data.given), data.task) == (rows, test, 20, "regression")
