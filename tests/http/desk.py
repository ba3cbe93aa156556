"""mamori handoff, as a person at the desk runs it."""

import json

import client  # noqa: F401  (sets the path)


class Desk:
    """One person of a stack's people."""

    def __init__(self, stack, name):
        self.stack, self.name = stack, name

    def run(self, *arguments, text=None):
        """The finished process."""
        return self.stack.mamori("handoff", *arguments, user="mamori_desk", input=text or "")

    def ask(self, *arguments):
        """list or show, decoded."""
        return self._decode(self.run(*arguments, "--json"))

    def act(self, verb, target, *more, text=None):
        """accept, reply, return or resolve, as this person; decoded."""
        return self._decode(self.run(verb, "--as", self.name, "--json", target, *more, text=text))

    def refuse(self, verb, target, *more):
        """The reason why it is not done."""
        done = self.run(verb, "--as", self.name, target, *more)
        if done.returncode != 1 or done.stdout:
            raise AssertionError(f"{done.returncode} {done.stdout} {done.stderr}")
        return done.stderr

    def opened(self):
        return {handoff["id"]: handoff for handoff in self.ask("list")["handoffs"]}

    @staticmethod
    def _decode(done):
        if done.returncode != 0 or done.stderr:
            raise AssertionError(f"{done.returncode} {done.stdout} {done.stderr}")
        return json.loads(done.stdout)
