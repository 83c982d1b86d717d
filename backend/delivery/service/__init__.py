"""The rules of the delivery service: requests, returns, and delivery tasks as staff handle them."""
