"""What the desk and the queue of one title should do, in memory."""

from dataclasses import dataclass, field

MAX_RENEWALS = 2


@dataclass
class Loan:
    """A loan that is open; it is too early to renew one whose due date is as far as it can be."""

    member: int
    state: str = "ACTIVE"
    renewals: int = 0
    is_too_early: bool = True


@dataclass
class Model:
    """Copies by number, members by number; a copy is lent, kept for a member, or free."""

    copies: int
    loans: dict[int, Loan] = field(default_factory=dict)  # by copy
    kept: dict[int, int] = field(default_factory=dict)  # copy → member
    queue: list[int] = field(default_factory=list)  # members, the first is served first
    suspended: set[int] = field(default_factory=set)
    imported: set[int] = field(default_factory=set)  # other titles, each with one copy

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
        return {loan.member for loan in self.loans.values()}

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
        self.loans[copy] = Loan(member)
        self.kept.pop(copy, None)
        self.kept = {each: who for each, who in self.kept.items() if who != member}
        self._leave(member)
        self._serve()

    def give_back(self, copy: int) -> None:
        self.loans.pop(copy, None)
        self._serve()

    def can_hold(self, member: int) -> bool:
        lost = [copy for copy, loan in self.loans.items() if loan.state == "LOST"]
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
        self.loans[copy].state = state

    def approach_due_date(self, copy: int) -> None:
        self.loans[copy].is_too_early = False

    def can_renew(self, copy: int) -> bool:
        loan = self.loans[copy]
        others_wait = any(member not in self.suspended for member in self.queue)
        can = loan.state == "ACTIVE" and loan.renewals < MAX_RENEWALS
        return can and not (loan.is_too_early or others_wait)

    def renew(self, copy: int) -> None:
        self.loans[copy].renewals += 1
        self.loans[copy].is_too_early = True

    def add_copy(self) -> None:
        self.copies += 1
        self._serve()

    def import_titles(self, numbers: set[int]) -> int:
        """Return how many titles are new."""
        new = numbers - self.imported
        self.imported |= numbers
        return len(new)

    def merge(self, number: int, borrower: int | None, waiting: int | None) -> None:
        """Add the copy of an imported title, its loan and its hold to the title."""
        self.imported.remove(number)
        if borrower is not None:
            self.loans[self.copies] = Loan(borrower)
        if waiting is not None and not (waiting in self.queue or waiting in self.kept.values()):
            self.queue.append(waiting)
        self.add_copy()
