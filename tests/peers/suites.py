"""The tests of other libraries that `make peers` runs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Suite:
    """Tests of a library.

    Attributes:
        package: Its name in the registry.
        module: The module to import.
        paths: Files or folders of tests, from the module's folder, or from the sdist's where is_sdist.
        swapped: What is swapped: names for patched, or motmetrics, with commas.
        options: For pytest.
        is_sdist: The tests lie beside the module, in the source distribution alone.
        requirements: The file of requirements, without its ending, that makes the environment.
        reasons: Why a test differs, by the end of its name.
    """

    package: str
    module: str
    paths: tuple[str, ...]
    swapped: str
    options: tuple[str, ...] = ()
    is_sdist: bool = False
    requirements: str = "requirements"
    reasons: tuple[tuple[str, str], ...] = ()


_EXAMPLES = ("--doctest-modules", "-o", "doctest_optionflags=NORMALIZE_WHITESPACE ELLIPSIS")

SUITES = (
    Suite("scipy", "scipy", ("optimize/tests/test_linear_assignment.py",), "scipy"),
    Suite("scikit-learn", "sklearn", ("cluster/tests/test_mean_shift.py",), "sklearn"),
    Suite("lap", "lap", ("tests",), "lap"),
    Suite("motmetrics", "motmetrics", ("tests",), "motmetrics", requirements="motmetrics"),
    Suite(
        "torchmetrics",
        "torchmetrics",
        ("detection", "functional/detection", "audio/pit.py", "functional/audio/pit.py"),
        "torchvision,pycocotools,scipy",
        _EXAMPLES,
    ),
    Suite("supervision", "supervision", ("tests",), "torchvision,pycocotools,scipy,lap", is_sdist=True),
    Suite("supervision", "supervision", ("detection", "metrics"), "torchvision,pycocotools,scipy,lap", _EXAMPLES),
    Suite("trackers", "trackers", ("tests",), "scipy", is_sdist=True),
    Suite(
        "ultralytics",
        "ultralytics",
        ("tests/test_python.py", "tests/test_engine.py"),
        "ultralytics,lap,scipy,torchvision",
        ("-k", "test_track or test_nms or test_export or metrics"),
        is_sdist=True,
    ),
)
