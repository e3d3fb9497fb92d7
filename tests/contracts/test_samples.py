"""What is below `data/samples` may be given away: attributed, free of cards, and exact."""

import csv
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from service.core.card_data import mask_bytes

SAMPLES = Path(__file__).parents[2] / "data" / "samples"
RETAIL = SAMPLES / "uci_online_retail"


def rows(name: str) -> list[dict[str, str]]:
    with (RETAIL / name).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_every_sample_folder_says_where_it_comes_from_and_under_which_licence() -> None:
    folders = [folder for folder in SAMPLES.iterdir() if folder.is_dir()]
    assert RETAIL in folders
    for folder in folders:
        text = (folder / "README.md").read_text(encoding="utf-8")
        assert "Licence" in text, folder
        assert "Source" in text, folder


def test_the_retailer_is_attributed_as_cc_by_4_0_asks() -> None:
    text = (RETAIL / "README.md").read_text(encoding="utf-8")
    for needed in ("Chen", "Sain", "Guo", "10.24432/C5BW33", "CC BY 4.0", "Changed", "UCI"):
        assert needed in text


def test_no_sample_holds_a_card_number() -> None:
    for path in (path for path in SAMPLES.rglob("*") if path.is_file()):
        content = path.read_bytes()
        assert mask_bytes(content) == content, path


def test_the_samples_are_small() -> None:
    assert sum(path.stat().st_size for path in RETAIL.iterdir()) < 1_000_000


def test_every_amount_is_exact_and_every_line_has_its_order() -> None:
    orders = {row["invoice_no"]: row for row in rows("orders.csv")}
    lines = rows("lines.csv")
    assert {row["invoice_no"] for row in lines} == orders.keys()
    for row in lines:
        price = Decimal(row["unit_price"])
        assert price > 0
        assert price == price.quantize(Decimal("0.01"))
        assert int(row["quantity"]) > 0
    for row in orders.values():
        assert datetime.fromisoformat(row["timestamp"]).date().isoformat().startswith("2011-11-1")
        assert int(row["customer_id"]) > 0


def test_the_days_are_whole_and_in_order() -> None:
    days = [row["timestamp"][:10] for row in rows("orders.csv")]
    assert days == sorted(days)
    assert sorted(set(days)) == [f"2011-11-{day}" for day in range(14, 19)]
