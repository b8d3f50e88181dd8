import pytest

from lmcourse import language
from lmcourse.language import CourseError


@pytest.mark.parametrize("name", language.LANGUAGES)
def test_pick_and_say_follow_the_language(name, capsys):
    language.use(name)
    assert language.current() == name
    assert language.pick(en="yes", zh="是") == {"en": "yes", "zh": "是"}[name]
    language.say(en="yes", zh="是")
    assert capsys.readouterr().out == {"en": "yes\n", "zh": "是\n"}[name]


def test_an_unknown_language_is_one_sentence_and_changes_nothing():
    language.use("zh")
    with pytest.raises(CourseError) as caught:
        language.use("fr")
    assert "'fr'" in str(caught.value)
    assert language.current() == "zh"
    assert caught.value._render_traceback_() == [str(caught.value)]
