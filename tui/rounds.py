"""Work in rounds: whoever asks for it while it goes on gets one round more, and never two at once."""

from __future__ import annotations

from collections.abc import Iterator


class Rounds:
    """The rounds of one kind of work. Iterating is doing it, as long as somebody wants a round."""

    def __init__(self) -> None:
        #: True where somebody asked since the last round began.
        self.wanted = False
        #: True from the first wish to the end of the last round.
        self.going = False

    def want(self) -> bool:
        """Ask for a round; True where who asks has to begin the work."""
        begins = not self.going
        self.wanted = self.going = True
        return begins

    def __iter__(self) -> Iterator[None]:
        """A step for each round."""
        try:
            while self.wanted:
                self.wanted = False
                yield
        finally:
            self.going = False
