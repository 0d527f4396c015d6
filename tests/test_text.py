import pytest

from domain.text import checked_text


@pytest.mark.parametrize("text", ["ab", "abcd", "\t\n", "\x01\x7f", "\ud7ff\ue000", "𝄞🙂é\uffff"])
def test_text_of_a_good_length_is_given_back_unchanged(text: str) -> None:
    assert checked_text(text, "A remark", 2, 4) == text


@pytest.mark.parametrize("text", ["", "a", "abcde"])
def test_text_that_is_too_short_or_too_long_is_told_its_length(text: str) -> None:
    with pytest.raises(ValueError, match=r"^A remark has 2 to 4 characters, not ") as told:
        checked_text(text, "A remark", 2, 4)
    assert str(told.value).endswith(f", not {len(text)}.")


def test_length_is_counted_in_code_points_not_bytes() -> None:
    assert checked_text("🙂🙂🙂🙂", "A remark", 1, 4) == "🙂🙂🙂🙂"


@pytest.mark.parametrize(
    ("character", "name"),
    [("\0", "U+0000"), ("\ud800", "U+D800"), ("\udc80", "U+DC80"), ("\udfff", "U+DFFF")],
)
@pytest.mark.parametrize("form", ["{}bc", "b{}c", "bc{}"])
def test_what_cannot_be_stored_is_refused_wherever_it_stands(
    form: str, character: str, name: str
) -> None:
    with pytest.raises(ValueError, match=r"^A remark cannot contain ") as told:
        checked_text(form.format(character), "A remark", 1, 9)
    assert str(told.value) == f"A remark cannot contain {name}."
