"""The REST door, seen as Twilio's official client sees it."""
