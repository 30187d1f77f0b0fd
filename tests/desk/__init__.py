"""The pages: their modules in Node, and whole shifts in a real browser."""
