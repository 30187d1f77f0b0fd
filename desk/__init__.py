"""The agent's desk and the supervisor's wall: web pages, and the server side that they need.

The pages use the doors that everybody uses. What is here lets people in, hands them the tokens of
those doors, and forwards to the REST door what their role allows. It comes into the engine by its
front door; the other doors are handed in by the composition root. Nothing here decides where a Task
goes, and no page has a way around the rights table.

    door          everything on one blueprint, behind one guard
    shells        the pages and their files, and what a browser may load for them
    sessions      cookies, CSRF tokens, who is asking
    sign_in       in and out: password, one click, how often one may try
    open_id       sign-in through a provider; provider speaks with it
    passwords     how they are hashed
    demo          what the home page needs where nobody has to sign in
    access_tokens the tokens of the realtime door
    rights        what each role may do through the REST door: one table
    rest          the REST door, for those who have signed in
    refusals      how everything here says no
"""
