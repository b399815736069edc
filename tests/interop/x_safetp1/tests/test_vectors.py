"""The file of known answers that the Rust implementation keeps."""

import json
import unittest
from copy import deepcopy
from pathlib import Path

from .. import vectors

REPOSITORY = Path(__file__).parents[4]
KNOWN = REPOSITORY / "protocol/testdata/x-safetp1/vectors.json"


class KnownAnswers(unittest.TestCase):
    def setUp(self) -> None:
        self.known = json.loads(KNOWN.read_text("utf-8"))

    def test_both_implementations_agree_on_every_octet(self) -> None:
        outcome = vectors.check(self.known)
        self.assertEqual(outcome.failures, [])
        self.assertGreater(outcome.compared, 100)

    def test_a_changed_answer_is_reported(self) -> None:
        places = (("messages", "4"), ("messages", "3"), ("keys", "server-data-3des-key"), ("dsa", "fingerprint"))
        for section, name in places:
            with self.subTest(name):
                changed = deepcopy(self.known)
                answers = changed["cases"][1][section]
                answers[name] = answers[name][:-1] + ("0" if answers[name][-1] != "0" else "1")
                self.assertNotEqual(vectors.check(changed).failures, [])

    def test_a_changed_message_or_block_is_reported(self) -> None:
        for section in ("control", "data"):
            with self.subTest(section):
                changed = deepcopy(self.known)
                last = changed["cases"][0][section][-1]
                last = last["blocks"][-1] if section == "data" else last
                name = "block" if section == "data" else "message"
                last[name] = "00" + last[name][2:]
                self.assertNotEqual(vectors.check(changed).failures, [])
