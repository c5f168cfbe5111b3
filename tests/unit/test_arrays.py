"""The form of array literals; that PostgreSQL reads them back is tested with a server."""

from common import arrays


def test_numbers_and_missing_ones() -> None:
    assert arrays.numbers([1, None, -3]) == "{1, NULL, -3}"
    assert arrays.numbers(()) == "{}"


def test_ids_and_blobs_are_hexadecimal() -> None:
    assert arrays.ids([b"\x01" * 16, None]) == "{" + "01" * 16 + ",NULL}"
    assert arrays.blobs([b"\x00\xff"]) == '{"\\\\x00ff"}'


def test_text_is_quoted_so_that_nothing_in_it_means_anything() -> None:
    assert arrays.texts(['a"b', "c\\d", "NULL", "{,}", "", None]) == '{"a\\"b","c\\\\d","NULL","{,}","",NULL}'
