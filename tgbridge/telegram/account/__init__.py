"""An account's logins: by code, password and QR code; its devices; signing out."""
