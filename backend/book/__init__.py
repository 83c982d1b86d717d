"""The book service: titles, their copies, searching and importing them, and who has borrowed."""
