"""What has been learned, ready to use."""
