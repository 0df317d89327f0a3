"""The JavaScript of bots: the botContext prelude and the QuickJS runtime behind the `Scripts` protocol."""
