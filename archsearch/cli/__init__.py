"""What did the user ask for: parse, call, print. Everything heavy is imported inside the commands."""
