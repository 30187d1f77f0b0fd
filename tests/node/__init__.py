"""Programs in JavaScript that the tests run, with the libraries that they need."""
