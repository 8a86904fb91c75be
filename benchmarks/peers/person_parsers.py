"""Say of each name of a list what probablepeople and presidio's patterns make of it, and how long that took.

    person_parsers.py NAMES.json ANSWERS.json

NAMES is a list of texts. ANSWERS has for each peer whether it would publish each name, and seconds: probablepeople
where it takes a name for a corporation's; presidio where none of its pattern recognisers for English finds anything.
Without a language model, which it would download, presidio knows no names of people: this is what patterns alone catch.
"""

import json
import sys
import time
from pathlib import Path

import probablepeople
from presidio_analyzer import PatternRecognizer, RecognizerRegistry

names = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
registry = RecognizerRegistry()
registry.load_predefined_recognizers(languages=["en"])
patterns = [one for one in registry.recognizers if isinstance(one, PatternRecognizer)]


def publish_by_probablepeople(name: str) -> bool:
    try:
        return probablepeople.tag(name)[1] == "Corporation"
    except probablepeople.RepeatedLabelError:  # it cannot decide
        return False


def publish_by_presidio(name: str) -> bool:
    return not any(one.analyze(name, one.supported_entities, nlp_artifacts=None) for one in patterns)


answers = {}
for peer, publish in {"probablepeople": publish_by_probablepeople, "presidio": publish_by_presidio}.items():
    begin = time.perf_counter()
    decided = [publish(name) for name in names]
    answers[peer] = {"published": decided, "seconds": time.perf_counter() - begin}
Path(sys.argv[2]).write_text(json.dumps(answers), encoding="utf-8")
