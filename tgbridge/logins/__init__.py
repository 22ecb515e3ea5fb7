"""What the service remembers of logins from one request to the next."""
