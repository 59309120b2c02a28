# SPDX-License-Identifier: Apache-2.0
"""The cases of a live test, and what they say of what they found."""

cases = []


class Failed(Exception):
    """What was expected did not happen."""


class Skipped(Exception):
    """Cannot be tested here."""


def check(condition, text):
    if not condition:
        raise Failed(text)


def check_equal(found, expected, what):
    check(found == expected, f"{what}: {found!r}, expected {expected!r}")


def judged(title, function, *arguments):
    """For a case of several parts: the outcome of one, whose function fails by an exception."""
    try:
        function(*arguments)
        return "passed", title, ""
    except Failed as reason:
        return "failed", title, str(reason)


def case(function):
    """Decorator: one line of the result. It fails or is skipped by an exception; its text is the reason."""
    cases.append(function)
    return function
