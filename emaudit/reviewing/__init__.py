"""People's own scores: the draw, the blind session, events folded to labels, files out and in. No screens, no SQL."""
