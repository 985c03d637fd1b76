"""The page of the confusion matrix counts what it is given."""

from __future__ import annotations

from tests.proofs.diagnose_matrix import Case, page, share

CASES = [
    Case("dqn", "wrong_sign", "values", False, "wrong", ("wrong_sign", "action_shifted"), 10.0),
    Case("dqn", "wrong_sign", "values", False, "wrong", ("action_shifted", "wrong_sign"), 20.0),
    Case("dqn", "wrong_sign", "values", False, "wrong", ("unseeded",), 20.0),
    Case("dqn", "wrong_sign", "values", False, "cannot_tell", (), 20.0),
    Case("ppo", "uncut_carry", "values", True, "right", (), 30.0),
    Case("dqn", "", "values", False, "right", (), 30.0),
    Case("dqn", "", "values", False, "wrong", ("unseeded",), 50.0),
]


def test_a_share_comes_with_its_exact_interval() -> None:
    # With 0 of 10 the upper bound p has (1 - p)^10 = 0.025: 1 - 0.025^(1/10) = 0.3085.
    assert share(0, 10) == "0 of 10 (0.0%; 95% interval 0.0% to 30.8%)"
    assert share(0, 0) == "none"


def test_the_page_counts_first_among_misnamed_and_accused() -> None:
    text = page(CASES, ["- a header"])
    assert "- planted bug first: 1 of 4" in text
    assert "- planted bug in the first finding: 2 of 4" in text
    assert "- another bug named instead: 1 of 4" in text
    assert "- correct agents accused: 1 of 2" in text
    assert "- bugs that leave no trace, accused of anything: 0 of 1" in text


def test_the_page_says_what_was_said_of_each_bug_and_which_were_missed() -> None:
    text = page(CASES, [])
    assert "| wrong_sign | 4 | 1 | 2 | wrong_sign 1, action_shifted 1, unseeded 1, cannot tell 1 |" in text
    assert "| dqn | wrong_sign | values | cannot tell | 1 |" in text
    assert "| dqn | wrong_sign | values | unseeded | 1 |" in text
    assert "| dqn | 2 | 1 | 0 | 1 | 40 |" in text


def test_the_page_says_when_nothing_was_missed() -> None:
    assert "None." in page(CASES[:1], [])
