"""The parts of the benchmark `fleet-day`: robots that misbehave, people, the invariants."""
