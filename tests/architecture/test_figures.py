"""The product reads plainly, is wired in one place and branches on kinds of records in few.

The measures themselves are tested on small sources, so that a broken measure fails here.
"""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.architecture import figures
from tests.architecture.figures import Finding, Source, Survey, parse

# One process surveys the repository for all tests.
pytestmark = pytest.mark.xdist_group("figures")

EVERYWHERE = "everywhere"  # product and tests, for the places that Survey.find lists

# The most that each scope may have of each figure; shares are in percent.
LIMITS: dict[str, dict[str, float]] = {
    "bridge": {
        "gerunds %": 1,
        "negations %": 4,
        "clauses %": 2,
        "openings %": 1,
        "kinds": 3,
        "kinds files": 3,
        "long functions": 0,
        "longest file": 400,
    },
    "bridge/domain": {"negations %": 4, "clauses %": 4, "openings %": 2},
    "bridge/payments": {"negations %": 4, "clauses %": 4, "openings %": 2},
    "functions": {
        "gerunds %": 0,
        "negations %": 4,
        "clauses %": 2,
        "openings %": 2,
        "kinds": 0,
        "long functions": 0,
        "longest file": 300,
    },
    "infra": {
        "gerunds %": 1,
        "negations %": 8,
        "clauses %": 4,
        "openings %": 3,
        "long functions": 0,
        "longest file": 400,
    },
    EVERYWHERE: {"wiring": 0, "parts": 7},
}


@pytest.fixture(scope="module")
def whole() -> Survey:
    return figures.survey()


@pytest.mark.parametrize("scope", LIMITS)
def test_the_figures_stay_within_their_limits(whole: Survey, scope: str) -> None:
    limits = LIMITS[scope]
    if scope == EVERYWHERE:
        found: dict[str, float] = {name: len(whole.find(name)) for name in limits}
    else:
        found = whole.figures(scope)
    over = {name: found[name] for name, limit in limits.items() if found[name] > limit}
    assert not over, f"over the limits {limits}; python -m tests.architecture.figures --list shows"


def test_the_survey_sees_the_product(whole: Survey) -> None:
    """An empty folder would keep within every limit."""
    found = whole.figures("bridge")
    assert found["modules"] > 80
    assert found["sentences"] > 500
    assert found["code lines"] > 5000
    assert len(figures.port_names(whole.product["bridge"])) > 10
    assert len(figures.use_case_classes(whole.product["bridge"])) > 20
    assert len(whole.product["functions"]) > 20
    assert len(whole.product["infra"]) > 20


def test_each_package_has_its_own_line(whole: Survey) -> None:
    lines = [scope for scope in whole.product if scope.startswith("bridge/")]
    assert {"bridge/domain", "bridge/ports", "bridge/store"} <= set(lines)
    in_packages = sum(len(whole.product[line]) for line in lines)
    at_the_top = [source for source in whole.product["bridge"] if not source.package]
    assert in_packages + len(at_the_top) == len(whole.product["bridge"])


# --- the measures --------------------------------------------------------------------------------


def _texts(find: Callable[[Source], list[Finding]], text: str, path: str = "a.py") -> list[str]:
    return [found.text for found in find(parse(path, text))]


@pytest.mark.parametrize(
    ("path", "is_counted"),
    [
        ("a/refreshing.py", True),
        ("a/payment_matching.py", True),
        ("a/writing_back.py", True),
        ("a/billing_status.py", False),
        ("a/listing.py", False),
        ("a/signing_keys.py", False),
        ("a/settings.py", False),
        ("writing/keys.py", False),
        ("writing/__init__.py", False),
    ],
)
def test_a_gerund_names_an_activity(path: str, is_counted: bool) -> None:
    assert bool(figures.gerunds(parse(path, ""))) is is_counted


@pytest.mark.parametrize(
    ("sentence", "is_counted"),
    [
        ("It is not sent.", True),
        ("Nothing is lost.", True),
        ("None of them is sent.", True),
        ("There is none.", True),
        ("It cannot fail.", True),
        ("It doesn't fail.", True),
        ("It works without keys.", True),
        ("Return None at the end.", False),
        ("Return ``not x``, or :data:`no.never`.", False),
        ("Notes are known.", False),
        ("It is a no-op.", False),
    ],
)
def test_a_negation_is_a_word_of_prose(sentence: str, is_counted: bool) -> None:
    assert bool(_texts(figures.negations, f'"""{sentence}"""')) is is_counted


