"""LUNA's backend: five services and the package they share."""
