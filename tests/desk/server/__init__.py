"""The desk's server side, without a browser."""
