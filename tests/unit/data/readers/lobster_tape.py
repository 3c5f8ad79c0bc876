"""Small LOBSTER zips, written row by row."""

from __future__ import annotations

import zipfile

NAME = "TEST_2012-06-21_34200000_57600000_{}_{}.csv"

MESSAGES = [
    "34200.1,1,11,10,1000000,1",  # the row below is the book after it
    "34200.2,1,12,5,1000100,1",  # a better bid
    "34200.2,4,12,2,1000100,1",  # a seller takes 2 of it
    "34200.5,5,0,30,1000200,-1",  # a buyer meets a hidden offer
    "34201.123456789,2,11,4,1000000,1",  # 4 of order 11 cancelled
    "34202,7,0,0,-1,-1",  # halt
    "34203,7,0,0,1,-1",  # trading resumes
    "34204,3,12,3,1000100,1",  # the rest of order 12 deleted: a deeper bid is seen again
]
BOOK = [
    "1000300,7,1000000,10,1000400,1,999900,8",
    "1000300,7,1000100,5,1000400,1,1000000,10",
    "1000300,7,1000100,3,1000400,1,1000000,10",
    "1000300,7,1000100,3,1000400,1,1000000,10",
    "1000300,7,1000100,3,1000400,1,1000000,6",
    "1000300,7,1000100,3,1000400,1,1000000,6",
    "1000300,7,1000100,3,1000400,1,1000000,6",
    "1000300,7,1000000,6,1000400,1,999900,8",
]


def write(path, messages=MESSAGES, book=BOOK, levels=2, names=("message", "orderbook")):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, rows in zip(names, (messages, book), strict=True):
            archive.writestr(NAME.format(name, levels), "".join(f"{row}\n" for row in rows))
    return path


def changed(rows, index, row):
    return [*rows[:index], row, *rows[index + 1 :]]
