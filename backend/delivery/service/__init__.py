"""The rules of the delivery service: requests, returns, and journeys as staff lead them."""
