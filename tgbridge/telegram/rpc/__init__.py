"""What may befall a call on its way to Telegram: small pieces around one attempt, each with one concern."""
