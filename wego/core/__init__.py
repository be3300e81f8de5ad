"""What every package stands on; imports no domain module."""
