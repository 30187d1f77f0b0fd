"""The house itself: that its walls stand (each is broken once, to see the checks fail) and that its
papers (locks, signs, documents) say what is so.
"""
