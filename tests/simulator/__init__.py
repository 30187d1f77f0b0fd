"""The simulator, proved from outside: the official client and plain requests on one side, a real
web application that answers TwiML on the other.
"""
