"""What LUNA adds to the server of a service (Uvicorn)."""
