"""The page: what it says, that nothing in it is live that should be text, and that a browser shows it."""

import contextlib
import re
from html.parser import HTMLParser

import pytest

from archsearch.report.page import write_page
from archsearch.report.sections import MOST, reading_section, spread
from archsearch.report.summary import headline

HOSTILE = '</script><script>window.hit = 1</script><img src=x onerror="window.hit=2">\'"&'
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip


FRONT_MARKS = """(() => {
    const chart = document.getElementById('chart-1'), box = chart.getBoundingClientRect();
    const {xaxis, yaxis} = chart._fullLayout, front = chart.data.find(t => (t.name || '').startsWith('front'));
    return front.x.map((x, i) => [front.customdata[i], box.left + xaxis._offset + xaxis.d2p(x),
                                  box.top + yaxis._offset + yaxis.d2p(front.y[i])]);
})()"""  # trial number and place on the screen of each member of the front


class Elements(HTMLParser):
    """The elements of a page, as a browser would see them."""

    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))


def _elements(path):
    parser = Elements()
    parser.feed(path.read_text())
    return parser.found


def _hostile_run(make, folder):
    study = make.storage(folder)
    params = {**make.point(3), f"axis {HOSTILE}": HOSTILE}
    for seed in range(12):
        trial = make.trial({**make.point(seed)}, "trained", top1=0.3 + 0.03 * seed, arch=f"r8 {HOSTILE}")
        study.add_trial(trial)
    study.add_trial(make.trial(make.point(40), "failed", reason=HOSTILE))
    study.add_trial(make.trial(params, "trained", top1=0.99, arch=HOSTILE, arch_json={HOSTILE: HOSTILE}))
    return make.files(folder, name=HOSTILE, classes=["cat", HOSTILE], command=["archsearch", HOSTILE])


