"""The page of reproduced results holds what the proofs recorded, in its table and in its details."""

from tests.proofs.results_page import Proof, Reproduced, results_page


def test_the_page_has_a_line_per_result_and_a_section_per_module():
    result = Reproduced("Sarsa, CliffWalking: online return", "about -25", "-27.5 [-28.7, -26.5]")
    later = Proof("tests/proofs/test_z.py", "sarsa earns more", "passed", 8.6, [result], "Sarsa -27.5 \nas published")
    first = Proof("tests/proofs/test_a.py", "intervals have the stated coverage", "failed", 0.2, [], "")
    lines = results_page([later, first], ["- date: today"]).splitlines()
    assert lines[0] == "# Reproduced results"
    assert "- date: today" in lines
    assert "| Sarsa, CliffWalking: online return | about -25 | -27.5 [-28.7, -26.5] |" in lines
    assert lines[lines.index("## Details") :] == [
        "## Details",
        "",
        "### tests/proofs/test_a.py",
        "",
        "**intervals have the stated coverage**: failed, 0 s",
        "",
        "### tests/proofs/test_z.py",
        "",
        "**sarsa earns more**: passed, 9 s",
        "",
        "```text",
        "Sarsa -27.5",
        "as published",
        "```",
    ]
