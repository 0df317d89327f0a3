"""The programs: each starts with `python -m services.<name>` or `botlane <name>`."""