@contextlib.contextmanager
def _browser(browser_path):
    """A page without network; yields it with the lists of errors and of requests that left the machine's files."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=browser_path, args=FLAGS)
        page = browser.new_context(offline=True, viewport={"width": 1200, "height": 900}).new_page()
        errors, requests = [], []
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("request", lambda request: requests.append(request.url))
        yield page, errors, requests
        browser.close()


def _outside(requests):
    return [url for url in requests if not url.startswith(("file:", "data:", "blob:"))]


def test_the_page_says_what_was_searched_and_found(run_dir):
    text = write_page(run_dir).read_text()
    for words in ("digits-8M", "mobilenet_v2_small", "1,150 training images", "MAdds up to 8M", "60", "PED-ANOVA"):
        assert words in text
    assert "a short training of each network (3 epochs of 4,000 images)" in text
    assert "archsearch run --budget-madds 8M --data digits" in text


@pytest.mark.parametrize(("evaluator", "lead"), [("table", "table full (50 networks) · "), ("additive", "")])
def test_a_run_without_images_speaks_of_none(evaluator, lead):
    run = {"evaluator": evaluator, "space": "nas_bench_macro", "data": "full.csv"}
    manifest = {"dataset": {"name": "full", "networks": 50, "classes": ["a", "b"], "n_train": 10**6}}
    assert headline(run, manifest, {}) == f"Space nas_bench_macro · {lead}no budget"
    assert "images" not in reading_section(run)
    assert headline(run | {"evaluator": "train"}, manifest, {}).count("images full (1,000,000 training images") == 1
    assert "number of images" in reading_section(run | {"evaluator": "train"})


def test_the_page_refers_to_nothing_outside_itself(run_dir):
    for name, attrs in _elements(write_page(run_dir)):
        assert not attrs.get("src")
        assert name != "link" or attrs["href"] == "data:,"
        assert not attrs.get("href", "").startswith("http")


def test_plotly_is_in_the_page_once(run_dir):
    text = write_page(run_dir).read_text()
    assert len(re.findall(r"plotly\.js v\d", text)) == 1
    assert text.count("Plotly.newPlot") >= 3


def test_an_empty_study_says_so_and_carries_no_script(make, tmp_path):
    path = write_page(make.run(tmp_path / "empty", 0))
    assert "no finished trial yet" in path.read_text()
    assert path.stat().st_size < 50_000


@pytest.mark.parametrize("trials", [1, 2, 5])
def test_a_run_that_has_just_begun_has_a_page(make, tmp_path, trials):
    text = write_page(make.run(tmp_path / "begun", trials)).read_text()
    assert "Too few trained networks to say" in text


def test_accuracies_made_by_a_formula_are_called_that(run_dir):
    (run_dir / "run.toml").write_text('evaluator = "synthetic"\n')
    assert "no network was trained" in write_page(run_dir).read_text()


def test_names_that_are_code_stay_text(make, tmp_path):
    path = write_page(_hostile_run(make, tmp_path / "run <img src=x onerror=alert(1)>"))
    text = path.read_text()
    assert "<script>window.hit" not in text
    assert not [attrs for name, attrs in _elements(path) if "onerror" in attrs or name == "img"]
    assert "&lt;script&gt;window.hit" in text


def test_the_networks_drawn_openly_include_both_ends_and_the_best():
    assert spread(3, 2) == [0, 1, 2]
    assert spread(1, 0) == [0]
    for n in (MOST + 1, 30):
        for best in range(n):
            shown = spread(n, best)
            assert len(shown) == MOST
            assert best in shown


@pytest.mark.slow
def test_a_browser_draws_every_trial_names_the_front_on_hover_and_asks_the_network_for_nothing(run_dir, browser_path):
    path = write_page(run_dir)
    with _browser(browser_path) as (page, errors, requests):
        page.goto(path.as_uri())
        page.wait_for_selector("#chart-1 .hoverlayer", state="attached")
        page.locator("#chart-1").scroll_into_view_if_needed()
        traces = page.evaluate(
            "[...document.getElementById('chart-1').data].map(t => [t.meta, t.name, [...(t.customdata || [])]])"
        )
        numbers = sorted(n for meta, _, found in traces if meta == "trials" for n in found)
        assert numbers == list(range(60))
        tests = sum(len(found) for meta, _, found in traces if meta == "tests")
        assert page.locator("#chart-1 .scatterlayer path.point").count() == 60 + tests
        for number, x, y in page.evaluate(FRONT_MARKS):
            page.mouse.move(x, y)
            page.locator("#chart-1 .hovertext", has_text=f"trial {number} · on the front").first.wait_for(timeout=5000)
        assert errors == []
        assert _outside(requests) == []


@pytest.mark.slow
def test_a_browser_runs_no_code_from_names_and_the_page_fits_a_phone(make, tmp_path, browser_path):
    path = write_page(_hostile_run(make, tmp_path / "run <img src=x onerror=alert(1)>"))
    with _browser(browser_path) as (page, errors, requests):
        page.set_viewport_size({"width": 390, "height": 800})
        page.goto(path.as_uri())
        page.wait_for_selector("#chart-1 .hoverlayer", state="attached")
        page.evaluate("Plotly.Fx.hover('chart-1', [{curveNumber: 2, pointNumber: 0}])")
        assert page.evaluate("window.hit === undefined")
        assert page.locator("h1").text_content() == "run <img src=x onerror=alert(1)>"
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        assert errors == []
        assert _outside(requests) == []


@pytest.mark.parametrize(
    ("evaluator", "told"),
    [("synthetic", "made by a formula"), ("additive", "made by a formula"), ("deceptive", "made by a formula"),
     ("table", "come from a table, nats (729 networks)"), ("table-mean", "come from a table"), ("train", None)],
)  # fmt: skip
def test_accuracies_that_no_training_made_are_told_at_the_top(make, tmp_path, evaluator, told):
    folder = make.files(make.run(tmp_path / "run", 12), name="nats", networks=729)
    with (folder / "run.toml").open("a") as file:
        file.write(f'evaluator = "{evaluator}"\n')
    text = write_page(folder).read_text()
    assert ("The accuracies here" in text) == (told is not None)
    assert told is None or told in text
    assert ("a short training of each network" in text) == (evaluator == "train")
