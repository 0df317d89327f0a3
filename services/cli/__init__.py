"""The command line `botlane`."""
