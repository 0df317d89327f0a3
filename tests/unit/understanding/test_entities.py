"""Entities are found by words (`word~value`) and by patterns."""

from shared.bot.understanding import EntityPart
from shared.dialog.events import Entity
from shared.understanding.entities import Entities

SIZES = EntityPart(("small~10", "little~10", "extra large~40", "large~30", "huge"))


def find(text: str, **parts: EntityPart) -> list[Entity]:
    return [found.entity for found in Entities(parts).find(text)]


def test_a_word_stands_for_the_value_behind_the_tilde() -> None:
    assert find("A Small one", SIZE=SIZES) == [Entity("SIZE", "Small", "10")]


def test_a_word_without_a_tilde_is_its_own_value() -> None:
    assert find("a HUGE one", SIZE=SIZES) == [Entity("SIZE", "HUGE", "huge")]


def test_the_longest_words_win_and_all_are_found_in_the_order_of_the_text() -> None:
    found = find("one extra-large, two large and a little one", SIZE=SIZES)
    assert [(entity.phrase, entity.value) for entity in found] == [
        ("extra-large", "40"),
        ("large", "30"),
        ("little", "10"),
    ]


def test_only_whole_words_are_found() -> None:
    assert find("enlarge the smallest", SIZE=SIZES) == []


def test_accents_and_apostrophes_do_not_matter() -> None:
    assert find("un cafe from Mcdonalds", SHOP=EntityPart(("McDonald's~1",)), DRINK=EntityPart(("café~2",))) == [
        Entity("DRINK", "cafe", "2"),
        Entity("SHOP", "Mcdonalds", "1"),
    ]


def test_the_first_of_equal_words_wins() -> None:
    assert find("small", SIZE=EntityPart(("small~1", "Small~2"))) == [Entity("SIZE", "small", "1")]


def test_a_pattern_finds_itself_or_its_first_group() -> None:
    found = find(
        "order AB-123, size 42",
        NUMBER=EntityPart(patterns=("[A-Z]{2}-[0-9]+",)),
        SIZE=EntityPart(patterns=("size ([0-9]+)",)),
    )
    assert found == [Entity("NUMBER", "AB-123", "AB-123"), Entity("SIZE", "size 42", "42")]


def test_a_group_that_took_no_part_leaves_the_whole_match() -> None:
    assert find("size", SIZE=EntityPart(patterns=("size( [0-9]+)?",))) == [Entity("SIZE", "size", "size")]


def test_a_pattern_that_finds_nothing_but_emptiness_finds_nothing() -> None:
    assert find("abc", X=EntityPart(patterns=("[0-9]*",))) == []


def test_different_entities_may_share_words() -> None:
    found = find("a small pizza", SIZE=SIZES, DISH=EntityPart(("small pizza~7", "pizza~8")))
    assert found == [Entity("DISH", "small pizza", "7"), Entity("SIZE", "small", "10")]


def test_the_same_place_is_found_once_for_an_entity_by_its_word_first() -> None:
    assert find("42", SIZE=EntityPart(("42~big",), ("[0-9]+",))) == [Entity("SIZE", "42", "big")]


def test_a_pattern_that_explodes_finds_nothing() -> None:
    assert find("a" * 60 + "!", X=EntityPart(patterns=(r"(a|a|aa)+\Z",))) == []
