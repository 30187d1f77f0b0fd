"""The REST door: TaskRouter v1 as the official clients see it, one file per resource.

A view takes typed parameters, calls one verb or query and represents what came of it; in fifteen
lines. It never decides anything about routing and never writes but through the engine's verbs.

    door            the factory: authentication, errors and every resource on one blueprint
    operations      what the resource files share: an operation is a path, its parameters, a view
    parameters      forms and query strings become typed, checked parameters (PascalCase ends here)
    representation  records become Twilio's fields and links (snake_case begins here)
    paging          lists by keyset, behind opaque tokens
    authentication  account SID and auth token, or an API key
    rate            how often one of them may ask
    description     the door in OpenAPI's terms, made from the parameters that it reads
    errors          everything that can go wrong, as `{code, message, more_info, status}`
"""
