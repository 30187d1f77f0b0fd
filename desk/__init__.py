"""The agent's desk and the supervisor's wall: web pages that use the doors everybody uses."""