def test_every_negation_is_known() -> None:
    words = "not no never none nobody nothing nowhere neither nor cannot without can't isn\u2019t"
    text = "\n\n".join(f"It is {word} here." for word in words.split())
    assert len(_texts(figures.negations, f'"""{text}"""')) == len(words.split())


@pytest.mark.parametrize(
    ("sentence", "is_counted"),
    [
        ("What the world may heal is tried again.", True),
        ("Tell who posted it.", True),
        ("Whatever happens, it ends.", True),
        ("Return the payments which are due.", False),
        ("Return ``what``.", False),
        ("Whole invoices are read.", False),
    ],
)
def test_a_clause_hangs_on_a_question_word(sentence: str, is_counted: bool) -> None:
    assert bool(_texts(figures.clauses, f'"""{sentence}"""')) is is_counted


@pytest.mark.parametrize(
    ("text", "is_counted"),
    [
        ("What holds for every test.", True),
        ("How long an attempt may live. It is short.", True),
        ("What is due? Only this.", False),
        ("An attempt lives for a minute. What follows is short.", False),
        ("Return the lease.", False),
    ],
)
def test_an_opening_lacks_a_main_clause(text: str, is_counted: bool) -> None:
    assert bool(_texts(figures.openings, f'"""{text}"""')) is is_counted


def test_sentences_end_at_stops_paragraphs_and_items() -> None:
    text = '''"""One, e.g. ``a. B``. Two (as
    before.) Three

    Four: 1.5 of it
    - five
    - six
    """
'''
    assert _texts(figures.sentences, text) == [
        *("One, e.g. ``a. B``.", "Two (as before.)", "Three", "Four: 1.5 of it"),
        *("- five", "- six"),
    ]


def test_a_sentence_has_the_line_that_it_begins_in() -> None:
    text = 'X = 1\n"""One.\nTwo.\n\nThree."""\n\n\ndef f():\n    """Four."""\n'
    found = figures.sentences(parse("a.py", text))
    assert [(place.line, place.text) for place in found] == [
        *((2, "One."), (3, "Two."), (5, "Three."), (9, "Four.")),
    ]
    assert _texts(figures.docstrings, text) == ["One.", "Four."]


def test_a_long_function_has_more_lines_than_a_screen() -> None:
    body = "    pass\n" * figures.MAX_FUNCTION_LINES
    assert _texts(figures.long_functions, f"def f():\n{body}") == ["f, 51 lines"]
    assert _texts(figures.long_functions, "def f():\n" + body.removesuffix("    pass\n")) == []


def test_lines_are_code_or_docstring_or_neither() -> None:
    source = parse("a.py", '"""One\ntwo."""\n\n# three\nX = """\nfour\n"""\nY = (\n\n    1,\n)\n')
    assert figures.docstring_lines(source) == {1, 2}
    assert figures.code_lines(source) == {5, 6, 7, 8, 10, 11}


@pytest.mark.parametrize(
    ("code", "count"),
    [
        ("kind is RecordKind.INVOICE", 1),
        ("kind not in (RecordKind.INVOICE, RecordKind.CUSTOMER)", 1),
        ("{RecordKind.INVOICE: 1, RecordKind.CUSTOMER: 2}", 1),
        ("1 if isinstance(record, Customer) else 2", 1),
        ("[r for r in found if isinstance(r, Customer | domain.Invoice)]", 1),
        ("match kind:\n    case RecordKind.INVOICE:\n        pass", 1),
        ("match record:\n    case Customer():\n        pass", 1),
        ("Hint(RecordKind.INVOICE, 1)", 0),
        ("(RecordKind.INVOICE, RecordKind.CUSTOMER)", 0),
        ("isinstance(record, Payment)", 0),
        ("kind is RunKind.INVOICES", 0),
    ],
)
def test_a_branch_tells_kinds_apart(code: str, count: int) -> None:
    assert len(_texts(figures.kinds, code)) == count


