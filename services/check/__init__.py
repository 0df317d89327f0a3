"""`botlane check`: what can be known about a bot before anybody talks to it. Pure: files are read by the command."""
