"""How numbers, metrics and figures look: one place for colours, units and labels."""

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import plotly.graph_objects as go  # slow to import, and not needed for numbers and colours

# Okabe and Ito's colours: told apart by colour-blind readers, on light and on dark paper.
FRONT, TRIAL, TEST, BUDGET = "#d55e00", "#4c8fbd", "#009e73", "#8a8f98"
FAILED, SKIPPED, RUNNING = "#cc3344", "#cc79a7", "#b58900"
STOPPED, WAITING = "#8a8f98", "#e69f00"
BARS = ("#4c8fbd", "#e69f00", "#009e73", "#cc79a7", "#8a8f98", "#56b4e9")
GRID, INK = "rgba(128,128,128,0.22)", "#5b6270"

LABELS = {
    "top1": "top-1",
    "madds": "MAdds",
    "params": "parameters",
    "activations": "activations",
    "peak_memory": "peak memory [bytes]",
    "weight_bytes": "weights [bytes]",
    "latency_ms": "latency [ms]",
    "latency": "predicted latency [ms]",
    "latency_upper": "upper end of predicted latency [ms]",
}
STEPS = {"latency": 1e6, "latency_upper": 1e6}  # of what an axis shows, in the metric's own unit
BYTES = {"peak_memory", "weight_bytes"}


def label(metric: str) -> str:
    """A metric's name as an axis title."""
    return LABELS.get(metric, metric.replace("_", " "))


def short(metric: str) -> str:
    """A metric's name without its unit, for numbers that carry theirs."""
    return label(metric).split(" [")[0]


def tick_format(metric: str) -> str:
    """How an axis writes a metric's values: 300M, but 0.5 ms and not 500m."""
    return ".4~g" if metric == "latency_ms" or metric in STEPS else "~s"


def on_axis(metric: str, value: Any) -> Any:
    """Values of a metric as an axis shows them; None stays None."""
    return value if value is None or metric not in STEPS else value / STEPS[metric]


def scaled(metric: str, value: float | None) -> str:
    """A cost for reading: `300.8M`, `1.5 MiB`, `12.3 ms`; a dash where it is not known."""
    if value is None or math.isnan(value):
        return "–"
    if metric == "latency_ms" or metric in STEPS:
        return f"{on_axis(metric, value):.3g} ms"
    step, units = (1024, ("B", "KiB", "MiB", "GiB", "TiB")) if metric in BYTES else (1000, ("", "k", "M", "G", "T"))
    power = 0
    while abs(value) >= step and power < len(units) - 1:
        value, power = value / step, power + 1
    if power == 0 and value == round(value):
        number = f"{value:.0f}"
    else:
        number = f"{value:.4g}" if abs(value) >= 100 else f"{value:.3g}"
    return f"{number} {units[power]}" if metric in BYTES else f"{number}{units[power]}"


def percent(value: float | None, se: float | None = None) -> str:
    """A fraction for reading: `91.2 %`, with its standard error `91.2 ± 0.4 %`."""
    if value is None or math.isnan(value):
        return "–"
    if se is None or math.isnan(se):
        return f"{100 * value:.1f} %"
    return f"{100 * value:.1f} ± {100 * se:.1f} %"


def styled(figure: "go.Figure", **layout: Any) -> "go.Figure":
    """The figure in the page's looks: no background of its own, quiet grid, one line of legend above."""
    figure.update_layout(
        template="none",
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"family": "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif", "size": 13, "color": INK},
        margin={"l": 62, "r": 16, "t": 16, "b": 52},
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.02, "xanchor": "left", "x": 0},
        hoverlabel={"align": "left", "font": {"family": "ui-monospace, Menlo, Consolas, monospace", "size": 12}},
        **layout,
    )
    figure.update_xaxes(
        gridcolor=GRID, zeroline=False, linecolor=GRID, ticks="outside", tickcolor=GRID, automargin=True
    )
    figure.update_yaxes(gridcolor=GRID, zeroline=False, linecolor=GRID, automargin=True)
    return figure