# --- the wiring ----------------------------------------------------------------------------------

FILES = {
    "ports/clock.py": "class Clock(Protocol): ...\nclass Tick: ...",
    "payment_ports.py": "class Ledger(Protocol): ...",
    "runs/start.py": "class Starter:\n    def __init__(self, *, clock: Clock) -> None: ...",
    "runs/control.py": (
        "class Control:\n    def __init__(self, starter: 'Starter | None') -> None: ...\n"
        "class _Part:\n    def __init__(self, ledger: Ledger) -> None: ...\n"
        "class Value:\n    def __init__(self, tick: Tick) -> None: ...\n"
        "def f(): return _Part(1), Value(1)"
    ),
    "runs/hold.py": (
        "@dataclass(slots=True)\nclass Hold:\n    ledger: Ledger\nclass Held(Hold): ..."
    ),
    "store/table.py": "class Table:\n    def __init__(self, clock: Clock) -> None: ...",
    "wiring/use_cases.py": "from bridge.runs.start import Starter\ns = Starter(clock=1)",
    "wiring/other.py": "s = Starter(clock=1)",
}


@pytest.fixture
def small(tmp_path: Path) -> Survey:
    """Write a small repository with three constructions outside its wiring and one part."""
    outside = {
        "functions/f/handler.py": "from bridge.runs import start\nstart.Starter(clock=1)",
        "tests/test_f.py": "from bridge.runs.control import Control\nx = 1\nControl(None)",
        "infra/sandbox/api.py": "from sandbox.control import Control\nControl(None)",
        "infra/sandbox/tests/test_api.py": "Hold(1)",
    }
    inside = {f"{figures.BRIDGE}/{path}": text for path, text in FILES.items()}
    for path, text in (inside | outside).items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text, encoding="utf-8")
    return figures.survey(tmp_path)


def test_a_use_case_takes_a_port_or_another_use_case(small: Survey) -> None:
    assert figures.port_names(small.product["bridge"]) == {"Clock", "Ledger"}
    assert figures.use_case_classes(small.product["bridge"]) == dict.fromkeys(
        ("Starter", "Control", "_Part", "Hold", "Held"), "runs"
    )


def test_a_construction_outside_the_wiring_is_found(small: Survey) -> None:
    assert [str(place) for place in small.find("wiring")] == [
        "functions/f/handler.py:2: Starter",
        f"{figures.BRIDGE}/wiring/other.py:1: Starter",
        "tests/test_f.py:3: Control",
    ]
    assert [str(place) for place in small.find("parts")] == [
        f"{figures.BRIDGE}/runs/control.py:7: _Part"
    ]


def test_lists_of_the_product_leave_tests_out(small: Survey) -> None:
    assert "functions/f/handler.py" in {place.path for place in small.find("modules")}
    assert "tests/test_f.py" not in {place.path for place in small.find("modules")}


def test_figures_are_counted_in_their_scope(small: Survey) -> None:
    assert list(small.product) == [
        *("bridge", "bridge/ports", "bridge/runs", "bridge/store", "bridge/wiring"),
        *("functions", "infra"),
    ]
    assert small.figures("functions")["wiring"] == 1
    assert small.figures("bridge/wiring")["modules"] == 2
    assert small.figures("infra")["total lines"] == 2


# --- the program ---------------------------------------------------------------------------------


@pytest.fixture
def _surveyed(small: Survey, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figures, "survey", lambda: small)


@pytest.mark.usefixtures("_surveyed")
def test_the_program_prints_a_table_a_list_or_json(capsys: pytest.CaptureFixture[str]) -> None:
    figures.main([])
    assert "wiring: 3" in capsys.readouterr().out
    figures.main(["--list", "wiring", "tests/"])
    assert capsys.readouterr().out == "tests/test_f.py:3: Control\n"
    figures.main(["--json"])
    assert json.loads(capsys.readouterr().out)["scopes"]["functions"]["wiring"] == 1


@pytest.mark.usefixtures("_surveyed")
def test_a_path_belongs_to_a_list() -> None:
    with pytest.raises(SystemExit):
        figures.main(["tests/"])
