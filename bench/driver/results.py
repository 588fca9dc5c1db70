"""`bench/results.json`, and the table made from it."""

import datetime
import json
from pathlib import Path

BENCH = Path(__file__).resolve().parent.parent
RESULTS = BENCH / "results.json"
README = BENCH / "README.md"
BEGIN, END = "<!-- results: begin -->", "<!-- results: end -->"

# What must hold, as a bound on the figure named: `ratio` or Plinth's own figure.
BARS = {
    "store.write_vs_postgres": ("ratio", ">=", 5),
    "http.read_vs_axum": ("ratio", ">=", 0.8),
    "http.read_vs_haproxy_limited": ("ratio", ">=", 0.85),
    "http.read_vs_express_limited": ("ratio", ">=", 20),
    "http.overload_goodput": ("ratio", ">=", 0.9),
    "start.cold_ms": ("plinth", "<", 300),
    "memory.idle_mb": ("plinth", "<", 60),
}


def entry(id, plinth, peer, peer_name, unit, conditions, lower_is_better=False):
    """One measurement. `ratio` is Plinth's figure over the peer's, whichever way is better."""
    return {
        "id": id,
        "plinth": round(plinth, 3),
        "peer": round(peer, 3),
        "peer_name": peer_name,
        "ratio": round(plinth / peer, 3),
        "unit": unit,
        "lower_is_better": lower_is_better,
        "conditions": conditions,
        "at": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


def read():
    return json.loads(RESULTS.read_text()) if RESULTS.exists() else []


def merge(entries):
    """Writes the entries over those of the same ids, in the order of ids."""
    by_id = {e["id"]: e for e in read()} | {e["id"]: e for e in entries}
    ordered = [by_id[id] for id in sorted(by_id)]
    RESULTS.write_text(json.dumps(ordered, indent=2, ensure_ascii=False) + "\n")


def verdict(e):
    """Whether the bar holds; None without one."""
    if e["id"] not in BARS:
        return None
    field, comparison, bound = BARS[e["id"]]
    return e[field] >= bound if comparison == ">=" else e[field] < bound


def figure(value):
    """Three significant figures, thousands apart."""
    if value >= 1000:
        return f"{value:,.0f}".replace(",", " ")
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def row(e):
    bar, holds = "", verdict(e)
    if holds is not None:
        field, comparison, bound = BARS[e["id"]]
        sign = {">=": "≥", "<": "<"}[comparison]
        bar = f"{sign} {bound}{'×' if field == 'ratio' else ' ' + e['unit']} {'✓' if holds else '✗'}"
    better = "lower" if e["lower_is_better"] else "higher"
    return (
        f"| `{e['id']}` | {figure(e['plinth'])} | {figure(e['peer'])} | {e['peer_name']} | {e['unit']} ({better}) "
        f"| **{figure(e['ratio'])}** | {bar} | {e['at'][:10]} |"
    )


def table():
    entries = read()
    lines = [
        "| id | Plinth | peer | peer is | unit (better) | Plinth ÷ peer | bar | measured |",
        "|---|---:|---:|---|---|---:|---|---|",
        *map(row, entries),
        "",
        *(f"- `{e['id']}`: {e['conditions']}" for e in entries),
    ]
    return "\n".join(lines)


def write_table():
    """Replaces what stands between the two marks of the README."""
    text = README.read_text()
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    README.write_text(f"{before}{BEGIN}\n{table()}\n{END}{after}")
