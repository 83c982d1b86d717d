"""What the desk and the queue of one title should do, in memory."""

from dataclasses import dataclass, field


@dataclass
class Model:
    """Copies by number, members by number; a copy is lent, kept for a member, or free."""

    copies: int
    loans: dict[int, tuple[int, str]] = field(default_factory=dict)  # copy → member, state
    kept: dict[int, int] = field(default_factory=dict)  # copy → member
    queue: list[int] = field(default_factory=list)  # members, the first is served first
    suspended: set[int] = field(default_factory=set)

    def free(self) -> list[int]:
        return [n for n in range(self.copies) if n not in self.loans and n not in self.kept]

    def _serve(self) -> None:
        """Keep free copies for the members who wait and are not suspended."""
        for copy in self.free():
            waiting = [member for member in self.queue if member not in self.suspended]
            if waiting:
                self._leave(waiting[0])
                self.kept[copy] = waiting[0]

    def _leave(self, member: int) -> None:
        self.queue = [each for each in self.queue if each != member]
        self.suspended.discard(member)

    def borrowers(self) -> set[int]:
        return {member for member, _ in self.loans.values()}

    def can_borrow(self, member: int, copy: int) -> bool:
        return (
            copy < self.copies
            and copy not in self.loans
            and self.kept.get(copy)
            in {
                None,
                member,
            }
        )

    def borrow(self, member: int, copy: int) -> None:
        self.loans[copy] = (member, "ACTIVE")
        self.kept.pop(copy, None)
        self.kept = {each: who for each, who in self.kept.items() if who != member}
        self._leave(member)
        self._serve()

    def give_back(self, copy: int) -> None:
        self.loans.pop(copy, None)
        self._serve()

    def can_hold(self, member: int) -> bool:
        lost = [copy for copy, (_, state) in self.loans.items() if state == "LOST"]
        waits = member in self.queue or member in self.kept.values()
        has_it = member in self.borrowers()
        return not (waits or has_it or self.free() or len(lost) == self.copies)

    def hold(self, member: int) -> None:
        self.queue.append(member)

    def suspend(self, member: int) -> None:
        self.suspended.add(member)

    def resume(self, member: int) -> None:
        self.suspended.discard(member)
        self._serve()

    def cancel(self, member: int) -> None:
        self._leave(member)
        self.kept = {each: who for each, who in self.kept.items() if who != member}
        self._serve()

    def report(self, copy: int, state: str) -> None:
        self.loans[copy] = (self.loans[copy][0], state)

    def add_copy(self) -> None:
        self.copies += 1
        self._serve()
