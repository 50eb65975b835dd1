"""The first function of the chain example, in Python with nothing installed.

Reads a shop's order log (CSV) and answers its orders as JSON. What does not
add up is rejected with the reason: unknown columns, bad numbers, an article
number whose check digit is wrong.

    {"log": "monday.csv"}  ->  {"log": ..., "orders": [...], "rejected": [...]}
"""

import csv
import json
import os
import signal
import sys
import threading
from decimal import Decimal, InvalidOperation
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

COLUMNS = ["order", "customer", "article", "quantity", "price"]


def check_digit(digits):
    """Returns the EAN-13 check digit of twelve digits."""
    total = sum(int(d) * (3 if i % 2 else 1) for i, d in enumerate(digits))
    return str(-total % 10)


def parse_row(row):
    """Returns a row as an order; raises ValueError where it makes no sense."""
    article = row["article"].replace("-", "")
    if len(article) != 13 or not article.isdigit() or check_digit(article[:12]) != article[12]:
        raise ValueError(f"article {row['article']!r} is not an EAN-13 number")
    quantity = int(row["quantity"])
    if not 1 <= quantity <= 1000:
        raise ValueError(f"quantity {quantity} is not in 1..1000")
    try:
        cents = Decimal(row["price"]).scaleb(2)
    except InvalidOperation:
        raise ValueError(f"price {row['price']!r} is not a number") from None
    if cents != cents.to_integral_value() or not 0 < cents < 10_000_000:
        raise ValueError(f"price {row['price']!r} is not a sum of money")
    return {
        "order": int(row["order"]),
        "customer": row["customer"].strip().lower(),
        "article": article,
        "quantity": quantity,
        "cents": int(cents),
    }


def parse(log, folder="bin/logs"):
    """Reads the log of that name."""
    if os.path.basename(log) != log:
        raise ValueError(f"log {log!r} is not a file name")
    orders, rejected = [], []
    with open(os.path.join(folder, log), newline="", encoding="utf-8") as file:
        rows = csv.DictReader(file)
        if rows.fieldnames != COLUMNS:
            raise ValueError(f"columns are {rows.fieldnames}, not {COLUMNS}")
        for row in rows:
            try:
                orders.append(parse_row(row))
            except (ValueError, TypeError, AttributeError) as err:
                rejected.append({"line": rows.line_num, "reason": str(err)})
    return {"log": log, "orders": orders, "rejected": rejected}


class Handler(BaseHTTPRequestHandler):
    """Answers POST with a JSON body."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        try:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.answer(200, parse(json.loads(body)["log"]))
        except (ValueError, KeyError, TypeError, OSError) as err:
            self.answer(400, {"status": 400, "title": "Bad Request", "detail": str(err)})

    def answer(self, status, value):
        body = json.dumps(value, separators=(",", ":")).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """One line per request is what the platform records already."""


def main():
    server = ThreadingHTTPServer(("", int(os.environ.get("PORT", "8080"))), Handler)
    # shutdown waits for serve_forever, which runs on this very thread.
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    server.serve_forever()
    server.server_close()  # waits for requests under way


if __name__ == "__main__":
    sys.exit(main())
