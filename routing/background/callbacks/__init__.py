"""Callbacks: what others are told and asked over HTTP; once committed, none is forgotten.

    rules         who wants to hear of what: the URLs and filters of Workspaces and Workflows
    owing         the follower of the log: an event becomes rows of what is owed to whom
    dispatch      rows are leased, sent by a pool of threads, and what came of it is written
    lanes         how much one receiver is sent at a time, and when it is left in peace
    assignments   the assignment callback: asked, answered, its fallback, its end
    payloads      what is said, in Twilio's fields, and how it is signed
    posting       one POST: addresses checked, time and size bounded
    addresses     which addresses may be connected to

Nothing here holds a transaction open while it talks to anybody. State is written by the engine's
verbs alone, and what arrives twice carries the same token and the same event SID.
"""
