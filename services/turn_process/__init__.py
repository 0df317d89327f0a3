"""The turn process: a locked-down child that runs the engine and the JavaScript of bots."""
