"""The value of a pattern: whether it still tells candidates apart."""

from dataclasses import dataclass


@dataclass(frozen=True)
class PatternValue:
    """How many candidates passed a pattern and how many failed it; errors count for neither."""

    passed: int = 0
    failed: int = 0

    @property
    def pairs(self) -> int:
        """How many pairs of candidates it separates: one of the two passes and the other fails."""
        return self.passed * self.failed

    @property
    def idle(self) -> bool:
        """Whether it separates no two candidates."""
        return self.pairs == 0

    @property
    def words(self) -> str:
        if self.pairs:
            return f"separates {self.pairs} {'pair' if self.pairs == 1 else 'pairs'} of candidates"
        answered = self.passed + self.failed
        if answered < 2:
            return "one candidate only" if answered else "no candidate answered"
        return "everybody passes" if self.passed else "everybody fails"
