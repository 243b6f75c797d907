"""Watching a store for the screens, in a process of its own: it looks, and hands frozen snapshots to the app."""
