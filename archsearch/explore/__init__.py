"""What do whole spaces do: networks drawn from them, compared, narrowed to what is good."""
