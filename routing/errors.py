"""What can go wrong, as one tree.

    RoutingError
      InvalidParameter     400  a value that cannot be used; names the parameter
        ExpressionError    400  a text that is not an expression; names line and column
      IllegalMove          400  a state and an event that do not go together
      NotFound             404  no such resource, or not in this workspace
      Conflict             409  somebody else has it already (a unique name, a lost race)
      Gone                 410  a reservation that was rescinded
      PreconditionFailed   412  If-Match names another version

`status` is a hint for doors that speak HTTP; `code` is Twilio's error code.
"""


class Unavailable(Exception):
    """The tables cannot be reached. Not the caller's fault, and not for ever."""


class RoutingError(Exception):
    """A request that cannot be carried out. Nothing was changed."""

    status = 400
    code = 20001

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class InvalidParameter(RoutingError):
    """A value that cannot be used, and what was expected instead."""

    def __init__(self, parameter: str, expected: str) -> None:
        super().__init__(f"Invalid {parameter}: {expected}")
        self.parameter = parameter


class ExpressionError(InvalidParameter):
    """A text that is not an expression."""

    def __init__(self, expected: str, *, line: int = 1, column: int = 1) -> None:
        super().__init__("expression", f"{expected} (line {line}, column {column})")
        self.line = line
        self.column = column
        self.expected = expected

    def about(self, parameter: str) -> InvalidParameter:
        """The same error, said of the parameter in which the expression came."""
        return InvalidParameter(
            parameter, f"{self.expected} (line {self.line}, column {self.column})"
        )


class IllegalMove(RoutingError):
    """A state and an event that do not go together: what was tried, where, and what is so."""

    def __init__(self, attempt: str, *, workspace_sid: str, because: str) -> None:
        self._where = f"{attempt} in workspace {workspace_sid}"
        self._because = because
        super().__init__(f"{self._where} because {because}")

    def told_to(self, account_sid: str) -> str:
        """The message in Twilio's words, which name the account, too."""
        return f"{self._where} for account {account_sid} because {self._because}"


class NotFound(RoutingError):
    status = 404
    code = 20404

    def __init__(self, resource: str) -> None:
        super().__init__(f"The requested resource {resource} was not found")


class Conflict(RoutingError):
    status = 409
    code = 20409


class Gone(RoutingError):
    status = 410
    code = 20410


class PreconditionFailed(RoutingError):
    status = 412
    code = 20412
