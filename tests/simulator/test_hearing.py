"""What a <Gather> hears of a caller who speaks: word by word, until a pause."""

import pytest

from tests.simulator.application import Application
from tests.simulator.town import Town

PLEASE = "I need some help"  # a little longer than a second


def gather(application: Application, attributes: str, prompt: str = "") -> None:
    application.says("/answer", "<Say>Noted</Say>")
    application.says("/part", ("", 204))
    application.says(
        "/voice", f'<Gather action="answer" {attributes}>{prompt}</Gather><Say>Nothing</Say>'
    )


def say(town: Town, sid: str, text: str, confidence: float = 0.9) -> None:
    order = {"text": text, "confidence": confidence}
    assert town.post(f"/simulator/calls/{sid}/say", order).status_code == 200
    town.settle()


def test_what_is_said_is_told_word_by_word_and_whole_after_a_pause(
    town: Town, application: Application
) -> None:
    gather(application, 'input="speech" partialResultCallback="part" speechTimeout="3"')
    sid = town.dial()
    first = set(application.last("/voice")) - {"CallToken", "StirVerstat"}
    say(town, sid, PLEASE)
    town.wait(0.5)
    told = [one.form for one in application.at("/part")]
    assert [one["UnstableSpeechResult"] for one in told] == ["I", "I need"]
    assert [one["StableSpeechResult"] for one in told] == ["", "I"]
    assert [one["SequenceNumber"] for one in told] == ["0", "1"]
    assert set(told[0]) - first == {
        "Language", "SequenceNumber", "Stability", "StableSpeechResult", "UnstableSpeechResult",
    }  # fmt: skip
    town.wait(3)
    say(town, sid, "at once", 0.5)  # before the pause is long enough to be the end
    town.wait(3.4)
    assert not application.at("/answer")
    town.wait(0.2)
    assert application.last("/part")["UnstableSpeechResult"] == "I need some help at once"
    result = application.last("/answer")
    assert result["SpeechResult"] == "I need some help at once"
    assert result["Confidence"] == "0.50000000"


def test_a_wrong_answer_to_what_was_told_word_by_word_is_logged_and_no_more(
    town: Town, application: Application
) -> None:
    gather(
        application,
        'input="speech" partialResultCallback="gone" partialResultCallbackMethod="GET" '
        'speechTimeout="1"',
    )
    sid = town.dial()
    say(town, sid, "Hello")
    town.wait(2)
    assert application.at("/gone")[0].query["UnstableSpeechResult"] == "Hello"
    assert application.last("/answer")["SpeechResult"] == "Hello"


@pytest.mark.parametrize(
    ("attributes", "seconds"),
    [
        ('speechTimeout="auto"', 1.2),
        ('speechTimeout="2"', 3.2),
        ('timeout="4"', 5.2),  # which counts for speech where speechTimeout does not
        ("", 6.2),
    ],
)
def test_how_long_a_pause_ends_it(
    town: Town, application: Application, attributes: str, seconds: float
) -> None:
    gather(application, f'input="speech" {attributes}')
    sid = town.dial()
    say(town, sid, PLEASE)
    town.wait(seconds - 0.1)
    assert not application.at("/answer")
    town.wait(0.1)
    assert application.last("/answer")["SpeechResult"] == PLEASE


def test_who_speaks_for_too_long_is_heard_no_further(town: Town, application: Application) -> None:
    gather(application, 'input="speech" maxSpeechTime="1" speechTimeout="5"')
    sid = town.dial()
    say(town, sid, "One two three four five six seven eight")
    town.wait(1)
    assert application.last("/answer")["SpeechResult"] == "One two three"


@pytest.mark.parametrize(
    ("barge_in", "heard_until", "answered_after"), [("true", 2, 4.05), ("false", 10, 10.05)]
)
def test_a_caller_who_speaks_cuts_the_prompt_short_unless_it_may_not_be(
    town: Town, application: Application, barge_in: str, heard_until: int, answered_after: float
) -> None:
    prompt = f"<Say>{'x' * 150}</Say>"  # ten seconds
    gather(application, f'input="speech" speechTimeout="1" bargeIn="{barge_in}"', prompt)
    sid = town.dial()
    town.wait(2)
    say(town, sid, "Yes, thank you")
    assert (town.call(sid)["sounding"] is None) is (barge_in == "true")
    town.wait(answered_after - 2.1)
    assert not application.at("/answer")
    assert (town.call(sid)["sounding"] is None) is (heard_until == 2)
    town.wait(0.1)
    assert application.last("/answer")["SpeechResult"] == "Yes, thank you"


def test_what_comes_first_counts_keys_or_speech(town: Town, application: Application) -> None:
    gather(application, 'input="dtmf speech" speechTimeout="1" timeout="3"')
    speaker, presser = town.dial(), town.dial()
    say(town, speaker, PLEASE)
    town.press(speaker, "1#")
    town.press(presser, "12")
    say(town, presser, PLEASE)
    town.wait(2.9)
    [spoken] = application.at("/answer")
    assert (spoken.form["CallSid"], spoken.form["SpeechResult"]) == (speaker, PLEASE)
    assert "Digits" not in spoken.form
    town.wait(0.1)
    pressed = application.last("/answer")
    assert (pressed["CallSid"], pressed["Digits"]) == (presser, "12")
    assert "SpeechResult" not in pressed


def test_nothing_more_is_told_of_somebody_who_has_hung_up(
    town: Town, application: Application
) -> None:
    gather(application, 'input="speech" partialResultCallback="part"')
    sid = town.dial()
    say(town, sid, PLEASE)
    town.wait(0.5)
    town.hang_up(sid)
    town.wait(10)
    assert len(application.at("/part")) == 2
    assert not application.at("/answer")


def test_what_cannot_be_heard_has_its_number(town: Town, application: Application) -> None:
    wrong = {
        'speechModel="phone_call" speechTimeout="auto"': 13335,
        'partialResultCallbackMethod="PUT"': 13329,
        'maxSpeechTime="long"': 13328,
        'speechTimeout="soon"': 13327,
        'bargeIn="perhaps"': 13332,
    }
    for attributes in wrong:
        gather(application, f'input="speech" {attributes}')
        town.dial()
    assert town.errors() == list(wrong.values())
