"""The steps, in the order of their numbers. None is changed once it was released."""
